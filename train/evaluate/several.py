"""What more pictures of an object are worth to image_to_field, with their sides known and searched for.

    python -m maquette.train evaluate several --procedural 64              held-out procedural shapes
    python -m maquette.train evaluate several --objects FOLDER             objects of yours with cameras.json

The first picture gives the frame. Beside the network stands, of procedural shapes, the visual hull of all true cameras.
"""

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import groupby

import numpy as np
import torch
from tqdm import tqdm

from ...geometry.background import isolate
from ...geometry.crop import Crop, crop_to_object
from ...geometry.cropped_camera import pinhole_camera
from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE, turned
from ...geometry.picture import read_picture
from ...geometry.scene import Photo
from ...nets import catalog, checkpoint, device, predict
from ...nets.camera import cell_centres, project
from ...nets.several_views import fitted
from ..recipes.field_samples import cameras
from ..shapes import world
from ..shapes.views import sample_views
from .image_to_field import CLOSE, CROP, NAME, surface
from .known_cameras import from_known
from .measure import Case, Row, measure, table, write_report
from .objects import read_json, read_objects
from .reading import read_network

SIDES = "sides"
COUNTS = (1, 2, 3, 5)
"""Pictures that are told apart"""


@dataclass(frozen=True)
class Views:
    """Pictures of one object, the first of them in a Case, and where they were taken."""

    case: Case
    others: list[np.ndarray]
    """rgba (H, W, 4) as the case's own"""
    turns: list[float]
    """Degrees, of the others"""
    elevations: list[float]
    """Degrees, of all"""
    hull: Callable[[], Field] | None = None
    photos: list[Photo] = field(default_factory=list)
    """The pictures with their true cameras, in a world of their own"""


def main(argv=None):
    evaluate(parse(argv))


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate several", description=__doc__.split("\n")[0])
    parser.add_argument("--procedural", type=int, default=64, metavar="N", help="held-out procedural shapes (64)")
    parser.add_argument("--objects", metavar="FOLDER", help="a folder of objects, laid out as objects.py says")
    parser.add_argument("--split", default="test", choices=("test", "validation"), help="of the procedural shapes")
    parser.add_argument("--weights", default="", help="a .safetensors beside its card to measure, not the bundled one")
    parser.add_argument("--points", type=int, default=8000, help="drawn on each surface (8000)")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--report", default="", metavar="R.json", help="every score of every object")
    return parser.parse_args(argv)


def evaluate(options):
    network, card = read_network(NAME, options.weights, device.pick(options.device))
    if not network.config.several:
        raise ValueError("these weights were trained on one picture of an object alone")
    judge = checkpoint.load(SIDES, device.pick(options.device)) if catalog.bundled(SIDES) else None
    cases = from_folder(options.objects) if options.objects else held_out(options.procedural, options.split)
    rows: list[Row] = []
    for views in tqdm(cases, desc="Objects measured", file=sys.stderr):
        rows += measure([views.case], answers(network, views, judge), options.points)
    objects = options.objects or f"{options.procedural} procedural, {options.split}"
    about = {"objects": objects, "weights": card["sha256"]}
    print(f"{len({row.object for row in rows})} objects; mean ± standard error; {about}\n")
    print(table(rows))
    if options.report:
        write_report(options.report, rows, about)


def answers(network, views: Views, judge=None) -> dict[str, Callable[[np.ndarray], Field]]:
    """Name -> rgba of the first picture -> Field. judge: finds sides that are searched for, where there is one."""

    def predictor(count, sides, elevations):
        def answer(rgba):
            crop, close = squares(rgba)
            others = [
                predict.Beside(*squares(other), turn if sides else None, elevation if elevations else None)
                for other, turn, elevation in list(zip(views.others, views.turns, views.elevations[1:]))[: count - 1]
            ]
            first = views.elevations[0] if elevations else None
            found = predict.predict(network, crop, close, elevation=first, others=others, judge=judge)
            return Field(found.occupancy, found.level, UNIT_CUBE)

        return answer

    most = len(views.others) + 1
    made = {"**1 picture**": predictor(1, False, False)}
    for count in COUNTS[1:]:
        count = min(count, most)
        made[f"{count} pictures, sides searched for"] = predictor(count, False, False)
        made[f"**{count} pictures, sides told**"] = predictor(count, True, False)
        made[f"{count} pictures, sides and elevations told"] = predictor(count, True, True)
        if views.photos:
            photos = views.photos[:count]
            made[f"**{count} pictures, cameras known**"] = lambda rgba, photos=photos: from_known(network, photos)
    if views.hull:
        made[f"visual hull of {most} true cameras"] = lambda rgba: views.hull()
    return made


