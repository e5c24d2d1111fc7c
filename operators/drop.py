"""Pictures dropped onto the viewport are reconstructed there and then."""

import bpy

from ..jobs.requests import PICTURES


class MAQUETTE_FH_pictures(bpy.types.FileHandler):
    bl_idname = "MAQUETTE_FH_pictures"
    bl_label = "Reconstruct a Mesh"
    bl_import_operator = "maquette.reconstruct"
    bl_file_extensions = ";".join(PICTURES)

    @classmethod
    def poll_drop(cls, context):
        return context.area is not None and context.area.type == "VIEW_3D" and context.mode == "OBJECT"
