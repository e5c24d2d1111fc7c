"""Another seed for the active sample."""

import dataclasses
import random

import bpy

from ..jobs.requests import Point
from . import sampled
from .base import ONCE, InPlace


class MAQUETTE_OT_sample_random(InPlace, bpy.types.Operator):
    """Draw another shape of the same kind in place of the active sample; without one, choose another seed"""

    bl_idname = "maquette.sample_random"
    bl_label = "Random"
    bl_options = {"UNDO"}

    seed: bpy.props.IntProperty(
        name="Seed", description="Which shape is drawn; any, where none is named", min=0, options=ONCE
    )

    settings: bpy.props.BoolProperty(
        name="Settings", description="Only choose a seed for the next sample", options=ONCE
    )

    @classmethod
    def description(cls, context, properties):
        return "Choose another seed for the next sample" if properties.settings else ""

    def execute(self, context):
        return self._choose(context) or super().execute(context)

    def invoke(self, context, event):
        return self._choose(context) or super().invoke(context, event)

    def request(self, context, thing):
        asked = sampled.request(thing)
        return dataclasses.replace(asked, point=Point(asked.point.family, self._seed(), asked.point.truncation))

    def _choose(self, context):
        """Without a sample there are only the settings to change."""
        if sampled.is_sample(context.object) and not self.settings:
            return None
        context.scene.maquette.sample.seed = self._seed()
        return {"FINISHED"}

    def _seed(self) -> int:
        return self.seed if self.properties.is_property_set("seed") else random.randrange(10_000)
