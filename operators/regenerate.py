"""Make a result again from the same pictures and settings, in place."""

import dataclasses

import bpy

from . import compute, masks, provenance, sampled
from .base import ONCE, InPlace, OnResult


class MAQUETTE_OT_regenerate(OnResult, InPlace, bpy.types.Operator):
    """Make the active object again from the same picture and settings, running the network"""

    bl_idname = "maquette.regenerate"
    bl_label = "Regenerate"
    bl_options = {"UNDO"}

    use_view: bpy.props.BoolProperty(
        name="With This View",
        description="Take elevation, depth, symmetry and mask from the sidebar, not as they were",
        options=ONCE,
    )

    @classmethod
    def description(cls, context, properties):
        return "Make the active object again, with the view set above" if properties.use_view else ""

    def request(self, context, thing):
        record = provenance.read(thing)
        asked = provenance.request(record)
        if asked.VERB == "sample":
            return sampled.request(thing)  # as its sliders are now
        if asked.VERB == "capture":  # steps rather than seconds: what they gave is given again
            return dataclasses.replace(asked, steps=record["report"]["steps"], cache=compute.cache())
        asked = dataclasses.replace(asked, images=tuple(provenance.photos(record)))
        asked = provenance.with_masks(thing, asked)
        if self.use_view:
            settings = context.scene.maquette
            asked = dataclasses.replace(asked, view=settings.view(), **self._masks(settings, asked.images))
        return dataclasses.replace(asked, cache=compute.cache())

    @staticmethod
    def _masks(settings, images) -> dict:
        if len(images) == 1:
            return {"mask": settings.mask_path() or masks.path_for(images[0])}
        painted = tuple(masks.path_for(image) for image in images)
        return {"masks": painted if any(painted) else ()}
