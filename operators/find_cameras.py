"""The cameras of the chosen photos, set up before anything is captured."""

import bpy
from bpy.props import StringProperty

from ..jobs.requests import Look
from . import captured, compute, photos
from .base import JobOperator


class MAQUETTE_OT_find_cameras(JobOperator, bpy.types.Operator):
    """Set up the photos' cameras, with points where things are, and a box round what will be captured"""

    bl_idname = "maquette.find_cameras"
    bl_label = "Find Cameras"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="Photos", description="A folder of photos, or a video", options={"SKIP_SAVE"})

    def requests(self, context):
        given = self.filepath if self.properties.is_property_set("filepath") else photos.chosen()
        asked = {"cache": compute.cache(), "backgrounds": captured.backgrounds()}
        return [Look(captured.folder(given), find=True, **asked)]

    def receive(self, context, answers):
        request, found = answers[0].request, answers[0].result
        if "box" not in found.report:
            raise ValueError(found.notes[-1])
        photos.learned(request.folder, found)
        captured.place_cameras(context, request.folder, found.report, found.points)
