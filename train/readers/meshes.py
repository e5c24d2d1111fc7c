"""Any folder of meshes: painted triangles in the normalised cube, and signed distances to them.

.glb and .gltf are y up, as their standard says; .obj, .ply, .off and .stl carry no such word: `up` says it.
A file that is broken, empty, gigantic or encloses nothing raises ValueError with one sentence that names it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import trimesh
from scipy import ndimage
from scipy.spatial import cKDTree

from ...geometry.frames import cell_centres, unit, y_up_to_z_up
from ...geometry.mesh import Mesh, face_normals
from ...geometry.voxelise import voxelise

ENDINGS = (".glb", ".gltf", ".obj", ".ply", ".off", ".stl")
LARGEST = 256 * 1024 * 1024
"""Bytes of a mesh file beyond which it is not opened."""
FACES = 500_000
TEXTURE = 1024
"""Pixels along a texture's longer side; larger ones are reduced."""
THICKEN = 0.004
"""How far surfaces are moved outwards, so that thin walls survive the grid, as in the procedural world."""
FEWEST = 100
"""Cells of 64^3 that must lie inside; fewer are an open surface or thinner than a cell."""
COVERED = 0.9
"""Share of the surface that must lie within a cell of what is inside; the rest are sheets that the grid would lose."""
SPLITS = {"validation": (0,), "test": (1,), "library": (2, 3), "train": tuple(range(4, 20))}
"""Twentieths of a folder's meshes, by the checksum of their paths: no mesh is trained and scored on."""


