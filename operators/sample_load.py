"""A preset -> the sample that was saved."""

import dataclasses

import bpy
from bpy.props import StringProperty

from ..jobs.sampling import read_preset
from . import compute, datablocks, sampled
from .base import JobOperator
from .browsing import Browsing


class MAQUETTE_OT_sample_load(Browsing, JobOperator, bpy.types.Operator):
    """Make the sample that a preset keeps, on the 3D cursor"""

    bl_idname = "maquette.sample_load"
    bl_label = "Load Preset"
    bl_options = {"UNDO"}

    filter_glob: StringProperty(default="*.json", options={"HIDDEN", "SKIP_SAVE"})

    def requests(self, context):
        path = bpy.path.abspath(self.filepath)
        model = read_preset(path).model
        sample = read_preset(path, model, sampled.weights(model))
        self._cursor = tuple(context.scene.cursor.location)
        return [dataclasses.replace(sample, cache=compute.cache())]

    def receive(self, context, answers):
        thing = sampled.new(context, answers[0].result, answers[0].request, self._cursor)
        datablocks.select_only(context, [thing])
