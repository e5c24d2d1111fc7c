"""Fewer faces, and still closed."""

import fast_simplification
import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .mesh import Mesh, directed_edges, is_closed, largest_piece, without_unused

TRIES = ((1.0, 7), (0.94, 7), (0.88, 5), (1.3, 5), (2.0, 4), (4.0, 3), (8.0, 3))
"""Shares of the budget, and how hard to push (fast-simplification's `agg`; harder takes edges in a rougher order)."""


KEPT = 0.97
"""Share of the volume that the largest piece must hold when only that is wanted; less, and a leg has come off."""


def simplify(mesh, faces, islands=False):
    """The mesh with at most this many faces, by quadric edge collapse (Garland and Heckbert 1997); colours are dropped.

    Collapses can pinch a surface together. Pinches are parted again, and each answer is checked edge by edge; where one
    is not closed, or parts fell off (unless islands), slightly smaller counts are tried, then larger ones, and the mesh
    itself comes back where all fail.
    """
    budget = max(int(faces), 4)
    for share, push in TRIES:
        count = max(int(budget * share), 4)
        if count >= len(mesh.faces):
            break
        vertices, triangles = fast_simplification.simplify(mesh.vertices, mesh.faces, target_count=count, agg=push)
        found = parted(Mesh(np.asarray(vertices, np.float32), np.asarray(triangles, np.int32)))
        if not is_closed(found.faces):
            continue
        kept = found if islands else largest_piece(found)
        if kept.volume >= KEPT * found.volume > 0 and len(kept.faces) <= max(count, budget):
            return without_unused(kept)
    return mesh


def parted(mesh):
    """Without the two-faced flakes, and split where the surface touches itself along an edge or in a vertex."""
    faces = _without_flakes(mesh.faces)
    if not len(faces) or is_closed(faces):
        return Mesh(mesh.vertices, faces)
    ahead, back = _pairs(mesh.vertices, faces)
    # The corners of two paired faces at the two ends of their edge are one vertex.
    end = np.arange(len(faces) * 3).reshape(-1, 3)[:, [1, 2, 0]].ravel()
    links = np.concatenate([np.stack([ahead, end[back]]), np.stack([end[ahead], back])], axis=1)
    count = len(faces) * 3
    fans = connected_components(coo_matrix((np.ones(links.shape[1], bool), links), (count, count)), directed=False)[1]
    _, first = np.unique(fans, return_index=True)
    return Mesh(mesh.vertices[faces.ravel()[first]], fans.reshape(-1, 3).astype(np.int32))


def _without_flakes(faces):
    """Two faces over the same corners that look in opposite directions enclose nothing: both go."""
    turned = np.argsort(faces, axis=1)
    corners = np.take_along_axis(faces, turned, axis=1)
    side = np.where(((turned[:, 1] - turned[:, 0]) % 3) == 1, 1, -1)
    _, group = np.unique(corners, axis=0, return_inverse=True)
    group = group.reshape(-1)
    keep = np.bincount(group, side)[group] == side  # a pair sums to nothing
    return faces[keep]


def _pairs(vertices, faces):
    """Half-edges (numbered as in directed_edges) that belong together: each of `ahead` with the one of `back`.

    Where more than two faces meet, those on either side of the same solid wedge do.
    """
    count = len(vertices)
    keys = directed_edges(faces, count)
    start, end = keys // count, keys % count
    edges = np.minimum(start, end) * count + np.maximum(start, end)
    forward = start < end
    order = np.lexsort((~forward, edges))
    first = np.flatnonzero(np.r_[True, np.diff(edges[order]) != 0])
    size = np.diff(np.r_[first, len(order)])
    simple = first[size == 2]
    ahead, back = [order[simple]], [order[simple + 1]]
    for low, number in zip(first[size > 2], size[size > 2]):
        around = order[low : low + number]
        around = around[np.argsort(_angles(vertices, faces, around, start, end, forward))]
        # Seen along the edge, a face that runs along it has the solid on its clockwise side.
        while len(around):
            at = next((i for i in range(len(around)) if forward[around[i]] and not forward[around[i - 1]]), None)
            if at is None:
                break  # more run one way than the other: this surface has a hole
            ahead.append(around[[at]])
            back.append(around[[at - 1]])
            around = np.delete(around, [at, at - 1])
    return np.concatenate(ahead), np.concatenate(back)


def _angles(vertices, faces, half_edges, start, end, forward):
    """How far each face is turned counter-clockwise round the edge that all of them share."""
    low, high = sorted((start[half_edges[0]], end[half_edges[0]]))
    along = (vertices[high] - vertices[low]).astype(np.float64)
    across = vertices[faces[half_edges // 3, (half_edges % 3 + 2) % 3]] - vertices[low]
    across = across - np.outer(across @ along / max(along @ along, 1e-30), along)
    x = across[0] / max(np.linalg.norm(across[0]), 1e-30)
    y = np.cross(along, x) / max(np.linalg.norm(along), 1e-30)
    return np.arctan2(across @ y, across @ x)
