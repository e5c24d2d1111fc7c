"""What the panels show: Scene.maquette holds the settings of the next result and is saved with the file;
WindowManager.maquette shows what is going on, and the active object through sliders, and keeps nothing itself."""

import bpy
from bpy.props import PointerProperty

from . import capture, mesh, reconstruct, sample, status, views

CLASSES = (
    capture.MaquetteCapture,
    views.MaquetteViews,
    reconstruct.MaquettePicture,
    reconstruct.MaquetteSettings,
    mesh.MaquetteMesh,
    status.MaquetteStatus,
)


def register():
    sample.register()
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Scene.maquette = PointerProperty(type=reconstruct.MaquetteSettings)
    bpy.types.WindowManager.maquette = PointerProperty(type=status.MaquetteStatus)


def unregister():
    del bpy.types.WindowManager.maquette
    del bpy.types.Scene.maquette
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
    sample.unregister()
