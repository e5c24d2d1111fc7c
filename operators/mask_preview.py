"""Show what Reconstruct would take for the object."""

import os

import bpy
from bpy.props import StringProperty

from ..jobs.requests import Mask
from . import datablocks, reconstruct, thumbnails
from .base import JobOperator

IMAGE = "Maquette Mask"
"""The Image that holds the last mask preview."""


class MAQUETTE_OT_mask_preview(JobOperator, bpy.types.Operator):
    """Show which part of the picture is taken for the object"""

    bl_idname = "maquette.mask_preview"
    bl_label = "Preview Mask"
    bl_options = {"UNDO"}

    filepath: StringProperty(name="Picture", subtype="FILE_PATH", options={"SKIP_SAVE"})

    undoable = False

    def requests(self, context):
        settings = context.scene.maquette
        chosen = self.filepath or (settings.pictures[0].path if settings.pictures else settings.filepath)
        if not chosen:
            raise ValueError("No picture is chosen; choose one in the sidebar")
        picture = reconstruct.pictures_at(chosen)[0]
        return [Mask(image=picture, path=os.path.join(bpy.app.tempdir, "maquette-mask.png"))]

    def receive(self, context, answers):
        masked, picture = answers[0].result, answers[0].request.image
        image = datablocks.load_picture(IMAGE, masked.path)
        thumbnails.show_mask(picture, masked.path)
        for area in context.screen.areas if context.screen else ():
            if area.type == "IMAGE_EDITOR":
                area.spaces.active.image = image
        self.report({"INFO"}, f"{os.path.basename(picture)}: the object fills {masked.coverage:.0%} ({masked.method})")
