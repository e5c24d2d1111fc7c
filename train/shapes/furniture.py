"""Furniture: seats, tables, storage, beds and sofas, lamps. Units are metres; z = 0 is the floor; the front is -y."""

from __future__ import annotations

import numpy as np

from .palette import paint
from .program import Parts


def seat(p: Parts) -> None:
    """Chairs, armchairs, stools and benches."""
    paint(p, "wood")
    width, depth = p.draw("seat width", .38, .60), p.draw("seat depth", .36, .55)
    height, leg = p.draw("seat height", .38, .75), p.draw("leg thickness", .018, .04)
    back = p.draw("back height", .25, .65)
    kind = p.rng.random(p.count)
    stool, bench, arms = kind < .2, (kind >= .2) & (kind < .35), kind > .65
    width = np.where(bench, width * p.rng.uniform(1.8, 3.2, p.count), width)
    round_seat = stool & p.chance(.6)
    slab = p.rng.uniform(.015, .06, p.count)
    p.box((0, 0, height), (width / 2, depth / 2, slab), bevel=slab * p.rng.uniform(.1, .9, p.count), where=~round_seat, label="seat")
    p.cone((0, 0, height), slab, width / 2, width / 2, bevel=slab * .4, where=round_seat, label="seat")
    cushion = p.chance(.35) & ~round_seat
    p.box((0, 0, height + slab + .025), (width / 2 - .02, depth / 2 - .02, .03), bevel=.028, material=1, where=cushion, label="cushion")
    splay, taper = p.rng.uniform(0, .08, p.count), p.rng.uniform(.5, 1, p.count)
    x, y = width / 2 - leg * 1.3, depth / 2 - leg * 1.3
    top, foot = p.points(x, y, height - slab / 2), p.points(x + splay, y + splay, 0)
    style = p.rng.random(p.count)
    pedestal = style < .18
    p.rod(foot, top, leg * taper, leg, mirror="xy", where=(style < .6) & ~pedestal, label="leg", material=2)
    p.bar(foot, top, leg, leg, mirror="xy", where=(style >= .6) & (style < .85), label="leg")
    p.box((x, 0, height / 2), (leg, y + leg, height / 2), mirror="x", where=style >= .85, label="leg", bevel=leg * .4)  # panel sides
    p.cone((0, 0, height / 2), height / 2, leg * 1.4, leg * 1.2, where=pedestal, label="leg", material=3)
    p.cone((0, 0, .02), .02, width * .45, width * .3, where=pedestal, label="base", material=3)
    p.bar(p.points(-x, y, height * .35), p.points(x, y, height * .35), leg * .6, leg * .6, where=(style < .85) & ~pedestal & p.chance(.4), label="stretcher")
    p.bar(p.points(x, -y, height * .3), p.points(x, y, height * .3), leg * .6, leg * .6, mirror="x", where=(style < .85) & ~pedestal & p.chance(.4), label="stretcher")
    backed = ~stool & ~(bench & p.chance(.5))
    lean, thick = p.rng.uniform(0, .16, p.count), p.rng.uniform(.012, .05, p.count)
    low, high = p.points(0, depth / 2 - thick, height), p.points(0, depth / 2 + lean - thick, height + back)
    form = p.rng.random(p.count)
    p.bar(low, high, width / 2 * p.rng.uniform(.7, 1, p.count), thick, bevel=thick * .8, where=backed & (form < .4), label="back", material=np.where(cushion, 1, 0))
    post_low, post_high = low + p.points(width / 2 - leg, 0, 0), high + p.points(width / 2 - leg, 0, 0)
    p.rod(post_low, post_high, leg * .9, mirror="x", where=backed & (form >= .4), label="back")
    for level in (.35, .62, .95):
        rail = low + (high - low) * level
        reach = p.points(width / 2 - leg, 0, 0)
        p.bar(rail - reach, rail + reach, thick * .6, .03, where=backed & (form >= .4) & (form < .75), label="back")
    rail = high - (high - low) * .06
    p.bar(rail - p.points(width / 2, 0, 0), rail + p.points(width / 2, 0, 0), thick * .7, .035, where=backed & (form >= .75), label="back")
    for i in (-.6, -.2, .2, .6):
        shift = p.points(i * (width / 2 - leg), 0, 0)
        p.rod(low + shift, high + shift, leg * .45, where=backed & (form >= .75), label="back")
    arm = np.where(arms & backed, 1, 0) > 0
    rise = p.rng.uniform(.16, .26, p.count)
    p.bar(p.points(width / 2, -depth * .4, height + rise), p.points(width / 2, depth * .45, height + rise), .03, .02, mirror="x", where=arm, label="arm", material=2)
    p.rod(p.points(width / 2, -depth * .36, height), p.points(width / 2, -depth * .36, height + rise), leg * .8, mirror="x", where=arm, label="arm", material=2)


