"""Shapes as tables of signed-distance parts: one row a part, one table an object, plain numbers throughout.

The same table is evaluated by `distance` (torch, any device) and by `fast` (numba, CPU). Distances follow
Inigo Quilez, "distance functions" (iquilezles.org/articles/distfunctions). World: z up, front towards -y.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CAPACITY = 36
# Columns of a row
KIND, OP, BLEND, INFLATE, RADIUS, LABEL = 0, 1, 2, 3, 4, 5
CENTRE = slice(6, 9)
ROTATION = slice(9, 18)  # row-major, world -> local: local = R (p - centre)
PARAMS = slice(18, 36)
COLOUR, COLOUR2 = slice(36, 39), slice(39, 42)
TEXTURE, TEXTURE_SCALE, GLOSS, METAL = 42, 43, 44, 45
WIDTH = 46

EMPTY, BOX, CONE, ELLIPSOID, ARC, CAPSULE, LATHE, PRISM = range(8)
UNION, CUT, INTERSECT = range(3)
# Texture kinds
PLAIN, CHECKS, STRIPES, BLOTCHES, WOOD, LABELS, SPECKLE = range(7)
TEXTURES = 7


def axis_rotation(axis: str, angle) -> np.ndarray:
    """World -> local rotation (N, 3, 3) of a part turned by `angle` (N,) radians about a world axis."""
    angle = np.atleast_1d(np.asarray(angle, np.float64))
    c, s, one, zero = np.cos(angle), np.sin(angle), np.ones_like(angle), np.zeros_like(angle)
    rows = {
        "x": [[one, zero, zero], [zero, c, s], [zero, -s, c]],
        "y": [[c, zero, -s], [zero, one, zero], [s, zero, c]],
        "z": [[c, s, zero], [-s, c, zero], [zero, zero, one]],
    }[axis]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def random_rotation(rng, count: int) -> np.ndarray:
    """Uniform rotations (N, 3, 3) (QR of a Gaussian matrix)."""
    q, r = np.linalg.qr(rng.normal(size=(count, 3, 3)))
    q *= np.sign(np.diagonal(r, axis1=1, axis2=2))[:, None, :]
    q[:, :, 0] *= np.linalg.det(q)[:, None]
    return q


def along(start, end) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Centre (N, 3), length (N,) and rotation (N, 3, 3) of a part whose local z runs from start to end."""
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    z = end - start
    length = np.linalg.norm(z, axis=1)
    z = z / np.maximum(length, 1e-9)[:, None]
    steep = np.abs(z[:, 2:3]) > 0.75  # then local x follows world x; else local y follows world z (up)
    x = np.eye(3)[0] - z[:, :1] * z
    up = np.eye(3)[2] - z[:, 2:] * z
    x = np.where(steep, x, np.cross(up, z))
    x /= np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    return (start + end) / 2, length, np.stack([x, np.cross(z, x), z], 1)


