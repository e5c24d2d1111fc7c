"""Meshes from files: the one place that opens them, and says in one sentence why one cannot be used.

.glb and .gltf are y up, as their standard says; .obj, .ply, .off and .stl carry no such word: `up` says it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from .frames import y_up_to_z_up
from .mesh import Mesh

ENDINGS = (".glb", ".gltf", ".obj", ".ply", ".off", ".stl")
Y_UP_ENDINGS = (".glb", ".gltf")
LARGEST = 256 * 1024 * 1024
"""Bytes of a mesh file beyond which it is not opened."""
FACES = 500_000


def parts(path: str | Path, most: int = FACES) -> list[trimesh.Trimesh]:
    """The triangle meshes of a file's scene, each where it stands there; at most `most` faces in all.

    Raises ValueError naming the file: missing, too large, no mesh, no triangles."""
    path = Path(path)
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        raise ValueError(f"{path} does not exist") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    if path.suffix.lower() not in ENDINGS:
        raise ValueError(f"{path} is not a mesh that Maquette reads ({', '.join(ENDINGS)})")
    if size > LARGEST:
        raise ValueError(f"{path} has {size / 2**20:.0f} MiB; at most {LARGEST / 2**20:.0f} are read")
    try:
        scene = trimesh.load_scene(path, process=False)
        found = [part for part in scene.dump() if isinstance(part, trimesh.Trimesh) and len(part.faces)]
    except Exception as error:  # trimesh's loaders raise whatever a broken file makes them raise
        raise ValueError(f"{path} cannot be read as a mesh: {str(error) or type(error).__name__}") from None
    count = sum(len(part.faces) for part in found)
    if not count:
        raise ValueError(f"{path} holds no triangles")
    if count > most:
        raise ValueError(f"{path} has {count} faces; at most {most} are read")
    return found


def read_mesh(path: str | Path, up: str = "z") -> Mesh:
    """All of a file's triangles as one mesh, z up, in the file's own units (glTF: metres). Raises ValueError."""
    found = parts(path)
    shift = np.cumsum([0, *(len(part.vertices) for part in found)])
    vertices = np.concatenate([np.asarray(part.vertices, np.float64) for part in found])
    faces = np.concatenate([np.asarray(part.faces) + shift[i] for i, part in enumerate(found)])
    if Path(path).suffix.lower() in Y_UP_ENDINGS or up == "y":
        vertices = y_up_to_z_up(vertices)
    return Mesh(vertices.astype(np.float32), faces.astype(np.int32))
