"""What a capture puts into the scene: a collection with the mesh, the cameras and their photos, and the box."""

import os

import bpy

from . import datablocks

FOLDER = "maquette_photos"
"""Custom property of a collection whose cameras wait for the mesh of these photos"""
CAMERA = 1 / 12
"""How large cameras are drawn, as a share of the box"""


def folder(given: str) -> str:
    """The folder, or video, as the worker takes it. Raises ValueError where none is chosen."""
    if not given:
        raise ValueError("No photos are chosen; choose their folder, or a video, in the sidebar")
    return bpy.path.abspath(given)


def name_of(path: str) -> str:
    return os.path.splitext(os.path.basename(os.path.normpath(path)))[0] or "Capture"


def place_cameras(context, path: str, report: dict, points=None):
    """A collection with cameras, points (P, 3) and the box of a report -> the collection, which waits for a mesh."""
    name, box = name_of(path), report["box"]
    own = datablocks.new_collection(context.scene.collection, name)
    own[FOLDER] = os.path.abspath(path)
    datablocks.new_box(own, f"{name} Box", box["centre"], box["side"])
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
            break
    else:
        own = place_cameras(context, path, report)
    del own[FOLDER]
    return own


def _cameras(own) -> list[str]:
    return sorted(thing.data.name for thing in own.all_objects if thing.type == "CAMERA")
