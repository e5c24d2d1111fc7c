"""What the panels show: Scene.maquette holds the settings of the next result and is saved with the file;
WindowManager.maquette shows what is going on, and the active object through sliders, and keeps nothing itself."""

import dataclasses
import math

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from ..jobs.requests import RESOLUTIONS, STYLES, VIEW_LIMITS, Meshing, View, even_turns
from ..operators import cameras, capture, compute, levels, live, masks, provenance, sampled, tasks, thumbnails
from . import sample

RESOLUTION_ITEMS = [
    ("32", "32", "Coarse and quick"),
    ("64", "64", "Fine"),
]
STYLE_ITEMS = [
    ("smooth", "Smooth", "A rounded surface"),
    ("blocks", "Blocks", "One cube for each voxel"),
]
assert [int(row[0]) for row in RESOLUTION_ITEMS] == list(RESOLUTIONS)
assert [row[0] for row in STYLE_ITEMS] == list(STYLES)

# One table for the settings of a mesh, so that both groups below name and bound them alike.
MESHING = {
    "auto_level": (
        BoolProperty,
        dict(name="Automatic Level", description="Take the level the network was made for", default=True),
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
_STYLES = [row[0] for row in STYLE_ITEMS]


def _as_meshing(values: dict) -> Meshing:
    """The settings as the request has them: there, no level is the automatic one."""
    values = dict(values)
    return Meshing(**values | {"level": None}) if values.pop("auto_level") else Meshing(**values)


TOGETHER = [
    ("each", "Objects", "Each picture shows an object of its own"),
    ("views", "Views", "All pictures show one object, from different sides"),
]
SIDES = [
    ("hand", "By Hand", "Say for each picture from which side it was taken"),
    ("right", "All Round, to the Right", "Taken in even steps all round the object, walking to the right"),
    ("left", "All Round, to the Left", "Taken in even steps all round the object, walking to the left"),
    ("cameras", "From Cameras", "As the scene's cameras stand that have the pictures behind them, or their names"),
    ("auto", "Find", "Judge from the pictures where each was taken; those where that is in doubt are left out"),
]


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


class MaquetteCapture(bpy.types.PropertyGroup):
    """Scene.maquette.capture: the settings of the next capture."""

    filepath: StringProperty(
        name="Photos",
        description="A folder of photos all round one object, or a video of it",
    )
    budget: FloatProperty(
        name="Time",
        description="How long to fit the photos; reading and meshing come on top",
        default=180,
        min=1,
        soft_max=1800,
        step=500,
        precision=0,
        unit="TIME_ABSOLUTE",
    )
    resolution: EnumProperty(
        name="Resolution", description="Cells along the box round the object", items=capture.RESOLUTIONS, default="192"
    )
    faces: IntProperty(
        name="Faces", description="Triangles to keep at most; 0 keeps all", default=0, min=0, soft_max=200000, step=100
    )


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
        name="Resolution", description="Cells of the field along each side", items=RESOLUTION_ITEMS, default="64"
    )

    capture: PointerProperty(type=MaquetteCapture)
    sample: PointerProperty(type=sample.MaquetteSampling)

    def meshing(self) -> Meshing:
        return _as_meshing({name: getattr(self, name) for name in MESHING})

    def view(self) -> View:
        elevation = None if self.auto_elevation else math.degrees(self.elevation)
        return View(elevation, None if self.auto_depth else self.depth, self.symmetry)

    def where_from(self, context, paths) -> dict:
        """Where these pictures of one object were taken, as a request has it; {} where that is to be found.

        Raises ValueError where a camera is wanted that is not there."""
        if self.sides in ("right", "left"):
            return {"turns": even_turns(len(paths), self.sides)}
        if self.sides == "cameras":
            return {"cameras": cameras.matrices_of(context, paths)}
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


def _good(thing) -> bool:
    return provenance.is_result(thing) and not provenance.trouble(thing)


def _shown(name: str):
    """What a slider shows: the active object's own setting; the default where there is no such object."""

    def get(self):
        thing = bpy.context.object
        meshing = live.meshing(thing) if _good(thing) else Meshing()
        if name == "auto_level":
            return meshing.level is None
        if name == "style":
            return _STYLES.index(meshing.style)
        value = getattr(meshing, name)
        if value is not None:
            return value
        if name == "size":
            return _longest_side(thing) if _good(thing) else 1.0
        return levels.of_field(thing) if _good(thing) else levels.of_network()

    return get


def _longest_side(thing) -> float:
    """Of what was made, before the object was scaled."""
    low, high = provenance.read(thing)["report"].get("bounds", ((0, 0, 0), (1, 1, 1)))
    return max(b - a for a, b in zip(low, high))


def _moved(name: str):
    """A slider was moved: the active object is meshed again in the background."""

    def put(self, value):
        thing = bpy.context.object
        if not _good(thing) or thing.mode != "OBJECT":
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


def _reads(function):
    return lambda self: function()


def _placed() -> bool:
    thing = bpy.context.object
    return _good(thing) and provenance.read(thing)["verb"] in ("capture", "sample")


def _facts() -> str:
    """What is known about the active object's mesh, a line each."""
    thing = bpy.context.object
    if not _good(thing):
        return ""
    report = provenance.read(thing)["report"]
    closed = "closed" if report.get("watertight") else "not closed"
    counts = f"{report.get('vertices', 0):,} vertices", f"{report.get('faces', 0):,} faces, {closed}"
    return "\n".join([*counts, *_kind(report), *_sides(report), *provenance.notes(report)])


def _kind(report: dict) -> list[str]:
    """What kind of object it looks like, where that is known."""
    kind = report.get("class")
    if not kind:
        return []
    article = "an" if kind["name"][0] in "aeiou" else "a"
    return [f"looks like {article} {kind['name']} ({100 * kind['probability']:.0f} %)"]


def _notes() -> str:
    """What the active object's report has to tell, a line each."""
    thing = bpy.context.object
    return "\n".join(provenance.notes(provenance.read(thing)["report"])) if _good(thing) else ""


def _sides(report: dict) -> list[str]:
    """Where each picture of several was taken, as far as that was found, and how well it agrees with the shape."""
    return [
        f"{view['image']}: {_side(view)}, agrees {100 * view['agreement']:.0f} %" for view in report.get("views", [])
    ]


def _side(view: dict) -> str:
    turn = view["turn"]
    if not view["used"]:
        return "left out"
    if abs(turn) < 1:
        return "front"
    if abs(turn) > 179:
        return "back"
    return f"{abs(turn):.0f}\N{DEGREE SIGN} to the {'right' if turn > 0 else 'left'}"


def _guess() -> str:
    """How the picture shows the active object, as far as that was guessed."""
    thing = bpy.context.object
    camera = provenance.read(thing)["report"].get("camera", {}) if _good(thing) else {}
    if "depth" not in camera:
        return ""
    return f"{thing.name}: {camera['elevation']:.0f}\N{DEGREE SIGN} from above, depth {camera['depth']:.2f}"


class MaquetteStatus(bpy.types.PropertyGroup):
    """WindowManager.maquette: what is going on. All of it is read from where it happens, none of it is stored."""

    busy: BoolProperty(get=_reads(tasks.busy))
    fraction: FloatProperty(get=_reads(lambda: tasks.Status.task.fraction if tasks.busy() else 0.0))
    phase: StringProperty(get=_reads(lambda: tasks.Status.task.phase if tasks.busy() else ""))
    note: StringProperty(get=_reads(lambda: tasks.Status.task.note if tasks.busy() else ""))
    error: StringProperty(get=_reads(lambda: tasks.Status.error))
    log: StringProperty(get=_reads(lambda: tasks.Status.log))
    environment_ok: BoolProperty(get=_reads(lambda: compute.Found.ok))
    environment_note: StringProperty(get=_reads(lambda: compute.Found.note))
    looking: BoolProperty(get=_reads(lambda: compute.Found.looking is not None))
    diagnosis: StringProperty(
        get=_reads(lambda: "\n".join(compute.Found.diagnosis.lines()) if compute.Found.diagnosis else "")
    )
    warm: BoolProperty(get=_reads(compute.warm))
    icon: IntProperty(get=_reads(lambda: thumbnails.icon(bpy.context.scene.maquette.first_picture())))
    mask: StringProperty(get=_reads(lambda: masks.state(bpy.context.scene.maquette.first_picture())))
    active: BoolProperty(get=_reads(lambda: provenance.is_result(bpy.context.object)))
    trouble: StringProperty(get=_reads(lambda: provenance.trouble(bpy.context.object)))
    placed: BoolProperty(get=_reads(_placed))
    """The active object has a size of its own: its cameras', or its kind's."""
    meshable: BoolProperty(get=_reads(lambda: _good(bpy.context.object) and provenance.has_field(bpy.context.object)))
    """The active object was made as a field."""
    facts: StringProperty(get=_reads(_facts))
    guess: StringProperty(get=_reads(_guess))
    mesh: PointerProperty(type=MaquetteMesh)
    sampled: BoolProperty(get=_reads(lambda: sampled.is_sample(bpy.context.object)))
    no_sampler: StringProperty(get=_reads(sampled.missing))
    samplers: IntProperty(get=_reads(lambda: len(sampled.samplers())))
    notes: StringProperty(get=_reads(_notes))
    origin: StringProperty(get=_reads(lambda: sampled.origin(bpy.context.object)))
    way: StringProperty(get=_reads(lambda: sampled.way(bpy.context.object)))
    other: StringProperty(get=_reads(lambda: sampled.other_in_words(bpy.context)))
    """The second sample that is selected, "" where there is none."""


CLASSES = (MaquettePicture, MaquetteCapture, MaquetteSettings, MaquetteMesh, MaquetteStatus)


def register():
    sample.register()
    for kind in CLASSES:
        bpy.utils.register_class(kind)
    bpy.types.Scene.maquette = PointerProperty(type=MaquetteSettings)
    bpy.types.WindowManager.maquette = PointerProperty(type=MaquetteStatus)


def unregister():
    del bpy.types.WindowManager.maquette
    del bpy.types.Scene.maquette
    for kind in reversed(CLASSES):
        bpy.utils.unregister_class(kind)
    sample.unregister()
