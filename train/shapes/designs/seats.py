"""What one sits and lies on."""

from __future__ import annotations

import numpy as np

from .. import program as P
from . import Design, Numbers


def rounded(p: Numbers, height, half_width, half_depth, thick, roundness, bevel, label, **kw) -> None:
    """A slab with corners cut by a cylinder: square at roundness 0, round (an ellipse's circle) at 1. First of its object."""
    reach = np.hypot(half_width, half_depth)
    narrow = np.minimum(half_width, half_depth)
    p.box((0, 0, height), (half_width, half_depth, thick), bevel=bevel, label=label, **kw)
    # The cylinder is as wide as the corners at 0 and as the narrower side at 1.
    radius = reach + (narrow - reach) * roundness
    p.cone((0, 0, height), thick * 1.5, radius, radius, op=P.INTERSECT, label=label, bevel=bevel * 0.5, **kw)


def chair(p: Numbers) -> None:
    """A dining chair: slab seat, four legs, a back with a gap below."""
    width, depth = p.number("seat width", 38, 60, "cm"), p.number("seat depth", 38, 56, "cm")
    height, thick = p.number("seat height", 36, 58, "cm"), p.number("seat thickness", 4, 10, "cm")
    back, tilt = p.number("back height", 25, 60, "cm"), p.number("back tilt", 0, 15, "°")
    gap = p.number("back gap", 0, 0.7)
    leg, splay = p.number("leg thickness", 4.5, 8, "cm"), p.number("leg splay", 0, 8, "cm")
    soft = p.number("roundness", 0, 1)
    half = thick / 2
    p.box((0, 0, height - half), (width / 2, depth / 2, half), bevel=half * (0.1 + 0.85 * soft), label="seat")
    x, y, r = width / 2 - leg * 0.7, depth / 2 - leg * 0.7, leg / 2
    top, foot = p.points(x, y, height - half), p.points(x + splay, y + splay, r * 0.3)
    p.bar(foot, top, r, r, bevel=r * (0.05 + 0.9 * soft), mirror="xy", label="leg")
    slab, wide = p.unnamed(0.022, 0.036), p.unnamed(0.75, 1)
    low = p.points(0, depth / 2 - slab, height - half)
    way = p.points(0, np.sin(tilt), np.cos(tilt))
    high = low + way * (back + half)[:, None]
    p.bar(low, high, width / 2 * wide, slab, bevel=slab * (0.1 + 0.85 * soft), label="back")
    hole = gap * (back - 0.05)  # from the seat up; two posts stay
    p.bar(
        low + way * half[:, None],
        low + way * (half + hole)[:, None],
        width / 2 * wide - 0.05,
        slab * 2,
        bevel=0.004,
        op=P.CUT,
        where=gap > 0.08,
        label="back",
    )
    rail = p.unnamed(-0.4, 0.75)  # stretchers at this share of the legs, or none
    at = foot + (top - foot) * np.maximum(rail, 0.12)[:, None]
    p.bar(
        at * np.array([1.0, -1, 1]), at, r * 0.7, r * 0.7, bevel=r * 0.3, mirror="x", where=rail > 0, label="stretcher"
    )


def stool(p: Numbers) -> None:
    """Seat, four legs, a ring of stretchers."""
    width = p.number("seat width", 28, 50, "cm")
    height, thick = p.number("seat height", 38, 80, "cm"), p.number("seat thickness", 3.5, 10, "cm")
    round_seat = p.number("seat roundness", 0, 1)
    leg, splay = p.number("leg thickness", 3.5, 7, "cm"), p.number("leg splay", 0, 10, "cm")
    rest = p.number("footrest height", 0.15, 0.6)
    soft = p.number("roundness", 0, 1)
    half = thick / 2
    rounded(p, height - half, width / 2, width / 2, half, round_seat, half * (0.1 + 0.85 * soft), "seat")
    x, r = width * (0.5 - 0.15 * round_seat) - leg * 0.6, leg / 2
    top, foot = p.points(x, x, height - half), p.points(x + splay, x + splay, r * 0.3)
    p.bar(foot, top, r, r, bevel=r * (0.05 + 0.9 * soft), mirror="xy", label="leg")
    at = foot + (top - foot) * rest[:, None]
    rail = r * p.unnamed(0.6, 1)
    flip = np.array([-1.0, 1, 1])
    p.bar(at * flip, at, rail, rail, bevel=rail * 0.5, mirror="y", label="footrest")
    p.bar(at * np.array([1.0, -1, 1]), at, rail, rail, bevel=rail * 0.5, mirror="x", label="footrest")


