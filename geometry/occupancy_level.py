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


def promising_level(occupancy):
    """occupancy (X, Y, Z) in [0, 1] -> the level, and the IoU expected there."""
    values = np.sort(np.asarray(occupancy, np.float64).ravel())[::-1]
    both = np.cumsum(values)
    either = np.arange(1, len(values) + 1) + both[-1] - both
    promised = both / np.maximum(either, 1e-12)
    best = int(promised.argmax())
    # Between the last value inside and the first outside
    level = (values[best] + values[min(best + 1, len(values) - 1)]) / 2
    level = np.clip(level, LOWEST, HIGHEST)
    return float(min(level, FAINT * values[0]) if values[0] > 0 else level), float(promised[best])
