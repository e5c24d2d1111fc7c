"""One verb a file. They gather what to ask, hand it to the worker, and place what comes back."""

import bpy

from . import (
    add_box,
    animation,
    cancel,
    capture,
    choose_capture,
    choose_pictures,
    compute,
    copy_report,
    doctor,
    drop,
    edit_mask,
    enough,
    find_cameras,
    follow,
    live,
    mask_preview,
    masks,
    pack_field,
    photos,
    reconstruct,
    regenerate,
    release,
    remesh,
    render_views,
    reset_mask,
    sample,
    sample_between,
    sample_encode,
    sample_fit,
    sample_grid,
    sample_load,
    sample_random,
    sample_reset,
    sample_row,
    sample_save,
    sample_update,
    sample_vary,
    set_scale,
    set_upright,
    show_confidence,
    show_preferences,
    so_far,
    tasks,
    texture,
    thumbnails,
)

CLASSES = (
    choose_pictures.MAQUETTE_OT_choose_pictures,
    reconstruct.MAQUETTE_OT_reconstruct,
    regenerate.MAQUETTE_OT_regenerate,
    choose_capture.MAQUETTE_OT_choose_capture,
    find_cameras.MAQUETTE_OT_find_cameras,
    capture.MAQUETTE_OT_capture,
    add_box.MAQUETTE_OT_add_box,
    set_scale.MAQUETTE_OT_set_scale,
    set_upright.MAQUETTE_OT_set_upright,
    render_views.MAQUETTE_OT_render_views,
    sample.MAQUETTE_OT_sample,
    sample_random.MAQUETTE_OT_sample_random,
    sample_vary.MAQUETTE_OT_sample_vary,
    sample_reset.MAQUETTE_OT_sample_reset,
    sample_update.MAQUETTE_OT_sample_update,
    sample_between.MAQUETTE_OT_sample_between,
    sample_row.MAQUETTE_OT_sample_row,
    sample_grid.MAQUETTE_OT_sample_grid,
    sample_encode.MAQUETTE_OT_sample_encode,
    sample_fit.MAQUETTE_OT_sample_fit,
    sample_save.MAQUETTE_OT_sample_save,
    sample_load.MAQUETTE_OT_sample_load,
    remesh.MAQUETTE_OT_remesh,
    mask_preview.MAQUETTE_OT_mask_preview,
    edit_mask.MAQUETTE_OT_edit_mask,
    reset_mask.MAQUETTE_OT_reset_mask,
    pack_field.MAQUETTE_OT_pack_field,
    texture.MAQUETTE_OT_texture,
    show_confidence.MAQUETTE_OT_show_confidence,
    cancel.MAQUETTE_OT_cancel,
    enough.MAQUETTE_OT_enough,
    copy_report.MAQUETTE_OT_copy_report,
    doctor.MAQUETTE_OT_doctor,
    release.MAQUETTE_OT_release,
    show_preferences.MAQUETTE_OT_show_preferences,
    drop.MAQUETTE_FH_pictures,
)


def register():
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    thumbnails.register()
    masks.register()
    tasks.register()
    follow.register()  # its step comes before that of the wishes it makes
    live.register()
    so_far.register()
    photos.register()
    animation.register()
    compute.register()


def unregister():
    compute.unregister()
    animation.unregister()
    photos.unregister()
    so_far.unregister()
    live.unregister()
    follow.unregister()
    tasks.unregister()
    masks.unregister()
    thumbnails.unregister()
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
