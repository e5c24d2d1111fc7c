"""Everyday things beside `household`'s: thin-walled crockery, goods, implements and toys. Units are free; z = 0 is the floor."""

from __future__ import annotations

import numpy as np

from . import program as P
from .household import stand, turn_parts
from .palette import paint
from .program import Parts, axis_rotation

FACING_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1.0, 0]])
"""World -> local of an arc or prism that stands upright, its local y pointing up."""
ROUND = np.pi - 0.001
HEXAGON = np.array([(np.cos(a), np.sin(a)) for a in np.radians([0, 60, 120, 180, 240, 300, 300, 300])])


def _turned(p: Parts, points, **kw) -> None:
    """A solid turned about z from an outline of eight (radius, height), from its underside out and back over the top."""
    radii, heights = (np.stack([p.column(q[i]) for q in points], 1) for i in (0, 1))
    p.lathe((0, 0, 0), radii, heights, **kw)


def crockery(p: Parts) -> None:
    """Tumblers, plates, pans, pitchers, lids and nested cups, all with walls of 3 to 9 % of their radius.

    Half of the tumblers and nested cups have a collar round the rim, as flower pots and stacking cups do, and some stand
    on a narrower step.
    """
    paint(p, "ceramic")
    u, n = p.rng.uniform, p.count
    kind = p.rng.choice(6, n, p=[.34, .22, .14, .11, .06, .13])
    tumbler, plate, pan, pitcher, lid, nested = (kind == i for i in range(6))
    rim, height, wall = p.draw("rim radius", .9, 1.1), p.draw("height over radius", 1.3, 3.4), p.draw("wall", .03, .09)
    height = np.select([plate, pan, pitcher, lid], [u(.1, .3, n), u(.25, .6, n), u(1.9, 3, n), u(.15, .35, n)], height)
    foot = rim * np.select([plate, pan, lid], [u(.4, .7, n), u(.7, .95, n), u(.9, 1, n)], u(.55, .95, n))
    middle = np.where(pitcher, u(.95, 1.3, n), u(.97, 1.06, n)) * (foot + rim) / 2
    base = wall * u(1, 1.8, n)
    collar = (tumbler | nested) & p.chance(.5)
    out, down = rim * u(1.03, 1.14, n), height * u(.03, .18, n)
    for level in range(3):  # cups stand in cups
        up = level * height * u(.12, .25, n) if level else np.zeros(n)
        there = (tumbler | pan | pitcher) if level == 0 else nested & (p.chance(.6) if level == 2 else True)
        there = there | nested if level == 0 else there
        neck = rim + (foot - rim) * down / height
        _turned(p, [(foot, up), (neck, up + height - down), (out, up + height - down * u(.9, 1.1, n)), (out, up + height),
                    (rim - wall, up + height), (foot - wall, up + base), (foot * .5, up + base), (foot * .2, up + base)],
                where=there & collar, label="body", material=level % 2)
        _turned(p, [(foot, up), (middle, up + height * .5), (rim, up + height), (rim - wall, up + height),
                    (middle - wall, up + height * .5), (foot - wall, up + base), (foot * .5, up + base), (foot * .2, up + base)],
                where=there & ~collar, label="body", material=level % 2)
    step = (tumbler | nested) & p.chance(.25)
    p.cone((0, 0, -height * .04), height * .05, foot * u(.8, .93, n), foot * .92, where=step, label="foot", bevel=wall * .2)
    bead = (tumbler | nested) & ~collar & p.chance(.3)
    p.arc((0, 0, height), rim, wall * .7, ROUND, where=bead, label="rim")
    well, rise = foot * u(.9, 1.05, n), height * u(.2, .6, n)
    _turned(p, [(foot * .95, 0), (foot, height * .1), ((foot + rim) / 2, rise), (rim, height - wall * .5), (rim, height),
                ((well + rim) / 2, rise + wall), (well, wall * 1.2), (well * .3, wall * 1.2)], where=plate, label="body")
    ring = plate & p.chance(.4)
    p.arc((0, 0, wall * .5), foot * .8, wall * .6, ROUND, where=ring, label="foot", material=0)
    _turned(p, [(foot, 0), (rim, 0), (rim, wall), (rim * .9, height * .5), (rim * .6, height * .85), (rim * .3, height),
                (rim * .2, height), (rim * .1, height)], where=lid, label="body")
    p.ball((0, 0, height * 1.25), (rim * .12, rim * .12, height * .25), where=lid, label="knob", material=2)
    reach, lift = rim * u(1.9, 3, n), height * u(.7, 1.4, n)
    flat = pan & p.chance(.5)
    p.rod(p.points(rim * .95, 0, height * .8), p.points(reach, 0, lift), wall * u(.8, 1.5, n), wall * u(1, 2, n), where=pan & ~flat, label="handle", material=3)
    p.bar(p.points(rim * .95, 0, height * .8), p.points(reach, 0, lift), wall * .6, wall * u(1.2, 2.2, n), bevel=wall * .3, where=flat, label="handle", material=3)
    size = height * u(.2, .32, n)
    upright = np.array([[0.0, 0, 1], [1.0, 0, 0], [0.0, 1, 0]])
    p.arc((middle * .97, 0, height * .52), size, np.minimum(wall * u(1, 1.8, n), size * .4), u(1.5, 2.1, n), rotation=upright, where=pitcher, label="handle")
    p.rod(p.points(-rim * .8, 0, height * .9), p.points(-rim * u(1.15, 1.5, n), 0, height * u(.98, 1.08, n)), wall * 2, wall, where=pitcher & p.chance(.7), label="spout")
    over = p.chance(.1) & (tumbler | plate)  # upside down
    turn_parts(p.table, np.where(over[:, None, None], axis_rotation("x", np.pi), np.eye(3)))


