"""Sampled shapes that this session made: a second playback, an undo and a slider's way back then cost nothing."""

import dataclasses
import hashlib
import json
from collections import OrderedDict

from ..jobs.requests import Sample, Shape

LIMIT = 256 * 2**20
"""Bytes; the shapes that were not used for longest go first."""
_kept: OrderedDict[str, Shape] = OrderedDict()
_total = 0


def find(asked) -> Shape | None:
    """The shape that a request would give, if it is at hand; with a field where the request wants one kept."""
    if not isinstance(asked, Sample):
        return None
    name = _name(asked)
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
    name = _name(asked)
    _total += _size(shape) - (_size(_kept.pop(name)) if name in _kept else 0)
    _kept[name] = shape
    while _total > LIMIT and len(_kept) > 1:
        _total -= _size(_kept.popitem(last=False)[1])


def forget():
    global _total
    _kept.clear()
    _total = 0


def _name(asked: Sample) -> str:
    """Of everything that decides about the vertices. One session has one set of weights."""
    what = asked.model, asked.point, asked.other, asked.factor, asked.resolution, asked.meshing
    plain = [dataclasses.asdict(part) if dataclasses.is_dataclass(part) else part for part in what]
    return hashlib.sha1(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _size(shape: Shape) -> int:
    colours = 0 if shape.colours is None else shape.colours.nbytes
    return shape.vertices.nbytes + shape.faces.nbytes + colours
