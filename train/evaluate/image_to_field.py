"""Scores of image_to_field beside four answers that need no training.

    python -m maquette.train evaluate image_to_field                        held-out procedural shapes
    python -m maquette.train evaluate image_to_field --objects FOLDER       objects of yours; layout in objects.py
    python -m maquette.train evaluate image_to_field --artists FOLDER       models that artists made; artists.txt
    python -m maquette.train evaluate image_to_field --r2n2 FOLDER          ShapeNet's published test; r2n2.py

Pictures go the way that users' go: read, isolated, cropped, through the network, meshed with Reconstruct's defaults.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...geometry.background import isolate
from ...geometry.crop import crop_to_object
from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE
from ...geometry.isosurface import mesh_from_field
from ...geometry.picture import read_picture
from ...nets import checkpoint, device, predict
from ...nets.refiner import REFINED
from ..shapes import shards, world
from . import artists, baselines, r2n2
from .known_cameras import from_known
from .measure import Case, measure, summary, table, write_report
from .objects import read_objects
from .reading import read_network
from .writing import add_to_card

NAME = "image_to_field"
CROP, CLOSE = 128, 256
"""Sides of the squares that the network and the colours are read from, as in Reconstruct."""


def main(argv=None):
    evaluate(parse(argv))


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate image_to_field", description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--objects", metavar="FOLDER", help="a folder of objects, laid out as objects.py says")
    source.add_argument("--procedural", type=int, default=256, metavar="N", help="held-out procedural shapes (256)")
    source.add_argument("--artists", metavar="FOLDER", help="KayKit's folder, of which artists.txt lists one of a kind")
    source.add_argument("--r2n2", metavar="FOLDER", help="ShapeNetRendering and ShapeNetVox32; protocol in r2n2.py")
    parser.add_argument("--r2n2-split", default="", metavar="FILE", help=".json or .csv; 3D-R2N2's own rule otherwise")
    parser.add_argument("--limit", type=int, default=0, metavar="N", help="of R2N2's test models, evenly; 0: all")
    parser.add_argument("--split", default="test", choices=("test", "validation"), help="of the procedural shapes")
    parser.add_argument("--views", default="", help="pictures an object at most (all); with --r2n2 numbers: 1,2,5 (1)")
    parser.add_argument("--library", type=int, default=12_000, metavar="N", help="renders the baselines know (12000)")
    parser.add_argument("--shards", default="runs/shards/library", help="where such renders already lie, if they do")
    parser.add_argument("--cache", default="out/evaluate", help="where their silhouettes and shapes are kept")
    parser.add_argument("--weights", default="", help="a .safetensors beside its card to measure, not the bundled one")
    parser.add_argument("--levels", type=float, nargs="*", default=[], help="levels to try besides each field's own")
    parser.add_argument("--no-network", action="store_true", help="the baselines alone")
    parser.add_argument("--no-baselines", action="store_true", help="the network alone")
    parser.add_argument("--resolution", type=int, default=64, choices=(32, 64, 128))
    parser.add_argument("--points", type=int, default=50_000, help="drawn on each surface")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--report", default="", metavar="R.json", help="every score of every picture")
    parser.add_argument("--card", default="", metavar="M.json", help="the means, to add to for export --metrics")
    return parser.parse_args(argv)


def evaluate(options):
    """Measure, print the table, write the report."""
    if options.r2n2:
        return published(options)
    if options.views and not options.views.isdigit():
        raise ValueError(f"--views {options.views} is no number; only --r2n2 takes several")
    predictors, about = {}, {"objects": options.objects or options.artists}
    if not about["objects"]:
        about["objects"] = f"{options.procedural} procedural, {options.split}"
    if not options.no_baselines:
        known = library(options.library, options.shards, options.cache)
        about["library"] = len(known)
        predictors |= untrained(known)
    if not options.no_network:
        network, card = read_network(NAME, options.weights, device.pick(options.device))
        about["weights"] = {"sha256": card["sha256"]}
        predictors |= trained(network, options.resolution, options.levels)
    own, count = options.objects, options.procedural
    views = int(options.views or 0)
    if options.artists:
        cases = artists.cases(options.artists, surface, views or 2)
    else:
        cases = from_folder(own, views) if own else held_out(count, options.split)
    with tqdm(desc="Pictures measured", file=sys.stderr) as bar:
        rows = measure(cases, predictors, options.points, lambda case: bar.update())
    pictures, objects = len({(row.object, row.picture) for row in rows}), len({row.object for row in rows})
    print(f"{pictures} pictures of {objects} objects; mean over objects ± its standard error; {about}\n")
    print(table(rows))
    for row in rows:
        if row.fault:
            print(f"\n{row.predictor} gave no mesh for {row.object} {row.picture}: {row.fault}")
    if options.report:
        write_report(options.report, rows, about)
    if options.card:
        add_to_card(options.card, means_of(rows, about))


def published(options):
    """ShapeNet's published test of the network alone."""
    network, card = read_network(NAME, options.weights, device.pick(options.device))
    refiner = refining(network, options.resolution)
    one = trained(network, options.resolution)[f"**{NAME}**"]

    def several(photos):
        return from_known(network, photos, options.resolution, refiner)

    about = {"weights": {"sha256": card["sha256"]}}
    r2n2.evaluate(options, r2n2.Answers(one, several if network.config.several else None), about)


