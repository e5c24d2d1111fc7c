"""Several pictures of each object, and how the cube of each lies to the first's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import world
from .camera import draw_setting
from .program import axis_rotation, bounds, posed
from .skies import Skies


@dataclass
class Views:
    """Arrays of N objects seen V times; the first view is a sample as `world.Samples` has it.

    picture (N, V, 128, 128, 4) uint8; distance (N, 64, 64, 64) int8 and colour (N, 32, 32, 32, 3) uint8 in the first
    view's cube; camera (N, V, 5), each in its own view's cube; fit (N, V, 5) float32 carries points of the first cube
    into a view's: turn (radians, the object's, counter-clockwise seen from above), scale, shift x, y, z, so that
    p_v = scale R_z(turn) p_1 + shift; family (N,).
    """

    picture: np.ndarray
    distance: np.ndarray
    colour: np.ndarray
    camera: np.ndarray
    fit: np.ndarray
    family: np.ndarray

    def __len__(self) -> int:
        return len(self.picture)


def sample_views(seed: int, count: int, views: int, split: str = "train", families=None, skies: Skies | None = None) -> Views:
    """Draw `count` objects and trace `views` pictures of each, every one from its own side and in its own light."""
    rng = np.random.default_rng([world.SPLITS[split], seed, views])
    rows: list[tuple] = []
    while len(rows) < count:
        shapes, family = world.draw_shapes(rng, max(count - len(rows), 4), families)
        azimuth = rng.uniform(0, 2 * np.pi, len(shapes))
        turns = np.concatenate([np.zeros((1, len(shapes))), rng.uniform(0, 2 * np.pi, (views - 1, len(shapes)))])
        seen = [one_view(rng, shapes.table, azimuth + turn, skies) for turn in turns]
        for i in range(len(shapes)):
            of_one = [view[i] for view in seen]
            if None not in of_one:
                rows.append((*joined(of_one, turns[:, i]), family[i]))
    return Views(*(np.stack(column[:count]) for column in zip(*rows)))


def one_view(rng, table: np.ndarray, azimuth: np.ndarray, skies: Skies | None = None) -> list:
    """For each object turned by azimuth (N,): (picture, distance, colour, camera, scale, offset (3,)) or None.

    A place x of the object's own lies at scale R_z(azimuth) x - offset in the view's cube.
    """
    box = bounds(table, azimuth)
    turned, size = posed(table, azimuth)
    grown = bounds(turned, np.zeros(len(table)))
    setting = draw_setting(rng, grown, skies)
    jitter = rng.normal(0, 0.02, (len(table), 3)).astype(np.float32)
    scale = (1 - 2 * THICKEN) / size
    found = []
    for i in range(len(table)):
        used = int((turned[i, :, 0] != 0).sum())
        one = world.trace_one(turned[i], used, setting, i, jitter[i], False)
        if one is None:
            found.append(None)
            continue
        *_, shift, again = one
        found.append((*one[1:5], scale[i] * again, (box[i].mean(0) * scale[i] + shift) * again))
    return found


THICKEN = 0.004  # posed's own


def joined(views: list[tuple], turns: np.ndarray) -> tuple:
    """(pictures, distance, colour, cameras, fits) of one object from its views."""
    scale, offset = views[0][4:]
    fits = []
    for view, turn in zip(views, turns):
        ratio = view[4] / scale
        fits.append([turn, ratio, *(ratio * (axis_rotation("z", -turn)[0] @ offset) - view[5])])
    stack = [np.stack([view[k] for view in views]) for k in (0, 3)]
    return stack[0], views[0][1], views[0][2], stack[1], np.float32(fits)
