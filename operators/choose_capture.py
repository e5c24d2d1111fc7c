"""Choose what to capture: a folder of photos, or a video."""

import bpy
from bpy.props import BoolProperty, StringProperty

from .browsing import UNSHOWN


class MAQUETTE_OT_choose_capture(bpy.types.Operator):
    """Choose a folder of photos of one object, or a video of it"""

    bl_idname = "maquette.choose_capture"
    bl_label = "Choose Photos"
    bl_options = {"UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    filename: StringProperty(subtype="FILE_NAME", options={"SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default=UNSHOWN, options={"HIDDEN", "SKIP_SAVE"})
    filter_movie: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context, event):
        chosen = context.scene.maquette.capture.filepath
        if chosen:
            self.filepath = bpy.path.abspath(chosen)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        video = self.filename.lower().endswith(tuple(bpy.path.extensions_movie))
        context.scene.maquette.capture.filepath = self.filepath if video else self.directory or self.filepath
        return {"FINISHED"}
