"""From A to B as a row of samples."""

import dataclasses

import bpy

from . import datablocks, rows, sampled
from .base import ONCE, JobOperator, OnSample
from .sample_between import Between


class MAQUETTE_OT_sample_row(Between, OnSample, JobOperator, bpy.types.Operator):
    """Make a row of samples from the active one, A, to the second one that is selected, B; both are among them"""

    bl_idname = "maquette.sample_row"
    bl_label = "Make Row"
    bl_options = {"UNDO"}

    count: bpy.props.IntProperty(
        name="Count", description="How many, A and B among them", min=2, max=400, default=5, options=ONCE
    )

    def requests(self, context):
        named = self.properties.is_property_set("count")
        count = self.count if named else context.scene.maquette.sample.steps
        ends = self.ends(context)
        self._cursor = tuple(context.scene.cursor.location)
        factors = [sampled.exact(number / (count - 1)) for number in range(count)]
        return [dataclasses.replace(ends, factor=factor) for factor in factors]

    def receive(self, context, answers):
        widths = [datablocks.width(answer.result) for answer in answers]
        places = [(x, 0.0) for x in rows.row(widths, max(widths))]
        name = sampled.ends_in_words(answers[0].result.report)
        sampled.new_collection(context, name, answers, self._cursor, places)
