"""Cubes that are not quite those that shapes fill, as those are that several known cameras are looked up from.

Known cameras say where an object stands; how large it is they do not say, if masks show it from a few sides alone. So
in training some cubes are larger or smaller than their shapes, which then lie a little beside their middles.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.camera import cell_centres
from ...nets.image_to_field import TRUNCATION
from ...nets.registration import STILL, moved
from ...nets.several_views import fitted

SIDE, MIDDLE = 0.12, 0.04
"""Standard deviations of a cube's side (logarithm) and of its middle: how far astray they are supposed to be"""
FAR = 0.98
"""Share of the truncation from which a distance says no more than inside or outside"""


def loosened(ready: dict[str, Tensor], some: Tensor) -> dict[str, Tensor]:
    """A prepared batch of several views with the cubes of `some` objects (B,) elsewhere, and their shapes and fits with
    them. known_camera (B, V, 5) are the views' cameras in these cubes, while `camera` and `view_camera` stay those of
    cubes that are filled: what a picture alone should say."""
    grids = "distance", "colour", "painted"
    ready = ready | {name: ready[name].clone() for name in ("fit", *grids)}
    cameras = torch.cat([ready["camera"][:, None], ready["view_camera"]], 1)
    rows = some.nonzero()[:, 0].tolist()
    for row, middle, side in zip(rows, *drawn(len(rows), cameras.device), strict=True):
        fits = torch.cat([cameras.new_tensor([STILL]), ready["fit"][row]])
        own = fitted(middle[None], fits)[:, 0]
        cameras[row], fits = moved(cameras[row], fits, own, side * fits[:, 1])
        ready["fit"][row] = fits[1:]
        for name in grids:
            ready[name][row] = looked_up(ready[name][row], middle, side, name)
    return ready | {"known_camera": cameras}


def drawn(count: int, device) -> tuple[Tensor, Tensor]:
    """Middles (N, 3) and sides (N,) of the new cubes in the old ones."""
    return MIDDLE * torch.randn(count, 3, device=device), (SIDE * torch.randn(count, device=device)).exp()


def looked_up(grid: Tensor, middle: Tensor, side: Tensor, name: str) -> Tensor:
    """A grid (C, N, N, N) of the old cube on the cells of a new one, whose places p' were middle + side p' there."""
    n = grid.shape[-1]
    places = 2 * (middle + side * cell_centres(n, grid.device))
    distance = name == "distance"
    value = grid + TRUNCATION if distance else grid  # zeros lie beyond
    value = F.grid_sample(
        value[None], places.flip(-1)[None, :, None, None], "bilinear" if distance else "nearest", align_corners=False
    )
    value = value.reshape(grid.shape)
    if not distance:
        return value
    value = value - TRUNCATION
    return torch.where(value.abs() < FAR * TRUNCATION, value / side, value)
