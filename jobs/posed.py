"""Pictures of one object whose cameras are known: turned straight at it, and the cube that they reconstruct it in."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from ..geometry.frames import turned
from ..geometry.rectified import Rectified, rectified
from ..geometry.scene import Photo
from ..geometry.views import Lens, rigid


@dataclass(frozen=True)
class Camera:
    """A picture's camera as somebody knows it."""

    matrix: np.ndarray
    """(4, 4) camera-to-world, OpenGL axes, in a world whose z is up"""
    lens: Lens | None = None


@dataclass(frozen=True)
class Posed:
    """Cameras and fits for `nets.predict`, and the squares that it is shown."""

    about: Rectified
    crops: list[np.ndarray]
    closes: list[np.ndarray]
    cameras: list[tuple[float, ...]]
    fits: list[tuple[float, ...]]

    def bounds(self, place) -> np.ndarray:
        """(2, 3) metres of a cube at `place` (shift x, y, z, scale) of the one that cameras are given for, in a world
        turned back by `about.turn`."""
        middle = turned(self.about.middle[None], -self.about.turn)[0] + self.about.side * np.array(place[:3])
        half = self.about.side * place[3] / 2
        return np.stack([middle - half, middle + half])


def posed(pictures: list, cameras: list[Camera], crop: int, close: int) -> Posed:
    """pictures: their names and straight-alpha rgba (H, W, 4), the object apart; crop and close: pixels along squares.

    Raises ValueError, a sentence without its stop, where the cameras cannot be used as they are.
    """
    photos = [photo(name, rgba, camera) for (name, rgba), camera in zip(pictures, cameras, strict=True)]
    about = rectified(photos)
    crops, closes = ([view.square(size) for view in about.views] for size in (crop, close))
    numbers = [tuple(view.numbers(about.side)) for view in about.views]
    return Posed(about, crops, closes, numbers, [tuple(fit) for fit in about.fits()])


def photo(name: str, rgba: np.ndarray, camera: Camera) -> Photo:
    """A picture as the hull of masks takes it. Raises ValueError where its camera is none, or of another picture."""
    if camera.lens is None:
        raise ValueError(f"nothing is known of the lens that {name} was taken through")
    height, width = rgba.shape[:2]
    try:
        matrix, pinhole = rigid(np.asarray(camera.matrix, np.float64)), camera.lens.pinhole(width, height)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    pixels = (np.clip(rgba, 0, 1) * 255 + 0.5).astype(np.uint8)
    return Photo(name, pixels[..., :3], matrix, pinhole, pixels[..., 3], camera.lens.distortion)


def lens_of_blender(numbers, width: int, height: int) -> Lens:
    """A request's four numbers for a picture of that size."""
    focal, right, up, side = numbers
    over = (max(width, height), width, height)[int(side)]
    centre = width / 2 - right * over, height / 2 + up * over
    return Lens(focal=(focal * over, focal * over), centre=centre, size=(width, height))


def shown(seen, posed: Posed, index: int):
    """What was seen of a picture, with the squares that its camera would see looking straight at the object."""
    return dataclasses.replace(seen, crop=posed.crops[index], close=posed.closes[index])
