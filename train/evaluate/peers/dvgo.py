"""Dense grids, coarse to fine: after DVGO (Sun 2022, arXiv:2111.11215), for a minute of one core rather than of a GPU.

First density and colour alone; then density, features and a small network of the direction of view. Densities are
activated after interpolation, as there. Grids are coarser than the 160^3 of the paper, for each step touches all cells.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .rendering import Peer

STAGES = ((0.0, 48), (0.2, 96), (0.6, 128))
"""Shares of the time from which grids have this many cells along a side; the first has colours alone"""
FEATURES, HIDDEN, OCTAVES = 12, 64, 4
SHIFT = -4.6
"""A cell's opacity is .01 at first"""


class Dvgo(Peer):
    def __init__(self):
        super().__init__()
        self.stage, self.resolution = 0, STAGES[0][1]
        self.thickness = nn.Parameter(torch.zeros(1, 1, *(self.resolution,) * 3))
        self.tint = nn.Parameter(torch.zeros(1, 3, *(self.resolution,) * 3))
        self.network = nn.Sequential(
            nn.Linear(FEATURES + 3 + 6 * OCTAVES, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(),
            nn.Linear(HIDDEN, 3),
        )  # fmt: skip
        nn.init.zeros_(self.network[-1].bias)

    def density(self, points: Tensor) -> Tensor:
        return F.softplus(at(self.thickness, points)[:, 0] + SHIFT)

    def colour(self, points: Tensor, ways: Tensor) -> Tensor:
        looked = at(self.tint, points)
        if not self.stage:
            return torch.sigmoid(looked)
        angle = (ways[..., None] * 2.0 ** torch.arange(OCTAVES)).flatten(-2)
        return torch.sigmoid(self.network(torch.cat([looked, ways, angle.sin(), angle.cos()], 1)) + looked[:, :3])

    def groups(self) -> list[dict]:
        return [{"params": [self.thickness, self.tint], "lr": 0.1}, {"params": self.network.parameters(), "lr": 1e-3}]

    def grown(self, share: float) -> bool:
        if self.stage + 1 >= len(STAGES) or share < STAGES[self.stage + 1][0]:
            return False
        self.stage += 1
        self.resolution = STAGES[self.stage][1]
        self.thickness = finer(self.thickness, self.resolution)
        tint = finer(self.tint, self.resolution).data
        if tint.shape[1] == 3:
            tint = torch.cat([tint, 0.1 * torch.randn(1, FEATURES - 3, *tint.shape[2:])], 1)
        self.tint = nn.Parameter(tint)
        return True


def at(grid: Tensor, points: Tensor) -> Tensor:
    """grid (1, C, X, Y, Z) at points (P, 3) -> (P, C)."""
    return F.grid_sample(grid, points.flip(-1)[None, None, None], align_corners=True)[0, :, 0, 0].T


def finer(grid: Tensor, resolution: int) -> nn.Parameter:
    with torch.no_grad():
        return nn.Parameter(F.interpolate(grid, (resolution,) * 3, mode="trilinear", align_corners=True))
