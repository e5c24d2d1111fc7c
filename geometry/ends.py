"""A shape drawn out to both ends of the cube that it is supposed to fill.

How long an object is a network judges well; whether the last cells at its ends are inside it doubts, and a surface at
any level ends before them. So shapes come out a little short along their longest side, and all of them is measured
by that. Their last parts are stretched by what is lacking: raising what is doubtful there would leave spurs.
"""

import numpy as np

from .bridge import largest

PART = 0.25
"""Share of the longest side, at each end, that is stretched"""
MOST = 0.06
"""By how much it is stretched at most, as a share of the cube; what lacks more was judged longer than it is"""
NEAR = 0.3
"""Cells that are not worth stretching for"""


def drawn_to_ends(occupancy, level, shown):
    """Probabilities (N, N, N) float32 whose surface at `level` reaches both faces of the cube across its longest side.

    It is drawn no further than where some of the cells before its ends are `shown`, (N, N, N) bool, for masks know
    better. The same array where nothing is lacking, or nothing there.
    """
    inside = largest(occupancy > level)
    if not inside.any():
        return occupancy
    cells, spans = len(occupancy), [np.flatnonzero(inside.any(tuple({0, 1, 2} - {axis}))) for axis in range(3)]
    axis = int(np.argmax([span[-1] - span[0] for span in spans]))
    profile = occupancy.max(tuple({0, 1, 2} - {axis}))
    first = _surface(profile, spans[axis][0], -1, level)
    last = _surface(profile, spans[axis][-1], 1, level)
    seen, parts = np.moveaxis(shown, axis, 0), np.moveaxis(inside, axis, 0)
    lowest, highest = (_reach(seen, parts[end], end, way) for end, way in ((spans[axis][0], -1), (spans[axis][-1], 1)))
    before, behind = np.clip([first - lowest, highest - last], 0, MOST * cells)
    if max(before, behind) < NEAR:
        return occupancy
    part = PART * (last - first)
    was = np.arange(cells) + 0.5  # where each cell lay
    was = np.where(was > last - part, last - part + (was - last + part) * part / (part + behind), was)
    was = np.where(was < first + part, first + part - (first + part - was) * part / (part + before), was)
    drawn = occupancy.copy()
    new, old = np.moveaxis(drawn, axis, 0), np.moveaxis(occupancy, axis, 0)
    for layer in np.flatnonzero(np.abs(was - np.arange(cells) - 0.5) > 1e-6):
        low = int(np.clip(np.floor(was[layer] - 0.5), 0, cells - 2))
        share = np.clip(was[layer] - 0.5 - low, 0, 1)
        new[layer] = _probability(_logit(old[low]) * (1 - share) + _logit(old[low + 1]) * share)
    return drawn


def _reach(shown, part, end, way):
    """How far beyond layer `end` some cells of `part` (N, N) are shown, (N, N, N), to either side (way -1 or 1), in
    cells from the first layer's outer face."""
    while 0 <= end + way < len(shown) and shown[end + way][part].any():
        end += way
    return end + (way > 0)


def _surface(profile, end, way, level):
    """Where a profile (N,) falls below level beyond cell `end`, to either side (way -1 or 1), in cells from the first's
    outer face."""
    beyond = end + way
    if not 0 <= beyond < len(profile):
        return end + 0.5 + way / 2
    fall = profile[end] - min(profile[beyond], level)
    return end + 0.5 + way * (profile[end] - level) / max(fall, 1e-6)


def _logit(values):
    values = np.clip(values, 1e-4, 1 - 1e-4)
    return np.log(values / (1 - values))


def _probability(logits):
    return 1 / (1 + np.exp(-logits))