def goods(p: Parts) -> None:
    """Cubes, toy bricks, tins, tubes, squeeze and spray bottles, sponges and soap, boxes on their edge."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    kind = p.rng.choice(7, n, p=[.17, .16, .12, .13, .22, .1, .1])
    cube, brick, tin, tube, bottle, soap, flat = (kind == i for i in range(7))
    size, tall = p.draw("size", .9, 1.1), p.draw("height", .5, 1.0)
    half = size / 2
    side = half * u(.9, 1.1, n)
    for level in range(2):
        p.box((half * u(-.15, .15, n) * level, 0, half + 2 * half * level), (side, half, half), bevel=half * u(.02, .3, n),
              where=cube & (p.chance(.25) if level else True), label="body", material=level)
    long, wide = p.rng.integers(1, 5, n), p.rng.integers(1, 3, n)
    rise = np.where(p.chance(.75), u(.5, .65, n), u(.2, .3, n)) * np.where(p.chance(.2), 2, 1)
    p.box((0, 0, rise), (wide * .5, long * .5, rise), bevel=.02, where=brick, label="body")
    p.box((0, 0, -.001), (wide * .5 - .12, long * .5 - .12, rise * 1.6), bevel=.01, op=P.CUT, where=brick & p.chance(.3), label="underside")
    stud = u(.08, .14, n)
    for x in range(2):
        for y in range(4):
            p.cone((x - (wide - 1) / 2, y - (long - 1) / 2, 2 * rise + stud), stud, .3, .3, bevel=.02,
                   where=brick & (x < wide) & (y < long), label="stud")
    low = size * u(.12, .35, n)
    p.cone((0, 0, low), low, half, half * u(.92, 1, n), bevel=low * u(.02, .3, n), where=tin, label="body")
    p.cone((0, 0, low * 2), low * u(.1, .4, n), half * 1.03, half * 1.03, bevel=.01, where=tin & p.chance(.6), label="lid", material=2)
    slim = u(.07, .17, n)
    p.cone((0, 0, .5), .5, slim, slim * u(.9, 1, n), bevel=.004, where=tube, label="body")
    p.cone((0, 0, 1.0), u(.02, .06, n), slim * 1.04, slim * 1.04, bevel=.008, where=tube & p.chance(.7), label="lid", material=2)
    across, deep = u(.16, .26, n), u(.09, .16, n)
    deep = np.minimum(deep, across)
    high = tall * .62
    p.box((0, 0, high / 2), (across, deep, high / 2), bevel=deep * u(.5, .95, n), where=bottle, label="body")
    p.ball((0, 0, high * .95), (across * .95, deep * .95, high * u(.12, .3, n)), blend=.03, where=bottle, label="shoulder")
    neck = deep * u(.35, .6, n)
    p.cone((0, 0, high * 1.12), high * .14, neck, neck, where=bottle, label="neck")
    sprays = bottle & p.chance(.35)
    p.cone((0, 0, high * 1.3), high * .09, neck * 1.35, neck * u(.9, 1.3, n), where=bottle & ~sprays, label="cap", material=2)
    p.bar(p.points(-neck * 1.6, 0, high * 1.36), p.points(neck * 3.2, 0, high * 1.4), neck * .8, high * .07, bevel=.01, where=sprays, label="head", material=2)
    p.bar(p.points(neck * 1.8, 0, high * 1.34), p.points(neck * 2.4, 0, high * 1.1), neck * .4, neck * .25, bevel=.005, where=sprays, label="trigger", material=3)
    p.ball((across * .75, 0, high * .68), (across * .3, 1, high * u(.12, .2, n)), op=P.CUT, where=bottle & ~sprays & p.chance(.25), label="grip")
    label = bottle & p.chance(.5)
    p.box((0, 0, high * .45), (across * 1.004, deep * 1.004, high * .22), bevel=deep * .5, where=label, label="label", material=1)
    thick = u(.1, .25, n)
    p.box((0, 0, thick), (half, half * u(.5, .8, n), thick), bevel=thick * u(.1, .9, n), where=soap, label="body")
    p.box((0, 0, thick * 2), (half, half * .6, thick * .25), bevel=.01, where=soap & p.chance(.3), label="scrubber", material=2)
    thin = u(.05, .2, n)
    p.box((0, 0, tall / 2), (half, thin, tall / 2), bevel=.006, where=flat, label="body")
    lying = (tube & p.chance(.45)) | (bottle & p.chance(.12)) | (flat & p.chance(.4))
    turn_parts(p.table, np.where(lying[:, None, None], axis_rotation("x", np.pi / 2), np.eye(3)))


def implement(p: Parts) -> None:
    """Drills, scissors, pliers, forks, spatulas, pens, padlocks, bolts and nuts; most lie flat, some stand."""
    paint(p, "metal")
    u, n = p.rng.uniform, p.count
    kind = p.rng.choice(9, n, p=[.15, .14, .14, .11, .12, .12, .08, .08, .06])
    drill, scissors, pliers, fork, spatula, pen, padlock, bolt, nut = (kind == i for i in range(9))
    length, thick = p.draw("length", .9, 1.1), p.draw("thickness", .03, .055)
    spread = p.draw("opening", .05, .45)
    body = u(.09, .14, n)
    p.cone((0, 0, 0), length * .3, body, body * u(.8, 1, n), bevel=.02, rotation=axis_rotation("y", np.pi / 2), where=drill, label="body", material=2)
    p.cone((length * .38, 0, 0), length * .1, body * .75, body * .4, rotation=axis_rotation("y", np.pi / 2), where=drill, label="chuck", material=3)
    p.rod(p.points(length * .45, 0, 0), p.points(length * .65, 0, 0), .018, where=drill & p.chance(.5), label="bit", material=3)
    heel = p.points(-length * u(.1, .3, n), 0, -length * u(.45, .6, n))
    p.bar(p.points(-length * .12, 0, 0), heel, body * .55, body * u(.6, .8, n), bevel=.03, where=drill, label="grip", material=1)
    p.box((heel[:, 0] + .03, 0, heel[:, 2] - .03), (body * 1.4, body * .95, body * u(.4, .7, n)), bevel=.02, where=drill & p.chance(.75), label="battery", material=2)
    cross = scissors | pliers
    blade, grip = length * u(.35, .6, n), length * u(.4, .55, n)
    blade = np.where(pliers, blade * .45, blade)
    ring = length * u(.09, .14, n)
    for side in (1, -1):
        lean = spread * side * .7
        tip = p.points(blade * np.cos(lean), blade * np.sin(lean), 0)
        end = p.points(-grip * np.cos(lean), -grip * np.sin(lean) * np.where(pliers, 1.4, 1), 0)
        p.bar(p.points(0, 0, thick * .3 * side), tip + p.points(0, 0, thick * .3 * side), thick * .35, thick * u(.6, 1.1, n), bevel=.003, where=scissors, label="blade", material=3)
        p.bar(p.points(0, 0, 0), tip, thick * .8, thick * u(.9, 1.5, n), bevel=.01, where=pliers, label="jaw", material=3)
        p.rod(p.points(0, 0, 0), end, thick * .8, thick * u(.7, 1.3, n), where=cross, label="handle", material=np.where(scissors, 2, 1))
        out = np.maximum(np.sin(lean * side), .25) * side
        p.arc(end + p.points(-ring * .8, ring * .55 * out, 0), ring, thick * u(.5, .8, n), ROUND, where=scissors, label="ring", material=2)
    p.cone((0, 0, 0), thick * .9, thick * 1.3, thick * 1.3, where=cross, label="pivot", material=3)
    handled = fork | spatula
    share = length * u(.55, .72, n)
    p.bar(p.points(-length / 2, 0, 0), p.points(-length / 2 + share, 0, length * u(0, .04, n)), thick * .35, thick * u(.35, .9, n), bevel=.004, where=handled, label="handle", material=np.where(p.chance(.5), 3, 2))
    wide, start = length * u(.05, .08, n), -length / 2 + share
    wide = np.where(spatula, length * u(.08, .16, n), wide)
    p.box(((start + length / 2) / 2, 0, length * .02), ((length / 2 - start) / 2, wide, np.where(fork, .012, u(.006, .02, n))), bevel=.004, where=handled, label="head", material=np.where(fork, 3, 1))
    for i in (-1, 0, 1):
        p.box((length * .42, i * wide * .5, 0), (np.where(fork, length * .14, length * .07), wide * .13, .2), op=P.CUT, where=fork | (spatula & (ring > length * .11)), label="slot")
    slim = u(.03, .07, n)
    p.cone((0, 0, 0), length / 2, slim, slim * u(.7, 1, n), bevel=.005, rotation=axis_rotation("y", np.pi / 2), where=pen, label="body", material=0)
    p.cone((length * u(.25, .4, n), 0, 0), length * .18, slim * 1.12, slim * u(.9, 1.1, n), bevel=.01, rotation=axis_rotation("y", np.pi / 2), where=pen & p.chance(.75), label="cap", material=2)
    p.box((0, 0, .3), (u(.28, .4, n), u(.1, .16, n), .3), bevel=u(.02, .1, n), where=padlock, label="body", material=np.where(p.chance(.5), 3, 0))
    p.arc((0, 0, .6 + (loop := u(.05, .2, n))), u(.18, .25, n), u(.04, .06, n), 1.75, rotation=FACING_UP, where=padlock, label="shackle", material=3)
    p.rod(p.points(.21, 0, .5), p.points(.21, 0, .62 + loop), .05, mirror="x", where=padlock, label="shackle", material=3)
    head = u(.13, .26, n)
    outline = HEXAGON[None] * head[:, None, None]
    p.prism((0, 0, 0), outline, head * u(.25, .4, n), where=bolt, label="head", material=3)
    p.rod(p.points(0, 0, 0), p.points(0, 0, u(.5, .9, n)), head * u(.4, .6, n), where=bolt, label="shaft", material=3)
    p.prism((0, 0, 0), outline, head * u(.3, .8, n), where=nut, label="body", material=3)
    p.cone((0, 0, 0), 1, head * u(.45, .65, n), head * .55, op=P.CUT, where=nut, label="hole")
    upright = np.where(drill, p.chance(.0), np.where(pen | spatula | fork, p.chance(.25), p.chance(.08))) & ~padlock & ~bolt & ~nut
    flat = (drill & p.chance(.45)) | (padlock & p.chance(.5)) | (bolt & p.chance(.5))
    turn_parts(p.table, np.where(flat[:, None, None], axis_rotation("x", np.pi / 2), np.eye(3)))
    stand(p, upright.astype(bool))


def toy(p: Parts) -> None:
    """Fat aeroplanes, stacked rings, block towers, trains, big-wheeled cars, peg dolls and spinning tops."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    kind = p.rng.choice(7, n, p=[.2, .12, .16, .14, .14, .14, .1])
    plane, rings, tower, train, car, doll, top = (kind == i for i in range(7))
    size, fat = p.draw("size", .9, 1.1), p.draw("fatness", .08, .16)
    p.rod(p.points(0, -size * .42, 0), p.points(0, size * .45, size * u(0, .06, n)), fat * u(.8, 1.1, n), fat * u(.3, .7, n), where=plane, label="body")
    swept = u(-.06, .14, n)
    wing_z, wing = fat * u(-.6, .8, n), size * u(.32, .5, n)
    p.bar(p.points(0, -.08, wing_z), p.points(wing, -.08 + swept, wing_z), .03, u(.07, .13, n), bevel=.02, mirror="x", where=plane, label="wing", material=1)
    p.bar(p.points(0, -.08, wing_z + fat * 1.6), p.points(wing, -.08, wing_z + fat * 1.6), .025, .09, bevel=.02, mirror="x", where=plane & (wing < size * .36), label="wing", material=1)
    p.bar(p.points(0, size * .4, .02), p.points(wing * .45, size * .43, .02), .022, .06, bevel=.015, mirror="x", where=plane, label="tail", material=1)
    p.bar(p.points(0, size * .4, 0), p.points(0, size * .46, fat * u(1.5, 2.4, n)), .025, .06, bevel=.015, where=plane, label="tail", material=2)
    p.box((0, -size * .42 - fat, 0), (fat * u(1.2, 2, n), .02, .03), bevel=.01, where=plane & p.chance(.5), label="propeller", material=3)
    p.ball((0, -size * .4, -fat * 1.3), (fat * .35,) * 3, where=plane & p.chance(.5), label="wheel", material=3)
    tube = u(.07, .11, n)
    p.cone((0, 0, .02), .03, .42, .42, where=rings, label="base", material=1)
    for i in range(5):
        p.arc((0, 0, .05 + tube * (1 + 1.9 * i)), .3 - .045 * i, tube, ROUND, where=rings & (i < p.rng.integers(3, 6, n)), label="ring", material=i % 5)
    p.rod(p.points(0, 0, 0), p.points(0, 0, .1 + tube * 10), .05, where=rings & p.chance(.8), label="post", material=4)
    z = np.zeros(n)
    for i in range(5):
        half = p.points(u(.12, .28, n), u(.1, .2, n), u(.06, .2, n))
        there = tower & (i < p.rng.integers(2, 6, n) if i else tower)
        round_one = p.chance(.25)
        at = (u(-.06, .06, n) * (i > 0), u(-.06, .06, n) * (i > 0), z + half[:, 2])
        p.box(at, half.T, bevel=.008, where=there & ~round_one, label="block", material=i % 5)
        p.cone(at, half[:, 2], half[:, 1], half[:, 1] * np.where(p.chance(.3) & (i > 1), .1, 1), where=there & round_one, label="block", material=i % 5)
        z = z + 2 * half[:, 2] * there
    wheel, wide, long = u(.08, .17, n), u(.13, .2, n), u(.3, .48, n)
    across = axis_rotation("x", np.pi / 2)
    across = np.einsum("nij,njk->nik", across, axis_rotation("z", np.pi / 2))
    rolls = train | car
    p.box((0, 0, wheel + .08), (wide, long, .1), bevel=.04, where=rolls, label="body")
    p.box((0, long * u(.1, .5, n), wheel + .26), (wide * .9, long * u(.3, .5, n), .13), bevel=np.where(car, .08, .02), where=rolls, label="cab", material=1)
    p.rod(p.points(0, -long * .9, wheel + .22), p.points(0, long * .2, wheel + .22), wide * .7, where=train, label="boiler", material=2)
    p.cone((0, -long * .7, wheel + .42), .1, wide * .25, wide * u(.25, .45, n), where=train & p.chance(.85), label="chimney", material=3)
    for y in (-.65, .65):
        p.add(P.CONE, p.points(wide, long * y, wheel), [.045, wheel, wheel, .01], rotation=axis_rotation("y", np.pi / 2), mirror="x", where=rolls, label="wheel", material=3)
    p.add(P.CONE, p.points(wide, 0, wheel), [.045, wheel, wheel, .01], rotation=axis_rotation("y", np.pi / 2), mirror="x", where=train & p.chance(.5), label="wheel", material=3)
    waist, head = u(.14, .24, n), u(.12, .2, n)
    p.cone((0, 0, .3), .3, waist * u(1, 1.3, n), waist * u(.4, .9, n), bevel=.04, where=doll, label="body")
    p.ball((0, 0, .6 + head * .8), (head, head, head * u(.9, 1.15, n)), where=doll, label="head", material=4)
    p.cone((0, 0, .6 + head * 1.6), head * u(.2, .7, n), head * u(.7, 1.1, n), head * u(.1, .8, n), where=doll & p.chance(.45), label="hat", material=2)
    p.rod(p.points(waist * .6, 0, .48), p.points(waist * u(1.3, 1.9, n), -.05, .25), .045, mirror="x", where=doll & p.chance(.5), label="arm", material=1)
    belly = u(.3, .45, n)
    _turned(p, [(.02, 0), (belly * .4, .16), (belly, .34), (belly, .4), (belly * .5, .5), (.05, .56), (.045, .8), (.03, .82)], where=top, label="body")
    toppled = (doll | top) & p.chance(.2)
    turn_parts(p.table, np.where(toppled[:, None, None], axis_rotation("x", np.pi / 2 * .9), np.eye(3)))
