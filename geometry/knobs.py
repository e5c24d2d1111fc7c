"""Lumps that hang on an object by thin necks: pieces of what lies around, where no masks say what belongs to it."""

import numpy as np
from scipy.ndimage import distance_transform_edt, label

NECK = 1.2
"""Cells below the surface at which a neck has ended and a lump has not"""
LUMP = 0.025
"""Share of the largest core's volume below which one is a lump"""


def without_knobs(distance: np.ndarray, cell: float) -> np.ndarray:
    """distance (X, Y, Z), inside > 0, without lumps; cell: a cell's size in its unit.

    What has no core of its own, since it is thin all over, belongs to the core that is nearest.
    """
    cores, count = label(distance > NECK * cell, np.ones((3, 3, 3)))
    sizes = np.bincount(cores.ravel(), minlength=count + 1)
    sizes[0] = 0
    lump = (sizes > 0) & (sizes < LUMP * sizes.max())
    if not lump.any():
        return distance
    nearest = distance_transform_edt(cores == 0, return_distances=False, return_indices=True)
    gone = lump[cores[tuple(nearest)]] & (distance > 0)
    return np.where(gone, -np.minimum(distance, cell / 2), distance).astype(distance.dtype)
