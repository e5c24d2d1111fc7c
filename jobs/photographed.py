"""The pictures that something was reconstructed from, as photographs of it with cameras: what a texture is made of."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np

from ..geometry.camera_row import row_of, view_of
from ..geometry.crop import object_square
from ..geometry.cropped_camera import pinhole_camera
from ..geometry.frames import carried_camera, turned
from ..geometry.picture import read_picture
from ..geometry.scene import Photo
from ..geometry.views import Lens, View
from .isolate import isolate
from .posed import Posed

APART = "apart"
"""What a row says whose picture's object is told from the background as Reconstruct does"""


def photos(seen: list, estimate, straight: Posed | None) -> list[Photo]:
    """Of the pictures that were used, in the frame of the field.

    seen: picture, mask and isolated of each (`reconstruct.Seen`); estimate: `nets.predict.Estimate`."""
    found = []
    for index, one in enumerate(seen):
        if estimate.views and not estimate.views[index]["used"]:
            continue
        if straight:
            known = straight.about.views[index].photo
            camera = np.eye(4)
            camera[:3] = turned(known.camera[:3].T, -straight.about.turn).T
            pinhole, distortion = known.pinhole, known.distortion
        else:
            square = object_square(one.isolated.rgba[..., 3])
            camera, pinhole = pinhole_camera(estimate.cameras[index], square, estimate.fits[index])
            distortion = (0.0, 0.0, 0.0, 0.0)
        found.append(photo_of(one.picture, one.mask, one.isolated, camera, pinhole, distortion))
    return found


def photo_of(picture, mask, isolated, camera, pinhole, distortion) -> Photo:
    """A picture that was read, with its object apart; its file may have more pixels (`View`)."""
    pixels = (np.clip(isolated.rgba, 0, 1) * 255 + 0.5).astype(np.uint8)
    height, width = pixels.shape[:2]
    focal, centre = (pinhole[0, 0], pinhole[1, 1]), (pinhole[0, 2], pinhole[1, 2])
    view = View(
        picture.name,
        Path(picture.path),
        camera,
        Lens(focal=focal, centre=centre, size=(width, height), distortion=tuple(distortion)),
        Path(mask.path) if mask else None,
        upright=True,
    )
    colours = (np.clip(picture.rgba[..., :3], 0, 1) * 255 + 0.5).astype(np.uint8)
    return Photo(picture.name, colours, camera, pinhole, pixels[..., 3], tuple(distortion), str(picture.path), view)


def rows(photos: list[Photo], placement) -> list[dict]:
    """Their cameras as a report has them, in the frame that `placement` (4, 4) leads to: that of the mesh."""
    way = np.array(placement)
    moved = (dataclasses.replace(photo, camera=carried_camera(photo.camera, way)) for photo in photos)
    return [row_of(photo) | {APART: True} for photo in moved]


def again(row: dict, path: str) -> Photo:
    """The photograph of a row of ours, read and told from its background anew. Raises ValueError with a sentence."""
    picture = read_picture(path)
    mask = read_picture(row["mask"]) if row.get("mask") else None
    isolated, _ = isolate(picture, mask)
    view = view_of(row | {"mask": ""}, path)
    height, width = isolated.rgba.shape[:2]
    try:
        pinhole = view.lens.pinhole(width, height)
    except ValueError as error:
        raise ValueError(f"{picture.name}: {error}") from None
    return photo_of(picture, mask, isolated, view.camera, pinhole, view.lens.distortion)
