"""What no photo shows of a surface: found by depth, kept beside the field, and left out of its meshes."""

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter

from .depth import depth_map, turned
from .frames import world_to_grid
from .hull import project
from .mesh import Mesh, pieces, vertex_normals, without_unused

LONGEST = 320
"""Pixels along the longer side of the pictures of depth"""
GRAZING = 0.1
"""Cosine below which a surface is seen too much from the side to count"""
SPREAD = 1.5
"""Cells over which neighbours are asked, so that borders are not ragged"""
ISLAND = 0.02
"""Share of the surface below which a hole is closed, or what stands alone is left out"""


def shown(mesh, photos) -> np.ndarray:
    """(V,) bool: vertices that lie in some photo's frame, turned to its camera, with nothing in front of them."""
    normals, seen = vertex_normals(mesh.vertices, mesh.faces), np.zeros(len(mesh.vertices), bool)
    for photo in photos:
        seen |= shown_in(mesh, normals, photo)
    return seen


def shown_in(mesh, normals, photo) -> np.ndarray:
    """As shown, of one photo and the vertices' normals (V, 3)."""
    height, width = photo.image.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    size = max(1, round(height * scale)), max(1, round(width * scale))
    pixels, away = project(photo, mesh.vertices)
    pixels = pixels * scale
    ways = photo.camera[:3, 3] - mesh.vertices
    facing = (normals * ways).sum(1) > GRAZING * np.linalg.norm(ways, axis=1)
    held = (away > 0) & (pixels >= 0).all(1) & (pixels[:, 0] < size[1]) & (pixels[:, 1] < size[0])
    index = np.flatnonzero(held & facing)
    column, row = np.minimum(pixels[index].astype(np.int64).T, [[size[1] - 1], [size[0] - 1]])
    footprint = 2 / (photo.pinhole[0, 0] * scale)  # a slope may be that much deeper at a pixel's other side
    seen = np.zeros(len(mesh.vertices), bool)
    seen[index] = away[index] <= depths(mesh, pixels, away, size)[row, column] * (1 + footprint)
    return seen


def depths(mesh, pixels, away, size) -> np.ndarray:
    """(H, W) depth of the nearest surface in each pixel, or in one beside it that is further; infinite where none is.

    pixels (V, 2) as (column, row), away (V,): where the vertices are seen.
    """
    places = pixels[:, ::-1]
    return maximum_filter(depth_map(places, away, turned(places, mesh.faces), size), 3)


def seen_cells(mesh, seen, shape, bounds) -> np.ndarray:
    """(X, Y, Z) bool of a grid: False round the vertices of a surface that are not `seen` (V,), True elsewhere."""
    votes = np.zeros(shape, np.float32)
    places = np.rint(world_to_grid(mesh.vertices, shape, bounds)).astype(np.int64).clip(0, np.array(shape) - 1)
    np.add.at(votes, tuple(places.T), np.where(seen, 1.0, -1.0).astype(np.float32))
    return gaussian_filter(np.sign(votes), SPREAD) >= 0


def culled(mesh, field) -> Mesh:
    """The mesh of a field without the faces where its `seen` is False; small islands go to what lies round them.

    Where nothing would be left the mesh stays as it is.
    """
    middle = mesh.vertices[mesh.faces].mean(1)
    places = np.rint(world_to_grid(middle, field.values.shape, field.bounds)).astype(np.int64)
    kept = field.seen[tuple(places.clip(0, np.array(field.values.shape) - 1).T)]
    area = areas(mesh)
    for state in (False, True):  # holes first, so that what they lie in counts whole
        index = np.flatnonzero(kept == state)
        piece = pieces(mesh.faces[index], len(mesh.vertices))
        small = np.bincount(piece, area[index]) < ISLAND * area.sum()
        kept[index[small[piece]]] = not state
    return without_unused(Mesh(mesh.vertices, mesh.faces[kept], mesh.colours)) if kept.any() else mesh


def areas(mesh) -> np.ndarray:
    a, b, c = mesh.vertices[mesh.faces.T].astype(np.float64)
    return np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
