"""Draws objects, pictures and ground truth: `sample(seed, count, split)` is the world that the networks learn from.

Frame of the truth: the cube [-.5, .5]^3, z up, the object turned so that the camera stands towards -y and looks
along +y; longest side 1, bounds centred.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from . import containers, everyday, fast, freeform, furniture, household, outdoors
from .camera import Setting, draw_setting
from .program import Parts, Shapes, bounds, posed, refit
from .skies import Skies

# family -> (builder, share); structured families make about 90 %. What has no share is drawn where it is named
FAMILIES = {
    "seat": (furniture.seat, .07), "table": (furniture.table, .045), "cabinet": (furniture.cabinet, .045),
    "bed_or_sofa": (furniture.bed_or_sofa, .035), "lamp": (furniture.lamp, .03),
    "vessel": (household.vessel, .08), "package": (household.package, .075), "tool": (household.tool, .05),
    "fruit": (household.fruit, .05), "car": (outdoors.car, .035), "aircraft": (outdoors.aircraft, .03),
    "boat": (outdoors.boat, .015), "house": (outdoors.house, .03), "plant": (outdoors.plant, .03),
    "creature": (outdoors.creature, .05), "free": (freeform.free, .095),
    "crockery": (everyday.crockery, .08), "goods": (everyday.goods, .06), "implement": (everyday.implement, .05),
    "toy": (everyday.toy, .045), "container": (containers.container, 0),
}
NAMED = .05
"""Share, beside the others', of a family without one, where it is named"""
SPLITS = {"train": 0, "validation": 1, "test": 2, "library": 3}
COARSE, FINE = 32, 64
PICTURE = 128
MARGIN = .0625


@dataclass
class Samples:
    """Arrays of N samples, as stored in shards.

    picture (N, 128, 128, 4) uint8 sRGB over its background, alpha = coverage; distance (N, 64, 64, 64) int8, inside
    negative, 127 = .1; colour (N, 32, 32, 32, 3) uint8 sRGB near the surface, else 0; camera (N, 5) float32:
    elevation (radians), scale (half crops a unit at the centre's depth), distance, u0, v0 (centre in the crop,
    -1..1, v down); family (N,) index into FAMILIES.
    """

    picture: np.ndarray
    distance: np.ndarray
    colour: np.ndarray
    camera: np.ndarray
    family: np.ndarray

    def __len__(self) -> int:
        return len(self.picture)


TRUNCATION = .1


def draw_shapes(rng: np.random.Generator, count: int, families=None) -> tuple[Shapes, np.ndarray]:
    """Tables of `count` objects in their own units, shuffled, and family indices (count,).

    families: the names of those that are drawn; all that have a share where nothing is said."""
    names = list(FAMILIES)
    weights = np.array([FAMILIES[n][1] for n in names])
    if families:
        weights = np.where(weights > 0, weights, NAMED) * np.isin(names, families)
    index = np.sort(rng.choice(len(names), count, p=weights / weights.sum()))
    tables, parameters, labels = [], [], []
    for i in np.unique(index):
        parts = Parts(int((index == i).sum()), rng)
        FAMILIES[names[i]][0](parts)
        tables.append(parts.table)
        for k in range(parts.count):
            parameters.append({name: float(v[k]) for name, v in parts.parameters.items()})
            labels.append(parts.labels)
    order = rng.permutation(count)
    table = np.concatenate(tables)[order]
    return Shapes(table, [names[index[i]] for i in order], [parameters[i] for i in order], [labels[i] for i in order]), index[order]


def sample(seed: int, count: int, split: str = "train", families=None, background: bool = True,
           skies: Skies | None = None) -> Samples:
    """Draw, pose, light and trace `count` objects on the CPU; the same seed and split give the same samples.

    With skies a share of the pictures is lit by those, the objects and cameras are the same."""
    rng = np.random.default_rng([SPLITS[split], seed])
    kept = []
    while (have := sum(len(k) for k in kept)) < count:
        shapes, family = draw_shapes(rng, max(count - have, 4), families)
        azimuth = rng.uniform(0, 2 * np.pi, len(shapes))
        table, _ = posed(shapes.table, azimuth)
        box = bounds(table, np.zeros(len(table)))
        setting = draw_setting(rng, box, skies)
        jitter = rng.normal(0, .02, (len(table), 3)).astype(np.float32)
        kept.append(trace_all(table, family, setting, jitter, background))
    whole = join(kept)
    return Samples(*(getattr(whole, f)[:count] for f in Samples.__dataclass_fields__))


