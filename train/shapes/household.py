"""Household things: turned vessels, packages, cutlery and hand tools, fruit. Units are metres; z = 0 is the floor."""

from __future__ import annotations

import numpy as np

from . import program as P
from .palette import paint
from .program import Parts, axis_rotation


def _profile(p: Parts, radii: list, heights: list) -> tuple[np.ndarray, np.ndarray]:
    return np.stack([p.column(r) for r in radii], 1), np.stack([p.column(h) for h in heights], 1)


def vessel(p: Parts) -> None:
    """Bottles, vases, cups, mugs with handles, bowls, plates, pots, jugs."""
    paint(p, "ceramic")
    u = p.rng.uniform
    n = p.count
    kind = p.rng.choice(6, n, p=[.2, .17, .27, .14, .1, .12])
    bottle, vase, cup, bowl, plate, pot = (kind == i for i in range(6))
    height = p.draw("height", .08, .34)
    belly = p.draw("belly", .3, .62)  # widest radius over height
    height = np.select([bowl, plate, cup, pot], [height * .35, height * .1, height * .5, height * .7], height)
    r = np.select([bottle, vase, cup, bowl, plate], [height * u(.13, .24, n), height * u(.2, .5, n), height * u(.32, .58, n),
                                                     height * u(.85, 1.6, n), height * u(3.2, 7, n)], height * u(.45, .9, n))
    p.parameters["belly"] = r / height + 0 * belly
    foot = r * np.select([bottle, vase, cup, bowl, plate], [u(.9, 1, n), u(.4, .8, n), u(.6, 1, n), u(.35, .6, n), u(.5, .7, n)], u(.75, 1, n))
    neck = r * np.select([bottle, vase, bowl | plate], [u(.28, .5, n), u(.3, .7, n), u(.97, 1, n)], u(.9, 1.05, n))
    lip = np.select([bottle, vase], [neck * u(1, 1.25, n), neck * u(1, 1.7, n)], neck)
    swell, shoulder = u(.25, .5, n), u(.55, .75, n)
    middle = np.select([bowl, plate, cup, pot], [r * u(.72, .9, n), r * .8, (foot + neck) / 2 * u(.95, 1.12, n), r * u(.98, 1.06, n)], r)
    high = np.select([bottle, vase], [r * u(.9, 1, n), r * u(.8, 1, n)], np.maximum(middle, (middle + neck) / 2))
    z = [0 * height, 0 * height, swell * height * .5, swell * height, shoulder * height,
         np.where(bottle, shoulder + .12, (1 + shoulder) / 2) * height, height * .93, height]
    radii = [0 * r, foot, (foot + middle) / 2 * np.where(vase | bottle, 1.08, 1.03), middle, high, np.where(bottle, neck * 1.1, (high + neck) / 2), neck, lip]
    outer, levels = _profile(p, radii, z)
    p.lathe((0, 0, 0), outer, levels, inflate=height * .008, label="body")
    wall = np.select([plate, bowl], [height * .16, height * u(.05, .12, n)], np.minimum(r * u(.07, .16, n), .012))
    hollow = ~bottle & ~(vase & p.chance(.25))
    inner = np.maximum(outer - wall[:, None], .0005)
    inner[:, 0] = 0
    cavity = levels.copy()
    cavity[:, :2] += wall[:, None]
    cavity[:, 2:6] += wall[:, None] * .4
    cavity[:, 6:] += wall[:, None] * 2 + height[:, None] * .1
    p.lathe((0, 0, 0), inner, cavity, op=P.CUT, where=hollow, label="cavity", material=np.where(p.chance(.3), 1, 0))
    p.cone((0, 0, height * 1.02), height * .045, lip * 1.05, lip * 1.05, where=bottle & p.chance(.8), label="cap", material=2, bevel=.001)
    p.lathe((0, 0, 0), outer * 1.012, levels * .5 + height[:, None] * .2, where=bottle & p.chance(.5), label="label", material=1)
    handled = (cup & p.chance(.7)) | (pot & p.chance(.4)) | (vase & p.chance(.15))
    ring, tube = height * u(.22, .34, n), np.minimum(height * u(.035, .07, n), r * .18)
    upright = np.array([[0., 0, 1], [1., 0, 0], [0., 1, 0]])
    p.arc((r * .93, 0, height * u(.48, .58, n)), ring, tube, u(1.6, 2.1, n), rotation=upright, where=handled, label="handle")
    p.arc((-r * .93, 0, height * .6), ring, tube, 1.8, rotation=upright * np.array([-1., 1, 1]), where=handled & pot & p.chance(.7), label="handle")
    long_handle = pot & ~handled & p.chance(.7)
    p.rod(p.points(r * .95, 0, height * .8), p.points(r * u(2, 3.2, n), 0, height * u(.8, 1.1, n)), height * .09, where=long_handle, label="handle", material=3)
    lid = pot & p.chance(.45)
    p.ball((0, 0, height), (neck * 1.04, neck * 1.04, height * .16), where=lid, label="lid")
    p.ball((0, 0, height * 1.2), (height * .08,) * 3, where=lid, label="knob", material=2)
    spout = (pot & lid & p.chance(.6)) | (vase & handled & p.chance(.5))
    p.rod(p.points(-r * .8, 0, height * .35), p.points(-r * 1.7, 0, height * .95), height * .12, height * .05, where=spout, label="spout")