def means_of(rows, about):
    """The network's means, and the untrained answers' IoU, under what was measured."""
    means = {predictor.strip("*"): scores for predictor, scores in summary(rows).items()}
    entry = {column: round(value, 4) for column, (value, _) in means.pop(NAME, {}).items()}
    others = {f"iou of {name}": round(scores["iou"][0], 4) for name, scores in means.items()}
    return {Path(about["objects"]).name: entry | others}


def trained(network, resolution, levels=()):
    """Name -> rgba -> Field, of the network at the level that it promises most for, and at any others asked for."""
    seen, refiner = {}, refining(network, resolution)

    def estimate(rgba):
        if seen.get("picture") is not rgba:
            crop, close = (crop_to_object(rgba, size)[0] for size in (CROP, CLOSE))
            seen.update(picture=rgba, estimate=predict.predict(network, crop, close, resolution, refiner=refiner))
        return seen["estimate"]

    def at(level=None):
        return lambda rgba: Field(estimate(rgba).occupancy, level or estimate(rgba).level, UNIT_CUBE)

    answers = {f"**{NAME}**": at()}
    return answers | {f"{NAME} at level {level:g}": at(level) for level in levels}


def refining(network, resolution):
    """The bundled refiner where the resolution wants one, on the network's device."""
    return checkpoint.load("refiner", next(network.parameters()).device) if resolution == REFINED else None


def from_folder(folder, views=0):
    """A Case for each picture of a folder of objects."""
    for view in read_objects(folder, views):
        rgba = isolate(read_picture(view.picture)).rgba
        yield Case(view.object, view.type, rgba, view.truth(), view.picture.name)


def held_out(count, split="test"):
    """Cases of procedural shapes that training never draws; the truth is meshed from their distance field."""
    names = list(world.FAMILIES)
    for seed in range(-(-count // shards.SHARD)):
        samples = world.sample(seed, min(shards.SHARD, count - seed * shards.SHARD), split, background=False)
        for i, picture in enumerate(samples.picture):
            rgba = np.float32(picture) / 255
            yield Case(f"{seed}-{i:02d}", names[samples.family[i]], rgba, surface(samples.distance[i]))


def surface(distance):
    """The Mesh of a stored distance grid (64, 64, 64), inside negative, with all its pieces."""
    field = Field(-np.float32(distance) * (world.TRUNCATION / 127), 0.0, UNIT_CUBE)
    return mesh_from_field(field, smoothing=0, islands=True)


def library(count, folder, cache):
    """The renders that the baselines know: shards of the "library" split, drawn where `folder` has too few.

    What is needed of them is kept in `cache`.
    """
    path = library_path(count, cache)
    if path.exists():
        return baselines.Library.load(path)
    seeds = tqdm(range(-(-count // shards.SHARD)), desc="Reading or rendering the library", file=sys.stderr)
    made = baselines.collect(silhouettes_and_shapes(seed, Path(folder)) for seed in seeds)
    made = baselines.Library(made.silhouettes[:count], made.occupancy[:count], made.resolution)
    made.save(path)
    return made


def library_path(count, cache):
    """Where a library of the world as it is now is kept: another world, another file."""
    sources = sorted(Path(world.__file__).parent.glob("*.py"))
    text = b"".join(source.read_bytes() for source in sources)
    return Path(cache) / f"library_{count}_{hashlib.sha256(text).hexdigest()[:8]}.npz"


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
