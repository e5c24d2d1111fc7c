"""Scene.maquette: the pictures and settings of the next result; Capture and Sample have groups of their own in it."""

import math

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, PointerProperty, StringProperty

from ..jobs.requests import VIEW_LIMITS, Meshing, View, even_turns
from ..operators import cameras, reconstruct, thumbnails
from . import capture, sample, views
from .mesh import MESHING, as_meshing

TOGETHER = [
    ("each", "Objects", "Each picture shows an object of its own"),
    ("views", "Views", "All pictures show one object, from different sides"),
]
SIDES = [
    ("hand", "By Hand", "Say for each picture from which side it was taken"),
    ("right", "All Round, to the Right", "Taken in even steps all round the object, walking to the right"),
    ("left", "All Round, to the Left", "Taken in even steps all round the object, walking to the left"),
    ("cameras", "From Cameras", "By the scene's cameras with the pictures behind them, or of their names"),
    ("auto", "Find", "Judge from the pictures where each was taken; those where that is in doubt are left out"),
]
# What the artist may know of the picture; the operator has the same, so that scripts may say it too.
_LOW, _HIGH = (math.radians(limit) for limit in VIEW_LIMITS["elevation"])
VIEW = {
    "auto_elevation": (
        BoolProperty,
        dict(name="Automatic Elevation", description="Judge from the picture how far it looks down", default=True),
    ),
    "elevation": (
        FloatProperty,
        dict(
            name="Elevation",
            description="How far the camera looks down on the object; below 0 it looks up",
            default=math.radians(20),
            min=_LOW,
            max=_HIGH,
            subtype="ANGLE",
            precision=1,
        ),
    ),
    "auto_depth": (
        BoolProperty,
        dict(
            name="Automatic Depth", description="Judge from the picture how far the object reaches away", default=True
        ),
    ),
    "depth": (
        FloatProperty,
        dict(
            name="Depth",
            description="Longest side, as a multiple of the larger side in the picture; over 1 it reaches away",
            default=1.0,
            min=VIEW_LIMITS["depth"][0],
            max=VIEW_LIMITS["depth"][1],
            step=1,
            precision=2,
        ),
    ),
    "symmetry": (
        BoolProperty,
        dict(name="Symmetric", description="The object's halves mirror each other: each shows what the other hides"),
    ),
    "mask": (
        StringProperty,
        dict(
            name="Mask",
            description="A picture that is bright where the object is; empty: found by itself",
            subtype="FILE_PATH",
        ),
    ),
}


class MaquettePicture(bpy.types.PropertyGroup):
    path: StringProperty(name="Path", subtype="FILE_PATH")
    turn: FloatProperty(
        name="Side",
        description="How far round the object this was taken, to the right of the first picture",
        subtype="ANGLE",
        min=-math.pi,
        max=math.pi,
        step=1500,
        precision=0,
    )


def _picture_typed(self, context):
    """A path typed into the field is the one picture, or folder, to take."""
    self.pictures.clear()
    thumbnails.hide_mask()


def _automatic_switched(self, context):
    """While Automatic is on, Level shows what it stands for, so switching it off changes nothing yet."""
    if self.auto_level:
        self.property_unset("level")


class MaquetteSettings(bpy.types.PropertyGroup):
    """Scene.maquette: the settings of the next result."""

    filepath: StringProperty(
        name="Picture",
        description="A picture of an object, or a folder of pictures",
        subtype="FILE_PATH",
        update=_picture_typed,
    )
    pictures: CollectionProperty(type=MaquettePicture)
    """Filled when several were chosen."""
    together: EnumProperty(name="Pictures", description="What several pictures show", items=TOGETHER, default="each")
    sides: EnumProperty(name="Sides", description="Where the views were taken", items=SIDES, default="hand")
    resolution: EnumProperty(
        name="Resolution",
        description="Cells of the field along each side",
        items=reconstruct.RESOLUTIONS,
        default="128",
    )

    capture: PointerProperty(type=capture.MaquetteCapture)
    views: PointerProperty(type=views.MaquetteViews)
    sample: PointerProperty(type=sample.MaquetteSampling)

    def meshing(self) -> Meshing:
        return as_meshing({name: getattr(self, name) for name in MESHING})

    def view(self) -> View:
        elevation = None if self.auto_elevation else math.degrees(self.elevation)
        return View(elevation, None if self.auto_depth else self.depth, self.symmetry)

    def where_from(self, context, paths) -> dict:
        """Where these pictures of one object were taken, as a request has it; {} where that is to be found.

        Raises ValueError where a camera is wanted that is not there."""
        if self.sides in ("right", "left"):
            return {"turns": even_turns(len(paths), self.sides)}
        if self.sides == "cameras":
            return cameras.known_of(context, paths)
        by_hand = {bpy.path.abspath(item.path): math.degrees(item.turn) for item in self.pictures}
        if self.sides == "hand" and all(path in by_hand for path in paths):
            first = by_hand[paths[0]]
            return {"turns": tuple(by_hand[path] - first for path in paths)}
        return {}

    def mask_path(self) -> str:
        return bpy.path.abspath(self.mask) if self.mask else ""

    def first_picture(self) -> str:
        """The path of the picture, or of the first of several; "" where none is chosen."""
        return self.pictures[0].path if self.pictures else self.filepath

    def choose(self, paths):
        """Take these pictures from now on."""
        self.filepath = paths[0] if len(paths) == 1 else ""  # which also forgets the ones before
        if len(paths) > 1:
            for path in paths:
                self.pictures.add().path = path
            # Where By Hand begins: front, right, back and left; more pictures all round
            for item, turn in zip(self.pictures, even_turns(max(4, len(paths)))):
                item.turn = math.radians(180 - (180 - turn) % 360)


MaquetteSettings.__annotations__.update({name: kind(**how) for name, (kind, how) in (MESHING | VIEW).items()})
_kind, _how = MESHING["auto_level"]
MaquetteSettings.__annotations__["auto_level"] = _kind(**_how, update=_automatic_switched)
