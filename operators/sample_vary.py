"""A shape near the active sample."""

import dataclasses
import random

import bpy

from . import sampled
from .base import ONCE, InPlace, OnSample


class MAQUETTE_OT_sample_vary(OnSample, InPlace, bpy.types.Operator):
    """Change the active sample to a shape near the one it was drawn as, another one each time; moved sliders stay"""

    bl_idname = "maquette.sample_vary"
    bl_label = "Vary"
    bl_options = {"UNDO"}

    variation: bpy.props.IntProperty(
        name="Variation", description="Which shape nearby; any, where none is named", min=0, options=ONCE
    )
    amount: bpy.props.FloatProperty(name="Amount", description="How far", min=0, max=3, options=ONCE)

    def request(self, context, thing):
        asked, named = sampled.request(thing), self.properties.is_property_set
        variation = self.variation if named("variation") else random.randrange(10_000)
        amount = self.amount if named("amount") else asked.point.amount or context.scene.maquette.sample.amount
        point = dataclasses.replace(asked.point, variation=variation, amount=sampled.exact(amount))
        return dataclasses.replace(asked, point=point)
