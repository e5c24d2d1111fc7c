"""For scripts: the mesh follows the sliders by itself only where there is a window."""

import bpy

from . import sampled
from .base import InPlace, OnSample


class MAQUETTE_OT_sample_update(OnSample, InPlace, bpy.types.Operator):
    """Make the mesh of the active sample what its sliders say, here and now"""

    bl_idname = "maquette.sample_update"
    bl_label = "Update"
    bl_options = {"UNDO"}

    def request(self, context, thing):
        return sampled.request(thing)
