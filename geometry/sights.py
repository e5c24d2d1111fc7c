"""Which photographs show each place of a surface, how well, and in what colours on the whole."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, map_coordinates, maximum_filter, minimum_filter
from scipy.sparse import coo_matrix

from .depth import depth_map, every, turned
from .hull import OBJECT, project
from .mesh import vertex_normals
from .views import area_mean

LONGEST = 768
"""Pixels along the longer side of depth maps"""
SHALLOW = 0.15
"""Cosine below which a view is too flat to take colours from"""
STEEPEST = 6.0
"""Of a slope seen so flat, that far does its own depth reach into a pixel's"""
JUMP = 8.0
"""Pixels' widths by which depths around a pixel differ where one thing ends before another"""
SAFE = 6.0
"""Pixels from where things end, or a mask does, at which a place is seen as well as anywhere"""
DOUBTFUL = 1e-3
"""What a view counts that sees a place but not all round it: last choice"""
EVEN = 6
"""Rounds of means over neighbours that qualities are evened by, so that patches of one photo are large"""


@dataclass(frozen=True)
class Sight:
    """What one photo shows of a mesh."""

    vertices: np.ndarray
    """(P,) int32: those that it shows"""
    quality: np.ndarray
    """(P,) float32: 1 straight and as finely as the texture is, towards 0"""
    colours: np.ndarray
    """(P, 3) uint8 sRGB"""


class Surface:
    """A mesh to be seen; density: texels per metre of its texture; closed: nobody sees its inside."""

    def __init__(self, mesh, density, closed):
        self.mesh, self.density, self.closed = mesh, density, closed
        self.normals = vertex_normals(mesh.vertices, mesh.faces)
        count = len(mesh.vertices)
        start, end = mesh.faces.ravel(), np.roll(mesh.faces, -1, axis=1).ravel()
        ones = np.ones(len(start), np.float32)
        beside = coo_matrix((ones, (start, end)), (count, count)) + coo_matrix((ones, (end, start)), (count, count))
        self.beside = (beside > 0).astype(np.float32).tocsr()
        self.neighbours = np.maximum(np.diff(self.beside.indptr), 1).astype(np.float32)

    def evened(self, values, rounds):
        """values (V,) or (V, C), each and its neighbours' mean mixed half and half, so many times."""
        count = self.neighbours if values.ndim == 1 else self.neighbours[:, None]
        for _ in range(rounds):
            values = (values + self.beside @ values / count) / 2
        return values


def seen(photo, surface) -> Sight:
    """Flat views count less, and coarse ones, and those close to an outline: there the mesh is never quite right, and
    what lies behind shows instead. Outside a mask nothing is seen."""
    mesh = surface.mesh
    pixels, depth = project(photo, mesh.vertices)
    height, width = photo.image.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    shape = max(1, round(height * scale)), max(1, round(width * scale))
    places = pixels[:, ::-1] * (shape[0] / height, shape[1] / width)
    faces = turned(places, mesh.faces) if surface.closed else mesh.faces  # through a hole one sees the inside
    nearest = depth_map(places, depth, faces, shape)
    row, column = np.floor(places).clip(-1, max(shape)).astype(np.int64).T
    visible = (depth > 0) & (row >= 0) & (row < shape[0]) & (column >= 0) & (column < shape[1])
    row, column = np.where(visible, row, 0), np.where(visible, column, 0)
    away = photo.camera[:3, 3] - mesh.vertices
    straight = (away * surface.normals).sum(axis=1) / np.maximum(np.linalg.norm(away, axis=1), 1e-30)
    focal = photo.pinhole[0, 0]
    slope = np.sqrt(np.maximum(1 - straight**2, 0)) / np.maximum(straight, 1 / STEEPEST)
    visible &= (straight > SHALLOW) & (depth <= nearest[row, column] + depth / (focal * scale) * (1 + 2 * slope))
    object_ = _object(photo, nearest)
    visible &= object_[row, column]
    within = distance_transform_edt(~_ends(object_, nearest, focal * scale))[row, column]
    fine = np.minimum(1.0, focal / np.maximum(depth, 1e-30) / surface.density)
    found = straight * fine * (DOUBTFUL + np.clip((within - 1) / SAFE, 0, 1)) * visible
    found = surface.evened(found.astype(np.float32), EVEN)
    found[mesh.faces[~every(visible, mesh.faces)]] *= DOUBTFUL  # a face of which a part is hidden takes no colours
    shown = np.flatnonzero(visible)
    small = area_mean(photo.image, *shape[::-1])
    at = places[shown].T - 0.5
    colours = [map_coordinates(small[..., c], at, order=1, mode="nearest") for c in range(3)]
    return Sight(shown.astype(np.int32), found[shown], (np.stack(colours, -1).clip(0, 255) + 0.5).astype(np.uint8))


def _object(photo, nearest):
    """(H, W) bool: where both the mesh and the photo show the object."""
    solid = np.isfinite(nearest)
    if photo.mask is None:
        return solid
    rows, columns = ((np.arange(n) + 0.5) * m / n for n, m in zip(nearest.shape, photo.mask.shape))
    return solid & (photo.mask[rows.astype(int)][:, columns.astype(int)] > OBJECT)


def _ends(object_, nearest, focal):
    """(H, W) bool: pixels beside the object, at the frame, or where something ends before something else."""
    filled = np.where(object_, nearest, 0)
    found = ~object_ | (maximum_filter(filled, 3) - minimum_filter(filled, 3) > JUMP * filled / focal)
    found[[0, -1]] = found[:, [0, -1]] = True
    return found
