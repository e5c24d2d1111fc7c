"""Sample: a place in a network's latent space -> Shape."""

import dataclasses
import time

import numpy as np

from .. import __version__
from ..geometry import frames, mesh, preview
from ..nets import device, sampler
from . import fields
from .remesh import shape_from_field
from .requests import Point, Sample, Shape


def sample(request: Sample, progress, cancelled) -> Shape:
    """Raises ValueError with a sentence for families, sliders and latents that the model does not have."""
    start = time.perf_counter()
    progress(0.05, "Network")
    where = device.pick(request.device)
    model = sampler.load(request.model, str(where))
    here = place(model, request.point)
    there = place(model, request.other) if request.other else None
    make = from_field if model.has_fields else from_mesh
    shape, key, unkept = make(model, here, there, request, progress)
    report = shape.report | {"device": str(where), "seconds": time.perf_counter() - start} | told(model, here, there)
    notes = [unkept, strange(model, here), strange(model, there) if there else ""]
    if any(notes):
        report["note"] = ". ".join(dict.fromkeys(filter(None, notes)))
    return dataclasses.replace(shape, field=key, report=report, provenance=provenance(request, model, where))


def from_field(model, here, there, request: Sample, progress) -> tuple[Shape, str, str]:
    """-> Shape, the key of its field, and a sentence where that could not be kept."""
    progress(0.2, "Field")
    coarse = request.resolution < 64
    draft = coarse and not request.keep
    field = model.field(here, there, request.factor, coarse, draft)
    key, unkept = fields.keep(field, request.cache) if request.keep else ("", "")
    if request.save_field:
        field.save(request.save_field)
    meshing = request.meshing
    if draft:  # what hangs by a thread in the fine mesh stays in sight
        meshing = dataclasses.replace(meshing, islands=True)
    return shape_from_field(field, meshing, progress, request.preview, span=(0.4, 0.97)), key, unkept


def from_mesh(model, here, there, request: Sample, progress) -> tuple[Shape, str, str]:
    """The same of a network that makes meshes, which have no field: their faces stay the same whatever moves."""
    progress(0.2, "Mesh")
    if request.save_field:
        raise ValueError(f"{request.model} makes meshes without a field, so there is none to save")
    found = model.mesh(here, there, request.factor)
    if request.meshing.size:
        found = dataclasses.replace(found, vertices=frames.standing(found.vertices, request.meshing.size).astype("f4"))
    if request.preview:
        preview.write_preview(found, request.preview)
    report = mesh.report(found) | {"faces": len(np.unique(found.polygons))}  # a quad is one
    return Shape(found.vertices, found.faces, uvs=found.uvs, polygons=found.polygons, report=report), "", ""


def place(model: sampler.Sampler, point: Point) -> sampler.Place:
    """Where a Point says."""
    family = model.family(point.family)
    found = model.given(family, point.latent) if point.latent else model.draw(family, point.seed, point.truncation)
    if point.amount:
        found = model.varied(found, point.variation, point.amount)
    return model.set(found, point.sliders)


def told(model: sampler.Sampler, here: sampler.Place, there: sampler.Place | None) -> dict:
    """What the report says of a place: family, latent, and every slider's value."""
    found = {
        "family": here.family.name,
        "sliders": {name: round(value, 4) for name, value in model.values(here).items()},
        "latent": here.latent.tolist(),
    }
    if there:
        found["other"] = {"family": there.family.name, "latent": there.latent.tolist()}
    return found


def strange(model: sampler.Sampler, here: sampler.Place) -> str:
    """A sentence where a shape is so far from all known ones that it may fall apart, else ""."""
    far = model.strangeness(here)
    if far < sampler.STRANGE:
        return ""
    return f"this {here.family.name} is {far:.1f} times as unusual as those it was learned from, and may fall apart"


def provenance(request: Sample, model: sampler.Sampler, where) -> dict:
    """Enough to make the same shape again, bit for bit on the same device, torch and thread count."""
    settings = {
        "resolution": request.resolution,
        "point": dataclasses.asdict(request.point),
        "other": dataclasses.asdict(request.other) if request.other else None,
        "factor": request.factor,
        "meshing": dataclasses.asdict(request.meshing),
        "device": request.device,
    }
    return {
        "verb": "sample",
        "settings": settings,
        "seed": request.point.seed,
        "network": request.model,
        "weights": model.card["sha256"],
        "version": __version__,
        **device.versions(where),
    }
