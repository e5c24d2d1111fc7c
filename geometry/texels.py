"""The pixels of a texture on the surface they belong to, and what goes between the charts."""

import numpy as np

from .raster import batches, covered

GUTTER = 2
"""Texels round each chart that repeat its border, so that mixing neighbours shows no seam"""
TEXELS = 1_000_000
"""Handled at a time"""


def owners(uvs, size):
    """The face (size, size) int32 that each texel lies in, or beside; -1 where there is none.

    uvs (F, 3, 2): u to the right, v up; the texture's first row is on top.
    """
    owner = np.full(size * size, -1, np.int32)
    flat = places(uvs, size)
    for some in batches(flat):
        face, place, _, _ = covered(flat[some], (size, size))
        owner[place[:, 0] * size + place[:, 1]] = face + some.start
    owner = owner.reshape(size, size)
    for _ in range(GUTTER):
        _widen(owner)
    return owner


def places(uvs, size):
    """Corners (F, 3, 2) as (row, column), texels' middles at whole numbers."""
    return np.stack([1 - uvs[..., 1], uvs[..., 0]], axis=-1).astype(np.float64) * size - 0.5


def on_faces(owner, uvs, chosen=None):
    """Yields, some at a time, numbers (P,) of texels, counted row by row, their faces (P,), and the corners' weights
    (P, 3) float32 in [0, 1] there; beside a face those of its border. chosen (F,) bool: of these faces alone."""
    size = len(owner)
    flat = places(uvs, size)
    b, c = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
    area = np.where(np.abs(area) > 1e-12, area, np.inf)
    for first in range(0, size * size, TEXELS):
        face = owner.reshape(-1)[first : first + TEXELS]
        number = np.flatnonzero((face >= 0) if chosen is None else (face >= 0) & chosen[face])
        if not len(number):
            continue
        face = face[number]
        number += first
        row, column = number // size - flat[face, 0, 0], number % size - flat[face, 0, 1]
        second = (row * c[face, 1] - column * c[face, 0]) / area[face]
        third = (column * b[face, 0] - row * b[face, 1]) / area[face]
        weights = np.stack([1 - second - third, second, third], axis=1).clip(0, 1)
        yield number, face, (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def filled(texture, known):
    """texture (H, W, 3) float32 with colours where none is known (H, W), from coarser and coarser means of the known.

    Pull and push (Gortler 1996): mipmaps of it do not bleed.
    """
    if known.all() or min(known.shape) < 2 or not known.any():
        return texture
    mass = known.astype(np.float32)
    odd = [(0, side % 2) for side in known.shape]
    share = _quarters(np.pad(mass, odd))
    coarse = _quarters(np.pad(texture * mass[..., None], [*odd, (0, 0)])) / np.maximum(share, 1e-9)[..., None]
    coarse = filled(coarse, share > 0)
    around = coarse.repeat(2, axis=0).repeat(2, axis=1)[: known.shape[0], : known.shape[1]]
    return np.where(known[..., None], texture, around)


def _quarters(values):
    return (values[::2, ::2] + values[1::2, ::2] + values[::2, 1::2] + values[1::2, 1::2]) / 4


def _widen(owner):
    """Give texels that are beside an owned one to its face, in place."""
    before = np.pad(owner, 1, constant_values=-1)
    height, width = owner.shape
    for down, right in ((0, 1), (1, 0), (0, -1), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)):
        beside = before[1 + down : 1 + down + height, 1 + right : 1 + right + width]
        np.copyto(owner, beside, where=(owner < 0) & (beside >= 0))
