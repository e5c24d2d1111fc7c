"""What photos without masks are of: the part of space that most of them look at."""

import numpy as np
from scipy.ndimage import label
from scipy.spatial import ConvexHull, QhullError

from .hull import Similarity, project
from .scene import Photo

PIECE = 0.1
"""Score of a part, as a share of the best one's, from which it belongs to the object."""
SEEN = 0.5
"""Share of the photos that show what most of them show, from which a sparse point counts"""
FRINGE = 0.02
"""Share of the sparse points, by what they are worth, that may lie beyond the box on each side"""
ENOUGH = 40
"""Sparse points below which they say too little of an object's size"""


def looked_at(points: np.ndarray, photos: list[Photo], similarity: Similarity) -> tuple[np.ndarray, np.ndarray]:
    """Of points (P, 3) of the cube: the number of photos that show them, and the sum of how centrally, 1 to 0."""
    number, central = np.zeros(len(points), np.int32), np.zeros(len(points), np.float32)
    world = similarity.to_world(points)
    for photo in photos:
        height, width = photo.image.shape[:2]
        pixels, away = project(photo, world)
        off = np.abs(pixels - [width / 2, height / 2])
        shown = (away > 0) & (off < [width / 2, height / 2]).all(1)
        number += shown
        central += shown * np.exp(-2 * (off / (min(height, width) / 2)) ** 2).prod(1)
    return number, central


def box_from_points(points: np.ndarray, photos: list[Photo], widest: Similarity, margin: float = 0.2) -> Similarity:
    """A cube round those of sparse points (P, 3) that photos are of; `widest` where that is no smaller.

    Points count by how many photos show them near their middles, so those of a room far behind hardly do. Surfaces
    without points may reach further: the margin is for them.
    """
    number, central = looked_at(widest.to_cube(points), photos, widest)
    worth = (central / len(photos)) ** 2 * (number >= SEEN * number.max(initial=0))
    if np.count_nonzero(worth > PIECE * worth.max(initial=0)) < ENOUGH:
        return widest
    low, high = (
        np.array([weighted(points[:, axis], worth, share) for axis in range(3)]) for share in (FRINGE, 1 - FRINGE)
    )
    side = float((high - low).max()) * (1 + 2 * margin)
    if not 0 < side < widest.side:
        return widest
    return Similarity(tuple(float(c) for c in (low + high) / 2), side)


def weighted(values: np.ndarray, worth: np.ndarray, share: float) -> float:
    """The value (N,) below which so much of what they are worth (N,) lies."""
    order = np.argsort(values)
    total = np.cumsum(worth[order], dtype=np.float64)
    return float(values[order[np.searchsorted(total, share * total[-1])]])


def best_parts(thick: np.ndarray, worth: np.ndarray) -> np.ndarray:
    """thick (N, N, N) bool: those of its parts that together are worth most, of what each cell is worth, float."""
    pieces, _ = label(thick, np.ones((3, 3, 3)))
    marks = np.bincount(pieces.ravel(), worth.ravel())
    marks[0] = 0
    return thick & (marks >= PIECE * marks.max())[pieces]


def filled(shell: np.ndarray, seen: np.ndarray, within: np.ndarray) -> np.ndarray:
    """shell (N, N, N) bool, with what no camera has `seen` among its parts: in its convex hull."""
    places = np.argwhere(shell)
    hidden = np.argwhere(~seen & within & ~shell)
    try:
        planes = ConvexHull(places).equations
    except QhullError:
        return shell
    if not len(hidden):
        return shell
    inside = np.ones(len(hidden), bool)
    for plane in planes:
        inside[inside] = hidden[inside] @ plane[:3] + plane[3] < 0
    solid = shell.copy()
    solid[tuple(hidden[inside].T)] = True
    return solid


def box_round(inside: np.ndarray, similarity: Similarity, margin: float = 0.1) -> Similarity:
    """A cube round cells of another one."""
    n, cells = len(inside), np.argwhere(inside)
    low, high = cells.min(0) / n - 0.5, (cells.max(0) + 1) / n - 0.5
    centre = similarity.to_world((low + high) / 2)
    side = float((high - low).max()) * (1 + 2 * margin) * similarity.side
    return Similarity(tuple(float(c) for c in centre), side)


def few(photos: list[Photo], count: int) -> list[Photo]:
    return list(photos[:: max(1, -(-len(photos) // count))])
