"""Scores of shape_gan: what it draws as sets beside real designs, how much of it is whole, its sliders and its time.

    python -m maquette.train evaluate shape_gan [--weights FILE]

It encodes nothing, so nothing comes back of held-out shapes; all else is measured as of shape_vae.
"""

from __future__ import annotations

from . import shape_vae

NAME = "shape_gan"
PARTS = tuple(part for part in shape_vae.PARTS if part != "reconstruction")


def main(argv=None):
    options = shape_vae.parse(argv, NAME, PARTS)
    if options.modelnet:
        raise ValueError("--modelnet asks what comes back of shapes, which shape_gan does not encode")
    shape_vae.evaluate(options, NAME)
