"""Scores of Capture on posed scenes, beside other radiance fields of equal time and the visual hull.

    python -m maquette.train evaluate capture FOLDER [FOLDER ...] --budget 180 [--processor]

A folder is what `maquette capture` reads; a `gt_mesh.ply` in it is the true shape, in the cameras' own frame, and adds
Chamfer-L1 in the scene's unit, without any alignment. PSNR and SSIM are of the held-out views, on white where there are
masks. Every method sees the same photos and is given the same seconds; where other work shares the machine, seconds of
the processor (--processor, with OMP_NUM_THREADS=1) are the fairer ones. Peers begin with the visual hull, as ours does.
With --texture the captured mesh is scored as a renderer shows it: whole pictures, and the surface's PSNR apart from its
outline.
"""

import argparse
import resource
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from ...geometry.field import Field
from ...geometry.folder import read_scene
from ...geometry.frames import UNIT_CUBE
from ...geometry.hull import box_from_cameras, box_from_masks, visual_hull
from ...geometry.isosurface import mesh_from_field
from ...geometry.mesh import Mesh
from ...geometry.similar import psnr, ssim
from ...nets import bake_radiance, device, fit_radiance, nerf
from . import textured
from .metrics import sample, surface_scores
from .objects import read_mesh
from .peers.dvgo import Dvgo
from .peers.rendering import fit_peer, shape_of, view_peer
from .peers.tensorf import Tensorf

POINTS = 200_000
"""Drawn on each surface: of 50 000 on an object two units across, the drawing alone would count for .006."""
LOOKED_AT = 2000
"""Pixels of each held-out view by which a slow method is scored"""
METHODS = ("capture", "density", "surface", "tensorf", "dvgo", "nerf", "hull")
OURS = METHODS[:3]
LONGEST = 1024
CELLS = 128
"""Along the cube, of the meshes of densities"""


@dataclass
class Answer:
    """What a method made of a scene."""

    mesh: Mesh | None
    view: object = None
    """photo -> (H, W, 3) sRGB, or None where a method draws nothing"""
    look: object = None
    """photo, pixels (N,) -> (N, 3) sRGB, of a method that is too slow to draw whole views"""
    steps: int = 0


def main(argv=None):
    options = parse(argv)
    print("\n".join(HEAD), flush=True)
    for folder in options.folders:
        for row in measure(Path(folder), options):
            print(line(row), flush=True)  # at once: each took minutes


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate capture", description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="+", metavar="FOLDER")
    parser.add_argument("--budget", type=float, default=180.0, metavar="SECONDS", help="of each method (180)")
    parser.add_argument("--resolution", type=int, default=192, choices=(64, 96, 128, 192, 256))
    parser.add_argument("--methods", nargs="+", default=METHODS, choices=METHODS)
    parser.add_argument("--holdout", type=int, default=8, help="every so manieth, where no test views are there (8)")
    parser.add_argument("--longest", type=int, default=LONGEST, help="pixels along the longer side (1024)")
    parser.add_argument("--views", type=int, default=0, help="held-out views at most, evenly chosen (0: all)")
    texture = "bake one of so many pixels a side too, and draw the mesh with its colours and with that"
    parser.add_argument("--texture", type=int, default=0, metavar="N", help=texture)
    where = "that Capture is fitted on; the others are fitted on the CPU (cpu)"
    parser.add_argument("--device", default="cpu", choices=("auto", *device.FASTEST_FIRST), help=where)
    launched = "launch each step anew on a graphics card, to see what replaying recorded ones is worth"
    parser.add_argument("--unrecorded", action="store_true", help=launched)
    parser.add_argument("--points", type=int, default=POINTS, help=f"drawn on each surface ({POINTS})")
    parser.add_argument("--processor", action="store_true", help="count the processor's seconds, not the clock's")
    return parser.parse_args(argv)


