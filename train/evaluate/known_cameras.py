"""Answers to several pictures of one object whose cameras are known, on the way that Reconstruct takes."""

from __future__ import annotations

from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE
from ...geometry.rectified import rectified
from ...geometry.scene import Photo
from ...nets import predict
from ...nets.refiner import Refiner

CROP, CLOSE = 128, 256


def from_known(network, photos: list[Photo], resolution: int = 64, refiner: Refiner | None = None) -> Field:
    """In the frame of the first photo; 128 cells want a refiner. Raises ValueError where masks and cameras contradict
    each other."""
    about = rectified(photos)
    crops, closes = ([view.square(size) for view in about.views] for size in (CROP, CLOSE))
    cameras = [tuple(view.numbers(about.side)) for view in about.views]
    fits = [tuple(fit) for fit in about.fits()]
    others = [
        predict.Beside(crop, close, camera=camera, fit=fit)
        for crop, close, camera, fit in zip(crops[1:], closes[1:], cameras[1:], fits[1:], strict=True)
    ]
    about_views = {"others": others, "camera": cameras[0], "refiner": refiner}
    found = predict.predict(network, crops[0], closes[0], resolution, **about_views)
    return Field(found.occupancy, found.level, UNIT_CUBE)