def sofa(p: Numbers) -> None:
    """From an armchair to a sofa for three."""
    width, depth = p.number("width", 75, 200, "cm"), p.number("depth", 70, 105, "cm")
    seat, back = p.number("seat height", 34, 52, "cm"), p.number("back height", 20, 65, "cm")
    thick = p.number("back thickness", 14, 32, "cm")
    arm, arm_width = p.number("arm height", 0, 32, "cm"), p.number("arm width", 10, 26, "cm")
    leg, soft = p.number("leg height", 4, 18, "cm"), p.number("softness", 0, 1)
    round_off = 0.015 + 0.06 * soft
    base = (seat - leg) / 2
    p.box((0, 0, leg + base), (width / 2, depth / 2, base), bevel=np.minimum(round_off, 0.05), label="seat")
    p.box(
        (0, depth / 2 - thick / 2, leg + (seat + back - leg) / 2),
        (width / 2, thick / 2, (seat + back - leg) / 2),
        bevel=round_off,
        label="back",
    )
    tall = (seat + arm - leg) / 2
    p.box(
        (width / 2 - arm_width / 2, 0, leg + tall),
        (arm_width / 2, depth / 2, tall),
        bevel=np.minimum(round_off, 0.05),
        mirror="x",
        label="arm",
    )
    pillow = p.unnamed(-0.08, 0.16)  # as thick as this, or none
    inner, deep = width / 2 - arm_width, depth - thick
    p.box(
        (0, -thick / 2, seat + pillow / 2 - 0.02),
        (inner - 0.01, deep / 2 - 0.01, np.maximum(pillow, 0.02) / 2 + 0.02),
        bevel=np.minimum(round_off, 0.03),
        where=pillow > 0,
        label="cushion",
    )
    r = 0.045
    p.rod(
        p.points(width / 2 - 0.09, depth / 2 - 0.09, r),
        p.points(width / 2 - 0.09, depth / 2 - 0.09, leg + 0.04),
        r,
        mirror="xy",
        label="leg",
    )


def bed(p: Numbers) -> None:
    """Frame on four legs, mattress, headboard, footboard, two pillows."""
    width, length = p.number("width", 85, 200, "cm"), p.number("length", 180, 215, "cm")
    frame, leg = p.number("frame height", 12, 30, "cm"), p.number("leg height", 4, 30, "cm")
    mattress = p.number("mattress thickness", 10, 35, "cm")
    head, foot = p.number("headboard height", 0, 80, "cm"), p.number("footboard height", 0, 45, "cm")
    pillow, soft = p.number("pillow size", 25, 60, "cm"), p.number("softness", 0, 1)
    top = leg + frame
    p.box((0, 0, leg + frame / 2), (width / 2, length / 2, frame / 2), bevel=0.015, label="frame")
    p.box(
        (0, 0, top + mattress / 2 - 0.02),
        (width / 2 - 0.05, length / 2 - 0.07, mattress / 2 + 0.02),
        bevel=0.015 + 0.045 * soft,
        label="mattress",
    )
    for name, rise, y in (("headboard", head, length / 2), ("footboard", foot, -length / 2)):
        tall = (frame + rise) / 2
        p.box((0, y, leg + tall), (width / 2, 0.05, tall), bevel=0.01 + 0.035 * soft, label=name)
    r = 0.055
    p.bar(
        p.points(width / 2 - r, length / 2 - r, 0),
        p.points(width / 2 - r, length / 2 - r, leg + 0.05),
        r,
        r,
        mirror="xy",
        label="leg",
    )
    half, puff = np.minimum(width * 0.22, 0.35), p.unnamed(0.05, 0.11)
    p.box(
        (half * 1.06 + 0.01, length / 2 - 0.1 - pillow / 2, top + mattress + puff / 2),
        (half, pillow / 2, puff),
        bevel=puff * 0.93,
        mirror="x",
        label="pillow",
    )


DESIGNS = (
    Design("chair", chair, 1.28, 1.6),
    Design("stool", stool, 0.88, 1.2),
    Design("sofa", sofa, 2.15, 0.8),
    Design("bed", bed, 2.4, 0.8),
)
