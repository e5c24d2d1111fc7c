"""Tables, shelves, lamps and houses."""

from __future__ import annotations

import numpy as np

from .. import program as P
from . import Design, Numbers
from .seats import rounded


def table(p: Numbers) -> None:
    """A top on four legs, with an apron."""
    width, depth = p.number("width", 60, 150, "cm"), p.number("depth", 50, 110, "cm")
    height, thick = p.number("height", 35, 105, "cm"), p.number("top thickness", 4, 11, "cm")
    round_top = p.number("top roundness", 0, 1)
    leg, splay = p.number("leg thickness", 5, 12, "cm"), p.number("leg splay", -8, 8, "cm")
    apron, soft = p.number("apron height", 0, 16, "cm"), p.number("roundness", 0, 1)
    half, r = thick / 2, leg / 2
    rounded(p, height - half, width / 2, depth / 2, half, round_top, half * (0.1 + 0.8 * soft), "top")
    reach, narrow = np.hypot(width, depth) / 2, np.minimum(width, depth) / 2
    radius = reach + (narrow - reach) * round_top  # the corners that are left lie within this
    shrink = np.minimum(1, radius * 0.94 / reach)
    x, y = width / 2 * shrink - r * 1.3, depth / 2 * shrink - r * 1.3
    spread = np.where(splay > 0, np.minimum(splay, 0.08), splay)
    top, foot = p.points(x, y, height - half), p.points(x + spread, y + spread, r * 0.3)
    p.bar(foot, top, r, r, bevel=r * (0.05 + 0.9 * soft), mirror="xy", label="leg")
    tie = p.unnamed(-0.4, 0.5)  # a board between the legs at this height, or none
    at = foot + (top - foot) * np.maximum(tie, 0.1)[:, None]
    p.box((0, 0, at[:, 2]), (at[:, 0], at[:, 1], 0.026), bevel=0.01, where=tie > 0.05, label="lower board")
    band = apron / 2
    z = height - thick - band + 0.01
    there = apron > 0.02
    p.box((0, y, z), (x, 0.024, band + 0.01), bevel=0.004, mirror="y", where=there, label="apron")
    p.box((x, 0, z), (0.024, y, band + 0.01), bevel=0.004, mirror="x", where=there, label="apron")


def shelf(p: Numbers) -> None:
    """A bookcase: back, sides, boards, on a plinth or on legs."""
    width, depth = p.number("width", 50, 180, "cm"), p.number("depth", 25, 65, "cm")
    height, board = p.number("height", 60, 170, "cm"), p.number("board thickness", 6, 12, "cm")
    leg = p.number("leg height", 0, 20, "cm")
    low, high = p.number("lower shelf", 0.2, 0.48), p.number("upper shelf", 0.55, 0.82)
    middle = p.number("divider", 0, 1)
    p.box((0, 0, leg + height / 2), (width / 2, depth / 2, height / 2), bevel=0.008, label="body")
    inner, edges = height - board, (0, low, high, 1)
    fronts = p.unnamed(0, 1)  # the lowest compartment stays shut, or all are open
    for index, (below, above) in enumerate(zip(edges, edges[1:])):
        bottom, top = leg + board + inner * below, leg + inner * above
        p.box((0, -0.07, (bottom + top) / 2), (width / 2 - board, depth / 2, (top - bottom) / 2), bevel=0.003, op=P.CUT,
              where=(index > 0) | (fronts < 0.6), label="shelf")
    # The divider grows from the back: at 1 it reaches the front.
    reach = depth * middle / 2
    p.box((0, depth / 2 - 0.05 - reach, leg + height / 2), (board / 2, reach, height / 2 - 0.01), bevel=0.003,
          where=middle > 0.1, label="divider")
    r = 0.05
    p.bar(p.points(width / 2 - r, depth / 2 - r, 0), p.points(width / 2 - r, depth / 2 - r, leg + 0.03), r, r,
          mirror="xy", where=leg > 0.02, label="leg")


