"""What is open at its top: buckets, tubs, bins, flower pots, barrels, boxes, trays, crates, troughs, baskets.

Units are free; z = 0 is the floor. Whether such a thing is hollow is told by a rim that is often a few pixels high, so
they come in many more kinds than `household.vessel` and `everyday.crockery` have, and some are full or have a lid: those
look the same from the side.
"""

from __future__ import annotations

import numpy as np

from . import program as P
from .household import turn_parts
from .palette import paint
from .program import Parts, axis_rotation

UPRIGHT = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1.0, 0]])
"""World -> local of an arc that stands over a container, its middle up"""
SIDE = np.array([[0.0, 0, 1], [1.0, 0, 0], [0.0, 1, 0]])
"""World -> local of a handle's arc at +x"""
ROUND = np.pi - 0.001


def container(p: Parts) -> None:
    """Walls of 3 to 10 % of half the width; three in five are round, the others have four sides; one in six is full."""
    u, n = p.rng.uniform, p.count
    paint(p, "any")
    turned = p.chance(0.6)
    half, height = p.draw("half width", 0.9, 1.1), p.draw("height over half width", 0.35, 2.6)
    wall, lean = p.draw("wall", 0.03, 0.1), p.draw("foot over rim", 0.62, 1.06)
    full, lid = p.chance(0.12), p.chance(0.05)  # nobody sees what is under a lid, so it is full, too
    level = height * np.select([lid, full], [1.0, u(0.6, 0.97, n)], 0)
    inside = np.where(p.chance(0.25), 1, 0)
    base = wall * u(1, 2, n)

    _round(p, turned, half, height, wall, half * lean, base, inside)
    wide = half * u(0.45, 1.1, n)
    tall = height * np.where(p.chance(0.35), u(0.25, 0.6, n), 1)  # trays
    _square(p, ~turned, (half, wide, tall), wall, base, inside)

    top = np.where(turned, height, tall)
    # What is in it
    floor = np.maximum(np.where(turned, level, level * tall / height), base)
    within = half * np.minimum(lean + (1 - lean) * floor / np.maximum(height, 1e-6), 1) - wall
    soil = lid | (full & p.chance(0.6))
    p.cone((0, 0, floor / 2), floor / 2, np.minimum(half * lean - wall, within), within, where=turned & soil, label="contents", material=4)
    p.box((0, 0, floor / 2), (half - wall, wide - wall, floor / 2), bevel=0.005, where=~turned & soil, label="contents", material=4)
    for k in range(4):  # or balls
        size = np.minimum(half, np.where(turned, half * np.minimum(lean, 1), wide)) * u(0.3, 0.48, n)
        angle = k * np.pi / 2 + u(-0.4, 0.4, n)
        off = np.minimum(half * np.minimum(lean, 1), np.where(turned, half, wide)) - wall - size
        p.ball((off * np.cos(angle), off * np.sin(angle), floor - size * 0.2), (size, size, size), where=full & ~soil, label="contents", material=k % 3)
    p.cone((0, 0, top), wall, half * 1.04, half * 1.04, where=lid & turned, label="lid", material=1)
    p.box((0, 0, top), (half * 1.04, wide * 1.06, wall), bevel=0.01, where=lid & ~turned, label="lid", material=1)

    # Handles: a bow over the top, two at the sides, one as of a mug
    kind = p.rng.choice(4, n, p=[0.52, 0.17, 0.18, 0.13])
    bow, pair, one = (kind == k for k in (1, 2, 3))
    tube = half * u(0.025, 0.07, n)
    rise = top * u(0.7, 0.95, n)
    span = half * np.where(turned, np.minimum(lean + (1 - lean) * rise / height, 1.0), 1.0)
    p.arc((0, 0, rise), span, tube, u(1.45, 1.57, n), rotation=UPRIGHT, where=bow, label="handle", material=3)
    ring = np.minimum(top * u(0.16, 0.32, n), half * 0.5)
    hold = np.maximum(tube, wall * 0.7)
    p.arc((span * 0.97, 0, top * 0.6), ring, hold, u(1.5, 2.0, n), rotation=SIDE, where=pair | (one & turned), label="handle")
    p.arc((-span * 0.97, 0, top * 0.6), ring, hold, u(1.5, 2.0, n), rotation=SIDE * np.array([-1.0, 1, 1]), where=pair, label="handle")

    over = p.chance(0.06)  # upside down
    lying = ~over & p.chance(0.06)
    turn_parts(p.table, np.where(over[:, None, None], axis_rotation("x", np.pi), np.eye(3)))
    turn_parts(p.table, np.where(lying[:, None, None], axis_rotation("x", np.pi / 2), np.eye(3)))


