"""Masks that artists paint: an Image for each picture, packed into the .blend, that Reconstruct takes as it is.

Such an Image is lighter than half where the object is (jobs/mask.py draws it so that the picture shows through). It
belongs to the picture that its custom property names, and counts as soon as somebody has painted on it.
"""

import hashlib
import os
import struct
import zlib

import bpy
import numpy as np
from bpy.app.handlers import persistent

IMAGE = "Maquette Mask"
"""What these Images are called; Blender numbers them where there are several."""
PICTURE = "maquette_picture"
"""Custom property with the path of the picture that the mask belongs to."""
METHOD = "maquette_method"
"""Custom property that says how the mask was found before anybody painted on it."""
PAINTED = "maquette_painted"
"""Custom property that is there once the mask is the artist's."""


def find(picture: str):
    """The mask Image of a picture, or None."""
    return next((image for image in bpy.data.images if PICTURE in image and _same(image[PICTURE], picture)), None)


def unpainted():
    """A mask Image that nobody has painted on, so that another may take its place; None where there is none."""
    return next((image for image in bpy.data.images if PICTURE in image and not painted(image)), None)


def painted(image) -> bool:
    """Whether Reconstruct takes this mask instead of its own."""
    return bool(image) and (PAINTED in image or image.is_dirty)


def belong(image, picture: str, method: str):
    """From now on `image` is the mask that was found for `picture`."""
    image[PICTURE], image[METHOD] = bpy.path.abspath(picture), method


def keep(image):
    """From now on `image` is the artist's: it is used, and saved with the file even if nothing shows it."""
    image[PAINTED] = True
    image.use_fake_user = True


def state(picture: str) -> str:
    """Which mask will be used for a picture, in words; "" where none was looked at yet."""
    image = find(picture) if picture else None
    if image is None:
        return ""
    if painted(image):
        return "painted"
    return {"alpha": "transparency", "plain": "plain background"}.get(image.get(METHOD), "network")


def path_for(picture: str) -> str:
    """A file with the mask that was painted for a picture, white where the object is; "" where none was.

    Raises ValueError where the Image holds nothing any more."""
    image = find(picture)
    return store(_png(image)) if painted(image) else ""


def store(png: bytes) -> str:
    """The file in Blender's temporary folder that holds these bytes, written where it is not there yet."""
    path = os.path.join(bpy.app.tempdir, f"maquette-painted-{hashlib.sha256(png).hexdigest()[:16]}.png")
    if not os.path.exists(path):
        with open(path + ".part", "wb") as file:
            file.write(png)
        os.replace(path + ".part", path)
    return path


def stored(path: str) -> bytes | None:
    """The bytes of a file that `store` wrote; None for any other path."""
    if not os.path.basename(path).startswith("maquette-painted-") or not os.path.isfile(path):
        return None
    with open(path, "rb") as file:
        return file.read()


def _png(image) -> bytes:
    """Black and white as 8-bit grey; bpy can write PNG too, but only through the scene's colour management."""
    width, height = image.size
    pixels = np.empty(len(image.pixels), np.float32)
    if not pixels.size:
        raise ValueError(f"{image.name} cannot be read any more; press Reset, then Mask")
    image.pixels.foreach_get(pixels)
    light = pixels.reshape(height, width, -1)[::-1, :, :3].mean(axis=-1) > 0.5
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with the number of its filter: none
    rows[:, 1:] = np.where(light, 255, 0)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(rows.tobytes(), 6)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _same(one: str, other: str) -> bool:
    return os.path.normpath(bpy.path.abspath(one)) == os.path.normpath(bpy.path.abspath(other))


@persistent
def _save_paint(*_):
    """What was painted lies in memory only until it is packed."""
    for image in bpy.data.images:
        if PICTURE in image and image.is_dirty:
            keep(image)
            image.pack()


def register():
    bpy.app.handlers.save_pre.append(_save_paint)


def unregister():
    bpy.app.handlers.save_pre.remove(_save_paint)
