"""Mask: what Reconstruct would take for the object in a picture, drawn for the artist to see."""

import numpy as np

from ..geometry.background import isolate
from ..geometry.picture import read_picture, write_picture
from .requests import Mask, Masked

DIMMED = 0.25
OUTLINE = np.array([1.0, 0.6, 0.0], np.float32)


def mask(request: Mask, progress, cancelled) -> Masked:
    """Write the picture with its background dimmed and the object outlined."""
    progress(0.1, "Picture")
    picture = read_picture(request.image)
    progress(0.4, "Background")
    found = isolate(picture)
    progress(0.9, "Drawing")
    write_picture(shown(picture.rgba, found.mask), request.path)
    return Masked(request.path, found.method, float(found.mask.mean()))


def shown(rgba: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """rgba (H, W, 4) and mask (H, W) in [0, 1] -> (H, W, 3): dimmed where the mask is 0, its edge drawn."""
    colour = rgba[..., :3] * rgba[..., 3:] + 0.5 * (1 - rgba[..., 3:])
    colour = colour * (DIMMED + (1 - DIMMED) * mask[..., None])
    colour[edge(mask > 0.5)] = OUTLINE
    return colour


def edge(inside: np.ndarray) -> np.ndarray:
    """The pixels (H, W) outside that touch the inside, two deep."""
    grown = inside
    for _ in range(2):
        padded = np.pad(grown, 1)
        grown = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:] | grown
    return grown & ~inside