def trace_all(table: np.ndarray, family: np.ndarray, setting: Setting, jitter: np.ndarray,
              background: bool = True) -> Samples:
    """Trace pictures and fill fields for posed tables (N, K, WIDTH); invisible or empty objects are left out."""
    used = (table[..., 0] != 0).sum(1)
    traced = (trace_one(table[i], int(used[i]), setting, i, jitter[i], background) for i in range(len(table)))
    rows = [one[:5] for one in traced if one]
    keep = [r[0] for r in rows]
    stack = [np.stack([r[k] for r in rows]) for k in range(1, 5)] if rows else [np.zeros((0,))] * 4
    return Samples(*stack, family[keep])


def trace_one(table, used, setting: Setting, i: int, jitter, background: bool, size: int = PICTURE):
    """One object: (index, picture, distance, colour, camera, shift (3,), scale), or None where nothing can be seen.

    Shift and scale are those of the refit that filled the cube again. size: of the picture, in pixels.
    """
    coarse = np.empty((COARSE,) * 3, np.float32)
    fine = np.empty((FINE,) * 3, np.float32)
    fast.fields(table, used, coarse, fine)
    shift, scale = recentre(fine)
    if scale is None:
        return None
    if scale > 1.03 or np.abs(shift).max() > .015:  # cuts took a side away: fill the cube again
        table = refit(table, shift, scale)
        fast.fields(table, used, coarse, fine)
    else:
        shift, scale = np.zeros(3), 1.0
    camera, box = setting.camera[i], np.zeros(4)
    fast.silhouette_box(fine, table, used, camera, box)
    side = max(box[2] - box[0], box[3] - box[1])
    if side < .02:
        return None
    side = side / (1 - 2 * MARGIN) * (1 + jitter[2])
    centre = (box[:2] + box[2:]) / 2 + jitter[:2] * side
    window = np.array([centre[0] - side / 2, centre[1] - side / 2, side])
    rgba = np.zeros((size, size, 4), np.float32)
    depth = np.zeros((size, size), np.float32)
    fast.picture(fine, table, used, camera, window, setting.light[i], setting.sky[i], setting.floor[i], background, rgba, depth)
    colour = np.zeros((COARSE,) * 3 + (3,), np.float32)
    fast.colours(table, used, coarse, colour)
    inside = (fine < 0).mean()
    if not 1e-4 < inside or rgba[..., 3].sum() < 40 * (size / PICTURE) ** 2:
        return None
    distance = setting.distance[i]
    numbers = np.array([setting.elevation[i], 2 / side / distance, distance, -centre[0] * 2 / side, -centre[1] * 2 / side], np.float32)
    packed = np.clip(np.round(fine * (127 / TRUNCATION)), -127, 127).astype(np.int8)
    srgb = np.where(colour <= .0031308, 12.92 * colour, 1.055 * np.maximum(colour, 1e-6) ** (1 / 2.4) - .055)
    colours = (np.clip(srgb, 0, 1) * 255 + .5).astype(np.uint8)
    return i, (rgba * 255 + .5).astype(np.uint8), packed, colours, numbers, shift, scale


def recentre(fine: np.ndarray):
    """Shift (3,) and scale that would fill the cube, from a distance grid (N, N, N).

    The outermost cells inside reach their distance further, but no more than a cell: deep distances are only bounds.
    """
    n = fine.shape[0]
    at = (np.arange(n) + .5) / n - .5
    inside = np.clip(fine, -1 / n, 0)
    low, high = np.zeros(3), np.zeros(3)
    for axis in range(3):
        others = tuple(a for a in range(3) if a != axis)
        deepest = inside.min(others)
        if not (deepest < 0).any():
            return None, None
        low[axis] = np.where(deepest < 0, at + deepest, 9).min()
        high[axis] = np.where(deepest < 0, at - deepest, -9).max()
    return (low + high) / 2, 1 / max((high - low).max(), .05)


def join(parts: list[Samples]) -> Samples:
    parts = [p for p in parts if len(p)]
    return Samples(*(np.concatenate([getattr(p, f) for p in parts]) for f in Samples.__dataclass_fields__))
