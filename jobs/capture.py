"""Capture: a folder of photographs -> Shape, in the cameras' own frame."""

from __future__ import annotations

import dataclasses
import os
import time

import numpy as np

from .. import __version__
from ..geometry import isosurface, unseen, upright
from ..geometry.box import Box, cut
from ..geometry.camera_row import row_of
from ..geometry.field import Field
from ..geometry.frames import carried_camera
from ..geometry.hull import Similarity, box_from_cameras, box_from_masks
from ..geometry.knobs import without_knobs
from ..geometry.looked_at import box_from_points
from ..geometry.picture import write_picture
from ..geometry.scene import Photo, Scene
from ..geometry.similar import psnr, ssim
from ..nets import bake_radiance, device, fit_radiance
from ..nets.fit_stage import Fitted
from . import fields, memory, poses, unfinished, watching
from .capturing import Capture
from .remesh import shape_from_field
from .requests import Shape
from .shown import with_shown
from .texture import textured

READ, FIT = 0.15, 0.87
"""What share of the progress is over once the photos are read, and once they are fitted."""
PAINT = 0.9, 0.935
"""What share a texture takes; it is counted in seconds, as fitting is in minutes"""
UNASKED = 8
"""Of a folder's own test views, how many are scored where nobody asked for scores"""
BACKGROUND = 1.0
"""sRGB behind masked objects where scores are taken: white, as is usual for NeRF's synthetic scenes."""


def capture(request: Capture, progress, cancelled) -> Shape:
    """Raises ValueError with a sentence where the folder holds nothing that can be captured."""
    start = time.perf_counter()
    asked = request
    stopped = unfinished.Unfinished(asked)
    scene, request, smaller, longest = read(asked, progress, cancelled, stopped.longest() if asked.resume else 0)
    progress(READ, "Fitting", "finding the object")
    stopped.about(scene, longest)
    wanted = Box(request.box[:3], request.box[3:]) if request.box else None
    watcher = watching.Watcher(request.live, progress, (READ, FIT), wanted)
    fitted, slower = fit(request, scene, wanted, stopped, watcher, cancelled)
    progress(FIT, "Field")
    values, colours = bake_radiance.volumes(fitted)
    if fitted.around is not None and not wanted:  # nobody has said where the object ends
        values = without_knobs(values, fitted.similarity.side / fitted.field.grid.resolution)
    field = Field(values, 0.0, bake_radiance.bounds(fitted), colours)
    field = cut(field, wanted) if wanted else field
    field, hidden = with_unseen(field, request, scene, progress)
    field, lying = with_up(field, request, scene)
    key, unkept = fields.keep(field, request.cache)
    if request.save_field:
        field.save(request.save_field)
    paint = (lambda mesh: textured(mesh, scene.photos, request.texture, progress, PAINT)) if request.texture else None
    shape = shape_from_field(field, request.meshing, progress, request.preview, (0.9, 0.95), paint)
    report = shape.report | scores(fitted, scored(scene, request), request.renders, progress) | seen(scene)
    rows = with_shown(cameras(scene, shape.report["placement"]), both(scene), request.backgrounds)
    report |= {"box": told(fitted.similarity, wanted), "cameras": rows}
    report |= {"up": field.up.tolist()} if field.up is not None else {}
    report |= {"exposure": gains(fitted, scene)} if fitted.exposure else {}
    report |= {"method": fitted.field.METHOD, "device": fitted.volume.device.type}
    report |= {"steps": fitted.steps, "seconds": time.perf_counter() - start}
    report |= {"ended_early": True} if watcher.enough else {}
    notes = " ".join(filter(None, (*scene.notes, smaller, slower, hidden, lying, unkept, stopped.note)))
    return dataclasses.replace(
        shape, field=key, report=report | ({"note": notes} if notes else {}), provenance=provenance(request, fitted)
    )


