"""Vehicles, houses, plants, creatures and toys. Rough units; z = 0 is the ground; the front is -y unless turned."""

from __future__ import annotations

import numpy as np

from . import program as P
from .household import stand
from .palette import paint
from .program import Parts, axis_rotation


def _outline(p: Parts, points) -> np.ndarray:
    return np.stack([np.stack([p.column(a), p.column(b)], -1) for a, b in points], 1)


SIDE = np.array([[1., 0, 0], [0, 0, 1], [0, -1., 0]])  # local (x, y, z) = world (x, z, -y): an outline seen from the side


def car(p: Parts) -> None:
    """Cars, vans, trucks, buses, some with a load bed."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    length, width, height = p.draw("length", 3.2, 5.5), p.draw("width", 1.5, 2.1), p.draw("height", 1.2, 1.7)
    wheel = p.draw("wheel radius", .28, .45)
    truck = p.chance(.3)
    box = p.chance(.2) & ~truck
    height = np.where(truck | box, height * u(1.2, 1.8, n), height)
    hood, bonnet = np.where(truck, u(.0, .25, n), np.where(box, .03, u(.22, .34, n))), np.where(box, .5, u(.5, .66, n)) * height
    x0, x1, low = -length / 2, length / 2, wheel * .75
    roof0 = x0 + length * hood + np.where(box, .05, .13) * length
    roof1 = np.where(truck, x0 + length * (hood + .3), x1 - length * np.where(box, .03, u(.08, .25, n)))
    tail = np.where(truck, roof1, x1)
    body = _outline(p, [(x0, low), (tail, low), (tail, bonnet), (roof1, height), (roof0, height), (x0 + length * hood, bonnet), (x0 + .05, bonnet * .9), (x0, bonnet * .75)])
    p.prism(np.zeros((n, 3)), body, width / 2, bevel=u(.03, .12, n), rotation=SIDE, label="body")
    glass = p.chance(.85)
    cabin = _outline(p, [(roof0 + .02, bonnet * 1.08), (roof1 - .1, bonnet * 1.08), (roof1 - .1, bonnet * 1.08), (roof1 - .2, height * .93), (roof0 + .12, height * .93),
                         (roof0 + .06, height * .9), (roof0 + .03, bonnet * 1.2), (roof0 + .02, bonnet * 1.1)])
    p.prism(np.zeros((n, 3)), cabin, width / 2 + .015, rotation=SIDE, where=glass, label="window", material=3)
    front, rear = x0 + length * u(.16, .22, n), x1 - length * u(.16, .22, n)
    tyre = u(.09, .16, n)
    side = axis_rotation("x", np.pi / 2)
    for at in (front, rear):
        p.add(P.CONE, p.points(at, width / 2 - tyre * .6, wheel), [tyre, wheel, wheel, .03], rotation=side, mirror="y", label="wheel", material=3)
        p.add(P.CONE, p.points(at, width / 2 - tyre * .55, wheel), [tyre, wheel * .55, wheel * .5, .01], rotation=side, mirror="y", label="hub", material=4)
    bed = (roof1 + x1) / 2
    load = p.chance(.6)
    p.box((bed, 0, np.where(load, low + height * .45, low + .2)), ((x1 - roof1) / 2, width / 2, np.where(load, height * .45, .2)), where=truck, label="load", material=1, bevel=.03)
    p.box((0, 0, low), (length * .49, width * .4, .12), where=truck, label="chassis", material=3)
    p.box((x0 + .02, width * .33, bonnet * .7), (.05, .16, .09), mirror="y", label="light", material=4, where=~truck)
    p.box((length * .4, 0, bonnet * 1.25), (.18, width * .45, .03), where=~truck & ~box & p.chance(.12), label="spoiler")
    stand(p, np.zeros(n, bool))


def aircraft(p: Parts) -> None:
    """Aeroplanes, some with propellers or two wings, and rockets."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    length, span, thick = p.draw("length", .9, 1.3), p.draw("span", .7, 1.5), p.draw("fuselage radius", .05, .12)
    nose, tail = p.points(-length / 2, 0, 0), p.points(length / 2, 0, thick * u(0, .6, n))
    middle = p.points(-length * .08, 0, 0)
    p.rod(nose + p.points(thick, 0, 0), middle, thick * u(.6, .95, n), thick, label="fuselage")
    p.rod(middle, tail, thick, thick * .3, label="fuselage")
    chord, sweep = u(.1, .2, n), u(-.02, .25, n)
    tip = chord * u(.4, .95, n)
    z = np.where(p.chance(.4), thick * .7, -thick * .4)
    wing = _outline(p, [(-chord, 0), (chord, 0), (sweep + tip, span / 2), (sweep + tip, span / 2), (sweep - tip, span / 2), (sweep - tip, span / 2), (-chord, 0), (-chord, 0)])
    flip = np.diag([1., -1, 1])
    slab = u(.008, .02, n)
    for turn in (np.eye(3), flip):
        p.prism(p.points(-length * .05, 0, z), wing, slab, rotation=turn, label="wing", material=1)
    double = p.chance(.2)
    for turn in (np.eye(3), flip):
        p.prism(p.points(-length * .05, 0, z + thick * 2.6), wing, slab, rotation=turn, label="wing", material=1, where=double)
    p.rod(p.points(-length * .05, span * .3, z), p.points(-length * .05, span * .3, z + thick * 2.6), .01, mirror="y", where=double, label="strut", material=3)
    fin = chord * u(.5, .8, n)
    plane = _outline(p, [(-fin, 0), (fin, 0), (fin * 1.1, span * .17), (fin * 1.1, span * .17), (fin * .3, span * .17), (fin * .3, span * .17), (-fin, 0), (-fin, 0)])
    for turn in (np.eye(3), flip):
        p.prism(p.points(length * .43, 0, thick * .4), plane, slab, rotation=turn, label="tailplane", material=2)
    p.prism(p.points(length * .43, 0, thick * .4), plane, slab, rotation=SIDE, label="fin", material=2)
    engines = p.chance(.4) & ~double
    p.rod(p.points(-length * .16, span * .22, z - thick * .45), p.points(length * .02, span * .22, z - thick * .45), thick * .4, mirror="y", where=engines, label="engine", material=3)
    prop = ~engines & p.chance(.6)
    p.add(P.BOX, p.points(-length / 2 - .01, 0, 0), [.008, thick * .25, thick * 2, .006], where=prop, label="propeller", material=3)
    p.add(P.BOX, p.points(-length / 2 - .01, 0, 0), [.008, thick * 2, thick * .25, .006], where=prop & p.chance(.5), label="propeller", material=3)
    p.ball((-length * .22, 0, thick * .8), (thick * 1.5, thick * .6, thick * .6), label="cockpit", material=3, where=p.chance(.75))
    legs = p.chance(.45)
    p.rod(p.points(-length * .18, thick, -thick), p.points(-length * .18, thick * 1.6, -thick * 2.2), .012, mirror="y", where=legs, label="gear", material=3)
    p.ball((-length * .18, thick * 1.6, -thick * 2.3), (.045, .02, .045), mirror="y", where=legs, label="gear", material=3)
    stand(p, p.chance(.1))