@dataclass(frozen=True, eq=False)
class Painted:
    """Triangles with what they are painted with; z up, and after `read` unit-sized round the origin.

    vertices (V, 3) float64, places that several corners share given once; faces (F, 3); normals (F, 3, 3) at corners;
    colours (F, 3, 3) sRGB in [0, 1] at corners, times the texture; uv (F, 3, 2); texture (F,) index into textures, -1
    where there is none; textures: (H, W, 3) float32 sRGB.
    """

    vertices: np.ndarray
    faces: np.ndarray
    normals: np.ndarray
    colours: np.ndarray
    uv: np.ndarray
    texture: np.ndarray
    textures: list[np.ndarray] = field(default_factory=list)

    @property
    def mesh(self) -> Mesh:
        return Mesh(self.vertices.astype(np.float32), self.faces.astype(np.int32))

    def albedo(self, face: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """Base colours (N, 3) sRGB at points of faces (N,), weights (N, 3) of their corners."""
        colour = (self.colours[face] * weights[..., None]).sum(1)
        uv = (self.uv[face] * weights[..., None]).sum(1)
        for index, image in enumerate(self.textures):
            on = self.texture[face] == index
            height, width = image.shape[:2]
            column = (np.floor(uv[on, 0] * width)).astype(int) % width
            row = (np.floor((1 - uv[on, 1]) * height)).astype(int) % height
            colour[on] *= image[row, column]
        return colour

    def turned(self, radians: float) -> Painted:
        """Turned about z, counter-clockwise as seen from above, and brought back to the cube."""
        c, s = np.cos(radians), np.sin(radians)
        rotation = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
        vertices = unit(self.vertices @ rotation.T) * (1 - 2 * THICKEN)
        return replace(self, vertices=vertices, normals=self.normals @ rotation.T)


def paths(folder: str | Path, split: str = "") -> list[Path]:
    """The mesh files below a folder, by path; those of a split where one is named. ValueError where there are none."""
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder of meshes")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if not found:
        raise ValueError(f"{folder} holds no meshes ({', '.join(ENDINGS)})")
    if split:
        places = SPLITS[split]
        found = [path for path in found if zlib.crc32(path.relative_to(folder).as_posix().encode()) % 20 in places]
    return found


def solids(folder: str | Path, up: str = "z", say=print) -> Iterator[tuple[Path, Painted, np.ndarray]]:
    """(path, mesh, signed distances (64, 64, 64) inside > 0) of each good mesh in turn; `say` names the others."""
    for path in paths(folder):
        try:
            painted = read(path, up)
            grid = signed_distance(painted)
        except ValueError as error:
            say(str(error) if str(path) in str(error) else f"{path} {error}")
            continue
        yield path, painted, grid


def read(path: str | Path, up: str = "z") -> Painted:
    """A mesh file as Painted in the cube [-.5, .5]^3: longest side 1 less the thickening, bounds centred.

    All parts of a scene are joined where they stand. Raises ValueError naming the file.
    """
    path = Path(path)
    if up not in ("y", "z"):
        raise ValueError(f"meshes are y or z up, not {up!r}")
    try:
        size = path.stat().st_size
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if size > LARGEST:
        raise ValueError(f"{path} has {size / 2**20:.0f} MiB; at most {LARGEST / 2**20:.0f} are read")
    try:
        scene = trimesh.load_scene(path, process=False)
        parts = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    except Exception as error:  # trimesh's loaders raise whatever a broken file makes them raise
        raise ValueError(f"{path} cannot be read as a mesh: {str(error) or type(error).__name__}") from None
    count = sum(len(part.faces) for part in parts)
    if not count:
        raise ValueError(f"{path} holds no triangles")
    if count > FACES:
        raise ValueError(f"{path} has {count} faces; at most {FACES} are read")
    try:
        painted = join([one_part(part) for part in parts])
        if not np.isfinite(painted.vertices).all():
            raise ValueError("not all vertices are numbers")
        if path.suffix.lower() in (".glb", ".gltf") or up == "y":
            painted = replace(
                painted, vertices=y_up_to_z_up(painted.vertices), normals=y_up_to_z_up(painted.normals)
            )
        return painted.turned(0.0)
    except (ValueError, IndexError, TypeError, AttributeError, OSError) as error:
        raise ValueError(f"{path} cannot be used: {error}") from None


def one_part(part: trimesh.Trimesh) -> Painted:
    """A trimesh mesh with its material; base colours alone, no other channel."""
    faces = np.asarray(part.faces, np.int64)
    if faces.min() < 0 or faces.max() >= len(part.vertices):
        raise ValueError(f"its faces name vertices {faces.min()} to {faces.max()}, it has {len(part.vertices)}")
    corners = (len(faces), 3)
    colours, uv, images = np.ones((*corners, 3)), np.zeros((*corners, 2)), []
    visual = part.visual
    if visual.kind == "texture":
        material = visual.material
        image = getattr(material, "baseColorTexture", None) or getattr(material, "image", None)
        flat = getattr(material, "baseColorFactor", None)
        flat = getattr(material, "diffuse", None) if flat is None and image is None else flat
        if flat is not None:
            colours[:] = as_colour(flat)
        if image is not None and visual.uv is not None:
            image = image.convert("RGB")
            image.thumbnail((TEXTURE, TEXTURE))
            images.append(np.asarray(image, np.float32) / 255)
            uv = np.nan_to_num(np.asarray(visual.uv, np.float64)[faces][..., :2])
    elif visual.kind == "vertex":
        colours = as_colour(visual.vertex_colors)[faces]
    elif visual.kind == "face":
        colours = np.repeat(as_colour(visual.face_colors)[:, None], 3, 1)
    vertices = np.asarray(part.vertices, np.float64)
    flat_normals = face_normals(vertices, faces)
    smooth = np.nan_to_num(np.asarray(part.vertex_normals, np.float64)[faces])
    # Corners that are not smooth by more than 40 degrees are edges, whatever the file's averages say.
    near = (smooth * flat_normals[:, None]).sum(-1, keepdims=True) > np.cos(np.radians(40))
    normals = np.where(near, smooth, flat_normals[:, None])
    return Painted(vertices, faces, normals, colours, uv, np.full(len(faces), 0 if images else -1), images)


def as_colour(values) -> np.ndarray:
    """Colours (..., 3 or 4), bytes or in [0, 1], as sRGB (..., 3) in [0, 1]."""
    values = np.asarray(values)
    scale = 255 if np.issubdtype(values.dtype, np.integer) else 1
    return np.clip(values[..., :3] / scale, 0, 1).astype(np.float64)


def join(parts: list[Painted]) -> Painted:
    """Parts as one; corners at one place share a vertex, faces without area go."""
    shift = np.cumsum([0, *(len(part.vertices) for part in parts)])
    images = np.cumsum([0, *(len(part.textures) for part in parts)])
    vertices = np.concatenate([part.vertices for part in parts])
    faces = np.concatenate([part.faces + shift[i] for i, part in enumerate(parts)])
    span = np.ptp(vertices[faces].reshape(-1, 3), axis=0).max()
    if not np.isfinite(span) or span <= 0:
        raise ValueError(f"its longest side is {span:g}")
    _, first, same = np.unique(np.round(vertices / (span * 1e-6)), axis=0, return_index=True, return_inverse=True)
    faces = same.reshape(-1)[faces]
    keep = (faces != np.roll(faces, 1, axis=1)).all(1)
    if not keep.any():
        raise ValueError("none of its faces has an area")
    used, faces = np.unique(faces[keep], return_inverse=True)
    texture = np.concatenate([np.where(p.texture < 0, -1, p.texture + images[i]) for i, p in enumerate(parts)])
    return Painted(
        vertices[first][used],
        faces.reshape(-1, 3),
        *(np.concatenate([getattr(part, name) for part in parts])[keep] for name in ("normals", "colours", "uv")),
        texture[keep],
        [image for part in parts for image in part.textures],
    )


def signed_distance(painted: Painted, resolution: int = 64) -> np.ndarray:
    """(N, N, N) float32 at cell centres of the cube, inside > 0, thickened by THICKEN.

    Which cells are inside is the solid filling of geometry.voxelise: exact for closed meshes, the majority of six rays
    for open ones. Distances are right to .001 within two cells of the surface, to .003 within seven, to a cell beyond.
    Raises ValueError where hardly a cell is inside, or sheets of the surface enclose nothing.
    """
    inside = voxelise(painted.mesh, resolution)
    face, weights, places = surface(painted)
    marked = np.ones((resolution,) * 3, bool)
    marked[tuple(np.clip((places + 0.5) * resolution, 0, resolution - 1).astype(int).T)] = False
    away = ndimage.distance_transform_edt(marked).reshape(-1) / resolution
    points, tree = cell_centres(resolution).reshape(-1, 3).astype(np.float64), cKDTree(places)
    near = np.flatnonzero(away < 7 / resolution)
    away[near] = tree.query(points[near])[0]
    close = np.flatnonzero(away < 2.5 / resolution)
    _, several = tree.query(points[close], k=3)
    triangles, best = painted.vertices[painted.faces], away[close]
    for nth in range(3):
        found = trimesh.triangles.closest_point(triangles[face[several[:, nth]]], points[close])
        best = np.minimum(best, np.linalg.norm(found - points[close], axis=1))
    away[close] = best
    signed = np.where(inside.reshape(-1), away, -away) + THICKEN
    filled = int((signed > 0).sum())
    if filled < FEWEST * (resolution / 64) ** 3:
        raise ValueError(f"is open or thinner than a cell: {filled} of {resolution}^3 cells lie inside")
    signed = signed.astype(np.float32).reshape((resolution,) * 3)
    reached = ndimage.binary_dilation(signed > 0, np.ones((3, 3, 3)))
    share = reached[tuple(np.clip((places + 0.5) * resolution, 0, resolution - 1).astype(int).T)].mean()
    if share < COVERED:
        raise ValueError(f"has open sheets that enclose nothing: {1 - share:.0%} of its surface is no solid's")
    return signed


def surface(painted: Painted, spacing: float = 0.006) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the surface about `spacing` apart: face (P,), weights (P, 3) of its corners, places (P, 3)."""
    a, b, c = painted.vertices[painted.faces].transpose(1, 0, 2)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) / 2
    count = int(np.clip(area.sum() / spacing**2, 20_000, 200_000))
    total = np.cumsum(area)
    face = np.searchsorted(total, (np.arange(count) + 0.5) / count * total[-1])
    face = np.concatenate([np.minimum(face, len(area) - 1), np.arange(len(area))])  # each face at least once
    # The plane's golden ratio (Roberts 2018): neighbours along the sum fall far apart, and no gap is wide
    u, v = np.outer([0.7548776662466927, 0.5698402909980532], np.arange(len(face))) % 1
    u, v = np.where(u + v > 1, 1 - u, u), np.where(u + v > 1, 1 - v, v)
    u[count:], v[count:] = 1 / 3, 1 / 3
    weights = np.stack([1 - u - v, u, v], 1)
    places = (painted.vertices[painted.faces[face]] * weights[..., None]).sum(1)
    return face, weights, places
