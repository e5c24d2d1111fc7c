"""Operators that want a file: a person is shown the file browser, a script names it."""

import bpy
from bpy.props import BoolProperty, StringProperty

from .thumbnails import UNREAD

UNSHOWN = ";".join(f"*{ending}" for ending in UNREAD)
"""Pictures that Maquette reads and Blender's file browser does not know for pictures"""


class Browsing:
    """Mix-in, before JobOperator: without a path the browser opens, and what is chosen there runs like a click."""

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context, event):
        if self.filepath:
            return super().invoke(context, event)
        self._browsing = True
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        if not getattr(self, "_browsing", False):
            return super().execute(context)
        # The browser has the operator end here and now; another one, with the path, shows progress and can be stopped.
        getattr(bpy.ops.maquette, self.bl_idname.split(".")[1])("INVOKE_DEFAULT", filepath=self.filepath)
        return {"CANCELLED"}
