"""What photos without masks are of: the part of space that most of them look at."""

import numpy as np
from scipy.ndimage import label
from scipy.spatial import ConvexHull, QhullError

from .hull import Similarity, project
from .scene import Photo

PIECE = 0.1
"""Score of a part, as a share of the best one's, from which it belongs to the object."""


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
