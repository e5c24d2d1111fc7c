"""Draw only: operators are named by their ids, state is read from properties."""

import bpy

from . import capture, compute, mesh, reconstruct, sample

CLASSES = (
    reconstruct.MAQUETTE_PT_reconstruct,
    reconstruct.MAQUETTE_PT_settings,
    reconstruct.MAQUETTE_PT_view,
    sample.MAQUETTE_PT_sample,
    sample.MAQUETTE_PT_sample_sliders,
    sample.MAQUETTE_PT_sample_variations,
    sample.MAQUETTE_PT_sample_between,
    capture.MAQUETTE_PT_capture,
    capture.MAQUETTE_PT_capture_views,
    mesh.MAQUETTE_PT_mesh,
    compute.MAQUETTE_PT_compute,
)


def register():
    for kind in CLASSES:
        bpy.utils.register_class(kind)


def unregister():
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
