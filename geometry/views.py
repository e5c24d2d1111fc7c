"""A photograph and its camera as a pose file names them, before the picture itself is read; and the reading of it.

Pose files speak of the pixels as they lie in the file: COLMAP, nerfstudio and instant-ngp do not turn pictures by their
EXIF orientation, so neither are they turned here, unless the file states the size that the turned picture has.
"""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.sparse import csr_array

from .crop import area_weights
from .picture import decoded, upright
from .scene import NO_DISTORTION, Photo

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".tga", ".heic", ".heif", ".avif")
"""Endings of photographs in a folder, and those tried where a pose file names one without its ending."""
ACROSS = (5, 6, 7, 8)
"""EXIF orientations that exchange width and height."""
SKEW = 0.02
"""How far a camera's axes may be from right angles and one length; more is no rounding."""


@dataclass(frozen=True)
class Lens:
    """Intrinsics of pictures of one size, or of any size where only the field of view is known."""

    focal: tuple[float, float] | None = None
    """fx, fy in pixels"""
    fov: tuple[float, float | None] | None = None
    """Radians across and down, where `focal` is None; down None: square pixels"""
    centre: tuple[float, float] | None = None
    """cx, cy in pixels; None: the middle"""
    size: tuple[int, int] | None = None
    """Width and height that these pixels are of; None: the picture's own"""
    distortion: tuple[float, float, float, float] = NO_DISTORTION
    """k1, k2, p1, p2 of OPENCV's model"""

    def pinhole(self, width, height):
        """(3, 3) in pixels of a picture of width x height. Raises ValueError where that has other proportions."""
        w, h = self.size or (width, height)
        if not same_proportions((w, h), (width, height)):
            raise ValueError(f"it is {width} x {height} pixels, but its camera is given for {w} x {h}")
        cx, cy = self.centre or (w / 2, h / 2)
        if self.focal:
            fx, fy = self.focal
        else:
            across, down = self.fov
            fx = w / 2 / np.tan(across / 2)
            fy = fx if down is None else h / 2 / np.tan(down / 2)
        return np.diag([width / w, height / h, 1.0]) @ [[fx, 0, cx], [0, fy, cy], [0, 0, 1]]


@dataclass(frozen=True, eq=False)
class View:
    """One photograph that is to be read."""

    name: str
    """Its path within the folder, without the ending"""
    path: Path
    camera: np.ndarray
    """(4, 4) camera-to-world, OpenGL axes"""
    lens: Lens
    mask: Path | None = None
    """A picture, bright where the object is; it goes before the photograph's own alpha"""
    upright: bool = False
    """The camera is that of the picture as EXIF turns it"""


@dataclass(eq=False)
class Poses:
    """What pose files say."""

    views: list[View] = field(default_factory=list)
    held_out: list[View] = field(default_factory=list)
    points: np.ndarray | None = None
    """(P, 3) places on surfaces"""
    notes: list[str] = field(default_factory=list)
    """What was left out and why"""
    source: str = ""
    """Who says the cameras, in an artist's words"""


def photograph(view: View, longest: int = 0) -> Photo:
    """Read a view's picture and mask, their longer side reduced to `longest` by area (0: as they are).

    Raises ValueError with a sentence that names the picture where it cannot be read or does not fit its camera.
    """
    image, _ = decoded(view.path)
    if view.upright or _camera_is_turned(view.lens, image):
        image = upright(image)
    width, height = shrunk((image.width, image.height), longest)
    rgba = np.asarray(image)
    try:
        pinhole = view.lens.pinhole(image.width, image.height)
    except ValueError as error:
        raise ValueError(f"{view.name}: {error}") from None
    scale = np.diag([width / image.width, height / image.height, 1.0])
    given = _mask(view, image, (width, height)) if view.mask else None
    rgb, alpha = _apart(rgba, given is None, width, height)
    mask = alpha if given is None else given
    return Photo(view.name, rgb, view.camera, scale @ pinhole, mask, view.lens.distortion, str(view.path), view)


def reduced(photo: Photo, longest: int) -> Photo:
    """The photo with its longer side at most `longest`."""
    height, width = photo.image.shape[:2]
    across, down = shrunk((width, height), longest)
    if (across, down) == (width, height):
        return photo
    image = _bytes(area_mean(photo.image, across, down))
    mask = None if photo.mask is None else _bytes(area_mean(photo.mask, across, down))
    return replace(photo, image=image, mask=mask, pinhole=np.diag([across / width, down / height, 1.0]) @ photo.pinhole)


