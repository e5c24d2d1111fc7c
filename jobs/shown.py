"""What Blender shows behind cameras: copies of photos that it cannot read or would lay on their side, and of frames."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from ..geometry.picture import BROKEN, FORMATS, opened, write_jpeg
from ..geometry.scene import Photo
from ..geometry.views import photograph, same_proportions

LONGEST = 1600
"""Pixels along the longer side of a copy"""
ORIENTATION = 274


def with_shown(rows: list[dict], photos, folder: str) -> list[dict]:
    """Rows of photos' cameras, in the photos' order, with the picture to show of each where that is not the photo's
    own file. Copies are written to the folder, which is made if need be; "" writes none."""
    if not folder:
        return rows
    found = (shown(photo, Path(folder)) for photo in photos)
    return [row | ({"shown": path} if path else {}) for row, path in zip(rows, found, strict=True)]


def shown(photo: Photo, folder: Path) -> str:
    """The copy that was written of a photo; "" where Blender shows its file as the camera saw it, or none can be."""
    there = Path(photo.path).is_file()
    if there and _as_seen(photo):
        return ""
    with contextlib.suppress(ValueError, OSError):  # a camera is right without a picture
        image = photograph(photo.view, LONGEST).image if there and photo.view else photo.image
        path = folder / f"{hashlib.sha256(image.tobytes()).hexdigest()[:32]}.jpg"
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_file():
            write_jpeg(image, path)
        return str(path)
    return ""


def _as_seen(photo: Photo) -> bool:
    """Whether its file is of a format that Blender reads, and lies as its camera was found or given."""
    try:
        with opened(photo.path) as image:
            lying = image.getexif().get(ORIENTATION, 1) not in (0, 1)
            height, width = photo.image.shape[:2]
            turned = bool(photo.view and photo.view.upright) or not same_proportions(image.size, (width, height))
            return image.format in FORMATS and not (lying and turned)
    except BROKEN:
        return False
