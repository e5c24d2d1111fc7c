"""Colours for the cells that no picture shows."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

COARSE = 32
"""Cells along a side on which differences are spread; half as many as there are of fields that are coarse themselves"""
FAR = 4.0
"""How far, in those cells, the guess follows what is seen next to it"""
LITTLE = 0.01
"""Share of a place's surroundings that is seen, at which what is seen overall has as much of a say"""


def spread(seen: np.ndarray, weight: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Seen colours where there are some, elsewhere the guess, shifted so that the two meet without a seam.

    seen, guess (X, Y, Z, 3) in [0, 1]; weight (X, Y, Z) in [0, 1], how well each cell is seen.
    Returns (X, Y, Z, 3) in [0, 1].
    Normalised convolution (Knutsson and Westin 1993) of the difference, on every second cell of 64^3.
    """
    if not (weight > 0).any():
        return guess
    few = tuple(slice(None, None, max(2, n // COARSE)) for n in weight.shape)
    sure = weight[few]
    apart = (seen[few] - guess[few]) * sure[..., None]
    overall = apart.sum((0, 1, 2)) / max(sure.sum(), 1e-6)  # what is seen may lie between these cells
    mass = gaussian_filter(sure, FAR) + LITTLE
    shift = np.stack([gaussian_filter(apart[..., c], FAR) for c in range(3)], -1) + LITTLE * overall
    shift /= mass[..., None]
    shift = drawn_out(shift.astype(np.float32), guess.shape)
    shift += guess
    soft = weight[..., None]
    return np.clip(soft * seen + (1 - soft) * shift, 0, 1).astype(np.float32)


def drawn_out(values: np.ndarray, shape: tuple) -> np.ndarray:
    """values (X, Y, Z, C) with `shape` (..., C), linear between its cells, from the first to the last."""
    for axis in range(3):
        few, many = values.shape[axis], shape[axis]
        at = np.linspace(0, few - 1, many)
        weights = np.maximum(1 - np.abs(at[:, None] - np.arange(few)), 0).astype(np.float32)
        values = np.moveaxis(np.tensordot(weights, values, (1, axis)), 0, axis)
    return values
