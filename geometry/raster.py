"""Flat triangles over a grid of points: what solid filling and software rendering share."""

import numpy as np

PLACES = 4_000_000
"""That are tried at a time"""

def covered(flat, shape):
    """Which points of a grid lie in which triangles.

    flat (F, 3, 2): corners in grid units, points at whole numbers; shape: points along the two axes.
    Returns, for P pairs, face (P,), place (P, 2) int64, weights (P, 3) of the face's corners at the place, and the
    faces' doubled areas (F,), positive where counter-clockwise from the first axis to the second.
    """
    flat = flat.astype(np.float64, copy=False)
    a, b, c = flat[:, 0], flat[:, 1], flat[:, 2]
    area = _cross(b - a, c - a)
    # Over three corners numpy's min(axis=1) takes several times as long.
    low = np.clip(np.ceil(np.minimum(np.minimum(a, b), c)), 0, shape).astype(np.int64)
    high = np.clip(np.floor(np.maximum(np.maximum(a, b), c)) + 1, 0, shape).astype(np.int64)
    size = np.maximum(high - low, 0)
    count = np.where(np.abs(area) > 1e-14, size[:, 0] * size[:, 1], 0)
    # All places of the rectangles round the faces, one face after another.
    face = np.repeat(np.arange(len(flat)), count)
    nth = np.arange(len(face)) - np.repeat(np.cumsum(count) - count, count)
    across = np.maximum(size[face, 1], 1)
    place = low[face] + np.stack([nth // across, nth % across], axis=-1)
    # Barycentric weights are linear in the place: w = w0 + wu u + wv v, set up once a face.
    safe = np.where(np.abs(area) > 1e-14, area, 1.0)
    first = _cross(c - b, place - b[face], face) / safe[face]
    second = _cross(a - c, place - c[face], face) / safe[face]
    third = 1 - first - second
    hit = np.flatnonzero((first >= 0) & (second >= 0) & (third >= 0))
    return face[hit], place[hit], np.stack([first[hit], second[hit], third[hit]], axis=-1), area


def batches(flat, most=PLACES):
    """Slices of faces (F, 3, 2) for `covered`, whose rectangles hold about `most` points each or one face's."""
    sides = np.maximum(np.ptp(flat, axis=1), 0) + 1
    ends = np.cumsum(sides[:, 0] * sides[:, 1])
    first = 0
    while first < len(flat):
        before = ends[first - 1] if first else 0.0
        last = max(first + 1, int(np.searchsorted(ends, before + most)))
        yield slice(first, last)
        first = last


def _cross(edge, offset, face=slice(None)):
    return edge[face, 0] * offset[:, 1] - edge[face, 1] * offset[:, 0]