def matrix_of(numbers):
    """(4, 4) float64 of a matrix (3, 4) or (4, 4). Raises ValueError, half a sentence that goes after a name."""
    try:
        matrix = np.array(numbers, np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.shape == (3, 4):
        matrix = np.vstack([matrix, [0, 0, 0, 1]])
    if matrix.shape != (4, 4):
        raise ValueError("its camera is not a matrix of 4 x 4 numbers")
    if not np.isfinite(matrix).all():
        raise ValueError("its camera holds numbers that are not finite")
    return matrix


def rigid(matrix):
    """A camera-to-world matrix (4, 4) with a rotation; a scale of its axes is taken out.

    Raises ValueError, half a sentence that goes after the picture's name, where it is not one.
    """
    if not np.isfinite(matrix).all():
        raise ValueError("its camera holds numbers that are not finite")
    if np.abs(matrix[3] - [0, 0, 0, 1]).max() > 1e-6:
        raise ValueError("the last row of its camera's matrix is not 0 0 0 1; is it transposed?")
    axes = matrix[:3, :3]
    volume = np.linalg.det(axes)
    if abs(volume) < 1e-12:
        raise ValueError("its camera's matrix is flat, so it looks nowhere")
    if volume < 0:
        raise ValueError("its camera is mirrored; write right-handed camera-to-world matrices, x right, y up, z back")
    axes = axes / np.cbrt(volume)
    if np.abs(axes.T @ axes - np.eye(3)).max() > SKEW:
        raise ValueError("its camera's axes are not at right angles or not of one length")
    left, _, right = np.linalg.svd(axes)
    camera = np.eye(4)
    camera[:3, :3], camera[:3, 3] = left @ right, matrix[:3, 3]
    return camera


def found(folder, text, endings=PICTURES) -> tuple[str, Path]:
    """The file that `text` names within a folder, with or without its ending: its path there, and the file.

    Raises ValueError with a sentence where there is none, or where it is outside the folder, by a link too.
    """
    if not isinstance(text, str) or not text.strip() or "\0" in text:
        raise ValueError(f"{text!r} is not the name of a file")
    folder = Path(folder).absolute()
    path = Path(os.path.normpath(folder / text.replace("\\", "/")))
    _inside(folder, path, text)
    for candidate in (path, *(path.with_name(path.name + ending) for ending in endings)):
        if candidate.is_file():
            _inside(folder, candidate, text)
            base = folder if candidate.is_relative_to(folder) else folder.resolve()
            within = candidate if candidate.is_relative_to(base) else candidate.resolve()
            return within.relative_to(base).as_posix(), candidate
    raise ValueError(f"{text} is missing")


def named(within: str) -> str:
    """A photo's name: its path within the folder without the ending of a picture."""
    stem, ending = os.path.splitext(within)
    return stem if ending.lower() in PICTURES else within


def mask_beside(folder, within: str) -> Path | None:
    """The mask that the folder's masks/ holds for a photograph: a.png or a.jpg.png for images/a.jpg."""
    masks = Path(folder) / "masks"
    if not masks.is_dir():
        return None
    below = within.split("/", 1)[-1]  # images/left/a.jpg: masks/left/a.png
    for text in dict.fromkeys((named(below), below, os.path.basename(named(below)), os.path.basename(below))):
        if (masks / f"{text}.png").is_file():
            return found(folder, f"masks/{text}.png")[1]
    return None


def same_proportions(size, other) -> bool:
    """Whether a picture of one size is the other scaled, as far as whole pixels can be."""
    (w, h), (width, height) = size, other
    return abs(w * height - h * width) <= max(w, h, width, height)


def shrunk(size, longest):
    """Width and height with the longer side at most `longest`; 0 leaves them."""
    width, height = size
    if not longest or max(size) <= longest:
        return size
    return tuple(max(1, round(side * longest / max(size))) for side in (width, height))


def area_mean(image, width, height):
    """image (H, W) or (H, W, C) in float32 at width x height, each pixel the mean over its area."""
    rows = csr_array(area_weights(0, image.shape[0], height, image.shape[0]))
    columns = csr_array(area_weights(0, image.shape[1], width, image.shape[1]))
    planes = [image] if image.ndim == 2 else np.moveaxis(image, -1, 0)
    smaller = [(columns @ (rows @ plane.astype(np.float32)).T).T for plane in planes]
    return smaller[0] if image.ndim == 2 else np.stack(smaller, axis=-1)


def _inside(folder, path, text):
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{text} lies outside the folder {folder.name}, so it is not read")


def _camera_is_turned(lens, image):
    """Whether the camera is given for the picture as EXIF turns it: only then its sides are of that size."""
    stored = image.width, image.height
    return bool(
        lens.size
        and image.info["orientation"] in ACROSS
        and not same_proportions(lens.size, stored)
        and same_proportions(lens.size, stored[::-1])
    )


def _apart(rgba, with_alpha, width, height):
    """Colours (H, W, 3) uint8 not multiplied by alpha, and alpha (H, W), None where all is opaque or nobody asks."""
    alpha = rgba[..., 3] if with_alpha and rgba[..., 3].min() < 255 else None
    if rgba.shape[:2] == (height, width):
        return np.ascontiguousarray(rgba[..., :3]), None if alpha is None else alpha.copy()
    if alpha is None:
        return _bytes(area_mean(rgba[..., :3], width, height)), None
    share = alpha.astype(np.float32) / 255
    mixed = area_mean(rgba[..., :3] * share[..., None], width, height)
    smaller = area_mean(share, width, height)
    return _bytes(mixed / np.maximum(smaller, 1e-4)[..., None]), _bytes(smaller * 255)


def _mask(view, image, size):
    """(H, W) uint8 of the view's mask at the size of the photo: its brightness, or its alpha where it has one."""
    mask, _ = decoded(view.mask)
    if (mask.width, mask.height) != (image.width, image.height):
        if _as_turned(mask) == (image.width, image.height):
            mask = upright(mask)
        elif not same_proportions((mask.width, mask.height), (image.width, image.height)):
            raise ValueError(
                f"the mask of {view.name} is {mask.width} x {mask.height} pixels and the photo {image.width} x "
                f"{image.height}; give masks the proportions of their photos"
            )
    alpha = np.asarray(mask.getchannel("A"))
    bright = np.asarray(mask.convert("L")) * (alpha.astype(np.float32) / 255)
    if bright.shape[::-1] == size:
        return _bytes(bright)
    if bright.shape[1] >= size[0] and bright.shape[0] >= size[1]:
        return _bytes(area_mean(bright, *size))
    return np.asarray(Image.fromarray(_bytes(bright)).resize(size, Image.Resampling.BILINEAR))


def _as_turned(image):
    size = image.width, image.height
    return size[::-1] if image.info["orientation"] in ACROSS else size


def _bytes(values):
    return (np.clip(values, 0, 255) + 0.5).astype(np.uint8)
