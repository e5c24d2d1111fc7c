"""How sure a mesh is, in colours, and back."""

import bpy
import numpy as np

from . import datablocks
from .base import OnResult

SURE = "Confidence Colors"
"""Colour attribute that shows it"""
RAMP = np.array([[0.78, 0.16, 0.12], [0.93, 0.72, 0.25], [0.18, 0.55, 0.34]], np.float32)
"""sRGB of nothing, half and all: guessed, doubtful, sure"""


class MAQUETTE_OT_show_confidence(OnResult, bpy.types.Operator):
    """Show in colours how sure the surface is, from red (guessed) to green (sure); once more shows its own again"""

    bl_idname = "maquette.show_confidence"
    bl_label = "Show Confidence"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context):
        if not super().poll(context):
            return False
        if datablocks.CONFIDENCE not in context.object.data.attributes:
            cls.poll_message_set("Nothing was said about how sure this mesh is")
            return False
        return True

    def execute(self, context):
        try:
            datablocks.check_editable(context.object)
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        mesh = context.object.data
        colours = mesh.color_attributes
        if SURE in colours:
            colours.remove(colours[SURE])
            shown = colours.get(datablocks.COLOURS)
        else:
            sure = np.empty(len(mesh.vertices), np.float32)
            mesh.attributes[datablocks.CONFIDENCE].data.foreach_get("value", sure)
            shown = datablocks.new_colours(mesh, SURE, in_colours(sure))
        if shown:
            colours.active_color = shown
        datablocks.show_colours(context)
        return {"FINISHED"}


def in_colours(sure) -> np.ndarray:
    """(V, 3) sRGB of confidence (V,) in [0, 1]."""
    return np.stack([np.interp(sure, (0, 0.5, 1), channel) for channel in RAMP.T], -1)
