"""A surface cut into charts that lie flat: pieces that look one way, laid down along it.

As Blender's Smart UV Project does: every face goes with the nearest of six directions, which follow the mesh,
neighbours together; each connected piece is laid down along its direction, and what would then lie under another part
of it becomes a chart of its own.
"""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .isosurface import smoothed
from .mesh import face_normals
from .raster import batches, covered

AXES = 6
PASSES = 16
"""Of smoothing, before anything is cut"""
BLURS, VOTES, COMPANY = 12, 20, 0.35
"""Rounds over the normals, rounds of neighbours' votes, and what a vote weighs against a face's own direction"""
TILTED = 0.2
"""Cosine to its chart's direction below which a face would be too narrow in its chart"""
SMALL = 5e-4
"""Share of the surface below which a chart joins a neighbour that can take it"""
LAYERS = 8
"""Rounds of lifting off what lies over something else"""
CELLS = 1_000_000
"""Places of the whole surface at which it is looked for"""


def charts(mesh, together=None):
    """The chart of each face (F,) from 0 up, and its corners laid flat (F, 3, 2), counter-clockwise, in metres.

    together (F,): faces of one number stay in one chart.
    """
    links = neighbours(mesh.faces)
    # What is rough folds over itself in any direction; its smoothed likeness is cut, and laid down in its place.
    even = smoothed(mesh.vertices, mesh.faces, PASSES, outward=0.0)
    normals, areas = face_normals(even, mesh.faces), face_areas(even, mesh.faces)
    axes, label = directions(normals, areas, links)
    tilted = (normals * axes[label]).sum(axis=1) < TILTED
    label[tilted] = (normals[tilted] @ axes.T).argmax(axis=1)
    label = agreed(label, areas, together)
    for _ in range(4):
        label = agreed(joined(label, normals @ axes.T, areas, links), areas, together)
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    piece = pieces(label, links)
    rough = np.zeros(piece.max() + 1, bool)
    rough[piece[(face_normals(mesh.vertices, mesh.faces) * axes[label]).sum(axis=1) < TILTED / 2]] = True
    corners[rough[piece]] = even[mesh.faces[rough[piece]]]
    flat, heights = np.empty((len(label), 3, 2)), np.einsum("fcj,fj->fc", corners, axes[label])
    for axis, across in enumerate(map(_plane, axes)):
        flat[label == axis] = corners[label == axis] @ across.T
    return layered(label, flat, heights, links, together), flat


def face_areas(vertices, faces):
    """(F,) square metres."""
    a, b, c = vertices.astype(np.float64)[faces.T]
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2


def neighbours(faces):
    """(P, 2) pairs of faces that share an edge."""
    ends = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1).astype(np.int64)
    keys = ends[:, 0] * (int(faces.max()) + 1) + ends[:, 1]
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    return np.stack([order[same], order[same + 1]], axis=1) // 3


def directions(normals, areas, links):
    """Six axes (6, 3) that follow the mesh, and which one each face goes with (F,)."""
    beside = coo_matrix(
        (np.ones(2 * len(links), np.float32), np.concatenate([links, links[:, ::-1]]).T), (len(normals),) * 2
    ).tocsr()
    blurred = normals * areas[:, None]
    for _ in range(BLURS):
        blurred = (blurred + beside @ blurred) / 4
    blurred /= np.maximum(np.linalg.norm(blurred, axis=1, keepdims=True), 1e-30)
    axes = np.concatenate([np.eye(3), -np.eye(3)])
    for _ in range(8):  # spherical k-means, by area
        label = (blurred @ axes.T).argmax(axis=1)
        sums = [(blurred * areas[:, None])[label == axis].sum(axis=0) for axis in range(AXES)]
        axes = np.array([_unit(total, axis) for total, axis in zip(sums, axes)])
    fit = (blurred @ axes.T).astype(np.float32)
    for _ in range(VOTES):
        label = (fit + COMPANY * (beside @ np.eye(AXES, dtype=np.float32)[label])).argmax(axis=1)
    return axes, label


