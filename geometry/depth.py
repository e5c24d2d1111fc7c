"""What of a mesh is in front, as seen from somewhere."""

import numpy as np

from .raster import batches, covered

FAR = 1e6
"""Pixels beyond which a place is as good as infinitely far out"""


def depth_map(places, depth, faces, shape):
    """(H, W) of what is nearest in each pixel, infinite where nothing is.

    places (V, 2) of the vertices as (row, column), the first pixel's middle at .5; depth (V,), in front > 0. Faces that
    reach behind the camera are passed over.
    """
    near, _, _ = nearest(places, depth, faces, shape)
    with np.errstate(divide="ignore"):
        return (1 / near).reshape(shape)


def nearest(places, depth, faces, shape):
    """As depth_map, of flat pixels (H * W): 1 / depth, 0 where nothing is; the face, -1 there; weights (H * W, 3)."""
    near = np.zeros(shape[0] * shape[1], np.float32)
    front, weight = np.full(len(near), -1, np.int32), np.zeros((len(near), 3), np.float32)
    numbers = np.flatnonzero(every(depth > 0, faces))
    flat = np.clip(places[faces[numbers]] - 0.5, -FAR, FAR)
    for batch in batches(np.clip(flat, 0, shape)):
        some = numbers[batch]
        face, place, weights, _ = covered(flat[batch], shape)
        weights = weights / depth[faces[some[face]]]  # corners count by how near they are
        closeness = weights.sum(axis=1)
        order = np.argsort(closeness)
        last = np.full(len(near), -1, np.int64)
        last[(place[:, 0] * shape[1] + place[:, 1])[order]] = order  # the last to be written is the nearest
        cell = np.flatnonzero(last >= 0)
        cell = cell[closeness[last[cell]] > near[cell]]
        winner = last[cell]
        near[cell], front[cell] = closeness[winner], some[face[winner]]
        weight[cell] = weights[winner] / closeness[winner, None]
    return near, front, weight


def every(chosen, faces):
    """(F,) bool: faces of which every corner is chosen (V,)."""
    a, b, c = faces.T
    return chosen[a] & chosen[b] & chosen[c]


def turned(places, faces):
    """The faces that look at who sees the vertices at places (V, 2), as (row, column)."""
    (a, d), (b, e), (c, f) = ((places[:, 0][corner], places[:, 1][corner]) for corner in faces.T)
    return faces[(b - a) * (f - d) - (e - d) * (c - a) > 0]
