"""Remesh: a field that was made before -> Shape with other settings, without running a network."""

import dataclasses
import time

import numpy as np

from .. import __version__
from ..geometry import frames, isosurface, mesh, unseen, upright
from . import fields
from .requests import Meshing, Remesh, Shape


def remesh(request: Remesh, progress, cancelled) -> Shape:
    """The mesh of a cached field as the settings want it."""
    start = time.perf_counter()
    progress(0.05, "Field")
    field = fields.fetch(request.field, request.cache)
    provenance = {
        "verb": "remesh",
        "version": __version__,
        "settings": dataclasses.asdict(request.meshing),
        "field": request.field,
    }
    shape = shape_from_field(field, request.meshing, progress, request.preview)
    report = shape.report | {"device": "cpu", "seconds": time.perf_counter() - start}
    return dataclasses.replace(shape, field=request.field, report=report, provenance=provenance)


def shape_from_field(field, meshing: Meshing, progress, picture: str = "", span=(0.2, 0.95), paint=None) -> Shape:
    """Field -> Shape; the report lacks seconds and device.

    It stands on z = 0, its longest side `meshing.size` metres, or without a size is where the field says, upright where
    that says what is up; `placement` in the report is the matrix (4, 4) that brought it there from the field's frame.

    picture: PNG to draw the result to, "" for none; span: the part of the progress that this takes; paint(mesh) -> the
    Mesh with a texture, while it is where the field says, and what to report of that."""
    first, last = span
    progress(first, "Surface")
    found = isosurface.mesh_from_field(field, **meshing.keywords())
    if field.seen is not None:
        found = unseen.culled(found, field)
    found, painted = paint(found) if paint else (found, {})
    progress(first + 0.7 * (last - first), "Check")
    placed, way = found, np.eye(4)
    if field.up is not None:
        way = upright.way_to(field.up, found.vertices)
    if meshing.size or not field.has_place:
        way = frames.to_standing(frames.carried(found.vertices, way), meshing.size or 1.0) @ way
    elif field.turn:
        way[:3, :3] = frames.turned(np.eye(3), field.turn).T
    if (way != np.eye(4)).any():
        placed = dataclasses.replace(found, vertices=frames.carried(found.vertices, way).astype("f4"))
    report = mesh.report(placed) | {"field_level": field.level, "over_budget": over_budget(placed, meshing.faces)}
    report["placement"] = way.tolist()
    report |= painted
    if picture:
        from ..geometry import preview  # few ask for one

        progress(first + 0.8 * (last - first), "Preview")
        preview.write_preview(placed, picture)
    sure = isosurface.confidence_at(field, found.vertices)
    if sure is not None:
        report["confidence"] = round(float(sure.mean()), 3) if len(sure) else 0.0
    parts = {"confidence": sure, "uvs": placed.uvs, "texture": placed.texture}
    return Shape(placed.vertices, placed.faces, placed.colours, report=report, **parts)


def over_budget(shape, faces: int) -> str:
    """A sentence where a mesh has more faces than were asked for, else ""."""
    if not faces or len(shape.faces) <= faces:
        return ""
    return f"Faces is {faces}, but this mesh has {len(shape.faces)}: no smaller one that is closed keeps the shape"
