"""Objects whose shape is a place in a sampler's latent space: what their properties ask for, and what their mesh shows.

`Object.maquette_sample` says which place. Its sliders are custom properties of the object, one each, for only those can
have a range, a unit and a tooltip that differ from object to object, and keyframes and drivers too: `["Seat height"]`.
Lengths are metres in them and angles radians, as everywhere in Blender, which shows them in the scene's own units.

Blender makes the undo step of a slider itself, the moment it is let go; the mesh may follow later, and is then newer
than that step. So each mesh says which request it shows, and follow.py brings one whose object asks for another up to
date: no second step is needed, and undo cannot leave the two apart.
"""

import dataclasses
import functools
import json
import math

from ..jobs.requests import Point, Sample
from ..nets import catalog
from . import compute, datablocks, provenance, shapes
from .shapes import exact, tidy

SHOWN = "maquette_shown"
"""Custom property of the mesh: the key of the request that it shows."""
SELECT = "Select an object that was made by Sample"
DRAFT = 32
"""Resolution while a slider moves"""
UNITS = {"m": (1.0, "DISTANCE"), "cm": (0.01, "DISTANCE"), "mm": (0.001, "DISTANCE"), "°": (math.pi / 180, "ANGLE")}
"""Unit of a model card -> Blender's own in one of it, and the subtype of a property that is shown so"""
STAGES = 2
"""Requests that a slider leads to: a draft at once, the whole shape when the hand rests"""
UNDO = ""
"""Blender makes the undo step."""


# --- what there is to sample from ------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=1)
def samplers() -> dict[str, dict]:
    """The bundled samplers by name, as catalog.describe has them; {} where there are none."""
    try:
        rows = [row for row in catalog.describe() if row["kind"] == "sampler"]
    except ValueError:  # a card that cannot be read: the worker says so when it is asked
        return {}
    return {row["name"]: row for row in rows if row["families"]}


def weights(model: str) -> str:
    """sha256 of a sampler's weights. Raises ValueError where it is not bundled."""
    if model not in samplers():
        raise ValueError(f"The network {model} is not part of this copy of Maquette; install the whole extension")
    return samplers()[model]["sha256"]


def missing() -> str:
    """A sentence where there is no sampler, else ""."""
    return "" if samplers() else "The network that samples shapes is not part of this copy of Maquette"


def families(model: str) -> list[str]:
    return samplers().get(model, {}).get("families", [])


# --- from properties to a request ------------------------------------------------------------------------------------


def is_sample(thing) -> bool:
    return provenance.is_result(thing) and bool(thing.maquette_sample.model)


def trouble(thing) -> str:
    """Why nothing can be asked for a sampled object; "" when it can."""
    try:
        request(thing)
        datablocks.check_editable(thing)
    except ValueError as error:
        return str(error)
    return ""


def animated(thing) -> bool:
    """Whether anything of an object is animated; what, its request tells."""
    data = thing.animation_data
    return data is not None and bool(data.action or data.drivers or data.nla_tracks)


def request(thing) -> Sample:
    """What an object (or its evaluated copy) asks for now. Raises ValueError where its properties make no sense."""
    own = thing.maquette_sample
    return Sample(
        own.model,
        point(thing),
        point_of(own.other),
        exact(own.factor) if own.other else 0.0,
        meshing=provenance.meshing(thing),
        cache=compute.cache(),
    )


def point(thing) -> Point:
    """Where the object is in latent space, of its sliders those that were moved."""
    own = thing.maquette_sample
    moved = {item.name: exact(value) for item in own.sliders if (value := moved_to(thing, item)) is not None}
    latent = tuple(json.loads(own.latent)) if own.latent else ()
    return Point(own.family, own.seed, exact(own.truncation), own.variation, exact(own.amount), latent, moved)


def moved_to(thing, item) -> float | None:
    """The value of a slider in the model's unit; None as long as it is where the shape had it by itself."""
    if item.name not in thing:  # somebody deleted the property
        return item.value if item.moved else None
    value = float(thing[item.name]) / UNITS.get(item.unit, (1.0, ""))[0]
    own = abs(value - item.value) <= 1e-5 * (item.maximum - item.minimum)
    return None if own and not item.moved else value


def point_of(text: str) -> Point | None:
    """The other end, as it is kept; None where there is none."""
    return Point(**json.loads(text)) if text else None


def key(asked: Sample) -> str:
    """What a mesh that shows this is marked with: a shape whose field was not kept is another one to its object."""
    return shapes.key(asked) + ("" if asked.keep else " draft")


def shows(thing, asked: Sample | None = None) -> bool:
    """Whether the object's mesh is what was asked for, or what the object asks for now."""
    return thing.data.get(SHOWN) == key(asked or request(thing))


# --- from a shape to properties --------------------------------------------------------------------------------------


def new(context, shape, asked: Sample, location, collection=None):
    """An object of a sampled shape, named after its family."""
    shapes.keep(asked, shape)
    name = shape.report["family"].capitalize()
    thing = datablocks.new_object(context, name, shape, location, asked.meshing.style, collection)
    write(thing, shape, asked)
    return thing


def new_collection(context, name: str, answers, corner, places):
    """Objects of what was answered, in a collection of their own: places (x, y) each, from a corner (3,)."""
    own = datablocks.new_collection(context.collection, name)
    things = []
    for answer, (x, y) in zip(answers, places, strict=True):
        where = corner[0] + x, corner[1] + y, corner[2]
        things.append(new(context, answer.result, answer.request, where, own))
    datablocks.select_only(context, [*things[1:], things[0]])


