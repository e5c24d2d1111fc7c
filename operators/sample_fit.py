"""A photo -> the sample whose outline is most like it."""

import os

import bpy
from bpy.props import StringProperty

from ..jobs.requests import Fit
from . import masks
from .base import ONCE, JobOperator
from .browsing import UNSHOWN, Browsing
from .sample import Found


class MAQUETTE_OT_sample_fit(Browsing, Found, JobOperator, bpy.types.Operator):
    """Find the sample whose outline is most like a photo's, and put it on the 3D cursor; a painted mask counts"""

    bl_idname = "maquette.sample_fit"
    bl_label = "Sample from Photo"
    bl_options = {"UNDO"}

    filter_image: bpy.props.BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: bpy.props.StringProperty(default=UNSHOWN, options={"HIDDEN", "SKIP_SAVE"})
    mask: StringProperty(name="Mask", description="Picture that is bright where the object is", options=ONCE)

    def requests(self, context):
        path = bpy.path.abspath(self.filepath)
        if not os.path.isfile(path):
            raise ValueError(f"There is no picture at {path}; choose one")
        self._cursor = tuple(context.scene.cursor.location)
        mask = bpy.path.abspath(self.mask) if self.mask else masks.path_for(path)
        return [Fit(path, self.network(context), mask, self.family)]

    def receive(self, context, answers):
        self.found(context, answers[0], self._cursor)
