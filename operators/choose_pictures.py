"""Choose what to reconstruct: one picture, several, or a folder."""

import os

import bpy
from bpy.props import BoolProperty, CollectionProperty, StringProperty

from . import reconstruct
from .browsing import UNSHOWN


class MAQUETTE_OT_choose_pictures(bpy.types.Operator):
    """Choose a picture, several, or a folder of them"""

    bl_idname = "maquette.choose_pictures"
    bl_label = "Choose Pictures"
    bl_options = {"UNDO"}

    filepath: StringProperty(subtype="FILE_PATH", options={"SKIP_SAVE"})
    directory: StringProperty(subtype="DIR_PATH", options={"SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"SKIP_SAVE"})
    filter_image: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})
    filter_glob: StringProperty(default=UNSHOWN, options={"HIDDEN", "SKIP_SAVE"})
    filter_folder: BoolProperty(default=True, options={"HIDDEN", "SKIP_SAVE"})

    def invoke(self, context, event):
        chosen = context.scene.maquette.filepath
        if chosen:
            self.filepath = bpy.path.abspath(chosen)
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, context):
        names = [item.name for item in self.files if item.name]
        try:
            if names:
                paths = [os.path.join(self.directory, name) for name in names]
            else:
                paths = reconstruct.pictures_at(self.filepath or self.directory)
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        context.scene.maquette.choose(paths)
        return {"FINISHED"}
