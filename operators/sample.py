"""A seed -> an object out of a network's latent space, on the 3D cursor."""

import bpy
from bpy.props import FloatProperty, IntProperty, StringProperty

from ..jobs.requests import Meshing, Point, Sample
from . import compute, datablocks, sampled
from .base import ONCE, JobOperator, told


class Network:
    """Mix-in for operators that need a sampler: the one that was named, else the sidebar's."""

    model: StringProperty(name="Network", description="Which network's shapes", options=ONCE)

    def network(self, context) -> str:
        """Raises ValueError where there is none."""
        if missing := sampled.missing():
            raise ValueError(missing)
        return told(self, context.scene.maquette.sample, "model")[0]


class Found(Network):
    """Mix-in for operators whose answer is a place in latent space: its shape is the last step."""

    family: StringProperty(
        name="Family", description="What kind of object it is; all are tried unless one is named", options=ONCE
    )

    def found(self, context, answer, location):
        """A new, selected object of the shape there. Raises JobError or ValueError before anything is changed."""
        asked = Sample(answer.request.model, answer.result.point, meshing=Meshing(smoothing=0), cache=compute.cache())
        thing = sampled.new(context, compute.connect().run(asked), asked, location)
        datablocks.select_only(context, [thing])
        report = answer.result.report
        self.report({"INFO"}, f"{thing.name}: agrees {100 * report.get('iou', 0):.0f} %")
        return thing


class Drawing(Network):
    """Mix-in for operators that draw samples by seed: what they may be told, and what else the sidebar says."""

    family: StringProperty(name="Family", description="What kind of object, such as chair", options=ONCE)
    seed: IntProperty(name="Seed", description="Which shape is drawn", min=0, options=ONCE)
    truncation: FloatProperty(
        name="Truncation", description="0: the mean shape, 1: as varied as they come", min=0, max=1.5, options=ONCE
    )

    def asked(self, context, further: int = 0) -> Sample:
        """The request, of a seed so much further on. Raises ValueError where there is no such network."""
        model = self.network(context)
        family, seed, truncation = told(self, context.scene.maquette.sample, "family", "seed", "truncation")
        point = Point(family, seed + further, sampled.exact(truncation))
        return Sample(model, point, meshing=Meshing(smoothing=0), cache=compute.cache())


class MAQUETTE_OT_sample(Drawing, JobOperator, bpy.types.Operator):
    """Make a shape that the network draws by its seed, on the 3D cursor; its sliders are then below"""

    bl_idname = "maquette.sample"
    bl_label = "Create"
    bl_options = {"UNDO"}

    def requests(self, context):
        self._cursor = tuple(context.scene.cursor.location)
        return [self.asked(context)]

    def receive(self, context, answers):
        thing = sampled.new(context, answers[0].result, answers[0].request, self._cursor)
        datablocks.select_only(context, [thing])
