"""Colours for the cells that no picture shows."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, zoom

NEAR, FAR = 1.2, 4.0
"""Reach in coarse cells of what is seen, and of how far the guess follows what is seen next to it."""


def spread(seen: np.ndarray, weight: np.ndarray, guess: np.ndarray) -> np.ndarray:
    """Seen colours where there are some, elsewhere the guess, shifted so that the two meet without a seam.

    seen, guess (X, Y, Z, 3) in [0, 1]; weight (X, Y, Z) in [0, 1], how well each cell is seen.
    Returns (X, Y, Z, 3) in [0, 1].
    Normalised convolution (Knutsson and Westin 1993) of the difference, on every second cell.
    """
    if not (weight > 0).any():
        return guess
    half = (slice(None, None, 2),) * 3
    sure = weight[half]
    apart = (seen - guess)[half] * sure[..., None]
    overall = apart.sum((0, 1, 2)) / sure.sum()
    mass = gaussian_filter(sure, FAR) + 1e-4
    shift = np.stack([gaussian_filter(apart[..., c], FAR) + 1e-4 * overall[c] for c in range(3)], -1) / mass[..., None]
    factor = [n / m for n, m in zip(guess.shape[:3], shift.shape[:3])]
    shift = np.stack([zoom(shift[..., c], factor, order=1) for c in range(3)], -1)
    soft = weight[..., None]
    return np.clip(soft * seen + (1 - soft) * (guess + shift), 0, 1).astype(np.float32)
