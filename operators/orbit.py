"""Where to photograph objects from: all round them, or where the scene's cameras stand."""

import math

import bpy
import numpy as np
from mathutils import Vector

from ..geometry import frames
from . import studio
from .studio import Shot

SENSOR = 36.0
ROOM = 1.06
"""How much larger a picture is than the ball round what it shows"""


def chosen(context) -> list:
    """What is selected and can be seen, with what an empty holds; where that is nothing, the whole scene.

    Raises ValueError where no render would show any of it."""
    seen = [thing for thing in studio.rendered(context.view_layer) if studio.shows(thing)]
    picked = set()
    for thing in context.selected_objects:
        holds = thing.type == "EMPTY" or thing.instance_type != "NONE"
        picked.update([thing, *thing.children_recursive] if holds else [thing])
    picked = [thing for thing in picked if studio.shows(thing)]
    if hidden := [thing.name for thing in picked if thing not in seen]:
        raise ValueError(f"{min(hidden)} is hidden from renders; show it there, or deselect it")
    found = picked or seen
    if not found:
        raise ValueError("There is nothing to render in this scene; add an object first")
    return sorted(found, key=lambda thing: thing.name)


def all_round(context, things, count: int, low: float, high: float, lens: float) -> list[Shot]:
    """Shots on a spiral round things, each with all of them in its square picture; low, high: radians of elevation."""
    if low >= high:
        raise ValueError(f"Lowest is {math.degrees(low):.0f} degrees; it must be below Highest")
    middle, radius = ball_round(context, things)
    away = ROOM * radius / math.sin(math.atan(SENSOR / 2 / lens))
    clip = (away - radius) / 4, (away + radius) * 4
    shots = []
    for number, (turn, height) in enumerate(frames.spiral(count, math.degrees(low), math.degrees(high))):
        matrix = frames.orbit(turn, height, away, middle).tolist()
        shots.append(Shot(f"view_{number:03}", tuple(map(tuple, matrix)), lens=lens, clip=clip))
    return shots


def from_cameras(context) -> tuple[list[Shot], list[str]]:
    """A shot for each camera of the scene that can be captured with, and a sentence for each other one."""
    cameras = [thing for thing in context.scene.objects if thing.type == "CAMERA"]
    if not cameras:
        raise ValueError("There is no camera in this scene; add some, or choose Orbit")
    shots, notes, taken = [], [], set()
    for camera in sorted(cameras, key=lambda thing: thing.name):
        if camera.data.type != "PERSP":
            notes.append(f"{camera.name} is left out: it is no perspective camera")
        elif camera.matrix_world.determinant() <= 0:
            notes.append(f"{camera.name} is left out: it is mirrored, or has no size")
        else:
            matrix = camera.matrix_world.normalized()
            name = _free(bpy.path.clean_name(camera.name), taken)
            shots.append(Shot(name, tuple(map(tuple, matrix)), camera=studio.key(camera)))
    if len(shots) < 2:
        raise ValueError(
            " ".join(["Capture needs two perspective cameras or more; add some, or choose Orbit.", *notes])
        )
    return shots, notes


def ball_round(context, things) -> tuple[list[float], float]:
    """Middle and radius of what is seen of things, with their modifiers and instances."""
    corners = []
    for seen in context.evaluated_depsgraph_get().object_instances:
        owner = (seen.parent if seen.is_instance else seen.object).original
        if owner in things and seen.object.type in studio.SHOWN:
            corners += [seen.matrix_world @ Vector(corner) for corner in seen.object.bound_box]
    if not corners:
        raise ValueError(f"{things[0].name} shows nothing here; is it hidden?")
    corners = np.array(corners)
    middle = (corners.min(0) + corners.max(0)) / 2
    radius = float(np.linalg.norm(corners - middle, axis=1).max())
    if radius <= 0:
        raise ValueError(f"{things[0].name} has no size, so there is nothing to see")
    return middle.tolist(), radius


def _free(name: str, taken: set) -> str:
    """A name that no other file has, on systems that do not tell case apart either."""
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{name}-{number}"
    taken.add(found.lower())
    return found