def boat(p: Parts) -> None:
    """Boats and ships with a hull cut from an ellipsoid, deck houses, masts and sails."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    length, beam, hull = p.draw("length", 1., 1.6), p.draw("beam", .2, .5), p.draw("hull depth", .12, .3)
    p.ball((0, 0, hull), (length / 2, beam / 2, hull), label="hull")
    p.box((0, 0, hull * 2), (length, beam, hull), bevel=0, op=P.CUT, label="deck", material=1)
    p.ball((0, 0, hull * 1.12), (length * .45, beam * .42, hull * .5), op=P.CUT, where=p.chance(.45), label="deck", material=1)
    house = p.chance(.6)
    p.box((length * u(-.1, .2, n), 0, hull + .09), (length * u(.1, .2, n), beam * .28, u(.06, .13, n)), where=house, label="house", material=4, bevel=.01)
    p.box((length * .08, 0, hull + .24), (length * .07, beam * .2, .06), where=house & p.chance(.4), label="house", material=4)
    mast = p.chance(.5)
    tall = u(.5, 1.1, n)
    p.rod(p.points(0, 0, hull * .6), p.points(0, 0, hull + tall), .014, where=mast, label="mast", material=0)
    sail = _outline(p, [(.02, .1), (.42, .12), (.42, .12), (.3, .5), (.02, 1), (.02, 1), (.02, .6), (.02, .3)]) * np.stack([length * .9, tall], -1)[:, None]
    p.prism(p.points(0, 0, hull), sail, .01, rotation=SIDE, where=mast & p.chance(.8), label="sail", material=4)
    p.cone((-length * .1, 0, hull + .2), .12, .05, .045, where=~mast & p.chance(.6), label="funnel", material=2)
    stand(p, np.zeros(n, bool))


def house(p: Parts) -> None:
    """Houses, towers, churches, mills, mailboxes: blocks with roofs."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    width, depth, wall = p.draw("width", .6, 1.4), p.draw("depth", .5, 1.2), p.draw("wall height", .4, 1.3)
    pitch = p.draw("roof pitch", .25, 1.)
    round_tower = p.chance(.15)
    p.box((0, 0, wall / 2), (width / 2, depth / 2, wall / 2), where=~round_tower, label="wall", bevel=.005)
    p.cone((0, 0, wall / 2), wall / 2, width * .42, width * .38, where=round_tower, label="wall")
    over = u(.02, .1, n)
    rise = pitch * width / 2
    kind = p.rng.random(n)
    gable = _outline(p, [(-width / 2 - over, 0), (width / 2 + over, 0), (0, rise), (0, rise), (0, rise), (0, rise), (0, rise), (0, rise)])
    p.prism(p.points(0, 0, wall), gable, depth / 2 + over, rotation=SIDE, where=~round_tower & (kind < .65), label="roof", material=1)
    p.cone((0, 0, wall + rise / 2), rise / 2, width * .52, .01, where=round_tower & (kind < .8), label="roof", material=1)
    p.box((0, 0, wall + .03), (width / 2 + over, depth / 2 + over, .04), where=~round_tower & (kind >= .65), label="roof", material=1)
    p.box((width * .25, depth * .2, wall + rise * .55), (.06, .06, rise * .6), where=p.chance(.5) & (kind < .65) & ~round_tower, label="chimney", material=2)
    door = u(-.2, .2, n) * width
    p.box((door, -depth / 2, .17), (.09, .025, .17), where=~round_tower, label="door", material=2)
    for at in (-.32, .32):
        p.box((at * width, -depth / 2, wall * .62), (.08, .02, .09), where=~round_tower & (wall > .55), mirror="y", label="window", material=3)
    wing = p.chance(.3) & ~round_tower
    p.box((width * .7, 0, wall * .3), (width * .3, depth * .38, wall * .3), where=wing, label="wall")
    side = _outline(p, [(-depth * .42, 0), (depth * .42, 0), (0, rise * .6), (0, rise * .6), (0, rise * .6), (0, rise * .6), (0, rise * .6), (0, rise * .6)])
    p.prism(p.points(width * .7, 0, wall * .6), side, width * .32, rotation=np.array([[0., 1, 0], [0, 0, 1], [1, 0, 0]]), where=wing, label="roof", material=1)
    tower = p.chance(.15) & ~round_tower
    p.box((-width * .35, -depth * .2, wall * .8), (width * .16, width * .16, wall * .8), where=tower, label="tower")
    p.cone((-width * .35, -depth * .2, wall * 1.6 + rise * .4), rise * .4, width * .24, .01, where=tower, label="roof", material=1)
    p.box((0, 0, .015), (width * .75, depth * .8, .02), where=p.chance(.25), label="plot", material=0)


