"""What an object hangs on or stands on: a plane that goes on beyond it, with all cameras on one side."""

from dataclasses import dataclass

import numpy as np

TRIES = 600
"""Planes through three places that are compared"""
THICKNESS = 1.0
"""Cells on either side of a plane that are still its own"""
COVERED = 0.2
"""Share of the cube's cross-section that a wall must fill, in pieces as large as a cell"""
MARGIN = 1.0
"""Cells before a wall that are cut off with it"""


@dataclass(frozen=True)
class Plane:
    """Points of the world are in front where normal . point > offset."""

    normal: tuple[float, float, float]
    offset: float

    def before(self, points):
        """Distance (...) in front of points (..., 3), behind < 0."""
        return np.asarray(points, np.float64) @ np.array(self.normal) - self.offset


def wall_of(thick: np.ndarray, eyes: np.ndarray, seed: int = 0) -> tuple[np.ndarray, float] | None:
    """The wall among thick (N, N, N) bool of the cube [-.5, .5]^3: normal (3,) towards the eyes (P, 3), and offset.

    None where no plane with all eyes before it fills enough of the cube. What is in front begins MARGIN before it.
    """
    n = len(thick)
    places = (np.argwhere(thick) + 0.5) / n - 0.5
    if len(places) < COVERED * n * n:
        return None
    random = np.random.default_rng(seed)
    some = places[random.choice(len(places), min(len(places), 4000), replace=False)]
    a, b, c = places[random.integers(len(places), size=(3, TRIES))]
    normals = np.cross(b - a, c - a)
    length = np.linalg.norm(normals, axis=1)
    good = length > 0.02
    normals, a = normals[good] / length[good, None], a[good]
    offsets = (normals * a).sum(1)
    away = eyes @ normals.T - offsets
    turn = np.where(away.mean(0) < 0, -1.0, 1.0)
    normals, offsets = normals * turn[:, None], offsets * turn
    near = np.abs(some @ normals.T - offsets) < THICKNESS / n
    votes = near.sum(0) * ((away * turn).min(0) > 0.05)
    if not votes.any():
        return None
    normal, offset = fitted(places, normals[votes.argmax()], offsets[votes.argmax()], THICKNESS / n)
    if (eyes @ normal - offset).min() <= 0.05:
        return None
    if cross_section(places[np.abs(places @ normal - offset) < THICKNESS / n], normal, n) < COVERED * n * n:
        return None
    return normal, float(offset + MARGIN / n)


def fitted(places, normal, offset, thickness):
    """The plane through those of places (P, 3) that lie near a first guess, by least squares, looking the same way."""
    for _ in range(3):
        own = places[np.abs(places @ normal - offset) < thickness]
        middle = own.mean(0)
        better = np.linalg.svd(own - middle, full_matrices=False)[2][-1]
        normal = better if better @ normal > 0 else -better
        offset = normal @ middle
    return normal, offset


def cross_section(places, normal, n) -> int:
    """How many squares of a cell's size places (P, 3) fill, seen along a normal."""
    across = np.linalg.svd(normal[None])[2][1:]
    return len(np.unique(np.floor(places @ across.T * n), axis=0))
