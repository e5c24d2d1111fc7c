"""Mesh the active object's field again, with other settings: no network runs, so the redo panel works."""

import bpy
from bpy.props import BoolProperty, EnumProperty, FloatProperty, IntProperty

from ..jobs.client import JobError
from ..jobs.requests import Meshing, Remesh, Shape
from . import compute, datablocks, levels, pack_field, provenance, sampled, tasks, textures
from .base import ONCE, OnResult
from .reconstruct import asked_meshing


class MAQUETTE_OT_remesh(OnResult, bpy.types.Operator):
    """Mesh the active object again from its field, without running the network"""

    bl_idname = "maquette.remesh"
    bl_label = "Remesh"
    bl_options = {"REGISTER", "UNDO"}

    auto_level: BoolProperty(name="Automatic Level", default=True, options=ONCE)
    level: FloatProperty(
        name="Level",
        description="How sure to be that there is something",
        default=0.5,
        soft_min=0.05,
        soft_max=0.95,
        step=1,
        options=ONCE,
    )
    style: EnumProperty(
        name="Style", items=[("smooth", "Smooth", ""), ("blocks", "Blocks", "")], default="smooth", options=ONCE
    )
    smoothing: IntProperty(name="Smoothing", default=2, min=0, max=200, soft_max=20, options=ONCE)
    faces: IntProperty(name="Faces", description="At most; 0 keeps all", default=0, min=0, options=ONCE)
    islands: BoolProperty(name="Islands", description="Keep what floats apart", default=False, options=ONCE)
    size: FloatProperty(name="Size", default=1.0, min=0.001, unit="LENGTH", options=ONCE)

    def execute(self, context):
        thing = context.object
        try:
            if tasks.busy():
                raise ValueError(f"Maquette is still busy ({tasks.Status.task.label}); wait for it or press Cancel")
            automatic = levels.of_field(thing)
            meshing = asked_meshing(self, provenance.meshing(thing), automatic)
            asked = request(thing, meshing)
            shape = compute.connect().run(asked)
            place(thing, shape, asked)
        except (JobError, ValueError) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._show(meshing, automatic)
        for note in provenance.notes(shape.report):
            self.report({"WARNING"}, note)
        return {"FINISHED"}

    def _show(self, meshing: Meshing, automatic: float):
        """Have the redo panel start from what the mesh is like now."""
        self.auto_level = meshing.level is None
        self.level = automatic if meshing.level is None else meshing.level
        for name in ("style", "smoothing", "faces", "islands", "size"):
            if getattr(meshing, name) is not None:  # a capture has its cameras' size
                setattr(self, name, getattr(meshing, name))


STAGES = 1
UNDO = "Remesh"


def stage(thing, wish: Meshing, number: int) -> Remesh:
    """What to ask while a slider moves (see live.py)."""
    return request(thing, wish)


def request(thing, meshing: Meshing) -> Remesh:
    """What to ask for this object; a packed field is put back into the cache first."""
    datablocks.check_editable(thing)
    pack_field.unpack(thing)
    return Remesh(field=provenance.field(thing), meshing=meshing, cache=compute.cache())


def place(thing, shape: Shape, asked: Remesh):
    """Put the new mesh where the old one was."""
    datablocks.check_editable(thing)
    up_to_date, textured = sampled.is_sample(thing) and sampled.shows(thing), textures.shown(thing)
    datablocks.fill_mesh(thing.data, shape, asked.meshing.style)
    if textured:
        textures.colours_in_views(bpy.context)
    provenance.note_meshing(thing, asked.meshing, shape.report)
    if up_to_date:
        sampled.mark(thing)
