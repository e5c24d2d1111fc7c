"""The active sample as a file for other scenes."""

import os

import bpy
from bpy.props import BoolProperty, StringProperty

from ..jobs.sampling import write_preset
from . import sampled
from .base import OnSample


class MAQUETTE_OT_sample_save(OnSample, bpy.types.Operator):
    """Save where the active sample lies, sliders included, as a small file that Load makes the same shape of"""

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
            model = thing.maquette_sample.model
            write_preset(path, model, sampled.weights(model), sampled.point(thing))
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        without = ", without the way to B" if thing.maquette_sample.other else ""
        self.report({"INFO"}, f"Saved {os.path.basename(path)}{without}")
        return {"FINISHED"}
