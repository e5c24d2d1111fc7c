"""What lies behind a captured object, out to infinity: needed to explain photos without masks, and never meshed."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

RESOLUTION = 96
SAMPLES = 24
FARTHEST = 0.97
"""Share of the way to infinity, in inverse depth, at which the last sample lies."""


class Surroundings(nn.Module):
    """Density and colour on a grid of contracted space (Barron 2022, arXiv:2111.12077, with the largest coordinate)."""

    def __init__(self, resolution: int = RESOLUTION):
        super().__init__()
        self.table = nn.Parameter(torch.zeros(1, 4, resolution, resolution, resolution))

    def forward(self, origins: Tensor, directions: Tensor, jitter: Tensor | None = None) -> Tensor:
        """Colour (R, 3) sRGB that rays from origins (R, 3) along unit directions (R, 3) meet beyond the unit cube.

        What is in front of the cube is not looked for.
        """
        start = leaving(origins, directions)
        at = torch.arange(SAMPLES, device=origins.device) + (0.5 if jitter is None else jitter[:, None])
        share = at / SAMPLES * FARTHEST
        along = start[:, None] + 0.5 * share / (1 - share)
        points = contracted(origins[:, None] + along[..., None] * directions[:, None])
        looked = F.grid_sample(self.table, points.flip(-1)[None, :, :, None], align_corners=True)[0, ..., 0]
        length = (points[:, 1:] - points[:, :-1]).norm(dim=-1) * self.table.shape[-1] / 2
        density = F.softplus(looked[0, :, :-1] - 2) * length
        clear = torch.exp(-torch.cumsum(torch.cat([torch.zeros_like(density[:, :1]), density], 1), 1))
        weight = torch.cat([clear[:, :-1] - clear[:, 1:], clear[:, -1:]], 1)  # the last stops all that is left
        return torch.einsum("rs,crs->rc", weight, torch.sigmoid(looked[1:]))


def leaving(origins: Tensor, directions: Tensor) -> Tensor:
    """Where rays leave the cube [-.5, .5]^3, (R,); 0 for those that miss it or have it behind them."""
    safe = torch.where(directions.abs() < 1e-6, torch.full_like(directions, 1e-6), directions)
    near, far = (-0.5 - origins) / safe, (0.5 - origins) / safe
    start, end = torch.minimum(near, far).amax(1), torch.maximum(near, far).amin(1)
    return torch.where(end > start, end, torch.zeros_like(end)).clamp_min(0)


def contracted(points: Tensor) -> Tensor:
    """All of space into [-1, 1]^3: the unit cube to its half, by the largest coordinate."""
    largest = (2 * points.abs()).amax(-1, keepdim=True).clamp_min(1)
    return 2 * points / largest * (2 - 1 / largest) / 2
