"""WindowManager.maquette: what is going on. All of it is read from where it happens, none of it is stored."""

import bpy
from bpy.props import BoolProperty, FloatProperty, IntProperty, PointerProperty, StringProperty

from ..operators import captured, compute, datablocks, masks, photos, provenance, sampled, tasks, thumbnails
from .mesh import MaquetteMesh, good


def _reads(function):
    return lambda self: function()


def _placed() -> bool:
    thing = bpy.context.object
    return good(thing) and provenance.read(thing)["verb"] in ("capture", "sample")


def _facts() -> str:
    """What is known about the active object's mesh, a line each."""
    thing = bpy.context.object
    if not good(thing):
        return ""
    report = provenance.read(thing)["report"]
    closed = "closed" if report.get("watertight") else "not closed"
    counts = f"{report.get('vertices', 0):,} vertices", f"{report.get('faces', 0):,} faces, {closed}"
    more = (*_kind(report), *_sure(report), *_textured(report), *_sides(report), *provenance.notes(report))
    return "\n".join([*counts, *more])


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
    return "\n".join(provenance.notes(provenance.read(thing)["report"])) if good(thing) else ""


def _confident() -> bool:
    thing = bpy.context.object
    return good(thing) and datablocks.CONFIDENCE in thing.data.attributes


def _sure(report: dict) -> list[str]:
    """How sure the surface is in the mean, and the shape as a whole."""
    lines = [f"surface {100 * report['confidence']:.0f} % sure"] if "confidence" in report else []
    if "expected_iou" in report:
        lines.append(f"expected to overlap the object by {100 * report['expected_iou']:.0f} %")
    return lines


def _textured(report: dict) -> list[str]:
    """How large its texture is, and how much of the surface the photos show."""
    found = report.get("texture")
    return [f"texture {found['size']}, {100 * found['seen']:.0f} % of it from photos"] if found else []


def _sides(report: dict) -> list[str]:
    """Where each picture of several was taken, as far as that was found, and how well it agrees with the shape."""
    views = report.get("views", [])
    if isinstance(views, int):  # of a capture: all of them, and from everywhere
        return []
    return [f"{view['image']}: {_side(view)}, agrees {100 * view['agreement']:.0f} %" for view in views]


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
    camera = provenance.read(thing)["report"].get("camera", {}) if good(thing) else {}
    if "depth" not in camera:
        return ""
    return f"{thing.name}: {camera['elevation']:.0f}\N{DEGREE SIGN} from above, depth {camera['depth']:.2f}"


class MaquetteStatus(bpy.types.PropertyGroup):
    """WindowManager.maquette: what is going on. All of it is read from where it happens, none of it is stored."""

    busy: BoolProperty(get=_reads(tasks.busy))
    fraction: FloatProperty(get=_reads(lambda: tasks.Status.task.fraction if tasks.busy() else 0.0))
    phase: StringProperty(get=_reads(lambda: tasks.Status.task.phase if tasks.busy() else ""))
    note: StringProperty(get=_reads(lambda: tasks.Status.task.note if tasks.busy() else ""))
    ends_early: BoolProperty(get=_reads(tasks.ends_early))
    """What runs could be stopped and kept."""
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
    photos: StringProperty(get=_reads(photos.lines))
    photos_notes: StringProperty(get=_reads(photos.notes))
    resumable: BoolProperty(get=_reads(photos.resumable))
    active: BoolProperty(get=_reads(lambda: provenance.is_result(bpy.context.object)))
    trouble: StringProperty(get=_reads(lambda: provenance.trouble(bpy.context.object)))
    placed: BoolProperty(get=_reads(_placed))
    """The active object has a size of its own: its cameras', or its kind's."""
    captured: BoolProperty(get=_reads(lambda: captured.is_capture(bpy.context.object)))
    """The active object is the mesh of a capture."""
    photographed: BoolProperty(get=_reads(lambda: captured.is_photographed(bpy.context.object)))
    """The active object is a mesh that photos show."""
    meshable: BoolProperty(get=_reads(lambda: good(bpy.context.object) and provenance.has_field(bpy.context.object)))
    """The active object was made as a field."""
    facts: StringProperty(get=_reads(_facts))
    confident: BoolProperty(get=_reads(_confident))
    """How sure it is, is known of the active object's mesh."""
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
