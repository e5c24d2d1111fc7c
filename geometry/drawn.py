"""A mesh as a photograph's camera sees it, its colours as they are: no light is added."""

import numpy as np
from scipy.ndimage import map_coordinates

from .depth import nearest
from .hull import project

FINE = 2
"""Points along each side of a pixel"""


def drawn(mesh, photo):
    """Of a mesh in the photographed object's place: colours (H, W, 3) sRGB in [0, 1] times opacity, opacity (H, W)."""
    height, width = photo.image.shape[:2]
    shape = height * FINE, width * FINE
    pixels, depth = project(photo, mesh.vertices)
    _, face, weights = nearest(pixels[:, ::-1] * FINE, depth, mesh.faces, shape)
    cell = np.flatnonzero(face >= 0)
    face, weights = face[cell], weights[cell]
    picture = np.zeros((shape[0] * shape[1], 4), np.float32)
    picture[cell, 3] = 1
    picture[cell, :3] = colours_at(mesh, face, weights)
    picture = picture.reshape(height, FINE, width, FINE, 4).mean(axis=(1, 3))
    return picture[..., :3], picture[..., 3]


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
