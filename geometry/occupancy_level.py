"""The level of an occupancy field that promises most, by the field itself.

If each value is the probability that its cell is inside, a shape's intersection with the truth and its union with it
are expected to be sums of values; the level whose shape has the largest ratio of the two lies below .5 where much is
doubtful, so that thin parts stay, and near .5 where little is (Nowozin 2014, "Optimal decisions from probabilistic
models: the intersection-over-union case").
"""

import numpy as np

LOWEST, HIGHEST = 0.15, 0.6
"""Levels outside are of fields without a shape in them"""
FAINT = 0.9
"""Share of the largest value that the level is at most: a faint shape is more than none"""


UNLIKELY = 0.02
"""Values below are seldom worth sorting: most of a large grid is empty"""


def promising_level(occupancy):
    """occupancy (X, Y, Z) in [0, 1] -> the level, and the IoU expected there."""
    every = np.asarray(occupancy, np.float64).ravel()
    total = every.sum()
    for least in (UNLIKELY, -np.inf):
        values = np.sort(every[every > least])[::-1]
        both = np.cumsum(values)
        promised = both / np.maximum(np.arange(1, len(values) + 1) + total - both, 1e-12)
        best = int(promised.argmax()) if len(values) else 0
        # What is promised rises to its largest value and falls from there
        if best + 1 < len(values):
            break
    # Between the last value inside and the first outside
    level = (values[best] + values[min(best + 1, len(values) - 1)]) / 2
    level = np.clip(level, LOWEST, HIGHEST)
    return float(min(level, FAINT * values[0]) if values[0] > 0 else level), float(promised[best])
