"""Have the object found by itself again."""

import bpy

from . import masks


class MAQUETTE_OT_reset_mask(bpy.types.Operator):
    """Forget what was painted on the mask: the object is found by itself again"""

    bl_idname = "maquette.reset_mask"
    bl_label = "Reset Mask"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context):
        return masks.find(context.scene.maquette.first_picture()) is not None

    def execute(self, context):
        bpy.data.images.remove(masks.find(context.scene.maquette.first_picture()))
        return {"FINISHED"}
