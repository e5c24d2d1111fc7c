"""The settings of a mesh: of the next result in Scene.maquette, of the active object in WindowManager.maquette.mesh."""

import dataclasses

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from ..jobs.requests import STYLES, Meshing
from ..operators import levels, live, provenance

STYLE_ITEMS = [
    ("smooth", "Smooth", "A rounded surface"),
    ("blocks", "Blocks", "One cube for each voxel"),
]
assert [row[0] for row in STYLE_ITEMS] == list(STYLES)

# One table for the settings of a mesh, so that the next result and the active object name and bound them alike.
MESHING = {
    "auto_level": (
        BoolProperty,
        dict(name="Automatic Level", description="Take the level where a field promises the best fit", default=True),
    ),
    "level": (
        FloatProperty,
        dict(
            name="Level",
            description="How sure to be that there is something: lower is fuller, higher is thinner",
            default=levels.of_network(),
            soft_min=0.05,
            soft_max=0.95,
            step=1,
            precision=2,
        ),
    ),
    "style": (EnumProperty, dict(name="Style", description="How the surface is made", items=STYLE_ITEMS)),
    "smoothing": (
        IntProperty,
        dict(name="Smoothing", description="Passes over the finished surface", default=2, min=0, max=200, soft_max=20),
    ),
    "faces": (
        IntProperty,
        dict(
            name="Faces",
            description="Triangles to keep at most; 0 keeps all",
            default=0,
            min=0,
            soft_max=50000,
            step=100,
        ),
    ),
    "islands": (BoolProperty, dict(name="Islands", description="Keep pieces that float apart from the largest one")),
    "size": (
        FloatProperty,
        dict(name="Size", description="Longest side", default=1.0, min=0.001, soft_max=10, unit="LENGTH"),
    ),
}
_STYLES = [row[0] for row in STYLE_ITEMS]


def as_meshing(values: dict) -> Meshing:
    """The settings as the request has them: there, no level is the automatic one."""
    values = dict(values)
    return Meshing(**values | {"level": None}) if values.pop("auto_level") else Meshing(**values)


def good(thing) -> bool:
    """Whether it is a result whose record can be read."""
    return provenance.is_result(thing) and not provenance.trouble(thing)


def _shown(name: str):
    """What a slider shows: the active object's own setting; the default where there is no such object."""

    def get(self):
        thing = bpy.context.object
        meshing = live.meshing(thing) if good(thing) else Meshing()
        if name == "auto_level":
            return meshing.level is None
        if name == "style":
            return _STYLES.index(meshing.style)
        value = getattr(meshing, name)
        if value is not None:
            return value
        if name == "size":
            return _longest_side(thing) if good(thing) else 1.0
        return levels.of_field(thing) if good(thing) else levels.of_network()

    return get


def _longest_side(thing) -> float:
    """Of what was made, before the object was scaled."""
    low, high = provenance.read(thing)["report"].get("bounds", ((0, 0, 0), (1, 1, 1)))
    return max(b - a for a, b in zip(low, high))


def _moved(name: str):
    """A slider was moved: the active object is meshed again in the background."""

    def put(self, value):
        thing = bpy.context.object
        if not good(thing) or thing.mode != "OBJECT":
            return
        old = live.meshing(thing)
        if name == "auto_level":
            change = {"level": None if value else levels.of_field(thing)}
        else:
            change = {name: _STYLES[value] if name == "style" else value}
        live.ask(thing, dataclasses.replace(old, **change))

    return put


def _slider(name: str):
    kind, how = MESHING[name]
    # A value that is computed has no default of its own.
    return kind(**{key: value for key, value in how.items() if key != "default"}, get=_shown(name), set=_moved(name))


class MaquetteMesh(bpy.types.PropertyGroup):
    """WindowManager.maquette.mesh: the active object's mesh settings; moving one meshes it again."""


MaquetteMesh.__annotations__ = {name: _slider(name) for name in MESHING}
