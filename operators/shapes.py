"""Sampled shapes made since Blender started: a second playback, an undo and a slider's way back then cost nothing."""

import dataclasses
import hashlib
import json
from collections import OrderedDict

from ..jobs.requests import Point, Sample, Shape

LIMIT = 256 * 2**20
"""Bytes; the shapes that were not used for longest go first."""
_kept: OrderedDict[str, Shape] = OrderedDict()
_total = 0


def find(asked) -> Shape | None:
    """The shape that a request would give, if it is at hand; with a field where the request wants one kept."""
    if not isinstance(asked, Sample):
        return None
    name = key(asked)
    shape = _kept.get(name)
    if shape is None or asked.keep and not shape.field:
        return None
    _kept.move_to_end(name)
    return shape


def keep(asked, shape: Shape):
    """Have this shape at hand from now on."""
    global _total
    if not isinstance(asked, Sample):
        return
    name = key(asked)
    _total += _size(shape) - (_size(_kept.pop(name)) if name in _kept else 0)
    _kept[name] = shape
    while _total > LIMIT and len(_kept) > 1:
        _total -= _size(_kept.popitem(last=False)[1])


def forget():
    global _total
    _kept.clear()
    _total = 0


def key(asked: Sample) -> str:
    """Of everything that decides about the vertices but the weights, of which one Blender has one set."""
    other = vars(tidy(asked.other)) if asked.other else None
    what = asked.model, vars(tidy(asked.point)), other, exact(asked.factor), asked.resolution, vars(asked.meshing)
    return hashlib.sha1(json.dumps(what, sort_keys=True).encode()).hexdigest()


def exact(value: float) -> float:
    """To six digits, which Blender's properties keep as they are: what is written is read back the same."""
    return float(f"{value:.6g}")


def tidy(place: Point) -> Point:
    """The point with numbers that properties keep exactly."""
    moved = {name: exact(value) for name, value in place.sliders.items()}
    return dataclasses.replace(place, truncation=exact(place.truncation), amount=exact(place.amount), sliders=moved)


def _size(shape: Shape) -> int:
    arrays = shape.vertices, shape.faces, shape.colours, shape.uvs, shape.polygons
    return sum(array.nbytes for array in arrays if array is not None)
