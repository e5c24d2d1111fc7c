"""Vessels turned on a wheel: bottles, vases, mugs, glasses."""

from __future__ import annotations

import numpy as np

from .. import program as P
from . import Design, Numbers


def profile(p: Numbers, radii, heights):
    return np.stack([p.column(r) for r in radii], 1), np.stack([p.column(h) for h in heights], 1)


def bottle(p: Numbers) -> None:
    """Body, shoulder, neck and a lip."""
    height, width = p.number("height", 18, 36, "cm"), p.number("body width", 6, 16, "cm")
    shoulder, slope = p.number("shoulder height", 0.4, 0.68), p.number("shoulder slope", 0.04, 0.2)
    neck, lip = p.number("neck width", 2.4, 5.5, "cm"), p.number("lip width", 0, 1.4, "cm")
    waist, base = p.number("waist", -0.15, 0.35), p.number("base taper", 0.6, 1)
    r, n = width / 2, np.minimum(neck, width * 0.8) / 2
    z = [0, 0.02 * height, 0.5 * shoulder * height, shoulder * height, (shoulder + slope) * height, 0.94 * height,
         0.95 * height, height]
    radii, levels = profile(p, [r * base * 0.92, r * base, r * (1 - waist), r, n, n, n + lip / 2, n + lip / 2], z)
    p.lathe((0, 0, 0), radii, levels, label="body")
    cap = p.unnamed(-0.05, 0.1)  # a ball of a stopper, or none
    p.ball((0, 0, height), (n + cap * 0.1, n + cap * 0.1, np.maximum(cap, 0.01) * height * 0.35), where=cap > 0.02, label="stopper")


def vase(p: Numbers) -> None:
    """A hollow vessel with belly, neck and rim."""
    height, width = p.number("height", 16, 40, "cm"), p.number("belly width", 12, 30, "cm")
    belly, foot = p.number("belly height", 0.2, 0.6), p.number("foot width", 0.35, 1)
    neck, rim = p.number("neck width", 0.42, 0.9), p.number("rim width", 0.5, 1.1)
    at, wall = p.number("neck height", 0.72, 0.9), p.number("wall", 1.3, 2.1, "cm")
    r = width / 2
    n, f, e = r * neck, r * foot, r * rim
    z = [0, 0.02, belly * 0.5, belly * 0.85, belly * 1.15, (belly * 1.15 + at) / 2, at, 1]
    z = [height * level for level in z]
    swell = (f + r) / 2 * p.unnamed(0.95, 1.3)
    radii, levels = profile(p, [f * 0.95, f, np.minimum(swell, r * 1.02), r, r * 0.98, (r + n) / 2, n, e], z)
    p.lathe((0, 0, 0), radii, levels, label="body")
    inner = np.maximum(radii - wall[:, None], 0.45 * radii)
    hollow = levels.copy()
    hollow[:, :2] += wall[:, None]
    hollow[:, 4:7] -= 0.7 * wall[:, None]  # below the shoulder, however flat that is
    hollow[:, 7] += 0.02
    hollow[:, 2:7] = np.maximum(hollow[:, 2:7], hollow[:, 1:2] + 0.002 * np.arange(1, 6))
    p.lathe((0, 0, 0), inner, hollow, op=P.CUT, label="hollow")


def mug(p: Numbers) -> None:
    """A cup with a handle towards the front."""
    height, width = p.number("height", 6.5, 13, "cm"), p.number("width", 6, 9.5, "cm")
    base, bulge = p.number("base width", 0.6, 1.05), p.number("bulge", -0.1, 0.2)
    wall = p.number("wall", 0.55, 1.1, "cm")
    size, thick = p.number("handle size", 0.32, 0.58), p.number("handle thickness", 0.9, 1.9, "cm")
    r = width / 2
    b = r * base
    z = np.array([0, 0.03, 0.2, 0.4, 0.6, 0.8, 0.98, 1])
    swell = 1 + bulge[:, None] * np.sin(np.pi * z)
    radii = (b[:, None] + (r - b)[:, None] * z) * swell
    radii[:, 0] *= 0.93
    levels = height[:, None] * z
    tall = height * size / 2
    # The handle is half a ring in the plane of y and z; the wall covers its ends.
    turn = np.array([[0.0, 0, 1], [0, -1, 0], [1, 0, 0]])
    middle = (b + r) / 2 * (1 + bulge) - wall * 0.6
    back = 0.02  # with its handle it stands in the middle
    p.arc((0, back - middle, height * p.unnamed(0.44, 0.56)), tall, thick / 2, np.pi * 0.54, rotation=turn, label="handle")
    p.lathe((0, back, 0), radii, levels, label="body")
    inner = np.maximum(radii - wall[:, None], 0.004)
    hollow = levels.copy()
    hollow[:, :2] += wall[:, None] * np.array([1, 1.02])
    hollow[:, 2] = np.maximum(hollow[:, 2], hollow[:, 1] + 0.001)
    hollow[:, 7] += 0.01
    p.lathe((0, back, 0), inner, hollow, op=P.CUT, label="hollow")


def glass(p: Numbers) -> None:
    """A goblet: foot, stem, bowl."""
    height, bowl = p.number("height", 12, 26, "cm"), p.number("bowl width", 6, 15, "cm")
    share, belly = p.number("bowl height", 0.35, 0.65), p.number("bowl belly", 0.25, 0.6)
    rim = p.number("rim width", 0.6, 1.1)
    stem, foot = p.number("stem thickness", 1.2, 2.8, "cm"), p.number("foot width", 5.5, 12, "cm")
    wall = p.number("wall", 0.9, 1.6, "cm")
    start = height * (1 - share)
    deep = height * share
    r = bowl / 2
    p.lathe((0, 0, 0), *profile(p, [foot / 2, foot / 2, stem * 0.8, stem / 2, stem / 2, stem / 2, stem * 0.7, stem * 0.7],
                                [0, 0.012, 0.024, 0.04, start * 0.6, start * 0.9, start, start + deep * 0.1]), label="stem")
    knob = p.unnamed(-0.012, 0.018)
    size = np.maximum(knob, 0.001) + stem / 2
    p.ball((0, 0, start * 0.55), (size, size, size), where=knob > 0.002, label="knob")
    levels = np.array([0, 0.06, 0.14, 0.24, 0.5, 0.75, 0.9, 1])
    shape = np.sqrt(np.clip(1 - ((levels[None] - belly[:, None]) / np.maximum(belly[:, None], 1e-3)).clip(-1, 0) ** 2, 0, 1))
    over = ((levels[None] - belly[:, None]) / (1 - belly[:, None])).clip(0, 1)
    radii = r[:, None] * np.maximum(shape, 0.1) * (1 + (rim[:, None] - 1) * over)
    heights = start[:, None] + deep[:, None] * levels
    p.lathe((0, 0, 0), radii, heights, label="bowl")
    inner = np.maximum(radii - wall[:, None], 0.001)
    hollow = heights + wall[:, None] * (1 - levels[None] * 0.9)
    hollow[:, 7] += 0.02
    p.lathe((0, 0, 0), inner, hollow, op=P.CUT, label="hollow")


DESIGNS = (
    Design("bottle", bottle, 0.385),
    Design("vase", vase, 0.43),
    Design("mug", mug, 0.166),
    Design("glass", glass, 0.28),
)
