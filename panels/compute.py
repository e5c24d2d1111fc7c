"""Where the networks run."""

import bpy

from .sidebar import Sidebar, paragraph


class MAQUETTE_PT_compute(Sidebar, bpy.types.Panel):
    bl_label = "Compute"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, status = self.layout, context.window_manager.maquette
        paragraph(layout, context, status.environment_note, "CHECKMARK" if status.environment_ok else "ERROR")
        layout.label(text="Worker is warm" if status.warm else "Worker is not running", icon="MEMORY")
        column = layout.column(align=True)
        row = column.row(align=True)
        row.enabled = not status.busy
        row.operator("maquette.doctor", text="Check", icon="VIEWZOOM")
        row.operator("maquette.release", icon="TRASH")
        column.operator("maquette.show_preferences", icon="PREFERENCES")
        column.operator("maquette.copy_report", icon="COPYDOWN")
        if status.diagnosis:
            draw_diagnosis(layout.box(), status.diagnosis)


def draw_diagnosis(layout, diagnosis):
    """Its two columns; in the sidebar's font spaces do not align them."""
    column = layout.column(align=True)
    column.scale_y = 0.8
    for line in diagnosis.splitlines():
        name, _, text = line.partition(" ")
        row = column.split(factor=0.4)
        row.label(text=name)
        row.label(text=text.strip())
