"""Pictures -> an object on the 3D cursor; each its own object in a row, or all of them views of one object."""

import dataclasses
import math
import os

import bpy
from bpy.props import BoolProperty, CollectionProperty, EnumProperty, FloatProperty, IntProperty, StringProperty

from ..jobs.requests import Meshing, Reconstruct, View, even_turns, pictures_in
from . import cameras, compute, datablocks, levels, masks, provenance, rows
from .base import ONCE, JobOperator, given, told

RESOLUTIONS = [
    ("32", "32", "Coarse and quick"),
    ("64", "64", "Finer, and a second or two quicker than the finest"),
    ("128", "128", "Finest: outlines, thin parts and colours as sharp as the picture shows them"),
]


class MAQUETTE_OT_reconstruct(JobOperator, bpy.types.Operator):
    """Make a coloured mesh from a picture of an object, on the 3D cursor; several make a row, or one object together"""

    bl_idname = "maquette.reconstruct"
    bl_label = "Reconstruct"
    bl_options = {"UNDO"}  # no REGISTER: redo would run the network again

    filepath: StringProperty(name="Picture", description="A picture, or a folder of them", options=ONCE)
    directory: StringProperty(name="Folder", description="Where the files lie", options=ONCE)
    files: CollectionProperty(name="Files", type=bpy.types.OperatorFileListElement, options=ONCE)
    resolution: EnumProperty(name="Resolution", items=RESOLUTIONS, default="128", options=ONCE)
    auto_level: BoolProperty(name="Automatic Level", default=True, options=ONCE)
    level: FloatProperty(name="Level", default=0.5, options=ONCE)
    style: EnumProperty(
        name="Style", items=[("smooth", "Smooth", ""), ("blocks", "Blocks", "")], default="smooth", options=ONCE
    )
    smoothing: IntProperty(name="Smoothing", default=2, min=0, max=200, options=ONCE)
    faces: IntProperty(name="Faces", default=0, min=0, options=ONCE)
    islands: BoolProperty(name="Islands", default=False, options=ONCE)
    size: FloatProperty(name="Size", default=1.0, min=0.001, options=ONCE)
    elevation: FloatProperty(name="Elevation", subtype="ANGLE", options=ONCE)
    depth: FloatProperty(name="Depth", default=1.0, options=ONCE)
    symmetry: BoolProperty(name="Symmetric", default=False, options=ONCE)
    mask: StringProperty(name="Mask", description="Picture that is bright where the object is", options=ONCE)
    views: BoolProperty(name="Views", description="All pictures show one object, from different sides", options=ONCE)
    turns: StringProperty(
        name="Turns",
        description="Where the views were taken: auto, right or left (evenly all round), cameras (those of the scene), "
        "or degrees round the object to the right of the first, such as 0,90,180",
        options=ONCE,
    )

    @classmethod
    def description(cls, context, properties):
        settings = context.scene.maquette
        count = len(settings.pictures)
        if count > 1 and settings.together == "views":
            return f"Make one coloured mesh of {count} pictures, on the 3D cursor"
        return f"Make {count} coloured meshes, in a row from the 3D cursor" if count > 1 else ""

    def invoke(self, context, event):
        self._dropped = bool(self.filepath or self.files)
        return super().invoke(context, event)

    def requests(self, context):
        settings = context.scene.maquette
        meshing = asked_meshing(self, settings.meshing(), levels.of_network())
        resolution = int(told(self, settings, "resolution")[0])
        self._cursor = tuple(context.scene.cursor.location)
        pictures, view = self._pictures(settings), asked_view(self, settings.view())
        named = self.properties.is_property_set
        mask = bpy.path.abspath(self.mask) if named("mask") else settings.mask_path()
        together = self.views if named("views") else settings.together == "views"
        if mask and len(pictures) > 1:
            raise ValueError("A mask belongs to one picture; clear it, or choose one picture")
        asked = {"resolution": resolution, "meshing": meshing, "view": view, "cache": compute.cache()}
        painted = {path: "" if mask or named("mask") else masks.path_for(path) for path in pictures}
        if together and len(pictures) > 1:
            where = (
                asked_turns(context, self.turns, pictures) if named("turns") else settings.where_from(context, pictures)
            )
            masked = tuple(painted.values()) if any(painted.values()) else ()
            if where.get("lenses") and not named("size"):  # as large as the cameras saw it
                asked["meshing"] = dataclasses.replace(meshing, size=None)
            return [Reconstruct(images=tuple(pictures), masks=masked, **where, **asked)]
        return [Reconstruct(images=(path,), mask=mask or painted[path], **asked) for path in pictures]

    def receive(self, context, answers):
        things, (left, *rest) = [], self._cursor
        sizes = [answer.request.meshing.size or 1.0 for answer in answers]
        places = rows.row([datablocks.width(answer.result) for answer in answers], max(sizes))
        for answer, x in zip(answers, places, strict=True):
            request, shape = answer.request, answer.result
            name = os.path.splitext(os.path.basename(request.images[0]))[0]
            where = (0, 0, 0) if shape.report.get("in_place") else (left + x, *rest)
            thing = datablocks.new_object(context, name, shape, where, request.meshing.style)
            provenance.write(thing, shape, request)
            things.append(thing)
        datablocks.select_only(context, things)
        datablocks.show_colours(context)
        if getattr(self, "_dropped", False):  # the sidebar then shows them, to be made again with other settings
            context.scene.maquette.choose([image for answer in answers for image in answer.request.images])

    def _pictures(self, settings) -> list[str]:
        """The pictures asked for, else those chosen in the sidebar. Raises ValueError when there are none."""
        names = [item.name for item in self.files if item.name]
        if names:
            return [os.path.join(bpy.path.abspath(self.directory), name) for name in names]
        if self.filepath or self.directory:
            return pictures_at(self.filepath or self.directory)
        if len(settings.pictures) > 1:
            return [bpy.path.abspath(item.path) for item in settings.pictures]
        if settings.filepath:
            return pictures_at(settings.filepath)
        raise ValueError("No picture is chosen; choose one in the sidebar, or drop one onto the viewport")


