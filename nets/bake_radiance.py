"""A fitted RadianceField as plain volumes and pictures: what meshes, caches and scores are made from."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

from ..geometry.calmed import calmed
from ..geometry.scene import Photo
from .fit_stage import Fitted, pictured, skipper
from .pixels import every_ray, small

COLOURED = 3.0
"""Cells on either side of the surface that get a colour."""


@torch.no_grad()
def volumes(fitted: Fitted, every: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Distances (N, N, N), inside > 0, in the captured world's unit, and colours (N, N, N, 3) sRGB near the surface.

    Samples lie at every so manieth corner of the fitted cells: N = R / every + 1, and the cube's faces go through the
    outermost samples. A place has the colour that it shows to somebody who looks straight at the surface there. Where
    every corner is taken, the surface is calmed.
    """
    made, n = fitted.field, fitted.field.grid.resolution // every
    volume = fitted.volume[::every, ::every, ::every]
    slope = torch.stack(torch.gradient(volume), -1)
    colour = volume.new_zeros(*volume.shape, 3)
    taken = (made.grid.places % every == 0).all(1)
    x, y, z = (made.grid.places[taken] // every).unbind(1)
    close = volume[x, y, z].abs() < COLOURED / n
    x, y, z = x[close], y[close], z[close]
    inwards = F.normalize(slope[x, y, z], dim=1)
    logits = made.colour[taken][close]
    colour[x, y, z] = torch.cat([made.tint(c, d) for c, d in zip(logits.split(1 << 18), inwards.split(1 << 18))])
    side, distance = fitted.similarity.side, volume.cpu().numpy()
    return (calmed(distance, 1 / n) if every == 1 else distance) * np.float32(side), colour.cpu().numpy()


def bounds(fitted: Fitted, every: int = 1) -> np.ndarray:
    """(2, 3) the outer faces of the grid of `volumes` in the captured world."""
    half = 0.5 + 0.5 * every / fitted.field.grid.resolution
    return fitted.similarity.to_world([[-half] * 3, [half] * 3])


@torch.no_grad()
def view(fitted: Fitted, photo: Photo) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the field shows where the photo was taken.

    -> colour (H, W, 3) sRGB times opacity, opacity (H, W), and distance from the camera (H, W) in the world's unit.
    Where photos had no masks, what lies around is shown behind the object, and all is opaque.
    """
    colour, opacity, depth = pictured(fitted.field, skipper(fitted), photo, fitted.similarity)
    if fitted.around is not None:
        colour = colour + behind(fitted, photo) * (1 - opacity[..., None])
        opacity = np.ones_like(opacity)
    return colour, opacity, depth * fitted.similarity.side


def behind(fitted: Fitted, photo: Photo, chunk: int = 16384, longest: int = 384) -> np.ndarray:
    """(H, W, 3) what lies around, as the photo's camera sees it without the object; it is blurred anyhow."""
    lens = small(photo, longest)
    rays = zip(*(part.split(chunk) for part in every_ray(lens, fitted.similarity, fitted.volume.device)))
    seen = torch.cat([fitted.around(origins, ways) for origins, ways in rays])
    picture = seen.reshape(1, *lens.image.shape[:2], 3).permute(0, 3, 1, 2)
    full = F.interpolate(picture, photo.image.shape[:2], mode="bilinear", align_corners=False)
    return full[0].permute(1, 2, 0).cpu().numpy()
