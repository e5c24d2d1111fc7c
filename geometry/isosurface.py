"""From a field to a mesh: closed, facing outwards, welded, without islands unless asked.

Two styles. Smooth: marching cubes on the field itself (Lewiner 2003, by scikit-image), then Taubin smoothing (1995),
which does not shrink. Blocks: the faces of the cells that are inside.
"""

import numpy as np
from scipy.ndimage import map_coordinates
from scipy.sparse import csr_matrix
from skimage.measure import marching_cubes

from .blocks import block_surface
from .field import Field
from .frames import cell_size, world_to_grid
from .mesh import Mesh, largest_piece
from .simplify import simplify
from .touching import parted

STYLES = ("smooth", "blocks")
SHARPEST = 1e-3
"""Samples nearer to the level than this share of the field's range are moved off it: no face is degenerate."""

COARSEST = 4
"""Cells along a side of the coarsest field that a face budget may lead to."""
ALIKE = 0.5
"""Share of the volume that a mesh from a coarser field must hold, and the other way round."""


def mesh_from_field(field, level=None, style="smooth", smoothing=0, faces=0, islands=False):
    """The surface where the field passes `level` (None: the field's own).

    smoothing: passes over a smooth surface; blocks stay blocks. faces: triangles to keep at most, 0 for all.
    islands: keep the pieces apart from the largest, and hidden bubbles.
    A shape that is too tangled for the budget comes out coarser, or where that does not do, with more faces.
    Raises ValueError where nothing is inside, or everything.
    """
    if style not in STYLES:
        raise ValueError(f"Style is {style!r}; choose smooth or blocks")
    level = field.level if level is None else float(level)
    _something_inside(field.values, level)
    mesh = surface(field, level, style, smoothing, islands)
    if faces and len(mesh.faces) > faces:
        mesh = within_budget(mesh, field, level, style, smoothing, faces, islands)
    return Mesh(mesh.vertices, mesh.faces, colours_at(field, mesh.vertices))


def surface(field, level, style, smoothing, islands):
    """The surface with all its faces, without colours."""
    if style == "blocks":
        mesh = block_surface(field, level, islands)
        return mesh if islands else largest_piece(mesh)  # splitting what only touches can make two of one
    mesh = smooth_surface(field, level)
    mesh = mesh if islands else largest_piece(mesh)
    return Mesh(smoothed(mesh.vertices, mesh.faces, smoothing), mesh.faces)


def within_budget(mesh, field, level, style, smoothing, faces, islands):
    """The mesh, made from the field, with at most this many faces.

    What is too tangled for so few is made from coarser fields, which have fewer holes, as long as they resemble it.
    Where that does not do either, the budget is doubled until one is kept.
    """
    found = simplify(mesh, faces, islands)
    if found is not None:
        return found
    meshes = [mesh, *_coarser_surfaces(field, level, style, smoothing, islands, mesh.volume)]
    while True:
        for each in meshes:
            found = each if len(each.faces) <= faces else simplify(each, faces, islands)
            if found is not None:
                return found
        faces *= 2


def _coarser_surfaces(field, level, style, smoothing, islands, volume):
    """Surfaces from half, a quarter ... of the cells along each side, until they are too coarse to hold the volume."""
    while min(field.values.shape) >= 2 * COARSEST:
        field, level = _coarser(field, level)
        mesh = surface(field, level, style, smoothing, islands)
        if not ALIKE * volume <= mesh.volume <= volume / ALIKE:
            return
        yield mesh


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
    return np.stack([_between(field, field.colour[..., i], points) for i in range(3)], axis=-1)


def confidence_at(field, points):
    """The field's confidence (V,) float32 at points (V, 3) metres, between samples; None where it has none."""
    return None if field.confidence is None else _between(field, field.confidence, points)


def _between(field, values, points):
    """(V,) of values (X, Y, Z) in [0, 1] at points (V, 3) metres."""
    places = world_to_grid(points, field.values.shape, field.bounds).T
    return np.clip(map_coordinates(values, places, order=1, mode="nearest"), 0, 1)


def _coarser(field, level):
    """The field with half as many cells along each side, and the level at which the same share of them is inside."""
    odd = np.array(field.values.shape) % 2
    values = np.pad(field.values, [(0, side) for side in odd], "edge")
    bounds = field.bounds + [[0] * 3, odd * cell_size(field.values.shape, field.bounds)]
    x, y, z = np.array(values.shape) // 2
    coarse = values.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5))
    # Between two values that occur, for a field of only zeros and ones has many cells of the same value.
    steps, counts = np.unique(coarse, return_counts=True)
    if len(steps) == 1:
        return Field(coarse, steps[0] - 1, bounds), steps[0] - 1
    above = counts[::-1].cumsum()[-2::-1]
    at = np.abs(above - (values > level).mean() * coarse.size).argmin()
    level = (float(steps[at]) + float(steps[at + 1])) / 2
    return Field(coarse, level, bounds), level


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
