"""What the panels share."""

import textwrap


class Sidebar:
    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Maquette"


def paragraph(layout, context, text: str, icon: str = "NONE"):
    """`text` wrapped to the width of the sidebar, the icon before its first line."""
    width = context.region.width if context.region else 300
    scale = context.preferences.system.ui_scale or 1.0  # 0 where there is no screen
    letters = max(18, int(width / (6.8 * scale)) - 6)
    column = layout.column(align=True)
    column.scale_y = 0.8
    for number, line in enumerate(part for row in text.splitlines() for part in textwrap.wrap(row, letters) or [""]):
        column.label(text=line, icon=icon if number == 0 else ("BLANK1" if icon != "NONE" else "NONE"))
