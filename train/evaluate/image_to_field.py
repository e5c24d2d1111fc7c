"""Scores of image_to_field beside four answers that need no training.

    python -m maquette.train evaluate image_to_field                        held-out procedural shapes
    python -m maquette.train evaluate image_to_field --objects FOLDER       objects of yours; layout in objects.py

Pictures go the way that users' go: read, isolated, cropped, through the network, meshed with Reconstruct's defaults.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...geometry.background import isolate
from ...geometry.field import Field
from ...geometry.isosurface import mesh_from_field
from ...geometry.picture import Picture, read_picture
from ..shapes import world
from . import baselines
from .measure import Case, measure, table, write_report
from .objects import read_objects

BATCH = 64
TEST_SEED = 20_000_000
LIBRARY_SEED = 10_000_000


def main(argv=None):
    options = parse(argv)
    try:
        evaluate(options)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate image_to_field", description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--objects", "--data", metavar="FOLDER", help="a folder of objects")
    source.add_argument("--procedural", type=int, default=200, metavar="N", help="held-out procedural shapes (200)")
    parser.add_argument("--views", type=int, default=0, help="pictures an object at most, 0: all")
    parser.add_argument("--library", type=int, default=15_000, metavar="N", help="renders the baselines know (15000)")
    parser.add_argument("--cache", default="out/evaluate", help="where that library is kept")
    parser.add_argument("--weights", default="", help="a .safetensors to measure instead of the bundled one")
    parser.add_argument("--no-network", action="store_true", help="the baselines alone")
    parser.add_argument("--resolution", type=int, default=64, choices=(32, 64))
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--report", default="", metavar="R.json")
    return parser.parse_args(argv)


def evaluate(options):
    """Measure, print the table, write the report."""
    cases = list(from_folder(options.objects, options.views) if options.objects else held_out(options.procedural))
    predictors = untrained(library(options.library, options.cache))
    about = {"objects": options.objects or f"{options.procedural} procedural", "library": options.library}
    if not options.no_network:
        predict, card = network(options.weights, options.device, options.resolution)
        predictors["**image_to_field**"] = predict
        about["weights"] = card
    with tqdm(total=len(cases), desc="Measuring", file=sys.stderr) as bar:
        rows = measure(cases, predictors, options.points, lambda case: bar.update())
    objects = len({case.object for case in cases})
    print(f"{len(cases)} pictures of {objects} objects; mean over objects ± its standard error\n")
    print(table(rows))
    faults = [row for row in rows if row.fault]
    for row in faults:
        print(f"\n{row.predictor} gave no mesh for {row.object} {row.picture}: {row.fault}")
    if options.report:
        write_report(options.report, rows, about)


def from_folder(folder, views=0):
    """A Case for each picture of a folder of objects."""
    for view in read_objects(folder, views):
        rgba = isolate(read_picture(view.picture)).rgba
        yield Case(view.object, view.type, rgba, view.truth(), view.picture.name)


def held_out(count):
    """Cases of procedural shapes that training never draws; the truth is meshed from their distance field."""
    for start in range(0, count, BATCH):
        size = min(BATCH, count - start)
        batch = world.sample(TEST_SEED + start, size, split="test")
        for i in range(size):
            rgba = as_float(batch.pictures[i])
            field = Field(-np.asarray(batch.distance[i], np.float32), 0.0, baselines.CUBE.copy(), None)
            truth = mesh_from_field(field, smoothing=0, islands=True)
            yield Case(f"{start + i:05d}", str(batch.families[i]), isolated(rgba), truth)


def as_float(picture):
    return np.asarray(picture, np.float32) / 255


def isolated(rgba):
    return isolate(Picture(rgba, True, "procedural", "")).rgba


def library(count, cache):
    """The renders that the baselines know: made once, kept in `cache`."""
    path = Path(cache) / f"library_{count}.npz"
    if path.exists():
        return baselines.Library.load(path)
    starts = tqdm(range(0, count, BATCH), desc="Rendering the library", file=sys.stderr)
    batches = (world.sample(LIBRARY_SEED + start, min(BATCH, count - start), split="train") for start in starts)
    made = baselines.collect((as_float(b.pictures)[..., 3], np.asarray(b.occupancy) > 0.5) for b in batches)
    made.save(path)
    return made


def untrained(known):
    """Name -> rgba -> Field, the four baselines."""
    mean, nearest = baselines.mean_shape(known), baselines.Nearest(known)
    return {
        "mean shape": lambda rgba: mean,
        "silhouette extruded to its own width": lambda rgba: baselines.extruded(rgba[..., 3]),
        "silhouette turned on a lathe": lambda rgba: baselines.lathed(rgba[..., 3]),
        "nearest silhouettes, averaged, untrained": lambda rgba: nearest(rgba[..., 3]),
    }
