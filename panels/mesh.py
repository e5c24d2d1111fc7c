"""The active result: mesh its field differently, make it again, pack its field."""

import bpy

from .sidebar import Sidebar, paragraph


class MAQUETTE_PT_mesh(Sidebar, bpy.types.Panel):
    bl_label = "Mesh"

    def draw(self, context):
        layout, status = self.layout, context.window_manager.maquette
        layout.use_property_split = True
        layout.use_property_decorate = False
        if not status.active:
            paragraph(layout, context, "Select an object made by Maquette to change its mesh")
            return
        if status.trouble:
            paragraph(layout, context, status.trouble, "ERROR")
            return
        layout.enabled = not status.busy
        layout.label(text=context.object.name, icon="MESH_DATA")
        if status.meshable:
            column = layout.column()
            column.enabled = context.mode == "OBJECT"
            draw_sliders(column, status.mesh, status.placed)
        paragraph(layout, context, status.facts)
        if status.confident:
            layout.operator("maquette.show_confidence", icon="COLOR")
        if status.photographed:
            draw_texture(layout, context.scene.maquette.capture)
        row = layout.row(align=True)
        row.operator("maquette.regenerate", icon="FILE_REFRESH")
        if status.meshable:
            row.operator("maquette.pack_field", icon="PACKAGE")


def draw_texture(layout, settings):
    """From the photos that it was made from."""
    box = layout.box()
    box.prop(settings, "size")
    box.prop(settings, "keep_uvs")
    box.operator("maquette.texture", icon="TEXTURE")


def draw_sliders(layout, mesh, placed):
    """Each one meshes the object again while it moves. What is placed by its cameras has their size."""
    layout.prop(mesh, "auto_level")
    row = layout.row()
    row.enabled = not mesh.auto_level
    row.prop(mesh, "level", slider=True)
    layout.row().prop(mesh, "style", expand=True)
    if mesh.style == "smooth":
        layout.prop(mesh, "smoothing", slider=True)
        layout.prop(mesh, "faces")
    if not placed:
        layout.prop(mesh, "size")
    layout.prop(mesh, "islands")
