"""A capture in its true size, by a distance that somebody has measured."""

import bmesh
import bpy
from bpy.props import FloatProperty, FloatVectorProperty
from mathutils import Vector

from . import captured, placing, provenance
from .base import ONCE


class MAQUETTE_OT_set_scale(placing.OfCapture, bpy.types.Operator):
    """Scale the capture with its cameras so that the two vertices selected in Edit Mode are this far apart"""

    bl_idname = "maquette.set_scale"
    bl_label = "Set Scale"
    bl_options = {"UNDO"}

    distance: FloatProperty(
        name="Distance", description="Between the two points", default=1.0, min=1e-6, unit="LENGTH", options=ONCE
    )
    first: FloatVectorProperty(name="First", description="A point of the world, in place of a vertex", options=ONCE)
    second: FloatVectorProperty(name="Second", description="Another one", options=ONCE)

    def execute(self, context):
        thing = context.object
        wanted = self if self.properties.is_property_set("distance") else context.scene.maquette.capture
        try:
            first, second = self._points(thing)
            apart = (second - first).length
            if apart <= 1e-9 * max(1.0, first.length):
                raise ValueError("The two points are at one place; choose two that are apart")
            factor = wanted.distance / apart
            things = captured.belonging(thing)
            placing.check(things)
        except ValueError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if thing.mode != "OBJECT":  # an undo step of Edit Mode would not hold where objects are
            bpy.ops.object.mode_set(mode="OBJECT")
        scale(context, things, thing.matrix_world.translation.copy(), factor)
        thing[provenance.SCALE] = thing.get(provenance.SCALE, 1.0) * factor
        self.report({"INFO"}, f"{thing.name} is {factor:.4g} times as large as before")
        return {"FINISHED"}

    def _points(self, thing) -> tuple[Vector, Vector]:
        """Of the world. Raises ValueError with a sentence."""
        given = [self.properties.is_property_set(name) for name in ("first", "second")]
        if all(given):
            return Vector(self.first), Vector(self.second)
        if any(given):
            raise ValueError("Set Scale needs both points, First and Second")
        if thing.mode != "EDIT":
            raise ValueError("Go to Edit Mode and select two vertices whose distance you know")
        picked = [vertex.co for vertex in bmesh.from_edit_mesh(thing.data).verts if vertex.select]
        if len(picked) != 2:
            raise ValueError(f"{len(picked)} vertices are selected; select exactly two whose distance you know")
        first, second = (thing.matrix_world @ place for place in picked)
        return first, second


def scale(context, things, pivot, factor: float):
    """Scale objects together round a point; cameras keep their own scale, for theirs is none of the picture's."""
    context.view_layer.update()
    wanted = {}
    for thing in things:
        matrix = thing.matrix_world.copy()
        if thing.type != "CAMERA":
            matrix = matrix @ matrix.Scale(factor, 4)
        matrix.translation = pivot + factor * (thing.matrix_world.translation - pivot)
        wanted[thing] = matrix
    placing.place(context, wanted)
    for data in {thing.data for thing in things if thing.type == "CAMERA"}:
        data.display_size *= factor
        data.clip_start, data.clip_end = data.clip_start * factor, data.clip_end * factor
        data.dof.focus_distance *= factor
