"""Show what Reconstruct would take for the object."""

import os

import bpy
from bpy.props import StringProperty

from ..jobs.requests import Mask
from . import compute, datablocks, edit_mask, masks, reconstruct, thumbnails
from .base import ONCE, JobOperator


class MAQUETTE_OT_mask_preview(JobOperator, bpy.types.Operator):
    """Show which part of the picture is taken for the object: light is object, dark is background"""

    bl_idname = "maquette.mask_preview"
    bl_label = "Preview Mask"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="Picture", subtype="FILE_PATH", options=ONCE)

    undoable = False

    def execute(self, context):
        return self._painted(context) or super().execute(context)

    def invoke(self, context, event):
        return self._painted(context) or super().invoke(context, event)

    def requests(self, context):
        path = os.path.join(bpy.app.tempdir, "maquette-mask.png")
        return [Mask(image=self._picture(context), path=path, device=compute.device())]

    def receive(self, context, answers):
        masked, picture = answers[0].result, answers[0].request.image
        image = masks.find(picture) or masks.unpainted()
        if masks.painted(image):  # while this one was on its way
            return
        image = datablocks.load_picture(image, masks.IMAGE, masked.path)
        masks.belong(image, picture, masked.method)
        thumbnails.show_mask(picture, masked.path)
        self._show(context, image)
        self.report({"INFO"}, f"{os.path.basename(picture)}: the object fills {masked.coverage:.0%} ({masked.method})")
        if masked.note:
            self.report({"WARNING"}, masked.note)

    def _picture(self, context) -> str:
        chosen = self.filepath or context.scene.maquette.first_picture()
        if not chosen:
            raise ValueError("No picture is chosen; choose one in the sidebar")
        return reconstruct.pictures_at(chosen)[0]

    def _painted(self, context):
        """Show the mask that was painted for this picture; finding it anew would lose the artist's work."""
        try:
            image = masks.find(self._picture(context))
        except ValueError:  # no picture: to be said where all else is said
            return None
        if not masks.painted(image):
            return None
        self._show(context, image)
        self.report({"INFO"}, "This is the mask that you painted; Reset finds it anew")
        return {"FINISHED"}

    def _show(self, context, image):
        if context.screen:
            edit_mask.show(context, image)