def fit(request: Capture, scene: Scene, wanted: Box | None, stopped, watcher, cancelled) -> tuple[Fitted, str]:
    """The field of the photos, and a sentence where the graphics card had too little memory for it, or could not."""
    notes: list[str] = []

    def work(where, chunks=1):
        begun = stopped.load(where) if request.resume else None
        return fit_radiance.fit(
            scene.photos,
            begun.similarity if begun else wanted.cube if wanted else box_of(scene),
            fit_radiance.plan(request.resolution),
            request.budget,
            request.steps,
            request.seed,
            say=watcher.say,
            cancelled=lambda: cancelled() or watcher.enough,
            begun=begun,
            keep=stopped.keep,
            show=watcher.show,
            half=wanted.half if wanted else None,
            device=where,
            method=request.method,
        )

    where = device.for_fields(request.device)
    try:
        return device.with_less_memory(work, where, (1,), notes.append), " ".join(notes)
    except RuntimeError as error:
        if where.type == "cpu":
            raise
        reason = (str(error).splitlines() or [type(error).__name__])[0]
    return work(device.pick("cpu")), f"The graphics card could not do it ({reason}); the CPU did, which is slower."


def read(request: Capture, progress, cancelled, kept: int = 0) -> tuple[Scene, Capture, str, int]:
    """The photos with their cameras, which are found where nobody says them; all with masks, or none.

    And the request with as fine a resolution as memory allows, a sentence where that is less than was asked for, and
    how many pixels along their longer side photos have at most: `kept`, where what goes on was begun with so many.
    """
    chosen = [None, ""]

    def longest(views, scored):
        sizes = memory.sizes_of(views)
        chosen[:] = memory.fitting(sizes, scored, request.resolution, memory.free(), request.method)
        if kept:
            chosen[0] = dataclasses.replace(chosen[0], longest=kept)
        return chosen[0].longest

    scene = poses.open_scene(
        request.folder,
        request.holdout,
        longest,
        lambda fraction, phase, note="": progress(READ * fraction, phase, note),
        cancelled,
        cache=request.cache,
    )
    scale, smaller = chosen
    request = dataclasses.replace(request, resolution=scale.resolution)
    masked = [photo for photo in scene.photos if photo.mask is not None]
    if not masked or len(masked) == len(scene.photos):
        return scene, request, smaller, scale.longest
    left_out = f"{len(scene.photos) - len(masked)} photos have no mask and are left out, since the others have one"
    scene = dataclasses.replace(scene, photos=tuple(masked), notes=(*scene.notes, left_out))
    return scene, request, smaller, scale.longest


def box_of(scene: Scene) -> Similarity:
    """Where the object is: round its masks; where photos have none round the points, or else where the cameras look."""
    with_mask = [photo for photo in scene.photos if photo.mask is not None]
    if with_mask:
        return box_from_masks(with_mask)
    widest = box_from_cameras(scene.photos)
    return widest if scene.points is None else box_from_points(scene.points, list(scene.photos), widest)


def told(cube: Similarity, wanted: Box | None) -> dict:
    """The box that was wanted, or the cube that was found, as a report has it."""
    centre, size = (wanted.centre, wanted.size) if wanted else (cube.centre, (cube.side,) * 3)
    return {"centre": list(centre), "side": max(size), "size": list(size)}


def with_unseen(field: Field, request: Capture, scene: Scene, progress) -> tuple[Field, str]:
    """The field with what the photos show of it where the rest is to be left out, and a sentence about that."""
    if request.unseen == "close":
        return field, ""
    progress(FIT, "Unseen")
    whole = isosurface.mesh_from_field(field)
    shown = unseen.shown(whole, scene.photos)
    cells = unseen.seen_cells(whole, shown, field.values.shape, field.bounds)
    field = dataclasses.replace(field, seen=cells)
    left = unseen.areas(unseen.culled(whole, field)).sum() / unseen.areas(whole).sum()
    if left > 0.999:
        return field, "The photos show all of the surface, so nothing was left out."
    return field, f"{1 - left:.0%} of the surface is in no photo and was left out; the mesh is open there."


