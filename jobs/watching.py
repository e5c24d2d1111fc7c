"""Somebody watches a capture become: the mesh so far, and a word from them when it is enough."""

from __future__ import annotations

import time

from ..geometry.box import cut
from ..geometry.field import Field
from ..geometry.isosurface import mesh_from_field
from ..nets import bake_radiance
from .protocol import Cancelled
from .requests import Shape

ROUGH = 96
"""Cells along the box that the mesh so far is made of at most"""
SPARING = 12
"""A mesh is not made again before this many times as long has passed as it took to make"""


class Watcher:
    """What a fitting tells, passed on; `enough` once whoever watches says so."""

    def __init__(self, every: float, progress, span: tuple[float, float], box=None):
        self.every, self.progress, self.span, self.box = every, progress, span, box
        self.enough = False
        self.fraction, self.note = 0.0, ""
        self.next = time.monotonic()

    def say(self, fraction: float, note: str) -> None:
        first, last = self.span
        self.fraction, self.note = first + (last - first) * fraction, note
        self._tell()

    def show(self, fitted) -> None:
        """The mesh of a Fitted, where one is due."""
        start = time.monotonic()
        if not self.every or start < self.next or fitted.field is None:
            return
        self._tell(shape=rough(fitted, self.box))
        took = time.monotonic() - start
        self.next = start + max(self.every, SPARING * took)

    def _tell(self, **more) -> None:
        """Whoever has cancelled hears so from what follows the fitting, which ends in good order and is kept."""
        try:
            self.enough = bool(self.progress(self.fraction, "Fitting", self.note, **more)) or self.enough
        except Cancelled:
            self.enough = True


def rough(fitted, box=None) -> Shape | None:
    """The mesh of what is fitted so far, coarse and without clean-up but islands; None where there is no surface."""
    every = -(-fitted.field.grid.resolution // ROUGH)
    values, colours = bake_radiance.volumes(fitted, every)
    if not (values > 0).any():
        return None
    field = Field(values, 0.0, bake_radiance.bounds(fitted, every), colours)
    try:
        mesh = mesh_from_field(cut(field, box) if box else field)
    except ValueError:  # nothing is in the box as yet
        return None
    return Shape(mesh.vertices, mesh.faces, mesh.colours)
