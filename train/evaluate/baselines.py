"""Four answers that need no training; a network is worth what it adds to them.

Each takes the picture's alpha (H, W) in [0, 1] and gives a Field in the frame of the scores: upright as seen in the
picture, x to the right, z up, longest side about 1. The two that know procedural shapes read them from a Library.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE

GRID = 64
PLACES = 28
"""Silhouettes are compared at 28 x 28."""
NEIGHBOURS = 4
LEVELS = tuple(np.linspace(0.05, 0.6, 12))


def silhouette(alpha, size):
    """The mask cut to the square round its bounds and area-filtered to (size, size) float32; first row on top."""
    rows, columns = (np.flatnonzero((alpha > 0.5).any(axis)) for axis in (1, 0))
    if not len(rows):
        raise ValueError("the picture's alpha shows no object")
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(bottom - top, right - left)
    square = np.zeros((side, side), np.float32)
    y, x = (side - (bottom - top)) // 2, (side - (right - left)) // 2
    square[y : y + bottom - top, x : x + right - left] = alpha[top:bottom, left:right]
    return np.asarray(Image.fromarray(square).resize((size, size), Image.Resampling.BOX), np.float32)


def extruded(alpha):
    """The silhouette pulled along the view to a depth that is its own width."""
    mask = silhouette(alpha, GRID)
    width = np.ptp(np.flatnonzero((mask > 0.5).any(0))) + 1
    depth = soft(width / 2 - np.abs(centres()))
    return in_cube(front(mask)[:, None, :] * depth[None, :, None])


def lathed(alpha):
    """The silhouette turned: each row of it becomes a disc as wide as the row, round the row's middle."""
    mask = front(silhouette(alpha, GRID))  # X Z
    filled = mask > 0.5
    x = centres()
    values = np.zeros((GRID, GRID, GRID), np.float32)
    for z in np.flatnonzero(filled.any(0)):
        run = np.flatnonzero(filled[:, z])
        middle, radius = (x[run[0]] + x[run[-1]]) / 2, (run[-1] - run[0] + 1) / 2
        values[:, :, z] = soft(radius - np.hypot(x[:, None] - middle, x[None, :]))
    return in_cube(values)


def centres():
    """Cell centres along one axis, in cells from the middle."""
    return np.arange(GRID) + 0.5 - GRID / 2


def front(mask):
    """Rows from the top, columns from the left -> (X, Z)."""
    return mask[::-1].T


def soft(inside):
    """Cells of depth below a flat surface -> how much of the cell is filled."""
    return np.clip(inside + 0.5, 0, 1)


def in_cube(values, level=0.5):
    return Field(values.astype(np.float32), level, UNIT_CUBE)


@dataclass(frozen=True)
class Library:
    """Silhouettes and shapes of procedural objects.

    silhouettes (N, 28, 28) uint8; occupancy (N, R^3 / 8) uint8, the bits of R^3 grids in X Y Z order; resolution R.
    """

    silhouettes: np.ndarray
    occupancy: np.ndarray
    resolution: int

    def __len__(self):
        return len(self.silhouettes)

    def grids(self, rows):
        """(len(rows), R, R, R) bool."""
        r = self.resolution
        return np.unpackbits(self.occupancy[rows], axis=1, count=r**3).reshape(-1, r, r, r).astype(bool)

    def mean(self):
        """How often each cell is filled, (R, R, R) float32."""
        total = np.zeros((self.resolution,) * 3)
        for start in range(0, len(self), 1024):
            total += self.grids(slice(start, start + 1024)).sum(0)
        return (total / len(self)).astype(np.float32)

    def save(self, path):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".part.npz")
        np.savez(partial, silhouettes=self.silhouettes, occupancy=self.occupancy, resolution=self.resolution)
        partial.replace(path)

    @classmethod
    def load(cls, path):
        with np.load(path, allow_pickle=False) as data:
            return cls(data["silhouettes"], data["occupancy"], int(data["resolution"]))


def collect(batches):
    """A Library at 32^3 from batches of (alpha (B, H, W) in [0, 1], occupancy (B, 64, 64, 64) bool)."""
    silhouettes, bits = [], []
    for alphas, grids in batches:
        for alpha, grid in zip(alphas, grids, strict=True):
            if not (alpha > 0.5).any() or not grid.any():
                continue  # nothing to compare with
            silhouettes.append(np.round(silhouette(alpha, PLACES) * 255).astype(np.uint8))
            halved = grid.reshape(32, 2, 32, 2, 32, 2).sum(axis=(1, 3, 5)) >= 4
            bits.append(np.packbits(halved))
    return Library(np.array(silhouettes), np.array(bits), 32)


def mean_shape(library, tries=LEVELS, judges=2000):
    """The library's mean, at the level where it overlaps the library's own shapes best; the same for every picture."""
    mean = library.mean()
    shapes = library.grids(slice(0, judges))

    def overlap(level):
        guess = mean > level
        both = (shapes & guess).sum(axis=(1, 2, 3))
        return (both / (shapes | guess).sum(axis=(1, 2, 3))).mean()

    return in_cube(mean, float(max(tries, key=overlap)))


class Nearest:
    """The mean of the shapes whose silhouettes are nearest to the picture's, by squared difference."""

    def __init__(self, library, neighbours=NEIGHBOURS):
        self.library, self.neighbours = library, neighbours
        self.table = library.silhouettes.reshape(len(library), -1).astype(np.float32) / 255
        self.squares = (self.table**2).sum(1)

    def rows(self, alpha):
        """Indices of the nearest, nearest first."""
        wanted = silhouette(alpha, PLACES).ravel()
        distance = self.squares - 2 * self.table @ wanted
        return np.argsort(distance, kind="stable")[: self.neighbours]

    def __call__(self, alpha):
        # Where half of them agree is inside: on held-out procedural shapes that scores .41, more than half .34.
        return in_cube(self.library.grids(self.rows(alpha)).mean(0), 0.5 - 0.5 / self.neighbours)