def with_up(field: Field, request: Capture, scene: Scene) -> tuple[Field, str]:
    """The field that knows what is up where that was asked for, and a sentence where it could not be found."""
    if request.up == "keep":
        return field, ""
    note = ""
    try:
        up = upright.from_cameras([photo.camera for photo in both(scene)])
        if request.up == "floor":
            try:
                up = upright.from_floor(isosurface.mesh_from_field(field).vertices, up)
            except ValueError as error:
                note = f"{error}, so it is upright by its cameras."
    except ValueError as error:
        return field, f"{error}, so the mesh lies as it was found."
    return dataclasses.replace(field, up=up), note


def seen(scene: Scene) -> dict:
    """What became of the photos."""
    return {
        "views": len(scene.photos),
        "registered": len(scene.photos) + len(scene.held_out),
        "failed": list(scene.notes),
    }


def cameras(scene: Scene, placement=None) -> list[dict]:
    """Where each photo was taken from and through what, for whoever sets up cameras elsewhere: about the mesh, where a
    placement (4, 4) brought that."""
    rows = [row_of(photo) for photo in both(scene)]
    way = np.eye(4) if placement is None else np.array(placement)
    if (way == np.eye(4)).all():
        return rows
    return [row | {"matrix": carried_camera(np.array(row["matrix"]), way).tolist()} for row in rows]


def both(scene: Scene) -> tuple[Photo, ...]:
    """The photos, and those that are held out, in the order of their cameras."""
    return *scene.photos, *scene.held_out


def gains(fitted, scene: Scene) -> dict:
    """How much brighter than the mean of all each photo was taken: factors of light, red, green and blue."""
    rows = zip(scene.photos, fitted.exposure.gains().tolist())
    return {photo.name: [round(gain, 3) for gain in row] for photo, row in rows}


def scored(scene: Scene, request: Capture) -> tuple[Photo, ...]:
    """The held-out views to score: all that were asked for; of what a folder has by itself no more than UNASKED, evenly
    taken, for drawing hundreds of large ones takes longer than fitting."""
    if request.holdout or request.renders:
        return scene.held_out
    return scene.held_out[:: -(-len(scene.held_out) // UNASKED) or 1]


def scores(fitted, views: tuple[Photo, ...], renders: str, progress) -> dict:
    """PSNR and SSIM over held-out views, each drawn into the folder `renders` where one is named."""
    found = []
    for number, photo in enumerate(views):
        progress(0.95 + 0.05 * number / len(views), "Scores", photo.name)
        colour, opacity, _ = bake_radiance.view(fitted, photo)
        shown = colour + BACKGROUND * (1 - opacity[..., None])
        found.append((psnr(shown, truth := before_white(photo)), ssim(shown, truth)))
        if renders:
            write_picture(shown, os.path.join(renders, f"{os.path.basename(photo.name)}.png"))
    if not found:
        return {}
    means = np.mean(found, axis=0)
    return {"psnr": float(means[0]), "ssim": float(means[1]), "held_out": len(found)}


def before_white(photo) -> np.ndarray:
    """(H, W, 3) sRGB in [0, 1]: what the mask shows, on white."""
    rgb = photo.image.astype(np.float32) / 255
    if photo.mask is None:
        return rgb
    alpha = photo.mask[..., None].astype(np.float32) / 255
    return rgb * alpha + BACKGROUND * (1 - alpha)


def provenance(request: Capture, fitted) -> dict:
    """Enough to make it again: steps rather than seconds, since machines differ."""
    names = ("budget", "steps", "resolution", "holdout", "seed", "box", "unseen", "up", "device", "method")
    settings = {name: getattr(request, name) for name in names} | {"meshing": dataclasses.asdict(request.meshing)}
    return {
        "verb": "capture",
        "settings": settings,
        "folder": request.folder,
        "steps": fitted.steps,
        "similarity": dataclasses.asdict(fitted.similarity),
        "version": __version__,
        **device.versions(fitted.volume.device.type),
    }
