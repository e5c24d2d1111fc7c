"""A photograph's camera as plain values, for reports and for whoever needs the photos again."""

from pathlib import Path

import numpy as np

from .scene import Photo
from .views import Lens, View


def row_of(photo: Photo) -> dict:
    """JSON values; intrinsics are in pixels of `size`, width and height."""
    return {
        "name": photo.name,
        "path": photo.path,
        "matrix": [[float(x) for x in row] for row in photo.camera],
        "size": [photo.image.shape[1], photo.image.shape[0]],
        "focal": [float(photo.pinhole[0, 0]), float(photo.pinhole[1, 1])],
        "centre": [float(photo.pinhole[0, 2]), float(photo.pinhole[1, 2])],
        "distortion": [float(k) for k in photo.distortion],
        "mask": str(photo.view.mask or "") if photo.view else "",
        "upright": bool(photo.view and photo.view.upright),
    }


def view_of(row: dict, path="") -> View:
    """The photograph that a row is of, to be read again; its file may be at another path by now."""
    focal, centre, size, distortion = (tuple(row[name]) for name in ("focal", "centre", "size", "distortion"))
    mask = Path(row["mask"]) if row.get("mask") else None
    return View(
        row["name"],
        Path(path or row["path"]),
        np.array(row["matrix"], np.float64),
        Lens(focal=focal, centre=centre, size=size, distortion=distortion),
        mask if mask and mask.is_file() else None,
        bool(row.get("upright")),
    )
