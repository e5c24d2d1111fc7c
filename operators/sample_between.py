"""From the active sample to another one: a slider on the way."""

import dataclasses

import bpy
from bpy.props import BoolProperty, IntProperty

from ..jobs.requests import Point, Sample
from . import sampled
from .base import ONCE, InPlace, OnSample


class Between:
    """Mix-in for operators that go from the active sample, A, to B."""

    seed: IntProperty(name="Seed of B", description="B is of the same family, drawn by this seed", min=0, options=ONCE)

    def ends(self, context) -> Sample:
        """The request of the active sample with its B: the seed that was named, its own, the second sample that is
        selected, or the sidebar's seed."""
        asked = sampled.request(context.object)
        second = sampled.second(context)
        if self.properties.is_property_set("seed"):
            return dataclasses.replace(asked, other=self._drawn(asked, self.seed))
        if asked.other:
            return asked
        if second and second.maquette_sample.model != asked.model:
            raise ValueError(f"{second.name} was sampled by another network; there is no way from here to there")
        other = sampled.point(second) if second else self._drawn(asked, context.scene.maquette.sample.other_seed)
        return dataclasses.replace(asked, other=other)

    @staticmethod
    def _drawn(asked: Sample, seed: int) -> Point:
        return Point(asked.point.family, seed, asked.point.truncation)


class MAQUETTE_OT_sample_between(Between, OnSample, InPlace, bpy.types.Operator):
    """Put the active sample half-way to the second one that is selected; its Factor can then be moved and keyframed"""

    bl_idname = "maquette.sample_between"
    bl_label = "Interpolate"
    bl_options = {"UNDO"}

    clear: BoolProperty(name="Clear", description="Forget B: back to the shape that the object had", options=ONCE)

    @classmethod
    def description(cls, context, properties):
        return "Forget B: back to the shape that the object had" if properties.clear else ""

    def request(self, context, thing):
        if self.clear:
            return dataclasses.replace(sampled.request(thing), other=None, factor=0.0)
        return dataclasses.replace(self.ends(context), factor=0.5)
