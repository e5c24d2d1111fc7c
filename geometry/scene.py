"""Photographs with known cameras, as every reader of Capture gives them."""

from dataclasses import dataclass, field

import numpy as np

NO_DISTORTION = (0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True, eq=False)
class Photo:
    """One photograph and the camera that took it."""

    name: str
    """Its path within the folder, without the ending: what reports and renders are named by"""
    image: np.ndarray
    """(H, W, 3) uint8 sRGB, not multiplied by the mask"""
    camera: np.ndarray
    """(4, 4) camera-to-world, OpenGL axes: x right, y up, looking along -z; right-handed"""
    pinhole: np.ndarray
    """(3, 3) intrinsics in pixels of this image; the centre of the first pixel is at .5, .5"""
    mask: np.ndarray | None = None
    """(H, W) uint8, 255 where the object is; None where nobody said"""
    distortion: tuple[float, float, float, float] = NO_DISTORTION
    """k1, k2, p1, p2 of OPENCV's model"""
    path: str = ""
    """The picture's file; "" where it has none of its own"""
    view: object = None
    """The views.View that it was read from"""


@dataclass(frozen=True, eq=False)
class Scene:
    """What a folder of photographs holds."""

    photos: tuple[Photo, ...]
    held_out: tuple[Photo, ...] = ()
    """Kept from the fitting: scores are measured on them"""
    points: np.ndarray | None = None
    """(P, 3) places on surfaces, from structure from motion"""
    notes: tuple[str, ...] = field(default=())
    """What was left out and why, one sentence each"""
