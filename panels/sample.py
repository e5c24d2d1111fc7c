"""Shapes out of a latent space: draw one, then move its sliders."""

import bpy

from .reconstruct import draw_error, draw_progress
from .sidebar import Sidebar, paragraph


class MAQUETTE_PT_sample(Sidebar, bpy.types.Panel):
    bl_label = "Sample"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, status = self.layout, context.window_manager.maquette
        settings = context.scene.maquette.sample
        if status.no_sampler:
            paragraph(layout, context, status.no_sampler, "ERROR")
            return
        column = layout.column()
        column.enabled = not status.busy
        column.use_property_split = True
        column.use_property_decorate = False
        if status.samplers > 1:
            column.prop(settings, "model")
        column.prop(settings, "family")
        row = column.row(align=True)
        row.prop(settings, "seed")
        row.operator("maquette.sample_random", text="", icon="FILE_REFRESH").settings = True
        column.prop(settings, "truncation", slider=True)
        if status.busy:
            draw_progress(layout, status)
        else:
            row = layout.row()
            row.scale_y = 1.6
            row.operator("maquette.sample", icon="OUTLINER_OB_POINTCLOUD")
            draw_sources(layout, settings)
        if status.error and not status.busy:
            draw_error(layout, context, status)


class MAQUETTE_PT_sample_sliders(Sidebar, bpy.types.Panel):
    bl_label = "Sliders"
    bl_parent_id = "MAQUETTE_PT_sample"
    bl_order = 0

    @classmethod
    def poll(cls, context):
        return not context.window_manager.maquette.no_sampler

    def draw(self, context):
        layout, status = self.layout, context.window_manager.maquette
        if not status.sampled:
            paragraph(layout, context, "Select an object made by Sample to change its shape")
            return
        thing = context.object
        layout.enabled = context.mode == "OBJECT" and not status.busy
        layout.label(text=f"{thing.name}: {status.origin}", icon="MESH_DATA")
        row = layout.row(align=True)
        row.operator("maquette.sample_random", icon="FILE_REFRESH")
        row.operator("maquette.sample_vary", icon="MOD_NOISE")
        if thing.maquette_sample.amount:
            draw_animated(layout, thing.maquette_sample, "amount", "Amount")
        draw_sliders(layout, thing, named=True)
        if status.notes:
            paragraph(layout, context, status.notes, "INFO")
        row = layout.row(align=True)
        row.operator("maquette.sample_reset", icon="LOOP_BACK")
        row.operator("maquette.sample_save", text="Save", icon="FILE_TICK")


class MAQUETTE_PT_sample_variations(Sidebar, bpy.types.Panel):
    bl_label = "Without a Name"
    bl_parent_id = "MAQUETTE_PT_sample_sliders"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context):
        sampled = context.window_manager.maquette.sampled
        return sampled and not all(item.named for item in context.object.maquette_sample.sliders)

    def draw(self, context):
        layout = self.layout
        layout.enabled = context.mode == "OBJECT" and not context.window_manager.maquette.busy
        draw_sliders(layout, context.object, named=False)


class MAQUETTE_PT_sample_between(Sidebar, bpy.types.Panel):
    bl_label = "A to B"
    bl_parent_id = "MAQUETTE_PT_sample"
    bl_order = 1
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context):
        return context.window_manager.maquette.sampled

    def draw(self, context):
        layout, status = self.layout, context.window_manager.maquette
        thing, settings = context.object, context.scene.maquette.sample
        layout.enabled = context.mode == "OBJECT" and not status.busy
        if thing.maquette_sample.other:
            row = layout.row(align=True)
            row.label(text=status.way, icon="ARROW_LEFTRIGHT")
            row.operator("maquette.sample_between", text="", icon="X").clear = True
            draw_animated(layout, thing.maquette_sample, "factor", "Factor")
        elif status.other:
            layout.label(text=f"{thing.name} to {status.other}", icon="ARROW_LEFTRIGHT")
        else:
            paragraph(layout, context, "Select a second sample as B, or name its seed")
            layout.prop(settings, "other_seed")
        if not thing.maquette_sample.other:
            layout.operator("maquette.sample_between", icon="MOD_SIMPLEDEFORM")
        row = layout.row(align=True)
        row.prop(settings, "steps")
        row.operator("maquette.sample_row", icon="SNAP_EDGE")


def draw_sources(layout, settings):
    """Where else a sample can begin, and many at once."""
    row = layout.row(align=True)
    row.operator("maquette.sample_encode", text="From Mesh", icon="MESH_DATA")
    row.operator("maquette.sample_fit", text="From Photo", icon="IMAGE_DATA")
    row.operator("maquette.sample_load", text="", icon="FILE_FOLDER")
    row = layout.row(align=True)
    row.prop(settings, "count")
    row.operator("maquette.sample_grid", icon="MESH_GRID")


def draw_sliders(layout, thing, named):
    """Properties of the object itself, each with a range, unit and tooltip of its own, and a dot that keyframes it."""
    column, part = layout.column(align=True), ""
    for item in thing.maquette_sample.sliders:
        if item.named == named and item.name in thing:
            if item.part != part:
                column, part = layout.column(align=True), item.part
                column.label(text=part.capitalize())
            draw_animated(column, thing, f'["{item.name}"]', item.name)


def draw_animated(layout, data, path, text):
    row = layout.row(align=True)
    row.prop(data, path, text=text, slider=True)
    row.prop_decorator(data, path)
