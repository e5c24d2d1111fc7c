"""Pieces of a shape joined where a field says that they most likely meet: what is drawn as one object is one.

A network that doubts a chair's leg for two cells in its middle would otherwise lose its lower half.
"""

import numpy as np
from scipy import ndimage
from skimage.graph import MCP_Geometric

LEAST = 4
"""Cells of a piece that is worth a bridge"""
DOUBTFUL = 0.02
"""Bridges do not cross cells that are less likely inside than this ..."""
LARGE = 0.1
"""... but those to a piece of at least this share of the largest, which no shape can do without"""
RADIUS = 1.2
"""Of a bridge, in cells"""
ABOVE = 0.1
"""What is added to the level in a bridge's middle"""


def bridged(occupancy, level):
    """occupancy (X, Y, Z) float32 in [0, 1] with values raised along the likeliest ways between pieces above level.

    The same array where there is one piece, or nothing to join."""
    pieces, count = ndimage.label(occupancy > level)
    if count < 2:
        return occupancy
    cells = np.bincount(pieces.ravel())
    cells[0] = 0
    largest = int(cells.argmax())
    joined, out = pieces == largest, occupancy
    for least, floor in ((LARGE * cells[largest], 0.0), (LEAST, DOUBTFUL)):
        wanted = {int(i) for i in np.flatnonzero(cells >= max(least, LEAST)) if not joined[pieces == i].any()}
        while wanted:
            way, reached = likeliest_way(occupancy, level, joined, pieces, wanted, floor)
            if way is None:
                break
            wanted.discard(reached)
            joined |= pieces == reached
            joined[tuple(way.T)] = True
            out = raised(out, level, way)
    return out


def likeliest_way(occupancy, level, joined, pieces, wanted, floor):
    """The cells (N, 3) of the likeliest way from what is joined to a wanted piece, and which; (None, 0) without."""
    costs = np.where(occupancy > floor, -np.log(np.clip(occupancy, 1e-3, 0.98)), -1.0)
    costs[occupancy > level] = 0.02
    ways = MCP_Geometric(costs)
    sums, _ = ways.find_costs(np.argwhere(joined & ~ndimage.binary_erosion(joined)))
    goals = np.flatnonzero(np.isin(pieces, list(wanted)))
    nearest = goals[sums.ravel()[goals].argmin()]
    if not np.isfinite(sums.ravel()[nearest]):
        return None, 0
    way = ways.traceback(np.unravel_index(nearest, occupancy.shape))
    return np.array(way), int(pieces.ravel()[nearest])


def raised(occupancy, level, way):
    """occupancy with a rod of RADIUS cells along the way."""
    line = np.ones(occupancy.shape, bool)
    line[tuple(way.T)] = False
    reach = int(RADIUS) + 2
    low, high = np.maximum(way.min(0) - reach, 0), way.max(0) + reach + 1
    part = tuple(slice(a, b) for a, b in zip(low, high))
    rod = level + ABOVE * (1 - ndimage.distance_transform_edt(line[part]) / RADIUS)
    out = occupancy.copy()
    out[part] = np.maximum(out[part], np.where(rod > level - ABOVE, rod, 0)).astype(occupancy.dtype)
    return out
