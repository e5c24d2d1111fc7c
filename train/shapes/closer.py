"""Objects as a camera closer by would see them: pictures of 256 pixels and the inside at 128^3, for `nets/refiner.py`."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np

from . import fast, world
from .camera import draw_setting
from .program import bounds, posed, refit
from .skies import Skies

PICTURE, FINE = 256, 128


@dataclass
class Closer:
    """Arrays of N samples: picture (N, 256, 256, 4) uint8, sRGB on nothing, straight alpha; inside (N, 128, 128, 16)
    uint8, the bits of 128^3 cells' centres as numpy.packbits packs them along z; camera (N, 5) and family (N,) as
    `world.Samples` has them."""

    picture: np.ndarray
    inside: np.ndarray
    camera: np.ndarray
    family: np.ndarray

    def __len__(self) -> int:
        return len(self.picture)


def sample_closer(seed: int, count: int, split: str = "train", families=None, skies: Skies | None = None) -> Closer:
    """Draw and trace `count` objects; the same seed and split give the same, and no object of `world.sample`."""
    rows = [
        (picture, np.packbits(distances(table) < 0, axis=-1), camera, family)
        for picture, camera, family, table in islice(traced(seed, count, split, families, skies), count)
    ]
    return Closer(*(np.stack(column) for column in zip(*rows)))


def traced(seed: int, count: int, split: str, families=None, skies: Skies | None = None):
    """Endless objects, `count` at a time: picture (256, 256, 4) uint8, camera (5,), family, and the table (K, WIDTH)
    of its parts, posed."""
    rng = np.random.default_rng([world.SPLITS[split], seed, PICTURE])
    while True:
        shapes, family = world.draw_shapes(rng, max(count, 4), families)
        table, _ = posed(shapes.table, rng.uniform(0, 2 * np.pi, len(shapes)))
        setting = draw_setting(rng, bounds(table, np.zeros(len(table))), skies)
        jitter = rng.normal(0, 0.02, (len(table), 3)).astype(np.float32)
        for i in range(len(table)):
            one = world.trace_one(table[i], used(table[i]), setting, i, jitter[i], False, PICTURE)
            if one is not None:
                _, picture, _, _, camera, shift, scale = one
                yield picture, camera, family[i], refit(table[i], shift, scale)


def used(table: np.ndarray) -> int:
    """How many rows of a table (K, WIDTH) are parts."""
    return int((table[:, 0] != 0).sum())


def distances(table: np.ndarray) -> np.ndarray:
    """Signed distance (128, 128, 128) float32 of a posed table (K, WIDTH), inside < 0."""
    coarse, fine = (np.empty((n,) * 3, np.float32) for n in (FINE // 2, FINE))
    fast.fields(table, used(table), coarse, fine)
    return fine
