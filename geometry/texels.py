"""The pixels of a texture on the surface they belong to, and what goes between the charts."""

import numpy as np

from .raster import batches, covered

GUTTER = 2
"""Texels round each chart that repeat its border, so that mixing neighbours shows no seam"""
SOME = 500_000
"""Texels handled at a time"""


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


class Texels:
    """Those of a texture that lie on faces, or beside them, counted row by row."""

    def __init__(self, uvs, size):
        owner = owners(uvs, size).ravel()
        self.size, self.number = size, np.flatnonzero(owner >= 0).astype(np.int32)
        """(T,) which ones"""
        self.face = owner[self.number]
        """(T,)"""
        self.weights = np.empty((len(self.number), 3), np.float32)
        """(T, 3) of the corners there, in [0, 1]; beside a face those of its border"""
        flat = places(uvs, size)
        b, c = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
        area = b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]
        area = np.where(np.abs(area) > 1e-12, area, np.inf)
        for first in range(0, len(self.number), SOME):
            part = slice(first, first + SOME)
            number, face = self.number[part], self.face[part]
            row, column = number // size - flat[face, 0, 0], number % size - flat[face, 0, 1]
            second = (row * c[face, 1] - column * c[face, 0]) / area[face]
            third = (column * b[face, 0] - row * b[face, 1]) / area[face]
            weights = np.stack([1 - second - third, second, third], axis=1).clip(0, 1)
            self.weights[part] = weights / weights.sum(axis=1, keepdims=True)

    def on(self, faces=None):
        """Yields, some at a time, numbers, faces and weights of the texels on faces (F,) bool; None: on all."""
        chosen = np.arange(len(self.face)) if faces is None else np.flatnonzero(faces[self.face])
        for first in range(0, len(chosen), SOME):
            some = chosen[first : first + SOME]
            yield self.number[some], self.face[some], self.weights[some]

    @property
    def known(self):
        """(S, S) bool: which ones they are."""
        found = np.zeros(self.size**2, bool)
        found[self.number] = True
        return found.reshape(self.size, self.size)


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
