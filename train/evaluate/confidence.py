"""What confidence is worth: how far the surface is from the true one, where image_to_field is sure of it and where not.

    python -m maquette.train evaluate confidence --procedural 64

Vertices of all meshes are put into as many equal parts as asked for, by their confidence. Distances are to the true
surface, both at longest side 1 with the centre of their bounds at the origin. A measure that knew nothing would have
the mean in each.
"""

import argparse

import numpy as np
from scipy.spatial import cKDTree
from scipy.stats import spearmanr
from tqdm import tqdm

from ...geometry.crop import crop_to_object
from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE
from ...geometry.isosurface import confidence_at, mesh_from_field
from ...nets import device, predict
from .image_to_field import CLOSE, CROP, NAME, from_folder, held_out
from .metrics import normalise, sample
from .reading import read_network

POINTS = 60_000
"""Drawn on each true surface"""


def main(argv=None):
    options = parse(argv)
    network, card = read_network(NAME, options.weights, device.pick(options.device))
    cases = from_folder(options.objects) if options.objects else held_out(options.procedural, options.split)
    sure, off = [], []
    for case in tqdm(cases, desc="Pictures measured"):
        one, other = measured(network, case)
        sure.append(one)
        off.append(other)
    print(f"{len(sure)} pictures, weights {card['sha256'][:8]}\n")
    print(table(np.concatenate(sure), np.concatenate(off), options.parts))


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate confidence", description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--objects", metavar="FOLDER", help="a folder of objects, laid out as objects.py says")
    source.add_argument("--procedural", type=int, default=64, metavar="N", help="held-out procedural shapes (64)")
    parser.add_argument("--split", default="test", choices=("test", "validation"), help="of the procedural shapes")
    parser.add_argument("--weights", default="", help="a .safetensors beside its card to measure, not the bundled one")
    parser.add_argument("--parts", type=int, default=5, help="equal parts of the vertices (5)")
    parser.add_argument("--device", default="auto")
    return parser.parse_args(argv)


def measured(network, case):
    """Confidence (V,) of the answer's vertices, and their distances (V,) from the true surface."""
    crop, close = (crop_to_object(case.rgba, size)[0] for size in (CROP, CLOSE))
    answer = predict.predict(network, crop, close)
    field = Field(answer.occupancy, answer.level, UNIT_CUBE, confidence=answer.confidence)
    try:
        mesh = mesh_from_field(field, smoothing=2)
    except ValueError:  # nothing is likely enough to be there
        return np.zeros(0), np.zeros(0)
    truth, _ = sample(normalise(case.truth), POINTS, 0)
    return confidence_at(field, mesh.vertices), cKDTree(truth).query(normalise(mesh).vertices)[0]


def table(sure, off, parts):
    """Markdown: a row for each part of the vertices, the least sure first."""
    order = np.array_split(np.argsort(sure, kind="stable"), parts)
    lines = ["| confidence | mean distance, % of the longest side | within 2 % |", "| --- | --- | --- |"]
    for index in order:
        span = f"{sure[index].min():.2f} to {sure[index].max():.2f}"
        lines.append(f"| {span} | {100 * off[index].mean():.2f} | {100 * (off[index] < 0.02).mean():.0f} % |")
    lines.append(f"| all | {100 * off.mean():.2f} | {100 * (off < 0.02).mean():.0f} % |")
    return "\n".join([*lines, "", f"Rank correlation of confidence and distance: {spearmanr(sure, off)[0]:.2f}"])
