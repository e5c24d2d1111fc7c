"""Surfaces that touch themselves, made closed and manifold again.

Marching cubes (rarely) and edge collapses (often) leave edges at which four faces meet. There the surface is parted:
each side gets vertices of its own, in the same places, so that every edge has two faces and nothing moves.
"""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .mesh import Mesh, directed_edges, is_closed


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
    vertices, faces = mesh.vertices[faces.ravel()[first]], fans.reshape(-1, 3).astype(np.int32)
    return _bypassed(vertices, faces, ahead, back)


def _bypassed(vertices, faces, ahead, back):
    """Where two pairs of faces still share both ends of an edge, all but one of them go by a point of their own."""
    ends = np.sort(np.stack([faces.ravel()[ahead], np.roll(faces, -1, axis=1).ravel()[ahead]]), axis=0)
    _, first, pair = np.unique(ends, axis=1, return_index=True, return_inverse=True)
    again = np.flatnonzero(first[pair.reshape(-1)] != np.arange(len(ahead)))
    vertices, faces = list(vertices), list(faces)
    taken = set()
    for one in again:
        halves = ahead[one], back[one]
        if taken & {half // 3 for half in halves}:
            continue  # its face is cut already; is_closed will tell
        taken |= {half // 3 for half in halves}
        low, high = ends[:, one]
        vertices.append((vertices[low] + vertices[high]) / 2)
        for half in halves:
            a, b, c = np.roll(faces[half // 3], -(half % 3))
            faces[half // 3] = np.array([a, len(vertices) - 1, c], np.int32)
            faces.append(np.array([len(vertices) - 1, b, c], np.int32))
    return Mesh(np.array(vertices), np.array(faces))


def _without_flakes(faces):
    """Two faces over the same corners that look in opposite directions enclose nothing: both go.

    Of several, as many stay as look one way more often than the other, so that every edge keeps its balance."""
    turned = np.argsort(faces, axis=1)
    corners = np.take_along_axis(faces, turned, axis=1)
    side = np.where(((turned[:, 1] - turned[:, 0]) % 3) == 1, 1, -1)
    _, group = np.unique(corners, axis=0, return_inverse=True)
    group = group.reshape(-1)
    surplus = np.bincount(group, side)[group]  # a pair sums to nothing
    order = np.lexsort((side, group))
    alike = np.r_[True, (np.diff(group[order]) != 0) | (np.diff(side[order]) != 0)]
    place = np.empty(len(faces), np.int64)
    place[order] = np.arange(len(faces)) - np.maximum.accumulate(np.where(alike, np.arange(len(faces)), 0))
    return faces[place < surplus * side]


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
