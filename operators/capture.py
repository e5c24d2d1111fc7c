"""A folder of photos, or a video -> a mesh with its cameras, where the cameras saw it."""

import os

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..jobs.requests import CAPTURE_RESOLUTIONS, UNSEEN, Capture, Meshing
from . import compute, datablocks, provenance
from .base import JobOperator

ONCE = {"SKIP_SAVE"}
LIVE = 3.0
"""Seconds between two meshes of what there is so far"""
RESOLUTIONS = [(str(n), str(n), f"{n} cells along the box round the object") for n in CAPTURE_RESOLUTIONS]
UNSEEN_ITEMS = [
    ("close", "Close", "Close the mesh over parts that no photo shows: it can be printed and used in booleans"),
    ("cull", "Leave Out", "Leave out parts that no photo shows: the mesh is open there"),
]
assert [row[0] for row in UNSEEN_ITEMS] == list(UNSEEN)


class MAQUETTE_OT_capture(JobOperator, bpy.types.Operator):
    """Make a coloured mesh from photos all round an object, with the cameras that took them"""

    bl_idname = "maquette.capture"
    bl_label = "Capture"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="Photos", description="A folder of photos, or a video", options=ONCE)
    budget: FloatProperty(name="Time", description="Seconds to fit the photos", default=180, min=1, options=ONCE)
    steps: IntProperty(name="Steps", description="Fit so many steps instead; 0 goes by time", min=0, options=ONCE)
    resolution: EnumProperty(name="Resolution", items=RESOLUTIONS, default="192", options=ONCE)
    faces: IntProperty(name="Faces", default=0, min=0, options=ONCE)
    unseen: EnumProperty(name="Unseen", items=UNSEEN_ITEMS, default="close", options=ONCE)
    resume: BoolProperty(
        name="Resume", description="Go on from where the last capture of these photos stopped", options=ONCE
    )

    watched = False

    def invoke(self, context, event):
        self.watched = not bpy.app.background
        return super().invoke(context, event)

    def requests(self, context):
        settings = context.scene.maquette.capture
        given = {
            name: getattr(self if self.properties.is_property_set(name) else settings, name)
            for name in ("filepath", "budget", "resolution", "faces", "unseen")
        }
        if not given["filepath"]:
            raise ValueError("No photos are chosen; choose their folder, or a video, in the sidebar")
        folder = bpy.path.abspath(given["filepath"])
        resolution, meshing = int(given["resolution"]), Meshing(smoothing=0, faces=given["faces"])
        common = {"meshing": meshing, "cache": compute.cache(), "resume": self.resume, "unseen": given["unseen"]}
        common["live"] = LIVE if self.watched else 0.0
        return [Capture(folder, given["budget"], self.steps, resolution, **common)]

    def receive(self, context, answers):
        request, shape = answers[0].request, answers[0].result
        name = os.path.splitext(os.path.basename(os.path.normpath(request.folder)))[0] or "Capture"
        own = datablocks.new_collection(context.scene.collection, name)
        thing = datablocks.new_object(context, name, shape, (0, 0, 0), request.meshing.style, own)
        box, rows = shape.report["box"], shape.report["cameras"]
        provenance.write(thing, shape, request)
        datablocks.new_box(own, f"{name} Box", box["centre"], box["side"])
        cameras = datablocks.new_collection(own, f"{name} Cameras")
        for row in rows:
            datablocks.new_camera(cameras, row, box["side"] / 12)
        datablocks.select_only(context, [thing])
        datablocks.show_colours(context)
