"""A surface between resolutions: distances at all corners of a cube, and fields on the cells round their zero."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.hull import Similarity
from ..geometry.wall import Plane
from .radiance_field import RadianceField
from .voxel_grid import VoxelGrid


def corners_of(cells: Tensor) -> Tensor:
    """Values at cells (R, R, R) -> at their corners (R + 1, R + 1, R + 1)."""
    return F.avg_pool3d(F.pad(cells[None, None], (1,) * 6, mode="replicate"), 2, 1)[0, 0]


def band(volume: Tensor, cells: float, deep: bool = False) -> Tensor:
    """(R, R, R) bool: cells with a corner nearer than `cells` cells to the surface, or, if deep, inside it."""
    n = volume.shape[0] - 1
    low, high = -cells / n, float("inf") if deep else cells / n
    close = ((volume > low) & (volume < high)).float()
    return F.max_pool3d(close[None, None], 2, 1)[0, 0] > 0


def at_corners(grid: VoxelGrid, volume: Tensor) -> Tensor:
    x, y, z = grid.places.unbind(1)
    return volume[x, y, z].clone()


def finer(field: RadianceField, volume: Tensor, resolution: int, cells: float) -> tuple[RadianceField, Tensor]:
    """The same surface at another resolution, active within `cells` of its cells; as flat as suits the field."""
    n = resolution
    kept = (field.grid.resolution / n) ** field.CALMER
    volume, cells = volume * kept, cells * kept
    volume = F.interpolate(volume[None, None], (n + 1,) * 3, mode="trilinear", align_corners=True)[0, 0]
    volume = volume.clamp(-8 / n, 8 / n)
    grid = VoxelGrid(band(volume, cells))
    places = grid.corners().clamp(-0.499999, 0.499999)
    known = field.grid.holds(places)
    colour = field.colour.new_zeros(len(grid), field.colour.shape[1])
    with torch.no_grad():
        colour[known] = field.grid.at(field.colour, places[known])
    new = type(field)(grid, at_corners(grid, volume), colour)
    new.shine.load_state_dict(field.shine.state_dict())
    return new, volume


def cut_off(volume: Tensor, plane: Plane | None, similarity: Similarity) -> Tensor:
    """The volume without what lies behind a plane of the world."""
    if plane is None:
        return volume
    side = np.linspace(-0.5, 0.5, len(volume))
    x, y, z = (np.float32(side * component) for component in plane.normal)
    middle = np.float32(plane.before(similarity.centre) / similarity.side)
    behind = torch.from_numpy(x[:, None, None] + y[:, None] + z + middle)
    return torch.minimum(volume, behind.to(volume.device))


def settle(field: RadianceField, volume: Tensor) -> Tensor:
    """The volume with the field's own distances where it has any."""
    x, y, z = field.grid.places.unbind(1)
    volume = volume.clone()
    volume[x, y, z] = field.distance.detach()
    return volume
