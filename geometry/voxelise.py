"""Solid filling of a mesh at cell centres, for scores: closed or open, cleanly joined or not.

Rays run through the cell centres along an axis and count the faces they cross. A closed mesh whose faces agree needs
one axis, and overlapping parts are one solid (the winding number is not zero). Any other mesh is asked along all three
axes from both ends, and the majority of the six answers counts; where its faces do not agree which side is out, each
answer is whether the count is odd.
"""

import numpy as np

from .frames import UNIT_CUBE, cell_size
from .mesh import directed_edges, is_closed
from .raster import covered

ASIDE = np.array([0.3713e-6, 0.6131e-6, 0.2377e-6])
"""Rays pass this share of a cell beside the centres, so that they meet no edge of a mesh made of whole cells."""


def voxelise(mesh, resolution, bounds=UNIT_CUBE):
    """The cell centres inside the mesh: (N, N, N) bool over bounds (the cube [-.5, .5]^3)."""
    inside = np.zeros((resolution,) * 3, bool)
    if not len(mesh.faces):
        return inside
    cell = cell_size(inside.shape, bounds)
    corners = ((mesh.vertices.astype(np.float64) - bounds[0]) / cell - 0.5 - ASIDE)[mesh.faces]  # F 3 xyz
    if is_closed(mesh.faces):
        return np.cumsum(_crossings(corners, 2, resolution), axis=2)[..., :-1] != 0
    signed = _faces_agree(mesh.faces)
    votes = np.zeros(inside.shape, np.int8)
    for axis in range(3):
        crossings = _crossings(corners, axis, resolution, signed)
        ahead = np.cumsum(crossings, axis=axis)
        total = np.take(ahead, [resolution], axis)
        ahead = np.delete(ahead, resolution, axis)
        for count in (ahead, total - ahead):
            votes += (count != 0) if signed else (count % 2 == 1)
    return votes > 3


def _crossings(corners, axis, resolution, signed=True):
    """How often the mesh is entered (1) or left (-1) between cell centres along an axis, 1 each unless signed.

    corners (F, 3, 3) in cells, cell centres whole. Returns float64 grids, longer by one along the axis; a cumulative
    sum counts the faces below each cell.
    """
    u, v = (axis + 1) % 3, (axis + 2) % 3
    face, place, weights, area = covered(corners[..., [u, v]], (resolution, resolution))
    height = (weights * corners[face, :, axis]).sum(axis=1)
    above = np.clip(np.ceil(height), 0, resolution).astype(np.int64)
    index = (place[:, 0] * resolution + place[:, 1]) * (resolution + 1) + above
    # A face that looks down is where a ray going up enters.
    sums = np.bincount(index, -np.sign(area[face]) if signed else None, resolution**2 * (resolution + 1))
    return np.moveaxis(sums.reshape(resolution, resolution, resolution + 1), (0, 1, 2), (u, v, axis))


def _faces_agree(faces):
    """Nearly all edges that two faces share run in opposite directions in them."""
    count = int(faces.max()) + 1
    edges, there = np.unique(directed_edges(faces, count), return_counts=True)
    repeated = (there[there > 1] - 1).sum()
    shared = np.isin(edges // count + edges % count * count, edges).sum() / 2
    return repeated <= 0.02 * (shared + repeated)
