"""Reconstruct: a picture of an object -> Shape, as seen from the front in the picture."""

from __future__ import annotations

import dataclasses
import functools
import time

import numpy as np

from .. import __version__
from ..geometry.crop import crop_to_object
from ..geometry.field import Field
from ..geometry.frames import UNIT_CUBE
from ..geometry.picture import read_picture
from ..nets import catalog, checkpoint, device, image_to_field, predict
from . import fields
from .isolate import isolate
from .remesh import shape_from_field
from .requests import Reconstruct, Shape

NETWORK = "image_to_field"
COLOUR_PIXELS = 256
"""Side of the crop that colours are read from; the network itself sees 128."""


def reconstruct(request: Reconstruct, progress, cancelled) -> Shape:
    """One picture for now. Raises ValueError with a sentence for pictures that cannot be used."""
    if len(request.images) > 1:
        raise ValueError(
            f"Reconstruct takes one picture of an object for now, not {len(request.images)}; "
            "for an object from each picture, choose them as separate objects (--each)"
        )
    start = time.perf_counter()
    progress(0.02, "Picture")
    picture = read_picture(request.images[0])
    progress(0.06, "Background")
    mask = read_picture(request.mask) if request.mask else None
    isolated, doubt = isolate(picture, mask, request.device)
    crop, _ = crop_to_object(isolated.rgba, image_to_field.PICTURE)
    close, _ = crop_to_object(isolated.rgba, COLOUR_PIXELS)
    progress(0.1, "Network", "loading")
    estimate, where, note = run(crop, close, request, progress)
    progress(0.6, "Field")
    field = Field(estimate.occupancy, level(), UNIT_CUBE, estimate.colour)
    key, unkept = fields.keep(field, request.cache)
    if request.save_field:
        field.save(request.save_field)
    shape = shape_from_field(field, request.meshing, progress, request.preview, span=(0.65, 0.97))
    report = shape.report | {
        "device": str(where),
        "seconds": time.perf_counter() - start,
        "mask": isolated.method,
        "camera": estimate.camera,
    }
    if note or unkept or doubt:
        report["note"] = ". ".join(filter(None, (note, unkept, doubt)))
    return dataclasses.replace(
        shape, field=key, report=report, provenance=provenance(request, picture, mask, where, isolated)
    )


def run(crop: np.ndarray, close: np.ndarray, request: Reconstruct, progress):
    """-> Estimate, the torch device it ran on, and a sentence when that was not the one asked for."""
    notes: list[str] = []

    def work(where, chunks):
        network = loaded(str(where))
        return predict.predict(
            network,
            crop,
            close,
            request.resolution,
            chunks,
            lambda fraction, note: progress(0.15 + 0.45 * fraction, "Network", note),
            **dataclasses.asdict(request.view),
        ), where

    estimate, where = device.with_less_memory(work, device.pick(request.device), say=notes.append)
    return estimate, where, " ".join(notes)


@functools.lru_cache(maxsize=2)
def loaded(where: str):
    """The network on a device, kept warm between requests."""
    return checkpoint.load(NETWORK, where)


def level() -> float:
    """Occupancy at the surface, chosen on procedural validation shapes."""
    return float(catalog.card(NETWORK).get("level", 0.5))


def provenance(request: Reconstruct, picture, mask, where, isolated) -> dict:
    """Enough to make the same shape again, bit for bit on the same device, torch and thread count."""
    settings = {
        "resolution": request.resolution,
        "view": dataclasses.asdict(request.view),
        "device": request.device,
        "meshing": dataclasses.asdict(request.meshing),
    }
    return {
        "verb": "reconstruct",
        "settings": settings,
        "images": [{"path": str(picture.path), "sha256": picture.sha256}],
        **({"mask": {"path": str(mask.path), "sha256": mask.sha256}} if mask else {}),
        **({"matting": catalog.card("matting")["sha256"]} if isolated.method == "network" else {}),
        "network": NETWORK,
        "weights": catalog.card(NETWORK)["sha256"],
        "version": __version__,
        **device.versions(where),
    }
