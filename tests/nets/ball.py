"""Photos of a textured ball before a far wall, with true depths."""

import numpy as np

from maquette.geometry import frames
from maquette.geometry.hull import Similarity
from maquette.geometry.scene import Photo
from maquette.nets.pixels import every_ray

RADIUS, FAR = 0.3, 4.0
SIDE, FOV = 160, 40.0
CUBE = Similarity((1.0, 2.0, 3.0), 2.0)
"""The ball is in its middle: what is found must not depend on where the world's origin is"""


def pattern(points, strength):
    """(..., 3) solid texture in [0, 1]: waves of many lengths."""
    mixed = np.random.default_rng(3).normal(size=(24, 3)) * np.geomspace(5, 60, 24)[:, None]
    waves = np.sin(points @ mixed.T + np.arange(24))
    return np.clip(0.5 + strength * waves @ np.random.default_rng(4).normal(size=(24, 3)) / 4, 0, 1)


def photo(azimuth, strength=0.5, elevation=20.0, distortion=(0.0, 0.0, 0.0, 0.0), room=9.0):
    """Of the ball before a far wall all round; depth (H, W) along the axis, in the cube."""
    pinhole = frames.intrinsics(FOV, SIDE, SIDE)
    camera = frames.orbit(azimuth, elevation, 1.5 * CUBE.side, CUBE.centre)
    lens = Photo(str(azimuth), np.zeros((SIDE, SIDE, 3), np.uint8), camera, pinhole, distortion=distortion)
    origins, ways = every_ray(lens, CUBE)
    origins, ways = origins.numpy().astype(float), ways.numpy().astype(float)
    along = (origins * ways).sum(1)
    beyond = along**2 - (origins**2).sum(1)
    hit = beyond + RADIUS**2 > 0
    far = np.where(hit, -along - np.sqrt(np.maximum(beyond + RADIUS**2, 0)), -along + np.sqrt(beyond + FAR**2))
    points = origins + far[:, None] * ways
    colours = np.where(hit[:, None], pattern(points, strength), pattern(points / 4 + room, 0.5))
    image = (colours * 255).round().astype(np.uint8).reshape(SIDE, SIDE, 3)
    depth = np.where(hit, far * (ways @ -camera[:3, 2]), np.nan).reshape(SIDE, SIDE)
    return Photo(str(azimuth), image, camera, pinhole, distortion=distortion), depth


AZIMUTHS = range(0, 360, 15)
