"""Fit: a photo of an object -> the latent of a sampler whose shape, seen from the right side, has the same outline."""

from __future__ import annotations

import time

from ..geometry.crop import crop_to_object
from ..geometry.picture import Picture, read_picture
from ..nets import catalog, from_outline, image_to_field, predict
from . import reconstruct
from .inversion import answer, searched
from .isolate import isolate
from .requests import Encoded, Fit

ALIKE = 0.75
"""IoU of outlines below which the model has nothing like it"""
EDGE = 0.004
"""Share of a picture's border that an object may touch before it counts as cut off"""


def fit(request: Fit, progress, cancelled) -> Encoded:
    """Raises ValueError with a sentence for pictures that cannot be used."""
    start = time.perf_counter()
    progress(0.02, "Picture")
    picture = read_picture(request.image)
    mask = read_picture(request.mask) if request.mask else None
    progress(0.04, "Background")
    isolated, doubt = isolate(picture, mask, request.device)
    crop, _ = crop_to_object(isolated.rgba, image_to_field.PICTURE)
    progress(0.1, "Network")
    model, families, where = searched(request)
    elevation = seen_from(crop, where)
    found = from_outline.fit(
        model,
        crop[..., 3],
        families,
        lambda share, note: progress(0.15 + 0.8 * share, "Network", note),
        elevation,
    )
    notes = [doubt, cut_off(picture, isolated.mask)]
    if found.iou < ALIKE:
        notes.append(
            f"nothing this model knows has the outline in {picture.name}: the nearest {found.place.family.name} "
            f"covers {found.iou:.0%} of it; look at the mask, or choose the family"
        )
    seen = {"azimuth": round(found.azimuth, 2), "elevation": round(found.elevation, 2), "mask": isolated.method}
    return answer(model, found, where, start, seen, notes)


def seen_from(crop, where) -> float | None:
    """Degrees that the camera looks down by, as Reconstruct's network reads them off the picture; None without it."""
    if not catalog.bundled(reconstruct.NETWORK):
        return None
    return predict.looks_down(reconstruct.loaded(reconstruct.NETWORK, str(where)), crop)


def cut_off(picture: Picture, mask) -> str:
    """A sentence where the object reaches beyond the picture."""
    border = [mask[0], mask[-1], mask[:, 0], mask[:, -1]]
    touched = sum(int((line >= 0.5).sum()) for line in border) / sum(map(len, border))
    return f"the object is cut off at the edge of {picture.name}, so its outline misleads" if touched > EDGE else ""
