"""`python -m maquette.train preview`: a contact sheet of the procedural world, a row a family."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from .world import FAMILIES, PICTURE, sample

CAPTION = 14


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="maquette.train preview", description=__doc__)
    parser.add_argument("--out", default="out/shapes.png")
    parser.add_argument("--columns", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES), help="only these (may be repeated)")
    args = parser.parse_args(argv)
    path = Path(args.out)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(args.family or list(FAMILIES), args.columns, args.seed).save(path)
    print(f"{path}: {args.columns} of each family, validation seed {args.seed}")
    return 0


def sheet(families: list[str], columns: int, seed: int) -> Image.Image:
    """One row a family, `columns` samples each, with the family's name."""
    canvas = Image.new("RGB", (columns * PICTURE, len(families) * (PICTURE + CAPTION)), "white")
    draw = ImageDraw.Draw(canvas)
    for row, family in enumerate(families):
        top = row * (PICTURE + CAPTION)
        draw.text((3, top + 1), family.replace("_", " "), fill="black")
        pictures = sample(seed, columns, "validation", [family]).picture[..., :3]
        canvas.paste(Image.fromarray(np.concatenate(list(pictures), 1)), (0, top + CAPTION))
    return canvas
