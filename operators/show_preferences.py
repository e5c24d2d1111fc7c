"""From the sidebar to the place where Python is set."""

import bpy

from .. import __package__ as root


class MAQUETTE_OT_show_preferences(bpy.types.Operator):
    """Open Maquette's preferences, where the Python to compute with is set"""

    bl_idname = "maquette.show_preferences"
    bl_label = "Open Preferences"

    def execute(self, context):
        if bpy.app.background or root not in context.preferences.addons:
            self.report({"ERROR"}, "There is no Preferences window to open here; install the extension in Blender")
            return {"CANCELLED"}
        bpy.ops.preferences.addon_show(module=root)
        return {"FINISHED"}
