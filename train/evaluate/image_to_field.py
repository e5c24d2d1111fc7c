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
from ..shapes import shards, world
from . import baselines
from .measure import Case, measure, table, write_report
from .objects import read_objects


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
    parser.add_argument("--library", type=int, default=12_000, metavar="N", help="renders the baselines know (12000)")
    parser.add_argument("--shards", default="runs/shards/library", help="where such renders already lie, if they do")
    parser.add_argument("--cache", default="out/evaluate", help="where their silhouettes and shapes are kept")
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
    predictors = untrained(library(options.library, options.shards, options.cache))
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
    names = list(world.FAMILIES)
    for seed in range(-(-count // shards.SHARD)):
        samples = world.sample(seed, min(shards.SHARD, count - seed * shards.SHARD), "test", background=False)
        for i, picture in enumerate(samples.picture):
            rgba = isolate(Picture(np.float32(picture) / 255, True, "procedural", "")).rgba
            yield Case(f"{seed}-{i:02d}", names[samples.family[i]], rgba, surface(samples.distance[i]))


def surface(distance):
    """The Mesh of a stored distance grid (64, 64, 64), inside negative, with all its pieces."""
    field = Field(-np.float32(distance) * (world.TRUNCATION / 127), 0.0, baselines.CUBE.copy(), None)
    return mesh_from_field(field, smoothing=0, islands=True)


def library(count, folder, cache):
    """The renders that the baselines know: shards of the "library" split, drawn where `folder` has too few.

    What is needed of them is kept in `cache`, under their number.
    """
    path = Path(cache) / f"library_{count}.npz"
    if path.exists():
        return baselines.Library.load(path)
    seeds = tqdm(range(-(-count // shards.SHARD)), desc="Reading or rendering the library", file=sys.stderr)
    made = baselines.collect(silhouettes_and_shapes(seed, Path(folder)) for seed in seeds)
    made = baselines.Library(made.silhouettes[:count], made.occupancy[:count], made.resolution)
    made.save(path)
    return made


def silhouettes_and_shapes(seed, folder):
    """One shard of the library as alpha (N, 128, 128) in [0, 1] and occupancy (N, 64, 64, 64) bool."""
    stored = folder / f"shard-{seed:05d}.npz"
    drawn = shards.load(stored) if stored.exists() else world.sample(seed, shards.SHARD, "library", background=False)
    return np.float32(drawn.picture[..., 3]) / 255, drawn.distance < 0


def untrained(known):
    """Name -> rgba -> Field, the four baselines."""
    mean, nearest = baselines.mean_shape(known), baselines.Nearest(known)
    return {
        "mean shape": lambda rgba: mean,
        "silhouette extruded to its own width": lambda rgba: baselines.extruded(rgba[..., 3]),
        "silhouette turned on a lathe": lambda rgba: baselines.lathed(rgba[..., 3]),
        "nearest silhouettes, averaged, untrained": lambda rgba: nearest(rgba[..., 3]),
    }
