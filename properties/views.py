"""Scene.maquette.views: how Render Views photographs the scene."""

import bpy

from ..operators import render_views


class MaquetteViews(bpy.types.PropertyGroup):
    """Scene.maquette.views: how Render Views photographs the scene."""


MaquetteViews.__annotations__ = {name: kind(**how) for name, (kind, how) in render_views.SETTINGS.items()}
