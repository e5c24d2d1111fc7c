"""Surfaces of captured fields without their ripples: noise from cell to cell, which photos say nothing of."""

import numpy as np
from scipy.ndimage import binary_closing, binary_dilation, binary_opening, find_objects, gaussian_filter

WIDTH = 1.0
"""Standard deviation of the blur, cells"""
DEEP = 2.0
"""Cells from the surface beyond which values say nothing about it"""
CUBE = np.ones((3, 3, 3), bool)
AROUND = 2
"""Cells round what is thin that stay as they are, too"""
MARGIN = 8


def calmed(values: np.ndarray, cell: float) -> np.ndarray:
    """values (X, Y, Z), inside > 0, about as large as distances; cell: a cell's size in their unit.

    What is thinner than three cells, or a gap as narrow, would fade in the blur: it stays as it is.
    """
    found = find_objects((values > -cell).astype(np.uint8))
    if not found:
        return values
    part = tuple(slice(max(side.start - MARGIN, 0), side.stop + MARGIN) for side in found[0])
    cut, inside = values[part], values[part] > 0
    thin = inside & ~binary_opening(inside, CUBE) | ~inside & binary_closing(inside, CUBE)
    thin = binary_dilation(thin, CUBE, AROUND)
    near = np.clip(cut, -DEEP * cell, DEEP * cell)
    change = (gaussian_filter(near, WIDTH) - near) * (1 - gaussian_filter(thin.astype(np.float32), WIDTH)) * ~thin
    result = values.copy()
    result[part] += change.astype(values.dtype)
    return result