def pictures_at(path: str) -> list[str]:
    """A picture as it is, a folder as the pictures in it by name. Raises ValueError for a folder without any."""
    path = bpy.path.abspath(path)
    return pictures_in(path) if os.path.isdir(path) else [path]


def asked_turns(context, text: str, pictures: list[str]) -> dict:
    """What scripts say of turns, as a request has them; {} searches for them."""
    if text in ("", "auto"):
        return {}
    if text in ("right", "left"):
        return {"turns": even_turns(len(pictures), text)}
    if text == "cameras":
        return cameras.known_of(context, pictures)
    try:
        return {"turns": tuple(float(part) for part in text.split(","))}
    except ValueError:
        raise ValueError(f"Turns is {text!r}: auto, right, left, cameras, or degrees such as 0,90,180") from None


def asked_view(operator, otherwise: View) -> View:
    """What the operator was told of the view; what it was not told is as in `otherwise`."""
    called = given(operator, "elevation", "depth", "symmetry")
    if "elevation" in called:
        called["elevation"] = math.degrees(called["elevation"])
    return dataclasses.replace(otherwise, **called)


def asked_meshing(operator, otherwise: Meshing, automatic: float) -> Meshing:
    """The mesh settings an operator was called with; those it was not given are as in `otherwise`.

    automatic: the level that Automatic stands for; switching it off without naming a level stays there."""
    called = given(operator, "style", "smoothing", "faces", "islands", "size")
    level = otherwise.level
    if operator.properties.is_property_set("level"):
        level = operator.level  # naming a level means it, unless Automatic was named too
    if operator.properties.is_property_set("auto_level"):
        if operator.auto_level:
            level = None
        elif level is None:
            level = automatic
    return Meshing(
        **({name: getattr(otherwise, name) for name in Meshing.__dataclass_fields__} | called | {"level": level})
    )
