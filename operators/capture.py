"""A folder of photos, or a video -> a mesh with its cameras, where the cameras saw it."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, FloatVectorProperty, IntProperty, StringProperty

from ..jobs.capturing import CAPTURE_RESOLUTIONS, METHODS, UNSEEN, Capture
from ..jobs.settings import Meshing
from . import boxes, captured, compute, datablocks, provenance
from .base import ONCE, JobOperator, told

LIVE = 3.0
"""Seconds between two meshes of what there is so far"""
RESOLUTIONS = [(str(n), str(n), f"{n} cells along the box round the object") for n in CAPTURE_RESOLUTIONS]
UNSEEN_ITEMS = [
    ("close", "Close", "Close the mesh over parts that no photo shows: it can be printed and used in booleans"),
    ("cull", "Leave Out", "Leave out parts that no photo shows: the mesh is open there"),
]
assert [row[0] for row in UNSEEN_ITEMS] == list(UNSEEN)
METHOD_ITEMS = [
    ("auto", "Automatic", "A density where the photos are cut out and cells are fine, else a surface"),
    ("density", "Density", "Fit a fog: closest to photos that are cut out, most of all where the object is thin"),
    ("surface", "Surface", "Fit a surface: smoother where the photos say little"),
]
assert [row[0] for row in METHOD_ITEMS] == list(METHODS)


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
    method: EnumProperty(name="Method", items=METHOD_ITEMS, default="auto", options=ONCE)
    box: FloatVectorProperty(
        name="Box", description="Centre and size of what is wanted, in the cameras' frame", size=6, options=ONCE
    )
    resume: BoolProperty(
        name="Resume", description="Go on from where the last capture of these photos stopped", options=ONCE
    )

    watched = False

    def invoke(self, context, event):
        self.watched = not bpy.app.background
        return super().invoke(context, event)

    def requests(self, context):
        settings = context.scene.maquette.capture
        names = "filepath", "budget", "resolution", "faces", "unseen", "method"
        path, budget, resolution, faces, unseen, method = told(self, settings, *names)
        context.view_layer.update()  # a script may just have moved the box
        request = Capture(
            captured.folder(path),
            budget,
            self.steps,
            int(resolution),
            meshing=Meshing(smoothing=0, faces=faces),
            unseen=unseen,
            method=method,
            box=tuple(self.box) if self.properties.is_property_set("box") else boxes.chosen(context),
            resume=self.resume,
            live=LIVE if self.watched else 0.0,
            cache=compute.cache(),
            backgrounds=captured.backgrounds(),
        )
        return [request]

    def receive(self, context, answers):
        request, shape = answers[0].request, answers[0].result
        own = captured.home(context, request.folder, shape.report)
        name = captured.name_of(request.folder)
        thing = datablocks.new_object(context, name, shape, (0, 0, 0), request.meshing.style, own)
        provenance.write(thing, shape, request)
        datablocks.select_only(context, [thing])
        datablocks.show_colours(context)
