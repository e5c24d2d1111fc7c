"""Paint on the mask of the picture that is chosen."""

import bpy

from . import masks


class MAQUETTE_OT_edit_mask(bpy.types.Operator):
    """Paint on the mask: white is object, black is background (X swaps them). Reconstruct then takes it as it is"""

    bl_idname = "maquette.edit_mask"
    bl_label = "Edit Mask"
    bl_options = {"UNDO"}

    @classmethod
    def poll(cls, context):
        if masks.find(context.scene.maquette.first_picture()) is None:
            cls.poll_message_set("Press Mask first: it shows what there is to paint on")
            return False
        return True

    def execute(self, context):
        image = masks.find(context.scene.maquette.first_picture())
        masks.keep(image)
        if not bpy.app.background and context.window:
            show(context, image, paint=True)
        self.report({"INFO"}, "Paint white where the object is, black where it is not; then press Reconstruct")
        return {"FINISHED"}


def show(context, image, paint=False):
    """Show the mask in the Image Editors of the screen; to paint, one is opened beside the largest area if need be."""
    areas = [area for area in context.screen.areas if area.type == "IMAGE_EDITOR"]
    if paint and not areas:
        areas = [_new_area(context)]
    for area in areas:
        area.spaces.active.image = image
        if paint:
            area.spaces.active.ui_mode = "PAINT"
    if paint:
        _white_first(context)


def _new_area(context):
    screen = context.screen
    before = set(screen.areas)
    largest = max(screen.areas, key=lambda area: area.width * area.height)
    region = next(region for region in largest.regions if region.type == "WINDOW")
    with context.temp_override(window=context.window, area=largest, region=region):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.5)
    area = next(area for area in screen.areas if area not in before)
    area.type = "IMAGE_EDITOR"
    return area


def _white_first(context):
    """White as the brush's colour, black as its other one."""
    tools = context.tool_settings
    owners = tools.image_paint, tools  # from 5.0 on each way of painting has unified settings of its own
    for colours in (*(getattr(owner, "unified_paint_settings", None) for owner in owners), tools.image_paint.brush):
        if colours:
            colours.color, colours.secondary_color = (1, 1, 1), (0, 0, 0)