def squares(rgba):
    return tuple(crop_to_object(rgba, size)[0] for size in (CROP, CLOSE))


def held_out(count, split):
    """Views of procedural shapes that training never draws, five of each."""
    names, most = list(world.FAMILIES), COUNTS[-1]
    for seed in range(-(-count // 16)):
        made = sample_views(10_000 + seed, min(16, count - seed * 16), most, split)
        for i in range(len(made)):
            rgba = np.float32(made.picture[i]) / 255
            numbers, fits = cameras(torch.from_numpy(made.camera[i])), torch.from_numpy(made.fit[i])
            case = Case(f"{seed}-{i:02d}", names[made.family[i]], rgba[0], surface(made.distance[i]))
            turns = [-float(np.degrees(turn)) for turn in made.fit[i, 1:, 0]]
            elevations = [float(np.degrees(camera[0])) for camera in made.camera[i]]

            def hull(rgba=rgba, numbers=numbers, fits=fits):
                return visual_hull(rgba, numbers, fits)

            photos = [taken(*one) for one in zip(made.picture[i], numbers.numpy(), fits.numpy())]
            yield Views(case, list(rgba[1:]), turns, elevations, hull, photos)


def taken(picture, camera, fit) -> Photo:
    """A picture (N, N, 4) uint8 with the camera that took it, five numbers and a fit, in a world turned, larger and
    elsewhere than the first one's cube."""
    size = len(picture)
    pose, pinhole = pinhole_camera(camera, Crop(0, 0, size, size), fit)
    pose[:3] = turned(pose[:3].T, 0.7).T
    pose[:3, 3] = 2.3 * pose[:3, 3] + [3.0, -1.0, 0.5]
    return Photo("view", picture[..., :3], pose, pinhole, picture[..., 3])


def visual_hull(rgba, numbers, fits, resolution=64) -> Field:
    """What the masks of all pictures (V, H, W, 4) leave of the first one's cube, by their true cameras."""
    points, inside = cell_centres(resolution), np.ones(resolution**3, bool)
    for picture, camera, fit in zip(rgba, numbers, fits):
        uv = project(fitted(points, fit[None]), camera[None])[0][0].numpy()
        size = picture.shape[0]
        pixel = np.clip(((uv + 1) / 2 * size).astype(int), 0, size - 1)
        inside &= (picture[pixel[:, 1], pixel[:, 0], 3] > 0.5) & (np.abs(uv) <= 1).all(1)
    return Field(np.float32(inside.reshape((resolution,) * 3)), 0.5, UNIT_CUBE)


def from_folder(folder):
    """Views of each object that has pictures from several known sides; its first picture gives the frame."""
    for name, group in groupby(read_objects(folder), lambda view: view.object):
        group = list(group)[: COUNTS[-1]]
        told = read_json(group[0].picture.parent / "cameras.json")
        if len(group) < 2 or any("elevation" not in told.get(view.picture.name, {}) for view in group):
            raise ValueError(f"{name} wants two pictures or more, each with azimuth and elevation in its cameras.json")
        rgba = [isolate(read_picture(view.picture)).rgba for view in group]
        case = Case(name, group[0].type, rgba[0], group[0].truth(), group[0].picture.name)
        turns = [view.azimuth - group[0].azimuth for view in group[1:]]
        yield Views(case, rgba[1:], turns, [float(told[view.picture.name]["elevation"]) for view in group])
