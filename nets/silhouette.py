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


def agreeing(logits: torch.Tensor, alpha: torch.Tensor, looker: Looker, how: Silhouette = FIRST) -> torch.Tensor:
    """Occupancy logits (1, 1, N, N, N) that the silhouette alpha (1, 1, H, W) bears out.

    Where a pixel shows the object but no cell behind it is likely, all cells behind it are raised until the likeliest
    is SURE: thin legs and handles, which the network sees but doubts, come through. Cells that only background covers
    are lowered.
    What it is worth on validation shapes: docs/benchmarks.md.
    """
    n = logits.shape[-1]
    rays = max(8, min(64, int(2 * n / (COARSENESS * float(looker.camera[0, 1].exp())))))
    flat = logits.float().flatten()
    uv = looker.uv(cell_centres(n, logits.device))
    pixel = ((uv[0] + 1) / 2 * rays).long()
    inside = ((pixel >= 0) & (pixel < rays)).all(1)
    ray = (pixel[:, 1] * rays + pixel[:, 0])[inside]
    best = flat.new_full((rays * rays,), -20.0).scatter_reduce(0, ray, flat[inside], "amax").reshape(1, 1, rays, rays)
    shown = ((F.adaptive_avg_pool2d(alpha.float(), rays) - 0.3) / 0.4).clamp(0, 1)
    lacking = (math.log(SURE / (1 - SURE)) - best).clamp(0, how.most) * shown
    at = uv[:, :, None]
    raised = F.grid_sample(lacking, at, align_corners=False).flatten()
    covered = F.max_pool2d(alpha.float(), how.margin, 1, how.margin // 2)
    near = F.grid_sample(covered, at, align_corners=False).flatten()
    return (flat + raised - how.carve * (1 - near)).reshape(logits.shape)
