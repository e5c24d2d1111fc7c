"""Materials for procedural shapes: linear base colours, textures and gloss, drawn for a whole batch at once."""

from __future__ import annotations

import numpy as np

from . import program as P

WOODS = np.array([[.45, .25, .11], [.62, .42, .22], [.25, .12, .05], [.75, .60, .38], [.35, .18, .10]])
METALS = np.array([[.55, .55, .57], [.75, .73, .70], [.30, .30, .32], [.80, .58, .25], [.55, .30, .18]])
PALES = np.array([[.85, .84, .80], [.78, .80, .84], [.90, .86, .74], [.60, .62, .62], [.93, .93, .93]])
DARKS = np.array([[.03, .03, .035], [.06, .05, .05], [.05, .07, .10], [.10, .09, .08], [.02, .05, .04]])

BARE = .55
"""Metal with more gloss is bare and reflects skies in its own colour; with less it is painted."""


def vivid(rng, count: int) -> np.ndarray:
    """Saturated paints and plastics (N, 3), linear."""
    hue, saturation, value = rng.random(count), rng.uniform(.45, 1, count), rng.uniform(.25, .95, count)
    k = (np.array([5, 3, 1]) + hue[:, None] * 6) % 6
    srgb = value[:, None] * (1 - saturation[:, None] * np.clip(np.minimum(k, 4 - k), 0, 1))
    return srgb**2.2


def paint(parts: P.Parts, style: str = "any") -> None:
    """Fill the five materials of every object: 0 main, 1 second, 2 accent, 3 metal or dark, 4 pale."""
    rng, n = parts.rng, parts.count
    source = {"wood": [.7, .1, .05, .15], "metal": [.05, .75, .1, .1], "ceramic": [.05, .05, .55, .35],
              "any": [.2, .15, .2, .45]}[style]
    for slot in range(5):
        kind = rng.choice(4, n, p=source)
        if slot == 2:
            kind = rng.choice(4, n, p=[.1, .2, .2, .5])
        if slot == 3:
            kind = np.full(n, 1)
        if slot == 4:
            kind = np.full(n, 2)
        pick = rng.integers(0, 5, n)
        base = np.select([(kind == i)[:, None] for i in range(3)], [WOODS[pick], METALS[pick], PALES[pick]], vivid(rng, n))
        dark = rng.random(n) < (.3 if slot == 3 else .06)
        base = np.where(dark[:, None], DARKS[pick], base) * rng.uniform(.75, 1.15, (n, 1))
        other = np.where(rng.random((n, 1)) < .5, base * rng.uniform(.35, .8, (n, 1)), vivid(rng, n))
        texture = rng.choice(P.TEXTURES, n, p=[.55, .05, .06, .12, .04, .10, .08])
        wood = kind == 0
        texture = np.where(wood & (rng.random(n) < .6), P.WOOD, texture)
        other = np.where(wood[:, None], base * rng.uniform(.55, .85, (n, 1)), other)
        gloss = np.select([kind == 1, kind == 0], [rng.uniform(.4, .9, n), rng.uniform(0, .25, n)], rng.uniform(0, .7, n))
        parts.materials[:, slot, 0:3] = np.clip(base, .01, .95)
        parts.materials[:, slot, 3:6] = np.clip(other, .01, .95)
        parts.materials[:, slot, 6], parts.materials[:, slot, 7] = texture, rng.uniform(2, 7, n)
        parts.materials[:, slot, 8] = gloss
        parts.materials[:, slot, 9] = (kind == 1) & (gloss > BARE)