def package(p: Parts) -> None:
    """Cans, boxes, cartons, jars, books, bricks: goods from a shelf, some lying down."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    width, depth, height = p.draw("width", .04, .2), p.draw("depth", .02, .16), p.draw("height", .03, .3)
    can = p.chance(.36)
    r = width / 2
    lying = p.chance(.2)
    turn = np.where(lying[:, None, None], axis_rotation("x", np.pi / 2), np.eye(3))
    z = np.where(lying, np.where(can, r, depth / 2), height / 2)
    sx = np.where(lying[:, None], p.points(0, 1, 0), p.points(0, 0, 1))  # the package's own upward axis
    middle = p.points(0, 0, z)
    p.add(P.CONE, middle, [height / 2, r, r * np.where(p.chance(.25), u(.7, .95, n), 1), u(.001, .006, n)], rotation=turn, where=can, label="body")
    rim = p.chance(.6) & can
    p.add(P.CONE, middle + sx * (height / 2)[:, None], [.003, r * 1.03, r * 1.03, .001], rotation=turn, where=rim, label="rim", material=3)
    p.add(P.CONE, middle - sx * (height / 2)[:, None], [.003, r * 1.03, r * 1.03, .001], rotation=turn, where=rim, label="rim", material=3)
    p.add(P.CONE, middle + sx * (height / 2 + .012)[:, None], [.014, r * u(.7, 1.06, n), r * .95, .002], rotation=turn, where=can & ~rim, label="lid", material=2)
    bevel = np.minimum(width, np.minimum(depth, height)) * np.where(p.chance(.75), u(.01, .08, n), u(.1, .45, n))
    p.add(P.BOX, middle, [width / 2, depth / 2, height / 2, bevel], rotation=turn, where=~can, label="body")
    strip = p.chance(.35) & ~can
    p.add(P.BOX, middle + sx * (height * u(-.2, .2, n))[:, None], [width / 2 + .001, depth / 2 + .001, height * u(.08, .2, n), .001], rotation=turn, where=strip, label="label", material=2)
    studs = ~can & ~lying & p.chance(.14)
    for x in (-.5, .5):
        for y in (-.5, .5):
            p.cone((x * width * .5, y * depth * .5, height), height * .12, np.minimum(width, depth) * .15, np.minimum(width, depth) * .15, where=studs, label="stud")
    carton = ~can & ~lying & ~studs & p.chance(.2)
    roof = np.stack([np.stack([p.column(a) * width / 2, p.column(b) * depth * .6], -1) for a, b in
                     ((-1, 0), (1, 0), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1), (0, 1))], 1)
    p.prism(np.stack([0 * height, 0 * height, height - .001], -1), roof, depth / 2, rotation=np.array([[1., 0, 0], [0, 0, 1], [0, -1., 0]]), where=carton, label="top")
    pump = ~lying & (height > .12) & ~carton & ~studs & p.chance(.25)
    p.rod(p.points(0, 0, height), p.points(0, 0, height * 1.25), width * .1, where=pump, label="spout", material=4)
    p.rod(p.points(0, 0, height * 1.25), p.points(-width * .4, 0, height * 1.25), width * .1, width * .07, where=pump, label="spout", material=4)
    grip = ~lying & (height > .14) & ~pump & ~carton & ~studs & p.chance(.15)
    p.box((width * .28, 0, height * .62), (width * .09, depth, height * .16), bevel=width * .05, op=P.CUT, where=grip, label="grip")


def tool(p: Parts) -> None:
    """Hammers, screwdrivers, spanners, spoons, knives, brushes, pans of a long shape; most lie on the floor, some stand."""
    paint(p, "metal")
    u, n = p.rng.uniform, p.count
    length, grip = p.draw("length", .12, .38), p.draw("grip thickness", .007, .02)
    share = p.draw("handle share", .35, .62)
    kind = p.rng.choice(6, n, p=[.2, .2, .15, .2, .15, .1])
    hammer, driver, spanner, spoon, knife, brush = (kind == i for i in range(6))
    a, b = p.points(-length / 2, 0, 0), p.points(length * (share - .5), 0, 0)
    tip = p.points(length / 2, 0, 0)
    flat = spoon | knife | spanner
    p.rod(a, b, grip, grip * u(.7, 1.1, n), where=~flat, label="handle", material=np.where(p.chance(.6), 2, 0))
    p.add(P.BOX, (a + b) / 2, [length * share / 2, grip, grip * u(.3, .6, n), grip * .28], where=flat, label="handle", material=np.where(p.chance(.5), 2, 3))
    p.rod(b, tip, grip * .45, np.where(brush, grip * .5, grip * .3), where=driver | brush, label="shaft", material=3)
    p.box((length * .46, 0, 0), (length * .04, grip * .5, grip * .15), where=driver & p.chance(.6), label="tip", material=3, bevel=.0005)
    p.bar(b, tip, grip * .5, grip * .35, where=hammer, label="shaft")
    head = u(.03, .06, n)
    p.rod(p.points(length / 2, -head, 0), p.points(length / 2, head * u(.6, 1, n), 0), grip * u(.9, 1.5, n), grip * u(.5, 1.4, n), where=hammer & p.chance(.6), label="head", material=3)
    p.box((length / 2, 0, 0), (grip * 1.5, head, grip * 1.2), where=hammer & p.chance(.5), label="head", material=3, bevel=.003)
    jaw = grip * u(1.5, 2.3, n)
    thin = grip * u(.3, .6, n)
    p.bar(b, tip, thin, grip * .8, where=spanner, label="shaft", material=3, bevel=.001)
    p.cone((length / 2, 0, 0), thin, jaw, jaw, where=spanner, label="head", material=3)
    p.box((length / 2 + jaw * .8, 0, 0), (jaw, jaw * .45, .1), op=P.CUT, where=spanner, label="jaw")
    bowl = length * u(.07, .13, n)
    p.bar(b, p.points(length / 2 - bowl, 0, 0), grip * .22, grip * .35, where=spoon, label="shaft", material=3, bevel=.001)
    p.ball((length / 2 - bowl, 0, 0), (bowl * 1.4, bowl * .9, bowl * .4), where=spoon, label="head", material=3)
    p.ball((length / 2 - bowl, 0, bowl * .22), (bowl * 1.3, bowl * .8, bowl * .4), op=P.CUT, where=spoon, label="head")
    blade = length * (1 - share)
    width = grip * u(1.2, 3, n)
    shape = [(0, -1), (.6, -1), (.85, -.7), (1, .2), (1, .2), (1, .35), (.9, .6), (0, .6)]
    outline = np.stack([np.stack([x * blade, y * width], -1) for x, y in shape], 1)
    p.prism(b, outline, grip * .12, where=knife, label="blade", material=3)
    p.box((length / 2, 0, -grip), (length * .08, grip * 1.4, grip * 1.6), where=brush, label="head", material=1, bevel=.003)
    stand(p, p.chance(.3))


def stand(p: Parts, upright) -> None:
    """Turn chosen objects so that their x axis points up, and everything by a random angle about z."""
    table, n = p.table, p.count
    up = np.array([[0., 0, -1], [0, 1, 0], [1, 0, 0]])  # object -> turned: x becomes z
    spin = np.swapaxes(axis_rotation("z", p.rng.uniform(0, 2 * np.pi, n)), 1, 2)
    turn = np.where(np.asarray(upright)[:, None, None], up, np.eye(3))
    turn = np.einsum("nij,njk->nik", spin, turn)
    turn_parts(table, turn)


def turn_parts(table: np.ndarray, turn: np.ndarray) -> None:
    """Turn whole tables (N, K, WIDTH) in place by rotations (N, 3, 3)."""
    table[..., P.CENTRE] = np.einsum("nij,nkj->nki", turn, table[..., P.CENTRE])
    rotation = table[..., P.ROTATION].reshape(len(table), P.CAPACITY, 3, 3)
    table[..., P.ROTATION] = np.einsum("nkij,nlj->nkil", rotation, turn).reshape(len(table), P.CAPACITY, 9)


def fruit(p: Parts) -> None:
    """Balls, fruit, vegetables and bread: one to four smooth lumps with a stalk."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    long, wide = p.draw("length", .8, 2.2), p.draw("flatness", .7, 1.05)
    kind = p.rng.random(n)
    ball = kind < .3
    rx = np.where(ball, 1, long) * .05
    p.ball((0, 0, .05), (rx, .05, np.where(ball, .05, .05 * wide)), where=kind < .7, label="body")
    p.ball((rx * .9, 0, .05), (.02, .018, .018), blend=.02, where=~ball & (kind < .5), mirror="x", label="tip")
    p.rod(p.points(0, 0, .1), p.points(.012, 0, .13), .005, where=(kind > .5) & (kind < .7), label="stalk", material=0)
    p.ball((0, 0, .12), (.04, .04, .05), blend=.04, where=(kind > .6) & (kind < .7), label="neck")
    bend = kind >= .7
    angle = u(.5, 1.2, n)
    p.arc((0, 0, .03), u(.08, .16, n), u(.018, .03, n), angle, where=bend & (kind < .85), label="body")
    for i in range(4):
        p.ball((u(-.05, .05, n), u(-.05, .05, n), .05 + u(-.01, .03, n)), (u(.03, .06, n), u(.03, .06, n), u(.03, .05, n)),
               blend=.02, where=kind >= .85, label="lump", material=i % 2)
    stand(p, p.chance(.12) & ~ball)
