"""Photos in, a mesh among its cameras out."""

import bpy

from .reconstruct import draw_error, draw_progress
from .sidebar import Sidebar


class MAQUETTE_PT_capture(Sidebar, bpy.types.Panel):
    bl_label = "Capture"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, status = self.layout, context.window_manager.maquette
        settings = context.scene.maquette.capture
        column = layout.column()
        column.enabled = not status.busy
        row = column.row(align=True)
        row.prop(settings, "filepath", text="")
        row.operator("maquette.choose_capture", text="", icon="FILE_FOLDER")
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "budget")
        column.prop(settings, "resolution")
        column.prop(settings, "faces")
        column.prop(settings, "unseen")
        if status.busy:
            draw_progress(layout, status)
        else:
            row = layout.row()
            row.scale_y = 1.6
            row.enabled = bool(settings.filepath)
            row.operator("maquette.capture", icon="OUTLINER_OB_CAMERA")
            row.operator("maquette.capture", text="Resume", icon="PLAY").resume = True
        if status.error and not status.busy:
            draw_error(layout, context, status)
