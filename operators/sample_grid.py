"""Many seeds at once, to choose from."""

import bpy

from . import datablocks, rows, sampled
from .base import ONCE, JobOperator, told
from .sample import Drawing


class MAQUETTE_OT_sample_grid(Drawing, JobOperator, bpy.types.Operator):
    """Make samples of seeds counting up, in a square grid from the 3D cursor, in a collection of their own"""

    bl_idname = "maquette.sample_grid"
    bl_label = "Make Grid"
    bl_options = {"UNDO"}

    count: bpy.props.IntProperty(name="Count", description="How many samples", min=1, max=400, default=9, options=ONCE)

    def requests(self, context):
        (count,) = told(self, context.scene.maquette.sample, "count")
        self._cursor = tuple(context.scene.cursor.location)
        return [self.asked(context, number) for number in range(count)]

    def receive(self, context, answers):
        width, depth = (max(datablocks.width(answer.result, axis) for answer in answers) for axis in (0, 1))
        places = rows.grid(len(answers), width, depth)
        family = answers[0].result.report["family"]
        sampled.new_collection(context, f"{family.capitalize()}s", answers, self._cursor, places)
