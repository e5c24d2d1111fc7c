"""Any folder of meshes: painted triangles in the normalised cube, and signed distances to them.

.glb and .gltf are y up, as their standard says; .obj, .ply, .off and .stl carry no such word: `up` says it.
A file that is broken, empty, gigantic or encloses nothing raises ValueError with one sentence that names it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import trimesh

from ...geometry import distance, mesh_file
from ...geometry.frames import unit, y_up_to_z_up
from ...geometry.mesh import Mesh, face_normals

ENDINGS, FACES = mesh_file.ENDINGS, mesh_file.FACES
TEXTURE = 1024
"""Pixels along a texture's longer side; larger ones are reduced."""
THICKEN = 0.004
"""How far surfaces are moved outwards, so that thin walls survive the grid, as in the procedural world."""
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


def kind(path: str | Path) -> str:
    """What a mesh file shows, by the first word of its name: chair of Chair_A_wood.gltf and of chair2.obj."""
    return re.match(r"[^\W\d_]*", Path(path).name.lower())[0]


def held_out(listed: str | Path) -> set[str]:
    """The kinds of the files that a list names, one a line, # before what is no name. Raises ValueError."""
    try:
        lines = Path(listed).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{listed} is no list of files that can be read ({error})") from None
    found = {kind(line.strip()) for line in lines if line.strip() and not line.startswith("#")} - {""}
    if not found:
        raise ValueError(f"{listed} names no files")
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
    parts = mesh_file.parts(path, FACES)
    try:
        painted = join([one_part(part) for part in parts])
        if not np.isfinite(painted.vertices).all():
            raise ValueError("not all vertices are numbers")
        if path.suffix.lower() in mesh_file.Y_UP_ENDINGS or up == "y":
            painted = replace(painted, vertices=y_up_to_z_up(painted.vertices), normals=y_up_to_z_up(painted.normals))
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
    """As geometry.distance has it, (N, N, N), thickened by THICKEN."""
    return distance.signed_distance(in_doubles(painted), resolution, THICKEN)


def surface(painted: Painted, spacing: float = 0.006) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points of the surface, as geometry.distance has them."""
    return distance.surface(in_doubles(painted), spacing)


def in_doubles(painted: Painted) -> Mesh:
    return Mesh(painted.vertices, painted.faces.astype(np.int32))
