"""Mask: what Reconstruct would take for the object in a picture, drawn for the artist to see and to paint on."""

import numpy as np

from ..geometry.picture import read_picture, write_picture
from .isolate import isolate
from .requests import Mask, Masked

OUTLINE = np.array([0.95, 0.45, 0.0], np.float32)
"""Darker than half on the mean, for it lies outside the object."""


def mask(request: Mask, progress, cancelled) -> Masked:
    """Write the picture as `shown`."""
    progress(0.1, "Picture")
    picture = read_picture(request.image)
    progress(0.4, "Background")
    found, note = isolate(picture, asked=request.device)
    progress(0.9, "Drawing")
    write_picture(shown(picture.rgba, found.mask), request.path)
    return Masked(request.path, found.method, float(found.mask.mean()), note)


def shown(rgba: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """rgba (H, W, 4) and mask (H, W) in [0, 1] -> (H, W, 3): on the mean over .5 where the mask is, else under.

    So the picture is seen in both, and white or black paint turns either into the other.
    """
    colour = rgba[..., :3] * rgba[..., 3:] + 0.5 * (1 - rgba[..., 3:])
    inside = mask > 0.5
    colour = 0.42 * colour + np.where(inside, 0.58, 0.0)[..., None]
    colour[edge(inside)] = OUTLINE
    return colour


def edge(inside: np.ndarray) -> np.ndarray:
    """The pixels (H, W) outside that touch the inside, two deep."""
    grown = inside
    for _ in range(2):
        padded = np.pad(grown, 1)
        grown = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | grown
    return grown & ~inside
