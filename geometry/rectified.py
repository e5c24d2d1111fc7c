"""Pictures with known cameras as the network was taught to see them: upright, straight at the object, in a square.

A camera's picture says what every other camera in the same place would see, whichever way it is turned: each is turned
to look at the middle of a cube, its picture's up the world's z. What is left of it are five numbers (`nets/camera.py`),
and nothing about it is guessed.
"""

import functools
from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import map_coordinates

from .crop import Crop
from .hull import OBJECT, box_from_masks, distorted
from .scene import Photo
from .views import reduced

STEEPEST = np.radians(89.0)
"""Elevation beyond which up is lost"""
MARGIN = 0.0625
"""Share of a square left free at each end, as the network was taught"""
FINEST = 2.0
"""Pixels of a picture for one of the square: more are averaged first"""
UNDISTORTING = 12
"""Steps in which the way back through a lens is found"""
PARALLEL = 0.1
"""Sine of the angle between lines of sight below which they show one side"""


@dataclass(frozen=True)
class Straight:
    """A picture turned to look straight at the middle of a cube."""

    photo: Photo
    axes: np.ndarray
    """(3, 3): its right, up and backward axes in the world, as columns"""
    elevation: float
    """Radians from which it looks down"""
    azimuth: float
    """Radians round the world's z at which it stands"""
    away: float
    """From the camera to the middle, metres"""

    @functools.cached_property
    def window(self) -> Crop:
        """The square round what it sees of the object, in tangents to the right and down. Its size is nothing yet.

        Raises ValueError where it sees nothing of it."""
        ways = self._ways(outermost(self.photo.mask > OBJECT)) @ self.axes
        if not len(ways) or (ways[:, 2] > -1e-3).any():
            raise ValueError(f"{self.photo.name}: its camera looks away from where the object is")
        places = np.stack([ways[:, 0], -ways[:, 1]], -1) / -ways[:, 2:]
        low, high = places.min(0), places.max(0)
        side = max(float((high - low).max()), 1e-9) / (1 - 2 * MARGIN)
        left, top = (low + high) / 2 - side / 2
        return Crop(float(left), float(top), side, 1)

    def square(self, size):
        """What it sees of the object: (size, size, 4) float32, straight alpha. Raises ValueError where it sees none."""
        across = self.window.side / size * self.photo.pinhole[0, 0]  # pixels of the picture for one of the square
        longest = max(self.photo.image.shape[:2])
        photo = reduced(self.photo, max(1, round(longest * FINEST / across))) if across > FINEST else self.photo
        return self._cut(photo, replace(self.window, size=size))

    def numbers(self, side: float):
        """(5,) of this camera for a cube of `side` metres round the middle: `nets/camera.py` says which."""
        window = self.window
        half = window.side / 2
        near = side / self.away
        middle = (window.left + half) / half, (window.top + half) / half
        return np.array([self.elevation, np.log(near / half), near, -middle[0], -middle[1]])

    def _ways(self, pixels):
        """Directions (P, 3) in the world, not of unit length, of places (P, 2) in the picture."""
        k, camera = self.photo.pinhole, self.photo.camera
        y = (pixels[:, 1] - k[1, 2]) / k[1, 1]
        x = (pixels[:, 0] - k[0, 2] - k[0, 1] * y) / k[0, 0]
        x, y = undistorted(x, y, self.photo.distortion)
        return np.stack([x, -y, -np.ones_like(x)], -1) @ camera[:3, :3].T

    def _cut(self, photo: Photo, window: Crop):
        """What a square (in tangents) shows of a photo: (N, N, 4), the mean of 2 x 2 places for each pixel."""
        at = (np.arange(2 * window.size) + 0.5) * window.side / (2 * window.size)
        x, y = np.meshgrid(window.left + at, window.top + at)
        ways = np.stack([x, -y, -np.ones_like(x)], -1).reshape(-1, 3) @ self.axes.T @ photo.camera[:3, :3]
        ahead = np.where(ways[:, 2] < -1e-6, -ways[:, 2], np.inf)
        u, v = distorted(ways[:, 0] / ahead, -ways[:, 1] / ahead, photo.distortion)
        k = photo.pinhole
        column, row = k[0, 0] * u + k[0, 1] * v + k[0, 2] - 0.5, k[1, 1] * v + k[1, 2] - 0.5
        alpha = (photo.mask / np.float32(255))[..., None]
        values = np.concatenate([photo.image / np.float32(255) * alpha, alpha], -1)
        seen = [map_coordinates(values[..., c], [row, column], order=1, mode="constant") for c in range(4)]
        mixed = np.stack(seen, -1).reshape(window.size, 2, window.size, 2, 4).mean((1, 3))
        mixed[..., 3][~np.isfinite(mixed[..., 3])] = 0
        colour = mixed[..., :3] / np.maximum(mixed[..., 3:], 1e-4)
        return np.concatenate([np.clip(colour, 0, 1), mixed[..., 3:]], -1).astype(np.float32)