class Parts:
    """Builds `count` tables at once; every argument may be a number or an array (count,)."""

    def __init__(self, count: int, rng: np.random.Generator):
        self.count, self.rng = count, rng
        self.table = np.zeros((count, CAPACITY, WIDTH), np.float32)
        self.used = np.zeros(count, np.int64)
        self.materials = np.zeros((count, 5, WIDTH - COLOUR.start), np.float32)
        self.parameters: dict[str, np.ndarray] = {}
        self.labels: list[str] = []

    def draw(self, name: str, low: float, high: float) -> np.ndarray:
        """A semantic parameter, uniform in [low, high], remembered under its name."""
        value = self.rng.uniform(low, high, self.count)
        self.parameters[name] = value
        return value

    def chance(self, probability: float) -> np.ndarray:
        return self.rng.random(self.count) < probability

    def column(self, value) -> np.ndarray:
        return np.broadcast_to(np.asarray(value, np.float64), (self.count,))

    def points(self, *xyz) -> np.ndarray:
        """Points (count, 3) from three numbers or arrays."""
        return np.stack([self.column(v) for v in xyz], -1)

    def add(self, kind, centre, params, rotation=None, op=UNION, blend=0.0, inflate=0.0, material=0, label="body",
            where=True, mirror="") -> None:
        """Append a part to the objects chosen by `where`; `mirror` "x", "y" or "xy" adds its reflections."""
        where = np.broadcast_to(np.asarray(where, bool), (self.count,))
        centre = self.points(*centre) if isinstance(centre, tuple) else np.asarray(centre, np.float64)
        rotation = np.broadcast_to(np.eye(3) if rotation is None else rotation, (self.count, 3, 3))
        if label not in self.labels:
            self.labels.append(label)
        row = np.zeros((self.count, WIDTH), np.float32)
        row[:, KIND], row[:, OP], row[:, LABEL] = kind, op, self.labels.index(label)
        row[:, BLEND], row[:, INFLATE] = self.column(blend), self.column(inflate)
        for i, value in enumerate(params):
            row[:, PARAMS.start + i] = self.column(value)
        row[:, RADIUS] = bounding_radius(kind, row[:, PARAMS]) + row[:, INFLATE]
        pick = np.broadcast_to(np.asarray(material, np.int64), (self.count,))
        row[:, COLOUR.start:] = self.materials[np.arange(self.count), pick]
        for sx in (1, -1) if "x" in mirror else (1,):
            for sy in (1, -1) if "y" in mirror else (1,):
                flip = np.array([sx, sy, 1.0])
                row[:, CENTRE] = centre * flip
                row[:, ROTATION] = (rotation * flip).reshape(self.count, 9)
                self._append(row, where & (self.used < CAPACITY))

    def _append(self, row, where) -> None:
        index = np.flatnonzero(where)
        self.table[index, self.used[index]] = row[index]
        self.used[index] += 1

    # The parts that families are made of
    def box(self, centre, half, bevel=0.01, **kw):
        hx, hy, hz = (self.column(h) for h in half)
        self.add(BOX, centre, [hx, hy, hz, np.minimum(bevel, 0.95 * np.minimum(np.minimum(hx, hy), hz))], **kw)

    def cone(self, centre, half_height, bottom, top, bevel=0.004, **kw):
        self.add(CONE, centre, [half_height, bottom, top, bevel], **kw)

    def ball(self, centre, radii, **kw):
        self.add(ELLIPSOID, centre, list(radii), **kw)

    def arc(self, centre, ring, tube, half_angle, **kw):
        """Part of a torus in the local xy plane, symmetric about +y."""
        angle = self.column(half_angle)
        self.add(ARC, centre, [ring, tube, np.sin(angle), np.cos(angle)], **kw)

    def rod(self, start, end, radius, end_radius=None, **kw):
        """A round-ended bar from start to end (count, 3)."""
        centre, length, rotation = along(start, end)
        self.add(CAPSULE, centre, [length / 2, radius, radius if end_radius is None else end_radius],
                 rotation=rotation, **kw)

    def bar(self, start, end, half_x, half_y, bevel=0.006, **kw):
        """A square-ended bar from start to end (count, 3)."""
        centre, length, rotation = along(start, end)
        self.add(BOX, centre, [half_x, half_y, length / 2, bevel], rotation=rotation, **kw)

    def lathe(self, centre, radii, heights, **kw):
        """A solid turned about z from 8 radii (count, 8) at 8 heights (count, 8), bottom to top."""
        params = [v for r, z in zip(np.moveaxis(radii, 1, 0), np.moveaxis(heights, 1, 0)) for v in (r, z)]
        self.add(LATHE, centre, params, **kw)

    def prism(self, centre, outline, half_depth, bevel=0.0, **kw):
        """An outline (count, 8, 2) in local xy, extruded by half_depth along local z; repeat points to have fewer."""
        flat = outline.reshape(self.count, 16)
        self.add(PRISM, centre, [*np.moveaxis(flat, 1, 0), half_depth, bevel], **kw)


def bounding_radius(kind: int, params: np.ndarray) -> np.ndarray:
    """Radius (N,) of a sphere about the part's centre that holds the part."""
    p = params
    if kind == BOX:
        return np.linalg.norm(p[:, :3], axis=1)
    if kind == CONE:
        return np.hypot(p[:, 0], np.maximum(p[:, 1], p[:, 2])) + p[:, 3]
    if kind == ELLIPSOID:
        return p[:, :3].max(1)
    if kind == ARC:
        return p[:, 0] + p[:, 1]
    if kind == CAPSULE:
        return p[:, 0] + np.maximum(p[:, 1], p[:, 2])
    if kind == LATHE:
        return np.hypot(p[:, 0:16:2], p[:, 1:16:2]).max(1)
    return np.hypot(np.hypot(p[:, 0:16:2], p[:, 1:16:2]).max(1), p[:, 16]) + p[:, 17]


def bounds(table: np.ndarray, azimuth: np.ndarray) -> np.ndarray:
    """Bounds (N, 2, 3) of the objects turned about z by azimuth (N,), from the parts alone (cuts never add)."""
    count = len(table)
    turn = np.swapaxes(axis_rotation("z", azimuth), 1, 2)  # local -> world of the turn
    rotation = table[..., ROTATION].reshape(count, CAPACITY, 3, 3)
    axes = np.einsum("nij,nklj->nkil", turn, rotation)  # part's local axes in the turned world, as columns
    centre = np.einsum("nij,nkj->nki", turn, table[..., CENTRE])
    low = centre - _support(table, -axes)
    high = centre + _support(table, axes)
    counts = ((table[..., KIND] != EMPTY) & (table[..., OP] == UNION))[..., None]
    return np.stack([np.where(counts, low, np.inf).min(1), np.where(counts, high, -np.inf).max(1)], 1)


