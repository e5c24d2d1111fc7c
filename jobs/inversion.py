"""What Encode and Fit share: a sampler to run backwards, and the answer that says where in its latent space to go."""

from __future__ import annotations

import time

from ..nets import device, inverse, sampler
from .requests import Encode, Encoded, Fit, Point


def searched(request: Encode | Fit) -> tuple[sampler.Sampler, list[sampler.Family], object]:
    """The sampler, those of its families that are meant, and the device it is on.

    Raises ValueError with a sentence where there is no such sampler or family, or it has no fields to compare."""
    where = device.pick(request.device)
    model = inverse.with_fields(sampler.load(request.model, str(where)))
    return model, [model.family(request.family)] if request.family else list(model.families), where


def answer(model: sampler.Sampler, found, where, start: float, more: dict, notes: list[str]) -> Encoded:
    """found: what the search returned, with place, iou and tried; start: when it all began; more: of the report."""
    report = {
        "seconds": time.perf_counter() - start,
        "device": str(where),
        "iou": round(found.iou, 4),
        "family": found.place.family.name,
        "families": [{"name": family, "iou": round(iou, 4)} for family, iou in found.tried],
        "strangeness": round(model.strangeness(found.place), 3),
        **more,
    }
    if any(notes):
        report["note"] = ". ".join(filter(None, notes))
    return Encoded(Point(found.place.family.name, latent=tuple(found.place.latent.tolist())), report)
