"""Fewer faces, and still closed."""

import fast_simplification
import numpy as np

from .mesh import Mesh, is_closed, largest_piece, without_unused
from .touching import parted

TRIES = ((1.0, 7), (0.94, 7), (0.88, 5), (0.8, 4), (0.7, 3))
"""Shares of the budget, and how hard to push (fast-simplification's `agg`; harder takes edges in a rougher order)."""


KEPT = 0.97
"""Share of the volume that the largest piece must hold when only that is wanted; less, and a leg has come off."""
LEFT = 0.5
"""Share of the mesh's own volume that an answer must hold."""


def simplify(mesh, faces, islands=False):
    """The mesh with at most this many faces, by quadric edge collapse (Garland and Heckbert 1997); colours are dropped.

    Collapses can pinch a surface together. Pinches are parted again, and each answer is checked edge by edge; where one
    is not closed, or parts fell off (unless islands), or little is left, smaller counts are tried. None where all fail:
    a closed surface with many holes needs many faces, at least about four for each.
    """
    budget = max(int(faces), 4)
    for share, push in TRIES:
        count = max(int(budget * share), 4)
        if count >= len(mesh.faces):
            continue
        vertices, triangles = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=count, agg=push)
        found = parted(Mesh(np.asarray(vertices, np.float32), np.asarray(triangles, np.int32)))
        if not is_closed(found.faces):
            continue
        kept = found if islands else largest_piece(found)
        if kept.volume >= max(KEPT * found.volume, LEFT * mesh.volume) > 0 and len(kept.faces) <= budget:
            return without_unused(kept)
    return None
