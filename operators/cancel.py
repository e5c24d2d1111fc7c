"""Stop what runs."""

import bpy

from . import tasks


class MAQUETTE_OT_cancel(bpy.types.Operator):
    """Stop the work in progress; what is finished of a row stays, else the scene is as it was"""

    bl_idname = "maquette.cancel"
    bl_label = "Cancel"

    def execute(self, context):
        if not tasks.busy():
            self.report({"INFO"}, "Nothing is running")
            return {"CANCELLED"}
        tasks.cancel()
        tasks.redraw()
        return {"FINISHED"}
