"""A box in the captured world: what an artist wants of it, cut out of a field, and the box round sparse points."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import minimum_filter
from scipy.spatial import cKDTree

from .field import Field
from .frames import cell_centres, cell_size
from .hull import OBJECT, Similarity, box_from_masks, project, visual_hull
from .scene import Photo

COLOURED = 3.0
"""Cells on either side of a surface that have a colour"""
SPLAT = 96
"""Pixels along the longer side of pictures in which cells of a hull cover each other"""
CELLS = 64


@dataclass(frozen=True)
class Box:
    """Along the axes: centre and size (3,) in the captured world's unit."""

    centre: tuple[float, float, float]
    size: tuple[float, float, float]

    @property
    def cube(self) -> Similarity:
        """The cube round it."""
        return Similarity(self.centre, max(self.size))

    @property
    def half(self) -> np.ndarray:
        """(3,) half its sides in that cube."""
        return np.asarray(self.size) / max(self.size) / 2

    def distance(self, shape, bounds) -> np.ndarray:
        """(X, Y, Z) float32 to its faces, inside > 0, at the samples of a grid."""
        steps = cell_size(shape, bounds)
        sides = []
        for axis in range(3):
            places = bounds[0][axis] + (np.arange(shape[axis]) + 0.5) * steps[axis] - self.centre[axis]
            within = (self.size[axis] / 2 - np.abs(places)).astype(np.float32)
            sides.append(within.reshape([-1 if i == axis else 1 for i in range(3)]))
        outside = np.sqrt(sum(np.minimum(side, 0) ** 2 for side in sides))
        return np.where(outside > 0, -outside, np.minimum(np.minimum(sides[0], sides[1]), sides[2]))


def cut(field: Field, box: Box) -> Field:
    """What a field of distances holds within a box, closed where the box cuts it; there it has the nearest colours.

    Raises ValueError where that is nothing."""
    distance = box.distance(field.values.shape, field.bounds)
    values = np.minimum(field.values - np.float32(field.level), distance) + np.float32(field.level)
    if not (values > field.level).any():
        raise ValueError("nothing was found in the box; move it to where the object is, or make it larger")
    colour = field.colour
    if colour is not None:
        reach = COLOURED * cell_size(field.values.shape, field.bounds).max()
        bare = (np.abs(distance) < reach) & (field.values > field.level) & ~colour.any(-1)
        colour = filled(colour, bare)
    return dataclasses.replace(field, values=values, colour=colour)


def filled(colour: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """colour (X, Y, Z, 3), where `bare` (X, Y, Z) bool with that of the nearest cell that has one."""
    known, wanted = np.argwhere(colour.any(-1)), np.argwhere(bare)
    if not len(known) or not len(wanted):
        return colour
    nearest = known[cKDTree(known).query(wanted, workers=-1)[1]]
    made = colour.copy()
    made[tuple(wanted.T)] = colour[tuple(nearest.T)]
    return made


def sure(photos: list[Photo], cube: Similarity) -> list[np.ndarray] | None:
    """(H, W) bool of each photo: pixels in which no other part of the masked object may cover the cube.

    A mask shows the object where the object is, also where it is outside the cube that a field is fitted in; there it
    says nothing of the cube. None where all of the object is in it.
    """
    whole = box_from_masks(photos)
    misses = len(photos) // 50
    cells = whole.to_world(cell_centres(CELLS)[visual_hull(photos, whole, CELLS, misses=misses)])
    beyond = cells[(np.abs(cube.to_cube(cells)) > 0.5).any(1)]
    if not len(beyond):
        return None
    within = cube.to_world(cell_centres(CELLS)[visual_hull(photos, cube, CELLS, misses=misses)])
    if not len(within):
        raise ValueError("the masks show nothing in the box; move it to where the object is, or make it larger")
    found = []
    for photo in photos:
        # Cells of the one leave no gaps between them, those of the other may: rather too little is trusted.
        covered = minimum_filter(nearest_of(photo, beyond), 3) < nearest_of(photo, within)
        height, width = photo.image.shape[:2]
        rows, columns = (np.arange(height) * len(covered)) // height, (np.arange(width) * covered.shape[1]) // width
        found.append(~covered[rows][:, columns] | (photo.mask <= OBJECT))
    return found


def nearest_of(photo: Photo, points: np.ndarray) -> np.ndarray:
    """(h, w) how far the nearest of points (P, 3) is along the view in a small picture; infinite where none is seen."""
    height, width = photo.image.shape[:2]
    scale = min(1.0, SPLAT / max(height, width))
    depths = np.full((max(1, round(height * scale)), max(1, round(width * scale))), np.inf)
    pixels, depth = project(photo, points)
    column, row = np.floor(pixels * [depths.shape[1] / width, depths.shape[0] / height]).astype(np.int64).T
    shown = (depth > 0) & (column >= 0) & (column < depths.shape[1]) & (row >= 0) & (row < len(depths))
    np.minimum.at(depths, (row[shown], column[shown]), depth[shown])
    return depths
