"""End what runs with what there is by now."""

import bpy

from . import tasks


class MAQUETTE_OT_enough(bpy.types.Operator):
    """Stop now and keep what there is so far; it can be resumed later"""

    bl_idname = "maquette.enough"
    bl_label = "Stop and Keep"

    @classmethod
    def poll(cls, context):
        if not tasks.ends_early():
            cls.poll_message_set("Nothing is running that could end early")
            return False
        return True

    def execute(self, context):
        tasks.Status.task.enough()
        tasks.redraw()
        return {"FINISHED"}
