"""Pieces of a shape joined where a field says that they most nearly meet: what is one object is drawn as one.

A network that doubts a chair's leg for two cells in its middle would otherwise lose its lower half, a lamp its shade.
"""

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

SPECK = 0.01
"""Pieces of less than this share of the largest are not worth a bridge ..."""
FEW = 6
"""... but where they have so many cells, and reach further than what is worth one ..."""
REACH = 1 / 16
"""... by this share of the grid's side: a table's top outweighs its feet by far, and without them it is no table"""
DOUBTFUL = 0.02
"""Bridges do not cross cells that are less likely inside than this ..."""
FAR = 3.0
"""... or lie further than this from all surfaces, in cells ..."""
MOST = 12
"""What falls into more pieces than this is noise: joining it takes long and helps nobody"""
LARGE = 0.1
"""... but those to a piece of at least this share of the largest, which no shape can do without"""
MARGIN = 4
"""Cells round the pieces that a bridge may lie in, too"""
RADIUS = 1.2
"""Of a bridge, in cells"""
ABOVE = 0.1
"""What is added to the level of a probability in a bridge's middle"""
CELL = 0.05
"""Cost of a cell that is inside; outside, the cost of the nearest is five times as much"""


def bridged(occupancy, level):
    """Probabilities (X, Y, Z) float32 raised along the likeliest ways between the pieces above level.

    The same array where there is one piece, or nothing to join."""
    inside = occupancy > level
    found = ways(inside, lambda: -np.log(np.clip(occupancy, 1e-3, 0.98)), lambda: occupancy <= DOUBTFUL)
    return with_rods(occupancy, found, lambda away: level + ABOVE * (1 - away / RADIUS))


def bridged_distance(distance, cell):
    """The same of distances (X, Y, Z) float32, inside > 0, along the shortest ways; cell: how wide one is."""
    found = ways(distance > 0, lambda: 0.2 + np.maximum(-distance / cell, 0), lambda: distance < -FAR * cell)
    return with_rods(distance, found, lambda away: (RADIUS - away) * cell)


def ways(inside, costs, doubtful):
    """The cells (N, 3) of each bridge between the pieces of inside (X, Y, Z) bool.

    costs() -> (X, Y, Z) of crossing a cell that is outside, doubtful() -> (X, Y, Z) bool: both are only asked for where
    there are pieces to join."""
    pieces, count = ndimage.label(inside)
    cells = np.bincount(pieces.ravel())
    cells[0] = 0
    worth = worthwhile(pieces, cells) if count > 1 else cells > 0
    if not 1 < worth.sum() <= MOST:
        return []
    corner, box = around(pieces, worth)
    pieces, inside = pieces[box], inside[box]
    price, barred = np.where(inside, CELL, costs()[box]), doubtful()[box] & ~inside
    largest = int(cells.argmax())
    joined, found = {largest}, []
    for which, prices in ((cells >= LARGE * cells[largest], price), (worth, np.where(barred, -1.0, price))):
        wanted = {int(i) for i in np.flatnonzero(which)} - joined
        while wanted:
            way = cheapest(prices, pieces, joined, wanted, found)
            if way is None:
                break
            reached = int(pieces[tuple(way[-1])])
            wanted.discard(reached)
            joined.add(reached)
            found.append(way)
    return [way + corner for way in found]


def worthwhile(pieces, cells):
    """Which of the pieces, of so many cells each and the first of them no piece, are worth a bridge: (N + 1,) bool."""
    worth = cells >= SPECK * cells.max()
    boxes = [None, *ndimage.find_objects(pieces)]
    known = [boxes[i] for i in np.flatnonzero(worth)]
    low = [min(box[axis].start for box in known) for axis in range(3)]
    high = [max(box[axis].stop for box in known) for axis in range(3)]
    ends = np.zeros_like(worth)
    for i in np.flatnonzero((cells >= FEW) & ~worth):
        beyond = [max(low[k] - boxes[i][k].start, boxes[i][k].stop - high[k]) for k in range(3)]
        ends[i] = max(beyond) >= REACH * max(pieces.shape)
    return worth | ends if (worth | ends).sum() <= MOST else worth


def around(pieces, worth):
    """The box round the pieces whose numbers are `worth` it, with MARGIN cells more: its first cell (3,), and slices.
    Ways leave it for no good reason, and the search takes as long as there are cells."""
    within = worth[pieces]
    spans = []
    for axis, size in enumerate(pieces.shape):
        filled = np.flatnonzero(within.any(axis=tuple({0, 1, 2} - {axis})))
        spans.append(slice(max(filled[0] - MARGIN, 0), min(filled[-1] + 1 + MARGIN, size)))
    return np.array([span.start for span in spans]), tuple(spans)


def cheapest(price, pieces, joined, wanted, found):
    """The cheapest way (N, 3) from pieces that are joined, or bridges that were found, to a wanted one; or None."""
    starts, ends = (np.argwhere(rim(np.isin(pieces, list(numbers)))) for numbers in (joined, wanted))
    search = MCP_Geometric(price)
    sums, _ = search.find_costs(np.concatenate([starts, *found]), ends, find_all_ends=False)  # stops at the first
    sums = sums[tuple(ends.T)]
    return np.array(search.traceback(ends[sums.argmin()])) if np.isfinite(sums).any() else None


def rim(inside):
    """The cells of inside (X, Y, Z) bool with a side outside."""
    return inside & ~ndimage.binary_erosion(inside)


def largest(inside):
    """The largest piece of inside (X, Y, Z) bool."""
    pieces, count = ndimage.label(inside)
    return pieces == 1 + np.bincount(pieces.ravel())[1:].argmax() if count > 1 else inside


def with_rods(values, found, height):
    """values raised to height(away) round each way, away: how many cells lie between."""
    if not found:
        return values
    out = values.copy()
    for way in found:
        reach = int(RADIUS) + 2
        low, high = np.maximum(way.min(0) - reach, 0), way.max(0) + reach + 1
        part = tuple(slice(a, b) for a, b in zip(low, high))
        free = np.ones(out[part].shape, bool)
        free[tuple((way - low).T)] = False
        away = ndimage.distance_transform_edt(free)
        out[part] = np.where(away <= 2 * RADIUS, np.maximum(out[part], height(away)), out[part])
    return out