def table(p: Parts) -> None:
    """Tables and desks."""
    paint(p, "wood")
    width, depth, height = p.draw("width", .5, 1.9), p.draw("depth", .45, .95), p.draw("height", .35, .95)
    slab, leg = p.draw("top thickness", .015, .06), p.draw("leg thickness", .018, .055)
    round_top = p.chance(.28)
    width = np.where(round_top, depth * 1.2, width)
    p.box((0, 0, height - slab), (width / 2, depth / 2, slab), bevel=slab * p.rng.uniform(.1, .9, p.count), where=~round_top, label="top")
    p.cone((0, 0, height - slab), slab, width / 2, width / 2, bevel=slab * .5, where=round_top, label="top")
    inset = np.where(round_top, width * .17, leg * 1.2)
    x, y = width / 2 - inset, np.where(round_top, width, depth) / 2 - inset
    splay = p.rng.uniform(-.05, .05, p.count)
    style = p.rng.random(p.count)
    pedestal = (style < .2) | (round_top & (style < .5))
    legs = ~pedestal
    top, foot = p.points(x, y, height - slab), p.points(x + splay, y + splay, 0)
    p.rod(foot, top, leg * .7, leg, mirror="xy", where=legs & (style < .6), material=2, label="leg")
    p.bar(foot, top, leg, leg, mirror="xy", where=legs & (style >= .6) & (style < .85), label="leg")
    p.box((x, 0, height / 2), (leg, y, height / 2), mirror="x", where=legs & (style >= .85), label="leg", bevel=leg * .3)
    p.cone((0, 0, height / 2), height / 2 - slab, leg * 2.2, leg * 1.5, where=pedestal, label="leg", material=2)
    p.cone((0, 0, .03), .03, np.minimum(width, depth) * .36, np.minimum(width, depth) * .22, where=pedestal, label="base", material=2)
    apron = legs & p.chance(.5) & ~round_top
    p.box((0, y, height - slab * 2 - .04), (x, leg * .5, .05), mirror="y", where=apron, label="apron")
    p.box((x, 0, height - slab * 2 - .04), (leg * .5, y, .05), mirror="x", where=apron, label="apron")
    drawers = legs & (style >= .6) & p.chance(.45) & ~round_top
    side = width * p.rng.uniform(.12, .2, p.count)
    p.box((x - side, 0, height * .62), (side, y, height * .32), where=drawers, label="drawer", material=1)
    for z in (.48, .66, .84):
        p.box((x - side, -y - .015, height * z), (side * .3, .012, .012), where=drawers, label="handle", material=3)
    p.box((0, 0, height * .25), (x, y, slab * .7), where=legs & p.chance(.2) & ~round_top, label="shelf")


def cabinet(p: Parts) -> None:
    """Shelves, bookcases, cabinets, wardrobes, ovens and the like: boxes with fronts."""
    paint(p, "wood")
    width, depth, height = p.draw("width", .35, 1.6), p.draw("depth", .25, .65), p.draw("height", .4, 2.0)
    board = p.draw("board thickness", .012, .04)
    open_front = p.chance(.45)
    foot = np.where(p.chance(.4), p.rng.uniform(.04, .18, p.count), 0)
    p.box((0, 0, foot + height / 2), (width / 2, depth / 2, height / 2), bevel=.008, label="body")
    shelves = p.rng.integers(2, 6, p.count)
    for i in range(5):
        there = open_front & (i < shelves)
        low = foot + board + (height - board) * i / shelves
        room = (height - board) / shelves - board
        p.box((0, -depth * .15, low + room / 2), (width / 2 - board, depth / 2, room / 2), bevel=.002, op=1, where=there, label="shelf")
    goods = open_front & p.chance(.5)
    for i, (at, size) in enumerate(((-.25, .16), (.1, .12), (.25, .1))):
        shelf = foot + board + (height - board) * np.minimum(i, shelves - 1) / shelves
        tall = (height / shelves) * .33
        p.box((at * width, 0, shelf + tall), (size * width, depth * .3, tall), where=goods, label="goods", material=1 + i)
    fronts = p.rng.integers(1, 4, p.count)
    for i in range(3):
        there = ~open_front & (i < fronts)
        band = height / fronts
        z = foot + band * (i + .5)
        p.box((0, -depth / 2, z), (width / 2 - .02, .012, band / 2 - .015), bevel=.005, where=there, label="door", material=1)
        p.box((0, -depth / 2 - .03, z + band * .2), (width * .12, .012, .012), where=there & (fronts > 1), label="handle", material=3)
        p.rod(p.points(width * .05, -depth / 2 - .03, z - .1), p.points(width * .05, -depth / 2 - .03, z + .1), .012, mirror="x", where=there & (fronts == 1), label="handle", material=3)
    p.rod(p.points(width / 2 - .05, depth / 2 - .05, 0), p.points(width / 2 - .05, depth / 2 - .05, foot + .02), .02, .03, mirror="xy", where=foot > 0, label="leg", material=2)
    p.box((0, 0, foot + height), (width / 2 + .02, depth / 2 + .02, board), where=p.chance(.4), label="top")


