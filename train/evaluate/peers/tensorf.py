"""Planes times lines: after TensoRF's vector-matrix decomposition (Chen 2022, arXiv:2203.09517)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rendering import Peer

STAGES = ((0.0, 64), (0.3, 128))
"""Shares of the time from which planes and lines have this many cells along a side"""
DENSITY, COLOUR, FEATURES, HIDDEN, OCTAVES = 8, 16, 27, 64, 2
SHIFT = -4.6
"""A cell's opacity is .01 at first"""
SPARSE = 4e-5
"""Weight of the mean size of what density is made of"""
AXES = ((0, 1, 2), (0, 2, 1), (1, 2, 0))
"""Two axes of a plane, and that of its line"""


class Tensorf(Peer):
    def __init__(self):
        super().__init__()
        self.stage, self.resolution = 0, STAGES[0][1]
        both = DENSITY + COLOUR  # in one table, so that each place is looked up once
        n = self.resolution
        self.planes = nn.ParameterList(0.1 * torch.randn(1, both, n, n) for _ in AXES)
        self.lines = nn.ParameterList(0.1 * torch.randn(1, both, n, 1) for _ in AXES)
        self.basis = nn.Linear(len(AXES) * COLOUR, FEATURES, bias=False)
        entering = FEATURES + 3 + 2 * OCTAVES * (FEATURES + 3)
        self.network = nn.Sequential(
            nn.Linear(entering, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 3)
        )
        nn.init.zeros_(self.network[-1].bias)

    def density(self, points: Tensor) -> Tensor:
        parts = [product[:DENSITY].sum(0) for product in self.products(points, slice(0, DENSITY))]
        return F.softplus(sum(parts) * 10 + SHIFT)

    def colour(self, points: Tensor, ways: Tensor) -> Tensor:
        parts = torch.cat(list(self.products(points, slice(DENSITY, None))))
        looked = torch.cat([self.basis(parts.T), ways], 1)
        angle = (looked[..., None] * 2.0 ** torch.arange(OCTAVES)).flatten(-2)
        return torch.sigmoid(self.network(torch.cat([looked, angle.sin(), angle.cos()], 1)))

    def products(self, points: Tensor, channels: slice):
        """Of each of the three decompositions (C, P)."""
        for plane, line, (a, b, c) in zip(self.planes, self.lines, AXES):
            flat = torch.stack([points[:, b], points[:, a]], -1)[None, None]
            along = torch.stack([torch.zeros_like(points[:, c]), points[:, c]], -1)[None, None]
            on_plane = F.grid_sample(plane[:, channels], flat, align_corners=True)[0, :, 0]
            yield on_plane * F.grid_sample(line[:, channels], along, align_corners=True)[0, :, 0]

    def groups(self) -> list[dict]:
        tables = [*self.planes, *self.lines]
        nets = [*self.basis.parameters(), *self.network.parameters()]
        return [{"params": tables, "lr": 0.02}, {"params": nets, "lr": 1e-3}]

    def regular(self) -> Tensor:
        return SPARSE * sum(table[:, :DENSITY].abs().mean() for table in (*self.planes, *self.lines))

    def grown(self, share: float) -> bool:
        if self.stage + 1 >= len(STAGES) or share < STAGES[self.stage + 1][0]:
            return False
        self.stage += 1
        self.resolution = n = STAGES[self.stage][1]
        with torch.no_grad():
            self.planes = nn.ParameterList(stretched(plane, (n, n)) for plane in self.planes)
            self.lines = nn.ParameterList(stretched(line, (n, 1)) for line in self.lines)
        return True


def stretched(table: Tensor, size) -> Tensor:
    return F.interpolate(table, size, mode="bilinear", align_corners=True)
