"""The active sample as it was drawn."""

import dataclasses

import bpy

from . import sampled
from .base import InPlace, OnSample


class MAQUETTE_OT_sample_reset(OnSample, InPlace, bpy.types.Operator):
    """Put the sliders of the active sample back to where its shape had them by itself"""

    bl_idname = "maquette.sample_reset"
    bl_label = "Reset"
    bl_options = {"UNDO"}

    def request(self, context, thing):
        asked = sampled.request(thing)
        return dataclasses.replace(asked, point=dataclasses.replace(asked.point, sliders={}))
