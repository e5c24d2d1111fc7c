"""Cameras, light and floors for procedural pictures, drawn for a whole batch (ranges in the docstrings)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .skies import Skies


@dataclass
class Setting:
    """What a picture is taken with, as plain tables (N, .).

    camera (N, 8): position 3, cos and sin of elevation, near, far, reach (tangent that holds the whole cube).
    light (N, 13): direction 3, colour 3, sky 3, ground 3, exposure. floor (N, 12): height, colour 3, colour2 3,
    texture, texture scale, wall 3. elevation (N,) radians; distance (N,) from the cube's centre. sky (N, L, 7): lobes
    as skies.py has them, none or nothing where a lamp lights the picture.
    """

    camera: np.ndarray
    light: np.ndarray
    floor: np.ndarray
    elevation: np.ndarray
    distance: np.ndarray
    sky: np.ndarray


def draw_setting(rng: np.random.Generator, bounds: np.ndarray, skies: Skies | None = None) -> Setting:
    """bounds (N, 2, 3) of the posed objects. FOV 20-70 degrees, elevation -10..60 (most 5..40), object fills 55-95 %.

    Skies are drawn on the side: cameras, lamps and floors are those that there would be without."""
    n = len(bounds)
    usual = rng.normal(20, 13, n)
    elevation = np.radians(np.where(rng.random(n) < .3, rng.uniform(-10, 60, n), np.clip(usual, -10, 60)))
    half_fov = np.radians(rng.uniform(20, 70, n)) / 2
    radius = np.linalg.norm(bounds[:, 1] - bounds[:, 0], axis=1) / 2
    distance = np.maximum(radius / np.sin(half_fov) / rng.uniform(.8, 1.15, n), radius + .45)
    c, s = np.cos(elevation), np.sin(elevation)
    zero = np.zeros(n)
    near, far = np.maximum(distance - .88, .05), distance + .88
    reach = np.minimum(.88 / np.maximum(distance - .5, .3), 1.6)
    camera = np.stack([zero, -distance * c, distance * s, c, s, near, far, reach], 1)
    angle, height = rng.uniform(0, 2 * np.pi, n), rng.uniform(.25, 1.3, n)
    lamp = np.stack([np.cos(angle) * np.cos(height), np.sin(angle) * np.cos(height), np.sin(height)], 1)
    warm = rng.normal(0, .12, (n, 1)) * np.array([1., 0, -1])
    strength = rng.uniform(.3, 2.2, (n, 1))
    sky = rng.uniform(.35, 1., (n, 1)) * (1 - warm * .7)
    ground = rng.uniform(.1, .5, (n, 1)) * (1 + rng.normal(0, .1, (n, 3)))
    exposure = rng.uniform(.75, 1.25, (n, 1)) / (.45 * strength + .45 * sky.mean(1, keepdims=True) + .25)
    light = np.concatenate([lamp, strength * (1 + warm), sky, ground, exposure], 1)
    tone, tone2 = rng.uniform(.05, .9, (n, 1)), rng.uniform(.05, .9, (n, 1))
    tint, tint2 = 1 + rng.normal(0, .12, (n, 3)), 1 + rng.normal(0, .12, (n, 3))
    texture = rng.choice(7, n, p=[.5, .08, .05, .15, .15, .02, .05])
    floor = np.concatenate([bounds[:, 0, 2:3] - .002, tone * tint, tone2 * tint2, texture[:, None], rng.uniform(1, 5, (n, 1)),
                            rng.uniform(.1, 1, (n, 1)) * (1 + rng.normal(0, .1, (n, 3)))], 1)
    as32 = np.float32
    none = np.zeros((n, 0, 7), as32)
    setting = Setting(camera.astype(as32), light.astype(as32), np.clip(floor, -1, 20).astype(as32), elevation, distance, none)
    return setting if skies is None else skies.over(setting, rng.spawn(1)[0])
