"""Shapes whose halves mirror each other."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from .image_to_field import Prediction


def plane(logits: torch.Tensor) -> float:
    """Degrees from x of the normal of the vertical plane through the centre in which a shape's mirror image fits it
    best; occupancy logits (1, 1, N, N, N)."""
    occupancy = logits.float().sigmoid()
    angles = torch.arange(0, 180, 5.0)
    fits = torch.stack([(occupancy * reflected(occupancy, float(a))).sum() for a in angles])
    best = float(angles[fits.argmax()])
    near = torch.arange(best - 4, best + 5, 1.0)
    fits = torch.stack([(occupancy * reflected(occupancy, float(a))).sum() for a in near])
    return float(near[fits.argmax()])


def symmetrical(whole: Prediction, degrees: float) -> Prediction:
    """The mean of the Prediction and its mirror image in the vertical plane whose normal is `degrees` from x."""
    parts = (getattr(whole, name).float() for name in Prediction.__dataclass_fields__)
    return Prediction(*((part + reflected(part, degrees)) / 2 for part in parts))


def reflected(values: torch.Tensor, degrees: float) -> torch.Tensor:
    """values (1, C, X, Y, Z) mirrored in the vertical plane through the centre whose normal is `degrees` from x."""
    c, s = math.cos(2 * math.radians(degrees)), math.sin(2 * math.radians(degrees))
    # grid_sample's axes are z, y, x
    matrix = torch.tensor([[1.0, 0, 0, 0], [0, c, -s, 0], [0, -s, -c, 0]], device=values.device, dtype=values.dtype)
    grid = F.affine_grid(matrix[None], list(values[:, :1].shape), align_corners=False)
    return F.grid_sample(values, grid, padding_mode="border", align_corners=False)