def straight(photo: Photo, middle) -> Straight:
    """A photo whose camera is turned to look at `middle` (3,), in a world whose z is up.

    Raises ValueError where it stands there."""
    back = photo.camera[:3, 3] - np.asarray(middle, np.float64)
    away = float(np.linalg.norm(back))
    if away < 1e-9:
        raise ValueError(f"{photo.name}: its camera stands in the middle of the object")
    back = back / away
    elevation = float(np.clip(np.arcsin(np.clip(back[2], -1, 1)), -STEEPEST, STEEPEST))
    level = back[:2] if np.hypot(*back[:2]) > np.cos(STEEPEST) else -photo.camera[:2, 1] * np.sign(back[2])
    azimuth = float(np.arctan2(level[1], level[0]))
    c, s = np.cos(azimuth), np.sin(azimuth)
    ce, se = np.cos(elevation), np.sin(elevation)
    axes = np.array([[-s, c, 0.0], [-se * c, -se * s, ce], [ce * c, ce * s, se]]).T
    return Straight(photo, axes, elevation, azimuth, away)


def outermost(mask):
    """Corners (P, 2), as (column, row), of the first and the last pixel of a mask (H, W) in each row and column."""
    found = []
    for lines, flip in ((mask, False), (mask.T, True)):
        number = np.flatnonzero(lines.any(1))
        first, last = lines[number].argmax(1), lines.shape[1] - lines[number, ::-1].argmax(1)
        for along in (first, last):
            for across in (number, number + 1):
                found.append(np.stack([across, along] if flip else [along, across], -1))
    return np.concatenate(found).astype(np.float64)


def undistorted(x, y, distortion):
    """The way back of `distorted`: normalised places (P,), y down, as a lens without distortion has them."""
    if not any(distortion):
        return x, y
    u, v = x, y
    for _ in range(UNDISTORTING):
        p, q = distorted(u, v, distortion)
        u, v = u + x - p, v + y - q
    return u, v


@dataclass(frozen=True)
class Rectified:
    """Pictures of one object turned straight at it, and the cube that it is reconstructed in."""

    views: list[Straight]
    middle: np.ndarray
    """(3,) of the cube, metres"""
    side: float
    """Metres"""
    turn: float
    """Radians by which the cube is turned about the world's z, so that the first camera stands at its -y"""

    def fits(self):
        """(V, 5): how each view's cube lies to the first's, as `nets/several_views.py` has it."""
        turns = [(self.views[0].azimuth - view.azimuth + np.pi) % (2 * np.pi) - np.pi for view in self.views]
        return np.array([[turn, 1.0, 0, 0, 0] for turn in turns])


def rectified(photos) -> Rectified:
    """Photos with known cameras, in a world whose z is up, and masks, straightened round what the masks show together.

    Raises ValueError with a sentence where masks and cameras agree on nothing, or show the object from one side alone.
    """
    back = np.array([photo.camera[:3, 2] for photo in photos])
    if len(photos) < 2 or np.linalg.norm(np.cross(back[0], back[1:]), axis=1).max() < PARALLEL:
        raise ValueError("all cameras look the same way, so it cannot be told how far away the object is")
    middle = np.array(box_from_masks(photos, margin=0.0).centre)
    turn = straight(photos[0], middle).azimuth + np.pi / 2
    c, s = np.cos(turn), np.sin(turn)
    around = np.array([[c, -s, 0.0], [s, c, 0], [0, 0, 1]])
    there = np.eye(4)
    there[:3, :3], there[:3, 3] = around.T, -around.T @ middle
    box = box_from_masks([replace(photo, camera=there @ photo.camera) for photo in photos], margin=0.0)
    middle = middle + around @ box.centre
    views = [straight(photo, middle) for photo in photos]
    return Rectified(views, middle, box.side, views[0].azimuth + np.pi / 2)
