"""Encode: a mesh -> the latent of a sampler whose shape is most like it, and where that shape goes to meet the mesh."""

from __future__ import annotations

import math
import os
import time

import numpy as np

from ..geometry import distance, mesh_file
from ..geometry.mesh import Mesh, pieces
from ..nets import inverse, sampler
from ..nets.solid import Solid, mirrored_iou, solid_from
from .inversion import answer, searched
from .requests import Encode, Encoded

FACES = 500_000
SMALLEST, GREATEST = 1e-4, 1e5
"""Metres of the longest side"""
THICKEN = 0.01
"""Of the longest side, by which sheets are thickened that enclose nothing"""
ALIKE = 0.5
"""IoU below which a mesh is nothing that the model knows"""
SYMMETRIC = 0.9
"""IoU of a solid and its mirror image from which it counts as symmetric"""


def encode(request: Encode, progress, cancelled) -> Encoded:
    """Raises ValueError with a sentence for meshes that cannot be used."""
    start = time.perf_counter()
    progress(0.02, "Mesh")
    name = os.path.basename(request.path) or "the mesh"
    mesh, notes = cleaned(read(request), name)
    progress(0.05, "Mesh", "filling")
    solid, middle, said = solid_of(mesh, name)
    progress(0.15, "Network")
    model, families, where = searched(request)
    solid = solid_from(solid, float(extent(mesh).max()), where)
    found = inverse.find(model, solid, families, lambda share, note: progress(0.2 + 0.75 * share, "Network", note))
    notes += [said, *doubts(solid, found)]
    return answer(model, found, where, start, placed(found, solid.longest, middle), notes)


def read(request: Encode) -> Mesh:
    if request.path:
        return mesh_file.read_mesh(request.path)
    return Mesh(request.vertices, request.faces)


def cleaned(mesh: Mesh, name: str) -> tuple[Mesh, list[str]]:
    """Corners at one place joined where it is not closed; and notes on holes and on several pieces.

    Raises ValueError with a sentence where nothing usable is left."""
    if not len(mesh.faces):
        raise ValueError(f"{name} has no faces; Encode needs a mesh with a surface")
    if len(mesh.faces) > FACES:
        raise ValueError(f"{name} has {len(mesh.faces)} faces; Encode takes at most {FACES}, so decimate it first")
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    if not np.isfinite(corners).all():
        raise ValueError(f"{name} has vertices that are no finite numbers")
    low, high = corners.min((0, 1)), corners.max((0, 1))
    span = float((high - low).max())
    if not SMALLEST <= span <= GREATEST:
        raise ValueError(
            f"{name} is {span:.3g} m long; Encode takes meshes from {SMALLEST:g} to {GREATEST:g} m, so scale it first"
        )
    if (high - low).min() < 1e-4 * span:
        raise ValueError(f"{name} is flat: it encloses nothing, so no solid is like it")
    joined = mesh if mesh.is_watertight else welded(corners, span)
    if not len(joined.faces):
        raise ValueError(f"{name} is flat: none of its faces has an area")
    count = len(np.unique(pieces(joined.faces, len(joined.vertices))))
    note = f"{name} is in {count} pieces, which are taken together" if count > 1 else ""
    return joined, [note, "" if joined.is_watertight else f"{name} is not closed, so what it encloses is a guess"]


def welded(corners: np.ndarray, span: float) -> Mesh:
    """Triangles (F, 3, 3) with corners at one place shared, those without area gone."""
    places = np.round((corners.reshape(-1, 3) - corners.min((0, 1))) / (span * 1e-6))
    _, first, same = np.unique(places, axis=0, return_index=True, return_inverse=True)
    faces = same.reshape(-1, 3)
    faces = faces[(faces != np.roll(faces, 1, axis=1)).all(1)]
    return Mesh(corners.reshape(-1, 3)[first], faces.astype(np.int32))


def extent(mesh: Mesh) -> np.ndarray:
    return np.ptp(mesh.vertices[np.unique(mesh.faces)], axis=0)


def solid_of(mesh: Mesh, name: str) -> tuple[np.ndarray, np.ndarray, str]:
    """Distances (64, 64, 64) in the cube round the mesh, the cube's middle (3,) in metres, and a note."""
    middle = mesh.bounds.mean(axis=0).astype(np.float64)
    unit = Mesh((mesh.vertices - middle) / extent(mesh).max(), mesh.faces)
    for thicken in (0.0, THICKEN):
        try:
            note = f"{name} has walls so thin that they were thickened" if thicken else ""
            return distance.signed_distance(unit, thicken=thicken), middle, note
        except ValueError as error:
            reason = str(error)
    raise ValueError(f"{name} {reason}; close its holes or give it thickness")


def doubts(solid: Solid, found: inverse.Found) -> list[str]:
    """Sentences on what cannot be met."""
    said = []
    if mirrored_iou(solid, found.turn) < SYMMETRIC:
        said.append("the mesh's left and right differ, but this model's shapes are symmetric")
    if found.iou < ALIKE:
        said.append(
            f"the mesh is unlike anything this model knows: the nearest {found.place.family.name} shares "
            f"{found.iou:.0%} of the space; it should stand upright on the ground (z up)"
        )
    return said


def placed(found: inverse.Found, longest: float, middle: np.ndarray) -> dict:
    """What takes the sampled shape, in metres on its floor, to the mesh: p -> turned(p) * scale + centre."""
    side = found.place.family.side
    turn = math.radians(found.turn)
    rotation = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    origin = np.array([0, 0, sampler.GROUND]) - found.shift
    centre = middle + longest / found.size * rotation @ origin
    return {
        "turn": round(found.turn, 3),
        "scale": longest / (found.size * side),
        "centre": [round(float(value), 6) for value in centre],
    }