def place(thing, shape, asked: Sample):
    """Put another shape into a sampled object; a draft changes the mesh alone."""
    datablocks.check_editable(thing)
    shapes.keep(asked, shape)
    datablocks.fill_mesh(thing.data, shape, asked.meshing.style)
    if asked.keep:
        write(thing, shape, asked)
    else:
        thing.data[SHOWN] = key(asked)
        if provenance.FIELD in thing:  # that of another shape: this one's was not kept
            del thing[provenance.FIELD]


def write(thing, shape, asked: Sample):
    """Note on the object where its shape lies, and what its sliders say there."""
    provenance.write(thing, shape, asked)
    own, where, other = thing.maquette_sample, tidy(asked.point), asked.other and tidy(asked.other)
    latent = json.dumps(where.latent) if where.latent else ""
    ends = json.dumps(dataclasses.asdict(other)) if other else ""
    told = {
        "model": asked.model, "family": shape.report["family"], "seed": where.seed, "truncation": where.truncation,
        "variation": where.variation, "amount": where.amount, "latent": latent, "other": ends,
    }  # fmt: skip
    if other:
        told["factor"] = exact(asked.factor)
    for name, value in told.items():
        if getattr(own, name) != value:
            setattr(own, name, value)
    write_sliders(thing, shape.report["sliders"], where.sliders)
    mark(thing)


def origin(thing) -> str:
    """How the object's place was come by, in words."""
    if not is_sample(thing):
        return ""
    own = thing.maquette_sample
    words = "found from a mesh or photo" if own.latent else f"seed {own.seed}"
    return f"{words}, variation {own.variation}" if own.amount else words


def way(thing) -> str:
    """From what to what an interpolated object goes."""
    if not is_sample(thing) or not thing.maquette_sample.other:
        return ""
    ends = point(thing), point_of(thing.maquette_sample.other)
    return " to ".join(end.family if end.latent else f"{end.family} {end.seed}" for end in ends)


def ends_in_words(report: dict) -> str:
    """The families at both ends of a way."""
    return f"{report['family'].capitalize()} to {report['other']['family'].capitalize()}"


def other_in_words(context) -> str:
    """What B is, or would be: the second sample that is selected; "" where that is a seed."""
    thing = second(context)
    return thing.name if thing else ""


def second(context):
    """The sample that is selected beside the active one; None where there is none, or are several."""
    others = [thing for thing in context.selected_objects if thing != context.object and is_sample(thing)]
    return others[0] if len(others) == 1 else None


def mark(thing):
    """The mesh shows what the object asks for."""
    thing.data[SHOWN] = key(request(thing))


def write_sliders(thing, values: dict, moved: dict):
    """values: what the shape says; moved: what it was told, by name. Those of another family go."""
    own = thing.maquette_sample
    rows = [row for row in samplers()[own.model]["sliders"] if row["family"] == own.family]
    if [item.name for item in own.sliders] != [row["name"] for row in rows]:
        for item in own.sliders:
            thing.pop(item.name, None)
        own.sliders.clear()
        for row in rows:
            new_slider(thing, row)
    asked = {name.lower().replace("_", " "): value for name, value in moved.items()}
    for item in own.sliders:
        told = asked.get(item.name.lower())
        value = min(max(values[item.name], item.minimum), item.maximum) if told is None else told
        scale = UNITS.get(item.unit, (1.0, ""))[0]
        item.value, item.moved = value, told is not None
        if item.name not in thing or abs(thing[item.name] / scale - value) > 1e-5 * (item.maximum - item.minimum):
            thing[item.name] = value * scale


def new_slider(thing, row: dict):
    """A slider as the model card has it."""
    item = thing.maquette_sample.sliders.add()
    item.name, item.unit, item.named = row["name"], row["unit"], row["r2"] is not None
    item.part = row.get("part", "")
    item.minimum, item.maximum = row["minimum"], row["maximum"]
    scale, subtype = UNITS.get(row["unit"], (1.0, "NONE"))
    low, high = row["minimum"] * scale, row["maximum"] * scale
    thing[row["name"]] = row["default"] * scale
    thing.id_properties_ui(row["name"]).update(
        min=low, max=high, soft_min=low, soft_max=high, default=row["default"] * scale, subtype=subtype,
        precision=3 if subtype == "DISTANCE" else 2, step=1, description=tooltip(row),
    )  # fmt: skip


def tooltip(row: dict) -> str:
    """What the slider changes, and how well shapes obey it."""
    if row["r2"] is None:
        return f"One of the ways in which a {row['family']} can differ that have no name"
    how = next(words for most, words in OBEYED if row["r2"] >= most)
    return f"{row['name']} of the {row['family']}; {how} (R\N{SUPERSCRIPT TWO} {row['r2']:.2f})"


OBEYED = (
    (0.9, "the shape follows it closely"),
    (0.7, "the shape follows it well"),
    (0.4, "the shape follows it roughly"),
    (-math.inf, "the shape hardly follows it"),
)


# --- while sliders move (see live.py) --------------------------------------------------------------------------------


def stage(thing, wish: Sample, number: int) -> Sample:
    """What to ask first, and then, for a wish; where the whole shape is at hand, no draft is needed."""
    datablocks.check_editable(thing)
    if number:
        return wish
    whole = dataclasses.replace(wish, keep=False)
    return whole if shapes.find(whole) else dataclasses.replace(whole, resolution=DRAFT)
