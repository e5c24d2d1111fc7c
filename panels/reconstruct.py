"""Picture in, object out."""

import bpy

from .sidebar import Sidebar, paragraph


class MAQUETTE_PT_reconstruct(Sidebar, bpy.types.Panel):
    bl_label = "Reconstruct"

    def draw(self, context):
        layout = self.layout
        settings, status = context.scene.maquette, context.window_manager.maquette
        if not status.environment_ok and not status.looking:
            draw_no_environment(layout, context, status)
        draw_pictures(layout, settings, status)
        if status.busy:
            draw_progress(layout, status)
        else:
            row = layout.row()
            row.scale_y = 1.6
            count = len(settings.pictures)
            each = count > 1 and settings.together == "each"
            label = f"Reconstruct {count} Objects" if each else "Reconstruct"
            row.enabled = bool(settings.filepath or count)
            row.operator("maquette.reconstruct", text=label, icon="MESH_MONKEY")
        if status.error and not status.busy:
            draw_error(layout, context, status)


class MAQUETTE_PT_settings(Sidebar, bpy.types.Panel):
    bl_label = "Settings"
    bl_parent_id = "MAQUETTE_PT_reconstruct"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, settings = self.layout, context.scene.maquette
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not context.window_manager.maquette.busy
        layout.row().prop(settings, "resolution", expand=True)
        layout.prop(settings, "size")
        layout.row().prop(settings, "style", expand=True)
        if settings.style == "smooth":
            layout.prop(settings, "smoothing")
            layout.prop(settings, "faces")
        layout.prop(settings, "islands")
        layout.prop(settings, "auto_level")
        row = layout.row()
        row.enabled = not settings.auto_level
        row.prop(settings, "level", slider=True)


class MAQUETTE_PT_view(Sidebar, bpy.types.Panel):
    bl_label = "View"
    bl_parent_id = "MAQUETTE_PT_reconstruct"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context):
        layout, settings, status = self.layout, context.scene.maquette, context.window_manager.maquette
        layout.use_property_split = True
        layout.use_property_decorate = False
        layout.enabled = not status.busy
        for name in ("elevation", "depth"):
            layout.prop(settings, f"auto_{name}")
            row = layout.row()
            row.enabled = not getattr(settings, f"auto_{name}")
            row.prop(settings, name, slider=True)
        layout.prop(settings, "symmetry")
        layout.prop(settings, "mask")
        if status.guess:
            layout.label(text=status.guess, icon="OUTLINER_OB_CAMERA")
            layout.operator(
                "maquette.regenerate", text="Regenerate with This View", icon="FILE_REFRESH"
            ).use_view = True


def draw_no_environment(layout, context, status):
    box = layout.box()
    paragraph(box, context, status.environment_note, "ERROR")
    box.operator("maquette.show_preferences", icon="PREFERENCES")


def draw_pictures(layout, settings, status):
    """The picture with its thumbnail, or the list of pictures."""
    column = layout.column()
    column.enabled = not status.busy
    count = len(settings.pictures)
    if status.icon:
        column.template_icon(icon_value=status.icon, scale=7.0)
    if count > 1:
        draw_several(column, settings)
    else:
        column.prop(settings, "filepath", text="")
    row = column.row(align=True)
    row.operator("maquette.choose_pictures", text="Choose", icon="FILE_FOLDER")
    masks = row.row(align=True)
    masks.enabled = bool(count or settings.filepath)
    masks.operator("maquette.mask_preview", text="Mask", icon="IMAGE_ALPHA")
    draw_mask(column, settings, status)


def draw_several(layout, settings):
    """Their names, what they show together, and from which side each was taken."""
    by_hand = settings.together == "views" and settings.sides == "hand"
    most = len(settings.pictures) if by_hand else 5
    names = layout.column(align=True)
    names.scale_y = 1 if by_hand else 0.8
    for number, item in enumerate(settings.pictures[:most]):
        row = names.row()
        row.label(text=bpy.path.basename(item.path), icon="IMAGE_DATA")
        if by_hand and number:
            row.prop(item, "turn", text="")
        elif by_hand:
            row.label(text="front")
    if len(settings.pictures) > most:
        names.label(text=f"and {len(settings.pictures) - most} more", icon="BLANK1")
    layout.row().prop(settings, "together", expand=True)
    if settings.together == "views":
        layout.prop(settings, "sides", text="")


def draw_mask(layout, settings, status):
    """Which mask will be used, once there is something to say of it, and the way to another."""
    used = bpy.path.basename(settings.mask) or status.mask
    if used:
        layout.label(text=f"Mask: {used}", icon="MOD_MASK")
    if status.mask:
        row = layout.row(align=True)
        row.operator("maquette.edit_mask", text="Edit Mask", icon="BRUSH_DATA")
        row.operator("maquette.reset_mask", text="Reset", icon="LOOP_BACK")


def draw_progress(layout, status):
    column = layout.column(align=True)
    column.progress(factor=status.fraction, text=status.note)
    if status.ends_early:
        column.operator("maquette.enough", icon="CHECKMARK")
    column.operator("maquette.cancel", icon="CANCEL")


def draw_error(layout, context, status):
    """The sentence, the worker's last words, and a way to pass both on."""
    box = layout.box()
    sentences = status.error.splitlines()
    for sentence in sentences[:3]:
        paragraph(box, context, sentence, "ERROR")
    if len(sentences) > 3:
        box.label(text=f"and {len(sentences) - 3} more", icon="BLANK1")
    words = [line.strip() for line in status.log.splitlines() if any(letter.isalpha() for letter in line)]
    told = words and (words[-1] in status.error or any(sentence in words[-1] for sentence in sentences))
    if words and not told:  # a traceback ends with what the sentence says already
        paragraph(box, context, "\n".join(words[-3:]))
    box.operator("maquette.copy_report", icon="COPYDOWN")
