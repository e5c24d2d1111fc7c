"""What a capture puts into the scene: a collection with the mesh, the cameras and their photos, and the box."""

import os

import bpy
from mathutils import Matrix

from . import datablocks, provenance

FOLDER = "maquette_photos"
"""Custom property of a collection whose cameras wait for the mesh of these photos"""
CAMERA = 1 / 12
"""How large cameras are drawn, as a share of the box"""


def folder(given: str) -> str:
    """The folder, or video, as the worker takes it. Raises ValueError where none is chosen."""
    if not given:
        raise ValueError("No photos are chosen; choose their folder, or a video, in the sidebar")
    return bpy.path.abspath(given)


def backgrounds() -> str:
    """Where the worker copies photos that Blender would not show as they are, until they are packed."""
    return os.path.join(bpy.app.tempdir, "maquette-photos")


def name_of(path: str) -> str:
    return os.path.splitext(os.path.basename(os.path.normpath(path)))[0] or "Capture"


def place_cameras(context, path: str, report: dict, points=None):
    """A collection with cameras, points (P, 3) and the box of a report -> the collection, which waits for a mesh."""
    name, box = name_of(path), report["box"]
    own = datablocks.new_collection(context.scene.collection, name)
    own[FOLDER] = os.path.abspath(path)
    datablocks.new_box(own, f"{name} Box", box["centre"], box["side"], box["size"])
    cameras = datablocks.new_collection(own, f"{name} Cameras")
    for row in report["cameras"]:
        datablocks.new_camera(cameras, row, box["side"] * CAMERA)
    if points is not None:
        datablocks.new_points(own, f"{name} Points", points)
    return own


def home(context, path: str, report: dict):
    """The collection where the mesh of these photos belongs: one whose cameras wait for it, else a new one."""
    names = sorted(row["name"] for row in report["cameras"])
    for own in context.scene.collection.children:
        if own.get(FOLDER) == os.path.abspath(path) and _cameras(own) == names:
            if box_in(own):
                datablocks.shape_box(box_in(own), *(report["box"][part] for part in ("centre", "side", "size")))
            break
    else:
        own = place_cameras(context, path, report)
    del own[FOLDER]
    return own


def _cameras(own) -> list[str]:
    return sorted(thing.data.name for thing in own.all_objects if thing.type == "CAMERA")


# --- what is there --------------------------------------------------------------------------------------------------


def is_capture(thing) -> bool:
    """Whether an object is the mesh of a capture."""
    return _made_by(thing, "capture")


def is_photographed(thing) -> bool:
    """Whether an object is a mesh that photos show: captured, or reconstructed from pictures."""
    return _made_by(thing, "capture", "reconstruct")


def _made_by(thing, *verbs: str) -> bool:
    known = provenance.is_result(thing) and not provenance.trouble(thing)
    return known and provenance.read(thing)["verb"] in verbs


def collection_of(thing):
    """The collection of the capture that an object belongs to: mesh, camera or box; None where it belongs to none."""
    if thing is None:
        return None
    return next((own for own in bpy.data.collections if box_in(own) and own in _above(thing)), None)


def box_in(own):
    """The box of a capture's collection, or None."""
    return next((thing for thing in own.objects if datablocks.BOX in thing), None)


def frame_of(thing):
    """4 x 4: where the captured frame, that of the photos' cameras, is in the world now.

    It goes where the mesh of the capture goes that an object belongs to; without one it is the world's."""
    own = collection_of(thing)
    mesh = next((other for other in own.objects if is_capture(other)), None) if own else None
    return mesh.matrix_world.copy() if mesh else Matrix()


def belonging(thing) -> list:
    """All that belongs to a capture's mesh: what is in its collection, or without one the mesh alone."""
    own = collection_of(thing)
    return list(own.all_objects) if own else [thing]


def _above(thing) -> set:
    """The collections that an object is in, and those that these are in."""
    found, new = set(), set(thing.users_collection)
    while new:
        found |= new
        new = {own for own in bpy.data.collections if new & set(own.children)} - found
    return found