def bed_or_sofa(p: Parts) -> None:
    """Beds, sofas and armchairs with soft blocks."""
    paint(p, "any")
    sofa = p.chance(.6)
    width = np.where(sofa, p.draw("width", .8, 2.2), p.rng.uniform(.9, 1.9, p.count))
    depth = np.where(sofa, p.draw("depth", .75, 1.0), 2.0)
    height = np.where(sofa, .42, p.rng.uniform(.3, .55, p.count))
    foot, soft = p.rng.uniform(.04, .15, p.count), p.rng.uniform(.02, .09, p.count)
    base = (height - foot) / 2
    p.box((0, 0, foot + base), (width / 2, depth / 2, base), bevel=soft * .6, label="base")
    p.box((0, -.03, height + soft), (width / 2 - .03, depth / 2 - .03, soft + .01), bevel=soft, material=1, label="cushion", where=~sofa | p.chance(.7))
    p.rod(p.points(width / 2 - .08, depth / 2 - .08, 0), p.points(width / 2 - .08, depth / 2 - .08, foot + .03), .03, mirror="xy", material=3, label="leg")
    back = p.draw("back height", .25, .6)
    p.box((0, depth / 2 - .1, (height + back) / 2 + foot / 2), (width / 2, .11, (height + back - foot) / 2), bevel=soft, where=sofa, label="back")
    side = p.rng.uniform(.05, .13, p.count)
    rise = back * p.rng.uniform(.3, .8, p.count)
    p.box((width / 2 + side, 0, (height + rise + foot) / 2), (side, depth / 2, (height + rise - foot) / 2), bevel=side * p.rng.uniform(.2, .95, p.count), mirror="x", where=sofa & p.chance(.85), label="arm")
    p.box((0, depth / 2, (height + back) / 2), (width / 2, .04, (height + back) / 2), where=~sofa, label="headboard", material=2)
    p.box((0, -depth / 2, height * .6), (width / 2, .03, height * .6), where=~sofa & p.chance(.5), label="footboard", material=2)
    p.box((width * .24, depth * .36, height + 2 * soft + .06), (width * .18, .2, .07), bevel=.065, mirror="x", where=~sofa, label="pillow", material=4)
    p.box((width * .25, depth / 2 - .28, height + .2), (width * .23, .09, .18), bevel=.08, mirror="x", where=sofa & p.chance(.6), label="pillow", material=1)


def lamp(p: Parts) -> None:
    """Table and floor lamps, lanterns, desk lamps with a bent arm."""
    paint(p, "metal")
    tall, shade = p.draw("height", .3, 1.6), p.draw("shade radius", .08, .26)
    stem, foot = p.draw("stem thickness", .006, .022), p.draw("foot radius", .07, .2)
    kind = p.rng.random(p.count)
    bent = kind > .75
    p.cone((0, 0, .015), .015 + .01 * p.rng.random(p.count), foot, foot * p.rng.uniform(.6, 1, p.count), label="foot", material=3)
    turned = (kind < .35) & (tall < .9)
    bulge = p.rng.uniform(.03, .11, p.count)
    p.ball((0, 0, tall * .32), (bulge, bulge, tall * .3), where=turned, label="body")
    p.rod(p.points(0, 0, 0), p.points(0, 0, tall), stem, where=~bent, label="stem", material=3)
    drop, slope = shade * p.rng.uniform(.5, 1.3, p.count), p.rng.uniform(.4, 1, p.count)
    p.cone((0, 0, tall), drop, shade, shade * slope, where=~bent, label="shade", material=1, bevel=.004)
    p.cone((0, 0, tall - drop * .1 - .01), drop, shade - .01, shade * slope - .01, op=1, where=~bent & p.chance(.5), label="shade")
    p.ball((0, 0, tall), (.03, .03, .045), where=~bent, label="bulb", material=4)
    elbow = p.points(0, tall * .25, tall * .6)
    head = p.points(0, -tall * .2, tall * p.rng.uniform(.75, 1, p.count))
    p.rod(p.points(0, 0, .02), elbow, stem, where=bent, label="stem", material=3)
    p.rod(elbow, head, stem, where=bent, label="stem", material=3)
    tip = head + p.points(0, -.06, -.1)
    p.rod(head, tip, .03, shade * .45, where=bent, label="shade", material=1)
