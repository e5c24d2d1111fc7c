"""A box that says what to capture."""

import bpy

from . import boxes, datablocks, photos


class MAQUETTE_OT_add_box(bpy.types.Operator):
    """Add a box to move and scale, what Capture keeps to; the active capture's own box where it has one"""

    bl_idname = "maquette.add_box"
    bl_label = "Add Box"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context):
        if context.mode != "OBJECT":
            cls.poll_message_set("Go back to Object Mode first")
            return False
        return True

    def execute(self, context):
        box = boxes.add(context, photos.found())
        context.scene.maquette.capture.box = box
        datablocks.select_only(context, [box])
        return {"FINISHED"}