def lamp(p: Numbers) -> None:
    """A table lamp: foot, stem with a belly, a shade open below."""
    height, stem = p.number("height", 40, 80, "cm"), p.number("stem thickness", 3.5, 7, "cm")
    shade, drop = p.number("shade width", 22, 55, "cm"), p.number("shade height", 14, 34, "cm")
    taper = p.number("shade taper", 0.3, 1)
    foot, thick = p.number("foot width", 15, 36, "cm"), p.number("foot height", 2.5, 8, "cm")
    belly, place = p.number("belly width", 0, 22, "cm"), p.number("belly place", 0.25, 0.55)
    half, wall = drop / 2, 0.032
    z = height - half
    p.cone((0, 0, z), half, shade / 2, shade / 2 * taper, bevel=0.004, label="shade")
    p.cone((0, 0, z - wall), half, np.maximum(shade / 2 - wall, 0.002), np.maximum(shade / 2 * taper - wall * 0.6, 0.002), op=P.CUT,
           bevel=0.001, label="shade")
    p.cone((0, 0, thick / 2), thick / 2, foot / 2, foot / 2, bevel=thick * 0.3, label="foot")
    p.rod(p.points(0, 0, thick * 0.5), p.points(0, 0, height - wall), stem / 2, label="stem")
    r = np.maximum(belly / 2, 0.002)
    p.ball((0, 0, (height - drop) * (place + 0.1)), (r, r, np.minimum(r * p.unnamed(0.7, 1.6), (height - drop) * 0.3)), where=belly > stem,
           label="belly")


def house(p: Numbers) -> None:
    """Walls under a gable roof, chimney, door and porch."""
    width, depth = p.number("width", 5, 10.5, "m"), p.number("depth", 5, 10.2, "m")
    walls, pitch = p.number("wall height", 2.4, 5.5, "m"), p.number("roof pitch", 12, 50, "°")
    eaves, thick = p.number("eaves", 0, 0.9, "m"), p.number("roof thickness", 0.45, 0.9, "m")
    chimney, porch = p.number("chimney height", 0, 2.2, "m"), p.number("porch depth", 0, 1.4, "m")
    back = 0.4  # with its porch it stands in the middle
    rise = np.tan(pitch) * width / 2
    turn = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])  # outline: local x is x, local y is z; drawn along y

    def outline(points):
        return np.stack([np.stack([p.column(x), p.column(z)], -1) for x, z in points], 1)

    gable = [(-width / 2, 0), (width / 2, 0), (width / 2, walls), (width / 4, walls + rise / 2), (0, walls + rise),
             (-width / 4, walls + rise / 2), (-width / 2, walls), (-width / 2, walls / 2)]
    p.prism((0, back, 0), outline(gable), depth / 2, rotation=turn, label="walls")
    out = width / 2 + eaves
    fall = walls - np.tan(pitch) * eaves
    roof = [(-out, fall), (0, walls + rise), (out, fall), (out, fall + thick), (out / 2, (fall + walls + rise) / 2 + thick),
            (0, walls + rise + thick), (-out / 2, (fall + walls + rise) / 2 + thick), (-out, fall + thick)]
    p.prism((0, back, 0), outline(roof), depth / 2 + eaves * 0.6, rotation=turn, label="roof")
    ridge = walls + rise + thick
    p.box((0, back + depth * p.unnamed(-0.3, 0.3), ridge + (chimney - 1) / 2), (0.42, 0.42, np.maximum((chimney + 1) / 2, 0.1)), bevel=0.03,
          where=chimney > 0.1, label="chimney")
    there = porch > 0.35
    p.box((0, back - depth / 2 - porch / 2, 2.3), (1.5, porch / 2 + 0.1, 0.22), bevel=0.03, where=there, label="porch")
    p.box((1.25, back - depth / 2 - porch + 0.2, 1.15), (0.2, 0.2, 1.2), bevel=0.03, mirror="x", where=there, label="porch")
    p.box((0, back - depth / 2, 1.0), (p.unnamed(0.45, 0.9), 0.4, 1.0), bevel=0.02, op=P.CUT, label="door")


DESIGNS = (
    Design("table", table, 1.62),
    Design("shelf", shelf, 2.05),
    Design("lamp", lamp, 0.86),
    Design("house", house, 12.6),
)
