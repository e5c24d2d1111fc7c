"""Photos in, a mesh among its cameras out."""

import bpy

from .reconstruct import draw_error, draw_progress
from .sidebar import Sidebar, paragraph

ICONS = "IMAGE_DATA", "CAMERA_DATA", "MOD_MASK"
"""Of what is said about the chosen photos, line by line"""
MOST = 4
"""Warnings that are shown of many"""


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
        draw_photos(column, context, status)
        row = column.row()
        row.enabled = bool(settings.filepath)
        row.operator("maquette.find_cameras", icon="CON_CAMERASOLVER")
        column.use_property_split = True
        column.use_property_decorate = False
        column.prop(settings, "budget")
        column.prop(settings, "resolution")
        column.prop(settings, "method")
        column.prop(settings, "faces")
        column.prop(settings, "unseen")
        row = column.row(align=True)
        row.prop(settings, "box")
        row.operator("maquette.add_box", text="", icon="CUBE")
        if status.busy:
            draw_progress(layout, status)
        else:
            row = layout.row()
            row.scale_y = 1.6
            row.enabled = bool(settings.filepath)
            row.operator("maquette.capture", icon="OUTLINER_OB_CAMERA")
            if status.resumable:
                row.operator("maquette.capture", text="Resume", icon="PLAY").resume = True
        if status.error and not status.busy:
            draw_error(layout, context, status)
        if status.captured:
            draw_place(layout, settings)


def draw_place(layout, settings):
    """How the active capture stands, and its true size."""
    box = layout.box()
    row = box.row(align=True)
    row.prop(settings, "distance")
    row.operator("maquette.set_scale", icon="DRIVER_DISTANCE")
    row = box.row(align=True)
    row.label(text="Upright By")
    row.operator("maquette.set_upright", text="Cameras", icon="CAMERA_DATA").by = "cameras"
    row.operator("maquette.set_upright", text="Floor", icon="EMPTY_SINGLE_ARROW").by = "floor"


def draw_photos(layout, context, status):
    """What the chosen photos are, and what is wrong with some of them."""
    lines, notes = status.photos.splitlines(), status.photos_notes.splitlines()
    if not lines and not notes:
        return
    box = layout.box()
    facts = box.column(align=True)
    facts.scale_y = 0.8
    for line, icon in zip(lines, ICONS):
        facts.label(text=line, icon=icon)
    for note in notes[:MOST]:
        paragraph(box, context, note, "ERROR")
    if len(notes) > MOST:
        box.label(text=f"and {len(notes) - MOST} more", icon="BLANK1")


class MAQUETTE_PT_capture_views(Sidebar, bpy.types.Panel):
    bl_label = "Views of This Scene"
    bl_parent_id = "MAQUETTE_PT_capture"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, settings = self.layout, context.scene.maquette.views
        layout.enabled = not context.window_manager.maquette.busy
        layout.row().prop(settings, "source", expand=True)
        layout.use_property_split = True
        layout.use_property_decorate = False
        column = layout.column()
        if settings.source == "orbit":
            for name in ("count", "low", "high", "lens"):
                column.prop(settings, name)
        column.prop(settings, "resolution")
        column.prop(settings, "engine")
        if settings.engine == "CYCLES":
            column.prop(settings, "samples")
        column.prop(settings, "even_light")
        column.prop(settings, "directory")
        layout.operator("maquette.render_views", icon="RENDER_STILL")
