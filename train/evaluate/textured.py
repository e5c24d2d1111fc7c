"""A captured mesh as a renderer shows it: with its vertex colours, and with a texture of the photos."""

import dataclasses

import numpy as np
from scipy.ndimage import minimum_filter

from ...geometry.bake import bake
from ...geometry.drawn import drawn
from ...geometry.hull import OBJECT
from ...geometry.similar import psnr, ssim
from ...geometry.unwrap import unwrap
from ...geometry.views import reduced

INSIDE = 3
"""Pixels from outlines at which the surface alone is compared, and not where it ends"""


def rows(mesh, photos, held_out, size: int, now):
    """A row with the colours, and one with the texture; now() tells the seconds."""
    yield {"method": "its mesh, vertex colours"} | scores(mesh, held_out)
    start = now()
    mesh = dataclasses.replace(mesh, uvs=unwrap(mesh, size))
    baked = bake(mesh, len(photos), lambda number, longest: reduced(photos[number], longest), size)
    seconds = now() - start
    mesh = dataclasses.replace(mesh, texture=baked.texture)
    yield {"method": f"its mesh, texture {size}", "seconds": seconds} | scores(mesh, held_out)


def scores(mesh, held_out) -> dict:
    """Means over held-out views: whole pictures on white where there are masks, and the surface alone."""
    found = {"PSNR": [], "SSIM": [], "surface": []}
    for photo in held_out:
        colours, opacity = drawn(mesh, photo)
        truth, kept = photo.image.astype(np.float32) / 255, opacity > 0.99
        if photo.mask is not None:
            alpha = photo.mask[..., None].astype(np.float32) / 255
            truth, kept = truth * alpha + 1 - alpha, kept & (photo.mask > 2 * OBJECT - 2)
            whole = colours + 1 - opacity[..., None]
            found["PSNR"].append(psnr(whole, truth))
            found["SSIM"].append(ssim(whole, truth))
        kept = minimum_filter(kept, 2 * INSIDE + 1)
        if kept.any():
            found["surface"].append(psnr(colours[kept][None], truth[kept][None]))
    return {name: float(np.mean(values)) for name, values in found.items() if values}
