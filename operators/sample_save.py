"""The active sample as a file for other scenes."""

import os

import bpy
from bpy.props import BoolProperty, StringProperty

from ..jobs.sampling import write_preset
from . import sampled
from .base import OnSample


class MAQUETTE_OT_sample_save(OnSample, bpy.types.Operator):
    """Save where the active sample lies, its sliders and the way to B too, as a small file for Load"""

    bl_idname = "maquette.sample_save"
    bl_label = "Save Preset"

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    filter_glob: StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})
    check_existing: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context, event):
        self.filepath = self.filepath or f"{bpy.path.clean_name(context.object.name)}.json"
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        thing, path = context.object, bpy.path.ensure_ext(bpy.path.abspath(self.filepath), ".json")
        try:
            write_preset(path, sampled.weights(thing.maquette_sample.model), sampled.request(thing))
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self.report({"INFO"}, f"Saved {os.path.basename(path)}")
        return {"FINISHED"}
