"""The surface of the cells that are inside, as squares: closed and manifold everywhere.

Cells that touch only along an edge or at a corner are split there: each side gets vertices of its own. Where two such
cells are joined round both ends of their edge, splitting cannot part them and one cell of the gap is filled.
"""

from functools import cache
from itertools import product

import numpy as np
from scipy.ndimage import binary_fill_holes, label

from .frames import cell_size
from .mesh import Mesh, directed_edges


def block_surface(field, level, islands):
    """Faces of the cells above the level: of all (islands), or of their largest piece with its bubbles filled."""
    inside = field.values > level
    if not islands:
        numbers, _ = label(inside)
        counts = np.bincount(numbers.ravel())
        counts[0] = 0
        inside = binary_fill_holes(numbers == counts.argmax())
    inside = np.pad(inside, 1)
    while True:
        corners, places, beyond = _squares(inside)
        keys = corners * 8 + _fans()[_codes(inside).ravel()[corners], places]
        keys, squares = np.unique(keys, return_inverse=True)
        squares = squares.reshape(-1, 4)
        edges = directed_edges(squares, len(keys))
        found, first, counts = np.unique(edges, return_index=True, return_counts=True)
        if counts.max() == 1:
            break
        # Each such edge is crowded in both directions; one cell beside it is enough.
        start, end = np.divmod(found, len(keys))
        inside.reshape(-1)[beyond[first[(counts > 1) & (start < end)] // 4]] = True
    lattice = np.stack(np.unravel_index(keys // 8, np.array(inside.shape) - 1), axis=-1)
    vertices = field.bounds[0] + lattice * cell_size(field.values.shape, field.bounds)
    faces = squares[:, [0, 1, 2, 0, 2, 3]].reshape(-1, 3)
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32))


def _squares(inside):
    """Squares between a cell inside and one that is not, in a grid with an empty border.

    Returns corners (S, 4), flat in the lattice of inner corners, counter-clockwise from outside; the squares' places
    (S, 4) round each of these corners, as _fans counts them; and the flat index of the cell beyond each square (S,).
    """
    shape = np.array(inside.shape)
    steps = np.eye(3, dtype=np.int64)
    corners, places, beyond = [], [], []
    for axis in range(3):
        u, v = (axis + 1) % 3, (axis + 2) % 3
        low, high = np.delete(inside, -1, axis), np.delete(inside, 0, axis)
        for outward, where in ((1, low & ~high), (-1, high & ~low)):
            cell = np.stack(np.nonzero(where), axis=-1)
            around = ((0, 0), (1, 0), (1, 1), (0, 1))[::outward]
            lattice = [cell - (1 - i) * steps[u] - (1 - j) * steps[v] for i, j in around]
            corners.append(np.stack([np.ravel_multi_index(c.T, shape - 1) for c in lattice], axis=-1))
            # A corner at the square's low end along u has the square on its own high side.
            places.append(np.tile([axis * 4 + (1 - i) * 2 + (1 - j) for i, j in around], (len(cell), 1)))
            beyond.append(np.ravel_multi_index((cell + steps[axis] * (outward == 1)).T, shape))
    return np.concatenate(corners), np.concatenate(places), np.concatenate(beyond)


def _codes(inside):
    """For each inner corner of the lattice, which of its 8 cells are inside: bit 4 x + 2 y + z of uint8."""
    n, m, k = np.array(inside.shape) - 1
    codes = np.zeros((n, m, k), np.uint8)
    for bit, (x, y, z) in enumerate(product((0, 1), repeat=3)):
        codes |= inside[x : x + n, y : y + m, z : z + k].astype(np.uint8) << bit
    return codes


@cache
def _fans():
    """Which squares round a corner hang together: (256 codes, 12 places) -> number of the fan.

    Place 4 axis + 2 u + v is the square across the axis on those sides of the next two axes. Where four squares meet
    at an edge, the two of one inside cell belong together.
    """
    fans = np.zeros((256, 12), np.int64)
    for code in range(256):
        filled = np.array([code >> bit & 1 for bit in range(8)]).reshape(2, 2, 2)
        fan = np.arange(12)
        for axis, side in product(range(3), (0, 1)):  # the six edges that leave the corner
            for places in _joined(filled, axis, side):
                low, high = sorted(fan[places])
                fan[fan == high] = low
        used = [place for place in range(12) if _crossed(filled, place)]
        fans[code, used] = np.unique(fan[used], return_inverse=True)[1]
    return fans


def _cells(place):
    """The two cells of 2 x 2 x 2 on either side of a place."""
    axis, u, v = place // 4, place // 2 % 2, place % 2
    cells = np.zeros((2, 3), int)
    cells[1, axis] = 1
    cells[:, (axis + 1) % 3], cells[:, (axis + 2) % 3] = u, v
    return tuple(cells[0]), tuple(cells[1])


def _crossed(filled, place):
    low, high = _cells(place)
    return filled[low] != filled[high]


def _joined(filled, axis, side):
    """Pairs of places that meet at the corner's edge along an axis and belong together."""
    touching = [p for p in range(12) if p // 4 != axis and all(cell[axis] == side for cell in _cells(p))]
    crossed = [p for p in touching if _crossed(filled, p)]
    if len(crossed) == 2:
        return [crossed]
    owners = {}
    for place in crossed:
        owners.setdefault(next(cell for cell in _cells(place) if filled[cell]), []).append(place)
    return list(owners.values())
