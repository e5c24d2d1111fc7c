"""From a field to a mesh: closed, facing outwards, welded, without islands unless asked.

Two styles. Smooth: marching cubes on the field itself (Lewiner 2003, by scikit-image), then Taubin smoothing (1995),
which does not shrink. Blocks: the faces of the cells that are inside.
"""

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_matrix
from skimage.measure import marching_cubes

from .blocks import block_surface
from .frames import cell_size, world_to_grid
from .mesh import Mesh, largest_piece
from .simplify import simplify
from .touching import parted

STYLES = ("smooth", "blocks")
SHARPEST = 1e-3
"""Samples nearer to the level than this share of the field's range are moved off it: no face is degenerate."""


def mesh_from_field(field, level=None, style="smooth", smoothing=0, faces=0, islands=False):
    """The surface where the field passes `level` (None: the field's own).

    smoothing: passes over a smooth surface; blocks stay blocks. faces: triangles to keep at most, 0 for all.
    islands: keep the pieces apart from the largest, and hidden bubbles.
    Raises ValueError where nothing is inside, or everything.
    """
    if style not in STYLES:
        raise ValueError(f"Style is {style!r}; choose smooth or blocks")
    level = field.level if level is None else float(level)
    _something_inside(field.values, level)
    if style == "smooth":
        mesh = smooth_surface(field, level)
        mesh = mesh if islands else largest_piece(mesh)
        mesh = Mesh(smoothed(mesh.vertices, mesh.faces, smoothing), mesh.faces)
    else:
        mesh = block_surface(field, level, islands)
        mesh = mesh if islands else largest_piece(mesh)  # splitting what only touches can make two of one
    if faces and len(mesh.faces) > faces:
        mesh = simplify(mesh, faces, islands)
    return Mesh(mesh.vertices, mesh.faces, colours_at(field, mesh.vertices))


def smooth_surface(field, level):
    """Marching cubes on the field, closed at the grid's outer faces: Mesh in metres."""
    padded, corner = _padded(field.values, level)
    vertices, faces, _, _ = marching_cubes(padded, 0.0, allow_degenerate=True)
    vertices += corner + 0.5
    vertices = field.bounds[0] + vertices * cell_size(field.values.shape, field.bounds)
    mesh = Mesh(vertices.astype(np.float32), faces[:, ::-1].astype(np.int32))
    return mesh if mesh.is_watertight else parted(mesh)


def smoothed(vertices, faces, passes, inward=0.5, outward=-0.53):
    """Vertices after Taubin's passes: each a step towards the neighbours' mean and a slightly longer one back."""
    if not passes:
        return vertices
    start, end = faces.ravel(), faces[:, [1, 2, 0]].ravel()  # closed: each neighbour comes once
    weight = 1 / np.bincount(start, minlength=len(vertices))
    mean = csr_matrix((weight[start], (start, end)), (len(vertices),) * 2)
    vertices = vertices.astype(np.float64)
    for _ in range(passes):
        vertices = vertices + inward * (mean @ vertices - vertices)
        vertices = vertices + outward * (mean @ vertices - vertices)
    return vertices.astype(np.float32)


def colours_at(field, points):
    """The field's colours (V, 3) float32 at points (V, 3) metres, between samples; None without colours."""
    if field.colour is None:
        return None
    places = world_to_grid(points, field.values.shape, field.bounds).T
    channels = [map_coordinates(field.colour[..., i], places, order=1, mode="nearest") for i in range(3)]
    return np.clip(np.stack(channels, axis=-1), 0, 1)


def _something_inside(values, level):
    highest, lowest = float(values.max()), float(values.min())
    if highest <= level:
        raise ValueError(f"nothing is inside at level {level:g}; lower the level below {highest:.3g}")
    if lowest > level:
        raise ValueError(f"everything is inside at level {level:g}; raise the level above {lowest:.3g}")


def _padded(values, level):
    """Distances above the level on the cells round the inside, with a border outside it, and the place of the first.

    The border mirrors the outermost samples across the level, so that what leaves the grid is cut at its outer faces.
    """
    above = values - np.float32(level)
    least = SHARPEST * max(above.max(), -above.min())
    above = np.where(above > 0, np.maximum(above, least), np.minimum(above, -least))
    above = np.pad(above, 1, "edge")
    for axis in range(3):
        outer = np.moveaxis(above, axis, 0)
        for side in (0, -1):
            outer[side] = np.minimum(outer[side], -outer[side])
    # Only cells that have an inside neighbour can hold the surface.
    inside = above > 0
    spans = []
    for axis in range(3):
        filled = np.flatnonzero(inside.any(axis=tuple({0, 1, 2} - {axis})))
        spans.append(slice(filled[0] - 1, filled[-1] + 2))
    return np.ascontiguousarray(above[tuple(spans)]), np.array([span.start for span in spans]) - 1
