"""Shapes are brought to agree with the outline of what the pictures show."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F

from .camera import cell_centres
from .look import Looker

SURE = 0.5
"""Occupancy that the likeliest cell behind a pixel of the object is raised to."""


@dataclass(frozen=True)
class Silhouette:
    """How strongly a shape is brought to agree with a mask; chosen on validation shapes."""

    most: float
    """How far the likeliest cells behind a pixel of the object may be raised, in logits."""
    carve: float
    """How far cells that only the background covers are lowered, in logits."""
    margin: int
    """Crop pixels, odd, across which a mask's edge is doubted before it carves."""


FIRST, OTHER = Silhouette(5.0, 3.0, 9), Silhouette(2.0, 1.0, 15)
KNOWN = Silhouette(5.0, 4.0, 3)
"""Of pictures whose cameras are known"""
COARSENESS = 1.7
"""Cells of the cube's centre that a pixel spans where picture and field are made to agree, so that none lacks cells."""


PEAK = 4.0
"""How much more likely cells weigh, the power of their odds, where a ray is asked at which depth it meets the object"""
LONGER = 1.5
"""What is raised along a ray, over as much as is expected to be inside ..."""
LEAST, FADE = 2.0, 2.0
"""... and at least, to either side of the likeliest depth; and across how much that falls to nothing: cells"""


def agreeing(logits: torch.Tensor, alpha: torch.Tensor, looker: Looker, how: Silhouette = FIRST) -> torch.Tensor:
    """Occupancy logits (1, 1, N, N, N) that the silhouette alpha (1, 1, H, W) bears out.

    Where a pixel shows the object but no cell behind it is likely, those round the likeliest depth are raised until the
    likeliest is SURE: thin legs and handles, which the network sees but doubts, come through. All cells behind it
    would make sheets of them, as deep as the network's doubt. Cells that only background covers are lowered.
    What it is worth on validation shapes: docs/benchmarks.md.
    """
    n = logits.shape[-1]
    count = max(8, min(64, int(2 * n / (COARSENESS * float(looker.camera[0, 1].exp())))))
    flat = logits.float().flatten()
    uv, depth = looker.project(cell_centres(n, logits.device))
    pixel = ((uv[0] + 1) / 2 * count).long()
    inside = ((pixel >= 0) & (pixel < count)).all(1)
    rays = _Rays((pixel[:, 1] * count + pixel[:, 0])[inside], count, flat[inside], depth[0, inside])
    mask = F.adaptive_avg_pool2d(alpha.float(), count)
    shown = ((mask - 0.3) / 0.4).clamp(0, 1)
    lacking = (math.log(SURE / (1 - SURE)) - rays.best).clamp(0, how.most) * shown
    at = uv[:, :, None]
    middle, half = (F.grid_sample(one, at, align_corners=False).flatten() for one in rays.likely(mask, n))
    beyond = ((depth[0] - middle).abs() * n - half).clamp_min(0)
    raised = F.grid_sample(lacking, at, align_corners=False).flatten() * (1 - beyond / FADE).clamp_min(0)
    covered = F.max_pool2d(alpha.float(), how.margin, 1, how.margin // 2)
    near = F.grid_sample(covered, at, align_corners=False).flatten()
    return (flat + raised - how.carve * (1 - near)).reshape(logits.shape)


class _Rays:
    """Cells by the ray of count x count that they lie on: index, logits and depth (M,) of each."""

    def __init__(self, index: torch.Tensor, count: int, logits: torch.Tensor, depth: torch.Tensor):
        self.index, self.count, self.logits, self.depth = index, count, logits, depth
        best = logits.new_full((count * count,), -20.0).scatter_reduce(0, index, logits, "amax")
        self.best = self._picture(best)

    def likely(self, mask: torch.Tensor, cells: int) -> tuple[torch.Tensor, torch.Tensor]:
        """The depth at which each ray meets the object, (1, 1, count, count), and half of how long it stays inside, in
        cells of the cube's side; both as the rays of `mask` (1, 1, count, count) round it say, too."""
        weight = ((self.logits - self.best.flatten()[self.index]) * PEAK).exp()
        total, chance = self._sum(weight), self._sum(self.logits.sigmoid())
        there = mask * (total > 0) + 1e-6
        met = there * self.best.sigmoid()
        depth = _round(self._sum(weight * self.depth) / total.clamp_min(1e-9), met)
        long = _round(chance / self._sum(torch.ones_like(weight)).clamp_min(1), there) * cells
        return depth, (LONGER * long / 2).clamp_min(LEAST)

    def _sum(self, values: torch.Tensor) -> torch.Tensor:
        """Values (M,) of cells summed along their rays, (1, 1, count, count)."""
        return self._picture(values.new_zeros(self.count**2).scatter_add(0, self.index, values))

    def _picture(self, values: torch.Tensor) -> torch.Tensor:
        return values.reshape(1, 1, self.count, self.count)


def _round(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Means of values (1, 1, N, N) over 3 x 3 rays, by weight (1, 1, N, N)."""
    return F.avg_pool2d(values * weight, 3, 1, 1) / F.avg_pool2d(weight, 3, 1, 1)
