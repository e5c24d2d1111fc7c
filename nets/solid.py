"""A mesh as a solid to compare shapes with: distances to it, in the cube that it fills."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .camera import cell_centres
from .examples import SOFT


@dataclass(frozen=True, eq=False)
class Solid:
    """Signed distances to a mesh whose bounds are centred in [-.5, .5]^3, longest side 1."""

    values: Tensor
    """(N, N, N) inside > 0"""
    longest: float
    """The mesh's longest side, metres"""

    def at(self, places: Tensor) -> Tensor:
        """Distances (B, P) at places (B, P, 3), outside the cube too."""
        edge = 0.5 - 0.5 / self.values.shape[0]
        held = places.clamp(-edge, edge)
        found = F.grid_sample(self.values[None, None], (2 * held).flip(-1)[None, :, :, None], align_corners=False)
        return found[0, 0, ..., 0] - (places - held).square().sum(-1).clamp_min(1e-12).sqrt()

    def turned_bounds(self, turns: Tensor) -> tuple[Tensor, Tensor]:
        """Lowest and highest corners (B, 3) of the solid turned by -turns (B,) radians."""
        points = cell_centres(self.values.shape[0], self.values.device)[self.values.flatten() > 0]
        turned = about_z(points, -turns)
        half = 0.5 / self.values.shape[0]
        return turned.amin(1) - half, turned.amax(1) + half


def solid_from(values: np.ndarray, longest: float, where) -> Solid:
    """From distances (N, N, N) as geometry.distance has them, on a device."""
    return Solid(torch.from_numpy(values).to(where), longest)


@torch.inference_mode()
def mirrored_iou(solid: Solid, turn: float) -> float:
    """Of the solid and its mirror image, where its left and right are those of a shape turned by degrees; soft."""
    places = cell_centres(48, solid.values.device)
    angle = places.new_tensor([math.radians(turn)])
    there, mirrored = (
        (solid.at(about_z(p, angle)) / SOFT).sigmoid() for p in (places, places * places.new_tensor([-1, 1, 1]))
    )
    return float(torch.minimum(there, mirrored).sum() / torch.maximum(there, mirrored).sum().clamp_min(1e-6))


def about_z(places: Tensor, turns: Tensor) -> Tensor:
    """places (P, 3) or (B, P, 3) turned counter-clockwise, as seen from above, by turns (B,) radians: (B, P, 3)."""
    c, s = turns.cos()[:, None], turns.sin()[:, None]
    x, y, z = places.unbind(-1)
    x, y, z = torch.broadcast_tensors(c * x - s * y, s * x + c * y, z)
    return torch.stack([x, y, z], -1)


def solid_iou(some: Tensor, other: Tensor) -> Tensor:
    """(B,) of (B, ...) bool."""
    both, either = (some & other).flatten(1).sum(1), (some | other).flatten(1).sum(1)
    return both / either.clamp_min(1)