def _support(table: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """How far each part reaches along the world axes (N, K, 3), from its centre. axes (N, K, 3 world, 3 local)."""
    kind, p = table[..., KIND, None], table[..., PARAMS]
    x, y, z = axes[..., 0], axes[..., 1], axes[..., 2]
    across = np.sqrt(np.maximum(1 - z**2, 0))
    P = lambda i: p[..., i, None]  # noqa: E731
    box = np.abs(x) * (P(0) - P(3)) + np.abs(y) * (P(1) - P(3)) + np.abs(z) * (P(2) - P(3)) + P(3)
    cone = np.maximum(z * P(0) + across * P(2), -z * P(0) + across * P(1))
    ball = np.sqrt((x * P(0)) ** 2 + (y * P(1)) ** 2 + (z * P(2)) ** 2)
    angle = np.arctan2(p[..., 2], p[..., 3])[..., None]
    arc = np.max([P(0) * (x * np.sin(t * angle) + y * np.cos(t * angle)) for t in np.linspace(-1, 1, 9)], 0) + P(1)
    rod = np.maximum(z * P(0) + P(2), -z * P(0) + P(1))
    lathe = np.max([z * P(2 * i + 1) + across * P(2 * i) for i in range(8)], 0)
    prism = np.max([x * P(2 * i) + y * P(2 * i + 1) for i in range(8)], 0) + np.abs(z) * P(16)
    reach = np.select([kind == BOX, kind == CONE, kind == ELLIPSOID, kind == ARC, kind == CAPSULE, kind == LATHE],
                      [box, cone, ball, arc, rod, lathe], prism)
    return reach + table[..., INFLATE, None]


@dataclass
class Shapes:
    """A batch of objects: tables (N, K, WIDTH), family names and semantic parameters (for sliders and labels)."""

    table: np.ndarray
    family: list[str]
    parameters: list[dict[str, float]]
    labels: list[list[str]]

    def __len__(self) -> int:
        return len(self.table)


def posed(table: np.ndarray, azimuth: np.ndarray, thicken: float = 0.004) -> tuple[np.ndarray, np.ndarray]:
    """Turn, centre and scale tables so that each object's longest side is 1 and its bounds are centred.

    -> tables (N, K, WIDTH) and sizes (N,), the longest sides before. `thicken` (in the result's units) keeps parts
    thinner than a voxel alive; it is added to unions and taken from cuts.
    """
    box = bounds(table, azimuth)
    size = np.maximum((box[:, 1] - box[:, 0]).max(1), 1e-6)
    scale = ((1 - 2 * thicken) / size)[:, None]
    turn = np.swapaxes(axis_rotation("z", azimuth), 1, 2)
    out = table.copy()
    rotation = table[..., ROTATION].reshape(len(table), CAPACITY, 3, 3)
    out[..., ROTATION] = np.einsum("nkij,nlj->nkil", rotation, turn).reshape(len(table), CAPACITY, 9)
    centre = np.einsum("nij,nkj->nki", turn, table[..., CENTRE])
    out[..., CENTRE] = (centre - box.mean(1)[:, None]) * scale[..., None]
    out[..., BLEND] *= scale
    out[..., RADIUS] = out[..., RADIUS] * scale + thicken
    out[..., INFLATE] = table[..., INFLATE] * scale + np.where(table[..., OP] == UNION, thicken, -thicken)
    kind = table[..., KIND]
    lengths = np.where((kind == ARC)[..., None], np.isin(np.arange(18), (0, 1)), True)  # an arc's sine and cosine stay
    out[..., PARAMS] = np.where(lengths, table[..., PARAMS] * scale[..., None], table[..., PARAMS])
    return out, size


def refit(table: np.ndarray, shift: np.ndarray, scale: float) -> np.ndarray:
    """One posed table (K, WIDTH) moved by -shift (3,) and scaled."""
    out = table.copy()
    out[:, CENTRE] = (table[:, CENTRE] - shift) * scale
    for column in (BLEND, INFLATE, RADIUS):
        out[:, column] *= scale
    arc = table[:, KIND] == ARC
    lengths = np.where(arc[:, None], np.arange(18) < 2, True)
    out[:, PARAMS] = np.where(lengths, table[:, PARAMS] * scale, table[:, PARAMS])
    return out
