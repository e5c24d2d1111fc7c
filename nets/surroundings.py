"""All of space on one grid: what explains photos without masks, and lies behind what is captured."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry.hull import Similarity

RESOLUTION = 96
"""The unit cube has half of this along each side."""
WITHIN, BEYOND = 56, 24
"""Samples along a ray in the cube, and from there to infinity."""
FARTHEST = 0.97
"""Share of the way to infinity, in inverse depth, at which the last sample lies."""
STEEP, CLEAR = 5.0, 4.0
"""What is stored becomes density in 1 / cells as softplus(STEEP x - CLEAR): nearly clear at 0 (as in DVGO)."""
HAZE = 0.4
"""Stored beyond the cube at first, where something has to be seen."""


@dataclass
class Seen:
    """What R rays meet: colour (R, 3) sRGB, and of each sample in the cube its weight and distance along the ray."""

    colour: Tensor
    weight: Tensor
    along: Tensor


class Surroundings(nn.Module):
    """Density and colour on a grid of contracted space (Barron 2022, arXiv:2111.12077, with the largest coordinate)."""

    def __init__(self, resolution: int = RESOLUTION):
        super().__init__()
        side = torch.linspace(-1, 1, resolution)
        places = torch.stack(torch.meshgrid(side, side, side, indexing="ij"))
        table = torch.zeros(1, 4, resolution, resolution, resolution)
        table[0, 0][places.abs().amax(0) > 0.5] = HAZE
        self.table = nn.Parameter(table)
        self.register_buffer("closed", torch.zeros(resolution, resolution, resolution, dtype=torch.bool))
        """Where nothing may lie"""
        self.register_buffer("scale", torch.tensor(1.0))
        self.register_buffer("shift", torch.zeros(3))
        """From the cube that rays are given in to this one's: scale * point + shift"""

    def forward(self, origins: Tensor, directions: Tensor, jitter: Tensor | None = None) -> Tensor:
        """Colour (R, 3) sRGB that rays from origins (R, 3) along unit directions (R, 3) meet."""
        return self.look(origins, directions, jitter).colour

    def look(self, origins: Tensor, directions: Tensor, jitter: Tensor | None = None) -> Seen:
        origins = origins * self.scale + self.shift
        start, end = crossing(origins, directions)
        shift = 0.5 if jitter is None else jitter[:, None]
        within, beyond = (torch.arange(count, device=origins.device) for count in (WITHIN, BEYOND))
        inner = start[:, None] + (within + shift) / WITHIN * (end - start)[:, None]
        share = (beyond + shift) / BEYOND * FARTHEST
        along = torch.cat([inner, end[:, None] + 0.5 * share / (1 - share)], 1)
        points = contracted(origins[:, None] + along[..., None] * directions[:, None])
        looked = self.stored(points)
        length = (points[:, 1:] - points[:, :-1]).norm(dim=-1) * (self.table.shape[-1] / 2)
        thick = density(looked[0, :, :-1]) * length
        clear = torch.exp(-torch.cumsum(torch.cat([torch.zeros_like(thick[:, :1]), thick], 1), 1))
        weight = torch.cat([clear[:, :-1] - clear[:, 1:], clear[:, -1:]], 1)  # the last stops all that is left
        colour = torch.einsum("rs,crs->rc", weight, torch.sigmoid(looked[1:]))
        return Seen(colour, weight[:, :WITHIN], inner)

    def stored(self, points: Tensor) -> Tensor:
        """Density and colours as stored (4, ...) at contracted points (..., 3)."""
        flat = points.flip(-1).reshape(1, -1, 1, 1, 3)
        return F.grid_sample(self.table, flat, align_corners=True).reshape(4, *points.shape[:-1])

    @torch.no_grad()
    def close(self, closed: Tensor | None = None) -> None:
        """Clear where nothing may lie, and also where `closed` (N, N, N) bool says so from now on."""
        if closed is not None:
            self.closed |= closed
        self.table[0, 0].masked_fill_(self.closed, -2.0)

    @torch.no_grad()
    def move(self, old: Similarity, new: Similarity) -> None:
        """Rays are given in another cube from now on."""
        centre = torch.as_tensor(old.to_cube(new.centre), dtype=torch.float32).to(self.shift.device)
        self.shift += self.scale * centre
        self.scale *= new.side / old.side

    def places(self) -> Tensor:
        """(N, N, N, 3) contracted places of what is stored; its inner half is the cube."""
        side = torch.linspace(-1, 1, self.table.shape[-1], device=self.table.device)
        return torch.stack(torch.meshgrid(side, side, side, indexing="ij"), -1)


def density(stored: Tensor) -> Tensor:
    return F.softplus(STEEP * stored - CLEAR)


def crossing(origins: Tensor, directions: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays enter and leave the cube [-.5, .5]^3, (R,) each, not before 0; both 0 for those that miss it."""
    safe = torch.where(directions.abs() < 1e-6, torch.full_like(directions, 1e-6), directions)
    near, far = (-0.5 - origins) / safe, (0.5 - origins) / safe
    start, end = torch.minimum(near, far).amax(1).clamp_min(0), torch.maximum(near, far).amin(1)
    meets = end > start
    return torch.where(meets, start, torch.zeros_like(end)), torch.where(meets, end, torch.zeros_like(end))


def contracted(points: Tensor) -> Tensor:
    """All of space into [-1, 1]^3: the unit cube to its half, by the largest coordinate."""
    largest = (2 * points.abs()).amax(-1, keepdim=True).clamp_min(1)
    return 2 * points / largest * (2 - 1 / largest) / 2
