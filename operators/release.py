"""Give the worker's memory back."""

import bpy

from . import compute, tasks


class MAQUETTE_OT_release(bpy.types.Operator):
    """End the worker so that its memory is free for rendering; the next click starts it again"""

    bl_idname = "maquette.release"
    bl_label = "Release Memory"

    def execute(self, context):
        if not compute.warm():
            self.report({"INFO"}, "No worker is running")
            return {"CANCELLED"}
        tasks.cancel()
        compute.release()
        tasks.redraw()
        return {"FINISHED"}
