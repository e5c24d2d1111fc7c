"""A capture that stands on the ground: photos alone know no up, so it may lie on its side."""

import bpy
import numpy as np
from bpy.props import EnumProperty
from mathutils import Matrix

from ..geometry import upright
from . import captured, placing
from .base import ONCE

WAYS = [
    ("cameras", "Cameras", "Up is what it is to most of the cameras: people hold them level"),
    ("floor", "Floor", "Up is square to what the mesh stands on, which is looked for round the cameras' up"),
]


class MAQUETTE_OT_set_upright(placing.OfCapture, bpy.types.Operator):
    """Turn the capture with its cameras upright, and put it on the ground"""

    bl_idname = "maquette.set_upright"
    bl_label = "Set Upright"
    bl_options = {"UNDO"}

    by: EnumProperty(name="By", items=WAYS, default="cameras", options=ONCE)

    @classmethod
    def description(cls, context, properties):
        return f"{cls.__doc__}. {dict((row[0], row[2]) for row in WAYS)[properties.by]}"

    def execute(self, context):
        thing = context.object
        if thing.mode != "OBJECT":  # an undo step of Edit Mode would not hold where objects are
            bpy.ops.object.mode_set(mode="OBJECT")
        context.view_layer.update()
        try:
            things = captured.belonging(thing)
            placing.check(things)
            vertices = corners(thing)
            way = Matrix(upright.way_to(up_of(things, vertices, self.by), vertices))
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        angle = np.degrees(way.to_3x3().to_quaternion().angle)
        placing.place(context, {other: way @ other.matrix_world for other in things})
        self.report({"INFO"}, f"{thing.name} was turned by {angle:.1f}° and stands on the ground")
        return {"FINISHED"}


def up_of(things, vertices, by: str) -> np.ndarray:
    """(3,) of the world. Raises ValueError with a sentence where it cannot be told."""
    cameras = [np.array(other.matrix_world.normalized()) for other in things if other.type == "CAMERA"]
    if by == "cameras" and not cameras:
        raise ValueError("This capture has no cameras any more; set it upright by its floor")
    up = upright.from_cameras(cameras) if cameras else np.array([0.0, 0.0, 1.0])
    if by == "cameras":
        return up
    try:
        return upright.from_floor(vertices, up)
    except ValueError as error:
        raise ValueError(f"{error}; set it upright by its cameras, or turn it by hand") from None


def corners(thing) -> np.ndarray:
    """(V, 3) of the world. Raises ValueError where there are none."""
    found = np.empty(3 * len(thing.data.vertices), np.float32)
    thing.data.vertices.foreach_get("co", found)
    if not len(found):
        raise ValueError(f"{thing.name} has no vertices")
    return found.reshape(-1, 3) @ np.array(thing.matrix_world)[:3, :3].T + np.array(thing.matrix_world)[:3, 3]
