"""A family of heads: a topology, the offsets that make its identities and expressions, and how these are drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Distance:
    """A slider of identity: how far two vertices are apart, in cm, along an axis (0, 1, 2) or as the crow flies."""

    name: str
    a: int
    b: int
    axis: int | None = None

    def of(self, vertices: np.ndarray) -> np.ndarray:
        """vertices (n, V, 3) metres -> (n,) cm"""
        apart = vertices[:, self.a] - vertices[:, self.b]
        return 100 * (np.abs(apart[:, self.axis]) if self.axis is not None else np.linalg.norm(apart, axis=-1))


@dataclass(frozen=True)
class Drawn:
    """n shapes: weights of the offsets, and the numbers with names that they were drawn by."""

    identity: np.ndarray
    """(n, I)"""
    expression: np.ndarray
    """(n, E)"""
    identity_numbers: np.ndarray
    """(n, A) as the family's `about` names them"""
    expression_numbers: np.ndarray
    """(n, U) as the family's `moves` names them"""


@dataclass(frozen=True)
class Named:
    """A slider that shapes are drawn by rather than measured."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Family:
    name: str
    vertices: np.ndarray
    """(V, 3) float32 metres, z up, without any offset"""
    faces: np.ndarray
    faces_uv: np.ndarray
    """(F, 4), -1 for no fourth corner"""
    uv: np.ndarray
    identity: np.ndarray
    """(I, V, 3) float32 metres"""
    expression: np.ndarray
    """(E, V, 3) float32 metres"""
    distances: tuple[Distance, ...]
    about: tuple[Named, ...]
    moves: tuple[Named, ...]
    draw: Callable[[np.random.Generator, int], Drawn]


def compact(faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """faces (F, 4) -> the numbers that they use, in order, and the faces numbered by these."""
    used = np.unique(faces[faces >= 0])
    return used, np.where(faces >= 0, np.searchsorted(used, faces), -1)


def edges(faces: np.ndarray) -> np.ndarray:
    """(E, 2): each face's directed edges."""
    closed = np.where(faces[:, 3:] >= 0, faces[:, 3:], faces[:, :1])
    ring = np.concatenate([faces[:, :3], closed, faces[:, :1]], 1)
    found = np.concatenate([ring[:, i : i + 2] for i in range(4)])
    return found[found[:, 0] != found[:, 1]]


def lowest_border(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """The vertices of the open border that the lowest border vertex lies on. ValueError where the mesh is closed."""
    directed = {(int(a), int(b)) for a, b in edges(faces)}
    after = {a: b for a, b in directed if (b, a) not in directed}
    if not after:
        raise ValueError("the mesh of the head is closed: its neck should be open")
    start = min(after, key=lambda vertex: vertices[vertex, 2])
    border, at = [start], after[start]
    while at != start and at in after and len(border) <= len(after):
        border.append(at)
        at = after[at]
    return np.array(border)


def standing(
    vertices: np.ndarray, offsets: list[np.ndarray], border: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The neck's border stays where it is on the whole, its middle over the origin and its lowest point on z = 0."""
    low, high = vertices[border].min(0), vertices[border].max(0)
    origin = np.array([0, (low[1] + high[1]) / 2, low[2]], np.float32)
    still = [offset - offset[:, border].mean(1, keepdims=True) for offset in offsets]
    return vertices - origin, still


def extremes(name: str, vertices: np.ndarray, region: np.ndarray, axis: int) -> Distance:
    """Between the two vertices of a region that lie furthest apart along an axis."""
    along = vertices[region, axis]
    return Distance(name, int(region[along.argmax()]), int(region[along.argmin()]), axis)
