"""Surfaces where nothing is known of them: a fog fitted to photos without masks, and what is thick in it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.frames import cell_centres
from ..geometry.hull import largest_part, project, signed_distance, solid
from ..geometry.scene import Photo
from .fit_stage import CORNERS, Fitted, Run, Stage, pictured
from .pixels import small
from .radiance_field import DensityField, RadianceField, Skip, density
from .surface_volume import corners_of, finer, settle
from .voxel_grid import VoxelGrid

ALIKE, CLEARING = 1e-3, 1e-2
"""Weights of neighbours with like densities, and of no fog."""
CLEAR, THICK = 0.02, 0.25
"""Density in 1 / cells below which fog is left out; opacity of a cell above which it is taken for a surface."""


class SearchRun(Run):
    """The first stage where there are no masks: a fog that thickens where surfaces are."""

    def skipper(self) -> Skip:
        """Everywhere at first, later only where there is some fog."""
        near = self.field.grid.active
        if len(self.errors) > 150:
            thick = F.max_pool3d(density(self.fitted.volume)[None, None], 2, 1)
            near = F.max_pool3d((thick > CLEAR).float(), 3, 1, 1)[0, 0] > 0
        return Skip(self.field.grid, near, torch.zeros_like(near))

    def regular(self) -> Tensor:
        """Neighbours have like densities, and fog where nothing wants it clears."""
        few = min(len(self.neighbours), CORNERS)
        values = self.field.distance[self.neighbours[torch.randint(len(self.neighbours), (few,))]]
        return ALIKE * (values[:, 1:4] - values[:, :1]).abs().mean() + CLEARING * density(values).mean()


def fog(stage: Stage) -> tuple[DensityField, Tensor]:
    """A field that is nearly clear everywhere in the cube."""
    n = stage.resolution
    grid = VoxelGrid(torch.ones(n, n, n, dtype=torch.bool))
    return DensityField(grid, torch.zeros(len(grid))), torch.zeros(n + 1, n + 1, n + 1)


@torch.no_grad()
def from_fog(found: Fitted, photos: list[Photo], stage: Stage) -> tuple[RadianceField, Tensor]:
    """The surface of what is thick in the fog, with its colours; hollows that no camera saw are filled."""
    n = found.stage.resolution
    thick = F.avg_pool3d(density(settle(found.field, found.volume))[None, None], 2, 1)[0, 0]
    shell = largest_part((1 - torch.exp(-thick) > THICK).numpy())
    inside = solid(shell, seen_through(found, photos))
    if not inside.any():
        raise ValueError("nothing solid was found where the cameras look; more photos, or a longer budget, may help")
    distance = torch.from_numpy(signed_distance(inside)) / n
    return finer(found.field, corners_of(distance), stage.resolution, stage.band)


def seen_through(found: Fitted, photos: list[Photo], longest: int = 120) -> np.ndarray:
    """(R, R, R) bool: cells that some camera sees, in the air or just at a surface."""
    n = found.stage.resolution
    skip = SearchRun.skipper(SimpleNamespace(field=found.field, fitted=found, errors=[0.0] * 1000))
    points = cell_centres(n).reshape(-1, 3)
    seen = np.zeros(len(points), bool)
    for photo in photos[:: max(1, len(photos) // 40)]:
        lens = small(photo, longest)
        _, opacity, depth = pictured(found.field, skip, lens, found.similarity)
        pixels, away = project(lens, found.similarity.to_world(points))
        column, row = np.floor(pixels).astype(np.int64).T
        height, width = opacity.shape
        index = np.flatnonzero((away > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height))
        reach = np.where(opacity > 0.5, depth, np.inf)[row[index], column[index]]
        far = np.linalg.norm(points[index] - found.similarity.to_cube(lens.camera[:3, 3]), axis=1)
        seen[index] |= far < reach + 1 / n
    return seen.reshape(n, n, n)