def measure(folder, options):
    """A row for each method."""
    scene = read_scene(folder, options.holdout, options.longest)
    masked = scene.photos[0].mask is not None
    box = box_from_masks(scene.photos) if masked else box_from_cameras(scene.photos)
    truth = read_mesh(folder / "gt_mesh.ply") if (folder / "gt_mesh.ply").exists() else None
    held_out = scene.held_out[:: -(-len(scene.held_out) // options.views)] if options.views else scene.held_out
    for method in options.methods:
        if method not in OURS and not masked:
            continue
        start = clock(options)()
        answer = MAKERS[method](scene.photos, box, options)
        row = {"scene": folder.name, "method": method, "steps": answer.steps, "seconds": clock(options)() - start}
        row |= seen(answer, held_out) | shaped(answer, truth, options.points)
        yield row | {"GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}
        if method == "capture" and options.texture:
            for row in textured.rows(answer.mesh, scene.photos, held_out, options.texture, clock(options)):
                yield {"scene": folder.name} | row | {"GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}


def clock(options):
    return time.process_time if options.processor else time.monotonic


def captured(photos, box, options, method="auto") -> Answer:
    fitted = fit_radiance.fit(
        list(photos),
        box,
        fit_radiance.plan(options.resolution),
        options.budget,
        now=clock(options),
        device=device.for_fields(options.device),
        method=method,
        record=None if options.unrecorded else "auto",
    )
    values, colours = bake_radiance.volumes(fitted)
    mesh = mesh_from_field(Field(values, 0.0, bake_radiance.bounds(fitted), colours))

    def view(photo):
        colour, opacity, _ = bake_radiance.view(fitted, photo)
        return colour + 1 - opacity[..., None]

    return Answer(mesh, view, steps=fitted.steps)


def classic(photos, box, options) -> Answer:
    pair, steps = nerf.fit_nerf(list(photos), box, options.budget, now=clock(options))

    def look(photo, pixels):
        return nerf.view_nerf(pair, photo, box, pixels)

    return Answer(in_world(nerf.volume_nerf(pair, min(96, options.resolution)), box), look=look, steps=steps)


def peer(kind):
    """What makes an Answer with one of the peers."""

    def made(photos, box, options) -> Answer:
        torch.manual_seed(0)
        field = kind()
        space, steps = fit_peer(field, list(photos), box, options.budget, clock(options))
        mesh = in_world(shape_of(field, space, CELLS), box)
        return Answer(mesh, lambda photo: view_peer(field, space, photo, box), steps=steps)

    return made


def hull(photos, box, options) -> Answer:
    return Answer(in_world(np.float32(visual_hull(photos, box, options.resolution)), box))


MAKERS = {
    "capture": captured,
    "density": partial(captured, method="density"),
    "surface": partial(captured, method="surface"),
    "tensorf": peer(Tensorf),
    "dvgo": peer(Dvgo),
    "nerf": classic,
    "hull": hull,
}


def in_world(occupancy, box):
    """The mesh of occupancy (N, N, N) in a box; None where nothing is inside."""
    try:
        mesh = mesh_from_field(Field(occupancy, 0.5, UNIT_CUBE))
    except ValueError:
        return None
    return Mesh(box.to_world(mesh.vertices).astype(np.float32), mesh.faces)


def seen(answer, held_out):
    if not held_out or not (answer.view or answer.look):
        return {}
    if answer.look:
        random = np.random.default_rng(0)
        parts = []
        for photo in held_out:
            truth = on_white(photo).reshape(-1, 3)
            pixels = random.choice(len(truth), min(LOOKED_AT, len(truth)), replace=False)
            parts.append(psnr(answer.look(photo, pixels), truth[pixels]))
        return {"PSNR": np.mean(parts)}
    pairs = [(answer.view(photo), on_white(photo)) for photo in held_out]
    return {"PSNR": np.mean([psnr(*pair) for pair in pairs]), "SSIM": np.mean([ssim(*pair) for pair in pairs])}


def on_white(photo):
    rgb = photo.image.astype(np.float32) / 255
    alpha = 1.0 if photo.mask is None else photo.mask[..., None].astype(np.float32) / 255
    return rgb * alpha + 1 - alpha


def shaped(answer, truth, points):
    if answer.mesh is None:
        return {"closed": "no mesh"}
    row = {"closed": "yes" if answer.mesh.is_watertight else "no", "pieces": answer.mesh.components}
    if truth is not None:
        row["Chamfer"] = surface_scores(*sample(answer.mesh, points, 0), *sample(truth, points, 1))[0]
    return row


COLUMNS = {
    "PSNR": ".2f",
    "SSIM": ".3f",
    "surface": ".2f",
    "Chamfer": ".4f",
    "closed": "",
    "pieces": "",
    "steps": "",
    "seconds": ".0f",
    "GB": ".1f",
}


HEAD = ["| scene | method | " + " | ".join(COLUMNS) + " |", "| --- | --- |" + " --- |" * len(COLUMNS)]


def line(row):
    """Of a table in Markdown; peak memory counts what methods before took."""
    cells = (format(row[name], form) if name in row else "" for name, form in COLUMNS.items())
    return f"| {row['scene']} | {row['method']} | " + " | ".join(cells) + " |"