def plant(p: Parts) -> None:
    """Trees, shrubs, cacti, mushrooms and plants in pots."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    green = np.stack([u(.03, .2, n), u(.2, .5, n), u(.02, .15, n)], -1)
    p.materials[:, 1, :3], p.materials[:, 1, 3:6] = green, green * .5
    brown = np.stack([u(.15, .4, n), u(.08, .25, n), u(.04, .12, n)], -1)
    p.materials[:, 2, :3] = brown
    tall, spread = p.draw("height", .6, 1.6), p.draw("spread", .2, .6)
    kind = p.rng.choice(5, n, p=[.25, .2, .15, .15, .25])
    tree, fir, cactus, mushroom, potted = (kind == i for i in range(5))
    base = np.where(potted, .25, 0)
    p.cone((0, 0, .13), .13, u(.1, .16, n), u(.14, .22, n), where=potted, label="pot", material=0)
    trunk = u(.03, .08, n)
    p.rod(p.points(0, 0, base * .5), p.points(0, 0, tall * .6), trunk, trunk * .6, where=tree | fir | (potted & p.chance(.5)), label="trunk", material=2)
    for _ in range(5):
        at = p.points(u(-.5, .5, n) * spread, u(-.5, .5, n) * spread, tall * u(.55, .95, n))
        size = spread * u(.35, .75, n)
        p.ball(at, (size, size, size * u(.6, 1, n)), where=tree | (potted & (p.rng.random(n) < .6)), label="leaves", material=1, blend=.02)
    for i in range(4):
        z = tall * (.3 + .2 * i)
        p.cone((0, 0, z), tall * .14, spread * (1.05 - .22 * i), spread * (.35 - .1 * i) + .01, where=fir, label="leaves", material=1)
    for i in range(6):
        angle = i * 1.05 + u(-.3, .3, n)
        reach = spread * u(.6, 1.1, n)
        start, mid = p.points(0, 0, base), p.points(np.cos(angle) * reach, np.sin(angle) * reach, base + tall * u(.2, .7, n))
        p.rod(start, mid, .035, .015, where=potted & (p.rng.random(n) < .5), label="leaves", material=1)
    stem = u(.1, .2, n)
    p.rod(p.points(0, 0, stem), p.points(0, 0, tall), stem, stem * .85, where=cactus, label="trunk", material=1)
    arm = u(.25, .4, n)
    for side in (1, -1):
        z = tall * u(.35, .6, n)
        out = p.points(side * arm, 0, z)
        grows = cactus & (p.rng.random(n) < .75)
        p.rod(p.points(0, 0, z), out, stem * .5, where=grows, label="arm", material=1)
        p.rod(out, out + p.points(0, 0, tall * u(.15, .35, n)), stem * .5, where=grows, label="arm", material=1)
    p.cone((0, 0, .02), .02, stem * 2.4, stem * 2.2, where=cactus & p.chance(.4), label="pot", material=0)
    p.rod(p.points(0, 0, stem * .8), p.points(0, 0, tall * .6), stem * .9, stem * .7, where=mushroom, label="stalk", material=4)
    cap = spread * u(.7, 1.2, n)
    p.ball((0, 0, tall * .55), (cap, cap, cap * u(.5, .9, n)), where=mushroom, label="cap", material=0)


def creature(p: Parts) -> None:
    """Four-legged animals, birds, standing figures, bears, robots: blended lumps, mirrored."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    body, leg, head = p.draw("body length", .35, .75), p.draw("leg length", .15, .5), p.draw("head size", .1, .22)
    fat = p.draw("girth", .09, .22)
    figure = p.chance(.5)
    robot = figure & p.chance(.3)
    animal = ~figure
    soft = np.where(robot, 0, .04)
    z = leg + fat
    p.rod(p.points(-body / 2, 0, z), p.points(body / 2, 0, z), fat * u(.8, 1.1, n), fat, where=animal, label="body", blend=soft)
    foot = fat * u(.2, .4, n)
    for at in (-.42, .42):
        p.rod(p.points(body * at, fat * .55, z - fat * .3), p.points(body * at + u(-.05, .05, n), fat * .6, foot), foot * 1.2, foot, mirror="y", where=animal, label="leg", blend=soft * .5)
    neck = p.points(-body / 2 - u(0, .15, n), 0, z + fat * u(.3, 2.6, n))
    p.rod(p.points(-body * .45, 0, z), neck, fat * .6, head * .6, where=animal, label="neck", blend=soft)
    p.ball(neck + p.points(-head * .3, 0, head * .2), (head * u(.9, 1.5, n), head * .8, head * .85), where=animal, label="head", blend=soft * .5)
    ear = u(.4, 1.2, n) * head
    p.rod(neck + p.points(0, head * .5, head * .8), neck + p.points(.02, head * .7, head * .6 + ear), head * .25, head * .1, mirror="y", where=animal & p.chance(.8), label="ear")
    p.rod(p.points(body / 2, 0, z + fat * .3), p.points(body / 2 + u(.1, .4, n), 0, z + u(-.2, .4, n)), fat * .3, fat * .12, where=animal & p.chance(.8), label="tail", blend=soft * .5)
    wide = fat * u(.9, 1.4, n)
    hip = leg + fat * .3
    tall = body * u(.7, 1.1, n)
    top = p.points(0, 0, hip + tall)
    p.rod(p.points(0, 0, hip + wide * .4), top - p.points(0, 0, wide * .4), wide, wide * u(.7, 1.05, n), where=figure & ~robot, label="body", blend=soft)
    p.box((0, 0, hip + tall / 2), (wide, wide * u(.6, 1, n), tall / 2), where=robot, label="body", bevel=.02)
    for side in (1, -1):
        knee = p.points(side * wide * u(.5, .9, n), u(-.1, .1, n), 0)
        p.rod(p.points(side * wide * .55, 0, hip + .02), knee + p.points(0, 0, foot), wide * .42, wide * .34, where=figure, label="leg", material=1, blend=soft * .3)
        p.ball(knee + p.points(0, -foot * .7, foot * .8), (foot, foot * 1.7, foot * .8), where=figure, label="foot", material=3)
        hand = p.points(side * wide * u(1.4, 2.6, n), -u(0, .3, n), hip + tall * u(.1, 1.05, n))
        p.rod(top + p.points(side * wide * .8, 0, -wide * .2), hand, wide * .34, wide * .26, where=figure, label="arm", blend=soft * .3)
        p.ball(hand, (wide * .33,) * 3, where=figure & p.chance(.5), label="hand", material=4)
    big = head * np.where(figure, u(.8, 1.6, n), 1)
    face = top + p.points(0, 0, big * .7)
    p.ball(face, (big * u(.8, 1.1, n), big * .9, big), where=figure & ~robot, label="head", material=4, blend=soft * .3)
    p.add(P.BOX, face, [big * .9, big * .7, big * .7, .02], where=robot, label="head", material=1)
    p.ball(face + p.points(0, -big * .1, big * .3), (big * .95, big * 1., big * .85), where=figure & ~robot & p.chance(.5), label="hair", material=2)
    p.rod(face + p.points(big * .55, 0, big * .6), face + p.points(big * .8, 0, big * u(.9, 1.6, n)), big * .3, big * .15, mirror="x", where=figure & p.chance(.35), label="ear")
    p.ball(face + p.points(big * .4, -big * .75, big * .1), (big * .14,) * 3, mirror="x", where=figure, label="eye", material=3)
    stand(p, np.zeros(n, bool))