def _round(p: Parts, where, half, height, wall, foot, base, inside) -> None:
    """A turned one: straight, leaning or bellied, with rims, steps and hoops."""
    u, n = p.rng.uniform, p.count
    shares = np.array([0, 0, 0.2, 0.4, 0.6, 0.8, 0.92, 1.0])
    belly = np.where(p.chance(0.35), u(0.04, 0.22, n), 0) * half
    straight = foot[:, None] + (half - foot)[:, None] * shares + belly[:, None] * np.sin(np.pi * shares)
    neck = np.where(p.chance(0.12), u(0.75, 0.95, n), 1)  # drawn in below the rim
    straight[:, 6] *= neck
    outer = straight.copy()
    outer[:, 0] = 0
    heights = height[:, None] * shares
    kind = p.rng.choice(4, n, p=[0.25, 0.3, 0.25, 0.2])  # no rim, a band, a roll, a flange
    band, roll, flange = (kind == k for k in (1, 2, 3))
    p.lathe((0, 0, 0), outer, heights, inflate=0.004, where=where, label="body")
    down, out = height * u(0.05, 0.22, n), half * u(1.03, 1.12, n)
    p.cone((0, 0, height - down / 2), down / 2, out * u(0.97, 1, n), out, bevel=0.01, where=where & band, label="rim", material=inside)
    p.cone((0, 0, height - wall * 0.4), wall * 0.45, half * 1.1, half * u(1.1, 1.25, n), bevel=0.006, where=where & flange, label="rim")
    step = p.chance(0.35)
    under = height * u(0.03, 0.12, n)
    p.cone((0, 0, under / 2), under / 2, foot * u(0.98, 1.1, n), foot * u(1.0, 1.1, n), bevel=0.008, where=where & step & p.chance(0.4), label="foot")
    p.cone((0, 0, -under / 2), under / 2, foot * u(0.82, 0.95, n), foot * 0.95, bevel=0.008, where=where & step, label="foot")
    for k in range(3):
        at = u(0.15, 0.85, n)
        across = foot + (half - foot) * at + belly * np.sin(np.pi * at)
        p.arc((0, 0, height * at), across, wall * u(0.3, 0.8, n), ROUND, where=where & p.chance(0.16), label="hoop", material=3 if k else 0)
    inner = np.maximum(straight - wall[:, None], 0.01)
    inner[:, 0] = 0
    rise = base[:, None] + (height - base)[:, None] * shares
    rise[:, 7] = height * 1.08 + 0.05
    p.lathe((0, 0, 0), inner, rise, op=P.CUT, where=where, label="inside", material=inside)
    p.arc((0, 0, height), half - wall * 0.3, wall * u(0.6, 1.1, n), ROUND, where=where & roll, label="rim")


def _square(p: Parts, where, half, wall, base, inside) -> None:
    """One with four walls, whole or of slats, with a rim, corner posts or feet."""
    u, n = p.rng.uniform, p.count
    x, y, height = half
    bevel = np.minimum(x, y) * np.where(p.chance(0.55), u(0.01, 0.06, n), u(0.1, 0.45, n))
    p.box((0, 0, height / 2), (x, y, height / 2), bevel=np.minimum(bevel, height * 0.4), where=where, label="body")
    rim = where & p.chance(0.4)
    thick = wall * u(0.4, 1.2, n)
    p.box((0, 0, height - thick), (x * u(1.02, 1.09, n), y * u(1.03, 1.12, n), thick), bevel=np.minimum(thick * 0.5, bevel), where=rim, label="rim", material=inside)
    # The inside reaches well over the top, so that the rounding of its edges stays above it
    over = 0.3 + bevel
    p.box((0, 0, (base + height + over) / 2), (x - wall, y - wall, (height + over - base) / 2), bevel=np.maximum(bevel - wall, 0.004), op=P.CUT, where=where, label="inside", material=inside)
    slats = where & p.chance(0.22)
    for share in (0.32, 0.68):
        gap = height * u(0.04, 0.09, n)
        p.box((0, 0, height * share), (x * 1.3, y - wall * 3, gap), bevel=0.004, op=P.CUT, where=slats, label="gap")
        p.box((0, 0, height * share), (x - wall * 3, y * 1.3, gap), bevel=0.004, op=P.CUT, where=slats, label="gap")
    holes = where & ~slats & p.chance(0.15)
    p.box((0, 0, height * 0.78), (x * 1.3, y * u(0.2, 0.4, n), height * 0.07), bevel=0.02, op=P.CUT, where=holes, label="hold")
    post = np.maximum(wall, 0.05) * u(0.8, 1.5, n)
    posts = where & (slats | p.chance(0.15))
    p.box((x - post * 0.6, y - post * 0.6, height * 0.52), (post, post, height * 0.52), bevel=0.01, mirror="xy", where=posts, label="post", material=1)
    feet = where & ~posts & p.chance(0.2)
    p.box((x * 0.8, y * 0.8, -height * 0.06), (x * 0.12, y * 0.12, height * 0.08), bevel=0.01, mirror="xy", where=feet, label="foot", material=3)
