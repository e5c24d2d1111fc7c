"""A mesh as a photograph's camera sees it, its colours as they are: no light is added."""

import numpy as np
from scipy.ndimage import map_coordinates

from .hull import project
from .raster import covered

FINE = 2
"""Points along each side of a pixel"""
FACES = 200_000
"""Drawn at a time"""


def drawn(mesh, photo):
    """Colours (H, W, 3) sRGB in [0, 1], times opacity, and opacity (H, W), of a mesh in place of the photographed object."""
    height, width = photo.image.shape[:2]
    shape = height * FINE, width * FINE
    pixels, depth = project(photo, mesh.vertices)
    face, weights = nearest(pixels[:, ::-1] * FINE - 0.5, depth, mesh.faces, shape)
    cell = np.flatnonzero(face >= 0)
    face, weights = face[cell], weights[cell]
    picture = np.zeros((shape[0] * shape[1], 4), np.float32)
    picture[cell, 3] = 1
    picture[cell, :3] = colours_at(mesh, face, weights)
    picture = picture.reshape(height, FINE, width, FINE, 4).mean(axis=(1, 3))
    return picture[..., :3], picture[..., 3]


def nearest(places, depth, faces, shape):
    """Of the pixels (H * W) of a picture the face in front, -1 where none is, and weights (H * W, 3) of its corners.

    places (V, 2) of the vertices as (row, column), pixels' middles at whole numbers; depth (V,), in front > 0.
    """
    near = np.zeros(shape[0] * shape[1])
    front, weight = np.full(len(near), -1, np.int64), np.zeros((len(near), 3), np.float32)
    numbers = np.flatnonzero((depth[faces] > 0).all(axis=1))
    for first in range(0, len(numbers), FACES):
        some = numbers[first : first + FACES]
        face, place, weights, _ = covered(places[faces[some]], shape)
        weights /= depth[faces[some[face]]]  # corners count by how near they are
        closeness = weights.sum(axis=1)
        order = np.argsort(closeness)
        cell = (place[:, 0] * shape[1] + place[:, 1])[order]
        last = np.zeros(len(near), np.int64)
        last[cell] = order + 1  # the last to be written is the nearest
        cell = np.flatnonzero(last)
        winner = last[cell] - 1
        better = closeness[winner] > near[cell]
        cell, winner = cell[better], winner[better]
        near[cell], front[cell] = closeness[winner], some[face[winner]]
        weight[cell] = weights[winner] / closeness[winner, None]
    return front, weight


def colours_at(mesh, face, weights, plain=0.7):
    """(P, 3) sRGB of places on faces (P,), weights (P, 3): of the texture, else of the vertices, else plain."""
    if mesh.texture is not None:
        uvs = np.einsum("pc,pcx->px", weights, mesh.uvs[face])
        at = np.stack([1 - uvs[:, 1], uvs[:, 0]]) * len(mesh.texture) - 0.5
        return np.stack(
            [map_coordinates(mesh.texture[..., c], at, np.float32, order=1, mode="nearest") / 255 for c in range(3)], -1
        )
    if mesh.colours is None:
        return np.broadcast_to(np.float32(plain), (len(face), 3))
    return np.einsum("pc,pcx->px", weights, mesh.colours[mesh.faces[face]])
