"""Free combinations of 1-9 textured primitives with unions, cuts and symmetry (after LRM-Zero, arXiv:2406.09371)."""

from __future__ import annotations

import numpy as np

from . import program as P
from .palette import paint
from .program import Parts, random_rotation


def free(p: Parts) -> None:
    """Primitives of every kind in random poses; a third are mirrored, a third cut."""
    paint(p, "any")
    u, n = p.rng.uniform, p.count
    pieces = p.rng.integers(1, 10, n)
    p.parameters["pieces"] = pieces.astype(float)
    symmetric, aligned = p.chance(.5), p.chance(.5)
    spread = u(.1, .5, n)
    for i in range(9):
        there = i < pieces
        cut = (i > 1) & p.chance(.22)
        centre = p.points(u(-1, 1, n) * spread, u(-1, 1, n) * spread, u(-1, 1, n) * spread)
        rotation = np.where(aligned[:, None, None], np.eye(3)[np.array([p.rng.permutation(3) for _ in range(1)])[0]], random_rotation(p.rng, n))
        size = np.exp(u(-2.6, -.9, (n, 3)))
        kind = p.rng.integers(1, 8, n)
        blend = np.where(p.chance(.3), u(.01, .08, n), 0)
        material = p.rng.integers(0, 5, n)
        angles = np.sort(u(0, 2 * np.pi, (n, 8)), axis=1)
        radius = size[:, :1] * u(.5, 1.3, (n, 8))
        outline = np.stack([radius * np.cos(angles), radius * np.sin(angles)], -1)
        heights = np.sort(u(-1, 1, (n, 8)), axis=1) * size[:, 1:2]
        small = size.min(1)
        choices = {
            P.BOX: [*size.T, small * u(.02, .9, n)],
            P.CONE: [size[:, 0], size[:, 1], size[:, 1] * u(.05, 1.2, n), small * .1],
            P.ELLIPSOID: list(size.T),
            P.ARC: [size[:, 0] * 1.2, size[:, 1] * .35, (angle := u(.7, 3.14, n)) * 0 + np.sin(angle), np.cos(angle)],
            P.CAPSULE: [size[:, 0] * 1.4, size[:, 1] * .6, size[:, 1] * u(.2, .8, n)],
            P.LATHE: [v for k in range(8) for v in (radius[:, k] * .8, heights[:, k])],
            P.PRISM: [*np.moveaxis(outline.reshape(n, 16), 1, 0), size[:, 2], small * 0],
        }
        for choice, params in choices.items():
            for mirrored in (False, True):
                pick = there & (kind == choice) & (symmetric == mirrored)
                for op in (P.UNION, P.CUT):
                    p.add(choice, centre, params, rotation=rotation, op=op, blend=blend, material=material, label="piece",
                          where=pick & (cut == (op == P.CUT)), mirror="x" if mirrored else "")
