"""Folders of objects to measure on: a true shape and pictures of it.

    FOLDER/
      <object>/
        mesh.ply (.obj .stl .glb .npz)    the true shape, closed; exactly one
        *.png (.jpg .jpeg .webp)          pictures of it, with alpha or on a plain background
        cameras.json                      optional: where each picture was taken from
        about.json                        optional: {"type": "cup"}, the row it is summed in

All meshes are z up (.npz holds v (V, 3) and f (F, 3)) but .glb, which is y up as its standard says, and is turned. The
object stands upright. cameras.json names every picture:

    {"view_00.png": {"azimuth": 40.0, "elevation": 20.0, "fov": 35.0, "distance": 0.4}}

azimuth is in degrees: 0 is a camera at -y that looks along +y, 90 one at +x, counter-clockwise as seen from above.
Only azimuth is used; elevation (degrees above the horizon), fov (degrees) and distance (in the mesh's unit) are
records. Without the file every picture is taken to show the object from azimuth 0.

Reconstruct answers in the frame of the picture: upright, seen along +y. So the true shape is turned by -azimuth before
it is compared.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import trimesh

from ...geometry.frames import y_up_to_z_up
from ...geometry.mesh import Mesh
from .metrics import turn

MESHES = (".npz", ".ply", ".obj", ".stl", ".glb")
PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class View:
    """One picture of one object."""

    object: str
    type: str
    picture: Path
    azimuth: float
    mesh_path: Path

    def truth(self):
        """The true Mesh in the picture's frame, in its own size and place."""
        return turn(read_mesh(self.mesh_path), -self.azimuth)


def read_objects(folder, views=0):
    """A View for each picture of each object, in the order of their names; at most `views` an object where not 0.

    Raises ValueError with a sentence that names the object whose files are not as the layout says.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is not a folder of objects")
    found = [view for path in sorted(folder.iterdir()) if path.is_dir() for view in read_object(path, views)]
    if not found:
        raise ValueError(f"{folder} holds no object folders: each needs a mesh and at least one picture")
    return found


def read_object(folder, views=0):
    """The Views of one object's folder."""
    meshes = [folder / f"mesh{ending}" for ending in MESHES if (folder / f"mesh{ending}").exists()]
    if len(meshes) != 1:
        wanted = ", ".join(f"mesh{ending}" for ending in MESHES)
        raise ValueError(f"{folder} holds {len(meshes)} meshes; it needs exactly one of {wanted}")
    pictures = sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)
    if not pictures:
        raise ValueError(f"{folder} holds no pictures ({', '.join(PICTURES)})")
    kind = read_json(folder / "about.json").get("type", folder.name)
    azimuths = read_azimuths(folder / "cameras.json", pictures)
    every = [View(folder.name, str(kind), p, azimuths[p.name], meshes[0]) for p in pictures]
    return every[:views] if views else every


def read_azimuths(path, pictures):
    """Degrees by picture name; all 0 where there is no cameras.json."""
    if not path.exists():
        return {picture.name: 0.0 for picture in pictures}
    cameras = read_json(path)
    azimuths = {}
    for picture in pictures:
        camera = cameras.get(picture.name)
        azimuth = camera.get("azimuth") if isinstance(camera, dict) else None
        if isinstance(azimuth, bool) or not isinstance(azimuth, (int, float)) or not np.isfinite(azimuth):
            raise ValueError(f"{path} gives no azimuth in degrees for {picture.name}")
        azimuths[picture.name] = float(azimuth)
    return azimuths


def read_json(path):
    """The object in a JSON file, empty where there is no file."""
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise ValueError(f"{path} must hold a JSON object")
    return content


@lru_cache(maxsize=4)
def read_mesh(path):
    """A Mesh z up from any of MESHES, vertices at one place joined; ValueError where it cannot be read."""
    path = Path(path)
    try:
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as data:
                vertices, faces = data["v"], data["f"]
        else:
            loaded = trimesh.load(path, force="mesh", process=False)
            loaded.merge_vertices(merge_tex=True, merge_norm=True)
            vertices, faces = loaded.vertices, loaded.faces
    except (OSError, KeyError, ValueError, IndexError, AttributeError, TypeError) as error:
        raise ValueError(f"{path} cannot be read as a mesh: {error}") from None
    vertices, faces = np.asarray(vertices, np.float32), np.asarray(faces, np.int32)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3 or not len(faces):
        raise ValueError(f"{path} holds no triangles")
    if not np.isfinite(vertices).all() or faces.min() < 0 or faces.max() >= len(vertices):
        raise ValueError(f"{path} holds broken vertices or faces")
    if path.suffix == ".glb":
        vertices = y_up_to_z_up(vertices)
    return Mesh(vertices, faces, None)
