"""A triangle mesh as arrays, and what can be said of it."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles, counter-clockwise as seen from outside."""

    vertices: np.ndarray
    """(V, 3) float32 metres"""
    faces: np.ndarray
    """(F, 3) int32"""
    colours: np.ndarray | None = None
    """(V, 3) float32 sRGB in [0, 1]"""
    confidence: np.ndarray | None = None
    """(V,) float32 in [0, 1]: how sure the surface is there"""
    uvs: np.ndarray | None = None
    """(F, 3, 2) float32 of each face's corners in the texture, u to the right, v up, in [0, 1]"""
    texture: np.ndarray | None = None
    """(S, S, 3) uint8 sRGB"""
    polygons: np.ndarray | None = None
    """(F,) int32: two faces of one number, beside each other and sharing first corners, are halves of one quad"""

    @property
    def is_watertight(self) -> bool:
        """Every edge belongs to exactly two faces, which run along it in opposite directions."""
        return is_closed(self.faces)

    @property
    def volume(self) -> float:
        """Enclosed volume in cubic metres; negative where the faces look inwards."""
        return float(cone_volumes(self.vertices, self.faces).sum())

    @property
    def bounds(self) -> np.ndarray:
        """(2, 3) metres, over the vertices that faces use."""
        if not len(self.faces):
            return np.zeros((2, 3), np.float32)
        used = self.vertices[np.unique(self.faces)]
        return np.stack([used.min(axis=0), used.max(axis=0)])

    @property
    def components(self) -> int:
        """Pieces that share no vertex."""
        return len(np.unique(pieces(self.faces, len(self.vertices))))


def report(mesh) -> dict:
    """What artists and tests ask of a mesh, as plain JSON values."""
    return {
        "vertices": len(mesh.vertices),
        "faces": len(mesh.faces),
        "watertight": mesh.is_watertight,
        "components": mesh.components,
        "bounds": [[round(float(x), 6) for x in corner] for corner in mesh.bounds],
        "volume": round(mesh.volume, 9),
    }


def cone_volumes(vertices, faces):
    """Signed volumes (F,) between each face and the origin; of a closed mesh they add up to its volume."""
    a, b, c = np.asarray(vertices, np.float64)[faces.T]
    return np.einsum("ij,ij->i", a, np.cross(b, c)) / 6


def face_normals(vertices, faces):
    """Unit normals (F, 3) float64, outward; zero where a face has no area."""
    a, b, c = np.asarray(vertices, np.float64)[faces.T]
    return _unit(np.cross(b - a, c - a))


def vertex_normals(vertices, faces):
    """Unit normals (V, 3) float64: the means of the faces' round each vertex, by area."""
    a, b, c = np.asarray(vertices, np.float64)[faces.T]
    by_area = np.cross(b - a, c - a)
    sums = [np.bincount(faces.ravel(), np.repeat(by_area[:, i], 3), len(vertices)) for i in range(3)]
    return _unit(np.stack(sums, axis=-1))


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-30)


def directed_edges(faces, count):
    """Keys int64 of the edges of triangles or squares (F, 3 or 4) in their own direction: start * count + end."""
    faces = faces.astype(np.int64)
    return (faces * count + np.roll(faces, -1, axis=1)).ravel()


def is_closed(faces) -> bool:
    """Each directed edge is there once, and so is its opposite."""
    if not len(faces):
        return False
    count = int(faces.max()) + 1
    there = np.sort(directed_edges(faces, count))
    back = np.sort(directed_edges(faces[:, ::-1], count))
    return bool((there[1:] != there[:-1]).all() and np.array_equal(there, back))


def pieces(faces, count):
    """For each face (F,) the number of the connected piece it belongs to."""
    start, end = faces[:, [0, 1]].ravel(), faces[:, [1, 2]].ravel()
    links = coo_matrix((np.ones(len(start), bool), (start, end)), (count, count))
    return connected_components(links, directed=False)[1][faces[:, 0]]


def halves(polygons, count):
    """(F,) bool each, of `count` faces: those that are the first, and the second, half of a quad."""
    second = np.zeros(count, bool)
    if polygons is not None:
        second[1:] = polygons[1:] == polygons[:-1]
    return np.append(second[1:], False) if count else second, second


def without_unused(mesh):
    """The same faces, over only the vertices that they use."""
    used = np.zeros(len(mesh.vertices), bool)
    used[mesh.faces] = True
    if used.all():
        return mesh
    new = np.cumsum(used, dtype=np.int32) - 1
    colours = None if mesh.colours is None else mesh.colours[used]
    return Mesh(mesh.vertices[used], new[mesh.faces], colours)


def largest_piece(mesh):
    """The piece that encloses most. Floaters go, and so do bubbles hidden inside, whose faces enclose nothing."""
    piece = pieces(mesh.faces, len(mesh.vertices))
    enclosed = np.bincount(piece, cone_volumes(mesh.vertices, mesh.faces))
    return without_unused(Mesh(mesh.vertices, mesh.faces[piece == enclosed.argmax()], mesh.colours))