def joined(label, fit, areas, links):
    """Labels (F,) with pieces that are too small given to the neighbour with whom they share most edges.

    fit (F, 6): cosines of the faces to the axes.
    """
    piece = pieces(label, links)
    small = np.bincount(piece, areas) < SMALL * areas.sum()
    order = np.argsort(piece, kind="stable")
    starts = np.searchsorted(piece[order], np.arange(piece.max() + 1))
    worst = np.minimum.reduceat(fit[order], starts)  # (pieces, 6)
    both = np.concatenate([links, links[:, ::-1]])
    both = both[small[piece[both[:, 0]]] & (label[both[:, 0]] != label[both[:, 1]])]
    shared = np.zeros((len(small), AXES))
    np.add.at(shared, (piece[both[:, 0]], label[both[:, 1]]), 1)
    shared[worst < TILTED] = 0
    moves = shared.max(axis=1) > 0
    return np.where(moves[piece], shared.argmax(axis=1)[piece], label)


def agreed(label, areas, together):
    """Labels (F,) where faces that stay together have that of the largest among them."""
    if together is None:
        return label
    order = np.lexsort([areas, together])
    last = np.flatnonzero(np.diff(together[order], append=-1))
    _, group = np.unique(together, return_inverse=True)
    return label[order[last]][group]


def layered(label, flat, heights, links, together=None):
    """Charts (F,): connected pieces of one label, of which no part lies over another.

    heights (F, 3): of the corners, along the axes that the pieces are seen from; what is lower is parted from it.
    """
    b, c = flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0]
    step = max(np.sqrt(np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]).sum() / 2 / CELLS), 1e-30)
    layer, kinds, some = np.zeros(len(label), np.int64), int(label.max()) + 1, np.arange(len(label))
    for _ in range(LAYERS):
        chart = pieces(label + kinds * layer, links)
        under = np.zeros(len(label), bool)
        under[some] = hidden(chart[some], flat[some], heights[some], step)
        if not under.any():
            break
        if together is not None:
            under = np.isin(together, together[under])
        layer[under] += 1
        some = np.flatnonzero(np.isin(chart, chart[under]))
    return pieces(label + kinds * layer, links)


def hidden(chart, flat, heights, step):
    """Which faces (F,) lie under another one of their chart, at places a step apart."""
    _, chart = np.unique(chart, return_inverse=True)
    # Side by side on one long strip, so that charts meet only themselves.
    order = np.argsort(chart, kind="stable")
    starts = np.searchsorted(chart[order], np.arange(chart.max() + 1))
    low = np.minimum.reduceat(flat.min(axis=1)[order], starts)
    high = np.maximum.reduceat(flat.max(axis=1)[order], starts)
    rows, columns = (np.ceil((high - low) / step).astype(np.int64) + 2).T
    shape, shift = (int(rows.sum()), int(columns.max())), np.cumsum(rows) - rows
    cells, faces, above = [], [], []
    placed = (flat - low[chart][:, None]) / step + 0.5
    placed[..., 0] += shift[chart, None]
    for some in batches(placed):
        face, place, weights, _ = covered(placed[some], shape)
        within = weights.min(axis=1) > 1e-3  # what only touches is no overlap
        face, place = face[within], place[within]
        cells.append(place[:, 0] * shape[1] + place[:, 1])
        faces.append(face + some.start)
        above.append((weights[within] * heights[some][face]).sum(axis=1))
    cell, face = np.concatenate(cells), np.concatenate(faces)
    order = np.lexsort([-np.concatenate(above), cell])
    below = order[1:][cell[order][1:] == cell[order][:-1]]
    found = np.zeros(len(chart), bool)
    found[face[below]] = True
    return found


def pieces(label, links):
    """For each face (F,) the number of the connected piece of one label that it belongs to."""
    kept = links[label[links[:, 0]] == label[links[:, 1]]]
    graph = coo_matrix((np.ones(len(kept), bool), kept.T), (len(label),) * 2)
    return connected_components(graph, directed=False)[1]


def _plane(axis):
    """(2, 3): right and up in the picture of one who looks against the axis."""
    right = np.cross([0, 0, 1.0] if abs(axis[2]) < 0.9 else [0, 1.0, 0], axis)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(axis, right)])


def _unit(vector, instead):
    length = np.linalg.norm(vector)
    return vector / length if length > 1e-12 else instead
