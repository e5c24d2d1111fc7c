"""The square round an object that networks see, and the way back to the picture."""

from dataclasses import dataclass

import numpy as np

SEEN = 0.5
"""Pixels with at least this alpha bound the object; where none has, half of the highest alpha."""


@dataclass(frozen=True)
class Crop:
    """A square of a picture, seen at size x size pixels. Pixel (column, row) covers [column, column + 1] x ..."""

    left: float
    top: float
    side: float
    """Picture pixels; the square may reach beyond the picture, where all is transparent"""
    size: int
    """Crop pixels along each side"""

    def to_picture(self, points):
        """Crop pixels (..., 2) as (column, row) -> picture pixels."""
        return np.asarray(points) * (self.side / self.size) + [self.left, self.top]

    def to_crop(self, points):
        """Picture pixels (..., 2) as (column, row) -> crop pixels."""
        return (np.asarray(points) - [self.left, self.top]) * (self.size / self.side)

    @property
    def affine(self) -> np.ndarray:
        """(2, 3): picture (column, row) = affine @ (column, row, 1) of the crop."""
        scale = self.side / self.size
        return np.array([[scale, 0, self.left], [0, scale, self.top]])


def crop_to_object(rgba, size=128, margin=0.0625):
    """The object's square: its bounds' longest side fills all but `margin` of the square at each end.

    rgba (H, W, 4) float32, straight alpha. Returns (size, size, 4) float32, straight alpha, black where transparent,
    and the Crop. Raises ValueError where nothing is seen.
    """
    crop = object_square(rgba[..., 3], size, margin)
    return cut(rgba, crop), crop


def object_square(alpha, size=128, margin=0.0625):
    """The Crop round what alpha (H, W) shows."""
    highest = float(alpha.max())
    if highest < 0.02:
        raise ValueError("the picture is transparent all over; there is no object to see")
    seen = alpha >= (SEEN if highest >= SEEN else highest / 2)
    (top, bottom), (left, right) = (np.flatnonzero(seen.any(axis))[[0, -1]] + [0, 1] for axis in (1, 0))
    side = max(bottom - top, right - left) / (1 - 2 * margin)
    return Crop((left + right - side) / 2, (top + bottom - side) / 2, side, size)


def cut(rgba, crop):
    """What the crop shows of rgba (H, W, 4): (size, size, 4), each pixel the mean over its area, by alpha."""
    height, width = rgba.shape[:2]
    rows = area_weights(crop.top, crop.side, crop.size, height)
    columns = area_weights(crop.left, crop.side, crop.size, width)
    # Only the pixels under the square matter.
    r, c = _span(rows), _span(columns)
    part = rgba[r, c].astype(np.float32)
    part[..., :3] *= part[..., 3:]
    mixed = _mix(rows[:, r], part, columns[:, c])
    alpha = np.clip(mixed[..., 3:], 0, 1)
    colour = np.where(alpha > 1e-4, mixed[..., :3] / np.maximum(alpha, 1e-4), 0)
    return np.concatenate([np.clip(colour, 0, 1), alpha], axis=-1)


def resized(image, height, width):
    """image (H, W) or (H, W, C) at another size, each pixel the mean over its area; bilinear where it grows."""
    rows = area_weights(0, image.shape[0], height, image.shape[0])
    columns = area_weights(0, image.shape[1], width, image.shape[1])
    for weights in (rows, columns):
        weights /= weights.sum(axis=1, keepdims=True)
    flat = image[..., None] if image.ndim == 2 else image
    return _mix(rows, flat, columns).reshape(height, width, *image.shape[2:])


def area_weights(start, length, count, pixels):
    """How much each of `pixels` gives to each of `count` steps along [start, start + length]: (count, pixels) float32.

    A step is at least a pixel wide, which makes it linear interpolation where the picture grows. What lies outside the
    picture gives nothing.
    """
    step = length / count
    width = max(step, 1.0)
    middle = (start + (np.arange(count) + 0.5) * step)[:, None]
    edges = np.arange(pixels + 1)[None]
    covered = np.clip(edges, middle - width / 2, middle + width / 2)
    return (np.diff(covered, axis=1) / width).astype(np.float32)


def _span(weights):
    used = np.flatnonzero(weights.any(axis=0))
    return slice(used[0], used[-1] + 1) if len(used) else slice(0, 1)


def _mix(rows, image, columns):
    """rows (h, H) and columns (w, W) applied to image (H, W, C) float32: (h, w, C)."""
    height, width, channels = image.shape
    first = (rows @ image.reshape(height, -1)).reshape(-1, width, channels)  # h W C
    return np.matmul(columns[None], first)
