"""Cars, aeroplanes, guitars."""

from __future__ import annotations

import numpy as np

from .. import program as P
from . import Design, Numbers

SIDE = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
"""An outline's local x is y, its local y is z; it is drawn along x"""
ALONG = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""Local z runs along y"""


def outline(p: Numbers, points) -> np.ndarray:
    return np.stack([np.stack([p.column(u), p.column(v)], -1) for u, v in points], 1)


def car(p: Numbers) -> None:
    """Body, cabin with sloping windscreens, wheels; its nose is towards the front."""
    length, width = p.number("length", 3.1, 4.6, "m"), p.number("width", 1.5, 2.1, "m")
    clear, wheel = p.number("ground clearance", 15, 40, "cm"), p.number("wheel size", 55, 95, "cm")
    body, cabin = p.number("body height", 0.45, 0.9, "m"), p.number("cabin height", 0.35, 0.8, "m")
    bonnet, boot = p.number("bonnet length", 0.08, 0.38), p.number("boot length", 0.02, 0.32)
    rake, soft = p.number("windscreen rake", 0.05, 0.55, "m"), p.number("roundness", 0, 1)
    nose, tail = -length / 2, length / 2
    top = clear + body
    drop = body * 0.25 * soft
    lower = [
        (nose, clear),
        (tail, clear),
        (tail, clear + body * 0.5),
        (tail, top - drop),
        (tail - 0.08 - drop * 0.5, top),
        (nose + length * bonnet, top),
        (nose + 0.08 + drop * 0.5, top - drop * 0.6),
        (nose, top - drop - body * 0.12),
    ]
    p.prism((0, 0, 0), outline(p, lower), width / 2, bevel=0.03 + 0.09 * soft, rotation=SIDE, label="body")
    front, rear = nose + length * bonnet, tail - length * boot
    mid = np.maximum((rear - front) * 0.3, 0.2)
    upper = [
        (front, top - 0.12),
        (rear, top - 0.12),
        (rear, top),
        (np.maximum(rear - rake * 0.7, front + rake + mid), top + cabin),
        (front + rake + mid * 0.5, top + cabin),
        (front + rake, top + cabin),
        (front, top),
        (front, top - 0.05),
    ]
    p.prism(
        (0, 0, 0),
        outline(p, upper),
        width / 2 * p.unnamed(0.78, 0.94),
        bevel=0.03 + 0.08 * soft,
        rotation=SIDE,
        label="cabin",
    )
    r = wheel / 2
    axle = length * p.unnamed(0.28, 0.34)
    p.cone((width / 2 - 0.1, axle, r), 0.15, r, r, bevel=0.04, rotation=SIDE, mirror="xy", label="wheel")


def aeroplane(p: Numbers) -> None:
    """Fuselage, wings, tail; its nose is towards the front. It stands on the floor of its cube by its belly."""
    length, body = p.number("length", 7, 12.5, "m"), p.number("fuselage width", 1.1, 2.2, "m")
    span, chord = p.number("wing span", 6.5, 12.5, "m"), p.number("wing chord", 1.3, 2.8, "m")
    sweep, taper = p.number("wing sweep", -0.1, 0.7), p.number("wing taper", 0.35, 1)
    place, lift = p.number("wing place", 0.3, 0.5), p.number("wing height", -0.6, 0.6)
    fin, plane = p.number("fin height", 1, 2.8, "m"), p.number("tailplane span", 2.5, 5.5, "m")
    r = body / 2
    z = 2.6 + 0 * r
    nose = -length / 2
    levels = np.array([0, 0.03, 0.1, 0.25, 0.6, 0.8, 0.93, 1])
    shape = np.array([0.25, 0.5, 0.82, 1, 1, 0.72, 0.42, 0.25])
    p.lathe(
        (0, 0, z), r[:, None] * shape, length[:, None] * levels - length[:, None] / 2, rotation=ALONG, label="fuselage"
    )

    def wing(root, half, deep, thin, height, label, sweep=sweep, taper=taper):
        back = half * sweep
        points = [
            (0, root),
            (half, root + back),
            (half, root + back + deep * taper),
            (0, root + deep),
            (-half, root + back + deep * taper),
            (-half, root + back),
            (-half, root + back),
            (0, root),
        ]
        p.prism((0, 0, height), outline(p, points), thin / 2, bevel=thin * 0.2, label=label)

    wing(nose + length * place, span / 2, chord, 0.5, z + lift * r, "wing")
    engine = p.unnamed(-0.5, 0.5)  # half as wide as this, one under each wing, or none
    out = span * 0.2
    front = nose + length * place + out * sweep
    p.lathe(
        np.stack([out, front - 0.3, z + lift * r - np.maximum(engine, 0.3)], -1),
        np.maximum(engine, 0.3)[:, None] * np.array([0.6, 0.9, 1, 1, 1, 1, 0.85, 0.5]),
        np.linspace(-0.5, 1.4, 8)[None] + 0 * z[:, None],
        rotation=ALONG,
        mirror="x",
        where=engine > 0.22,
        label="engine",
    )
    tail = nose + length * 0.86
    wing(tail, plane / 2, length * 0.12, 0.46, z + r * 0.1, "tailplane", sweep=0.3, taper=0.7)
    fin_points = [
        (tail - 0.3, 0),
        (tail + length * 0.13, 0),
        (tail + length * 0.14, fin),
        (tail + length * 0.06, fin),
        (tail - 0.3, 0),
        (tail - 0.3, 0),
        (tail - 0.3, 0),
        (tail - 0.3, 0),
    ]
    p.prism((0, 0, z), outline(p, fin_points), 0.23, rotation=SIDE, bevel=0.04, label="fin")


def guitar(p: Numbers) -> None:
    """Two bouts melted together, sound hole, neck and head; it stands upright, facing the front."""
    lower, upper = p.number("lower bout", 28, 42, "cm"), p.number("upper bout", 20, 32, "cm")
    body, deep = p.number("body length", 44, 54, "cm"), p.number("body depth", 6, 14, "cm")
    waist = p.number("waist", 0, 1)
    neck, head = p.number("neck length", 28, 48, "cm"), p.number("head length", 8, 16, "cm")
    wide = p.number("neck width", 4.5, 7.5, "cm")
    hole = p.number("sound hole", 5, 13, "cm")
    r, s = lower / 2, np.minimum(upper / 2, body / 2 - 0.02)
    top = body - s
    p.cone((0, 0, r), deep / 2, r, r, bevel=0.012, rotation=ALONG, label="body")
    p.cone((0, 0, top), deep / 2, s, s, bevel=0.012, rotation=ALONG, blend=0.01 + 0.05 * (1 - waist), label="body")
    middle = (r * s * 2 / (r + s)) * (0.5 + 0.42 * (1 - waist))
    p.box(
        (0, 0, (r + top) / 2),
        (middle, deep / 2, np.maximum((top - r) / 2, 0.02)),
        bevel=0.012,
        blend=0.03,
        label="body",
    )
    p.cone(
        (0, -deep / 2, (r + top) / 2 + 0.02),
        deep * 0.45,
        hole / 2,
        hole / 2,
        bevel=0.002,
        rotation=ALONG,
        op=P.CUT,
        label="hole",
    )
    front = -deep / 2 + 0.012
    p.bar(p.points(0, front, body - s), p.points(0, front, body + neck), wide / 2, 0.022, bevel=0.008, label="neck")
    p.box(
        (0, front + 0.004, body + neck + head / 2),
        (wide * p.unnamed(0.55, 0.95), 0.021, head / 2),
        bevel=0.01,
        label="head",
    )


DESIGNS = (
    Design("car", car, 4.9, 1.1),
    Design("aeroplane", aeroplane, 13.2, 1.5),
    Design("guitar", guitar, 1.23, 1.0),
)
