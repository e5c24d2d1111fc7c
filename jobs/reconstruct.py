"""Reconstruct: pictures of an object -> Shape, as seen from the front in the first."""

from __future__ import annotations

import dataclasses
import functools
import os
import time
from dataclasses import dataclass

import numpy as np

from .. import __version__
from ..geometry.background import Isolated
from ..geometry.crop import crop_to_object
from ..geometry.field import Field
from ..geometry.folder import read_poses
from ..geometry.frames import UNIT_CUBE
from ..geometry.picture import Picture, read_picture
from ..geometry.scene import Photo
from ..geometry.sides import sides
from ..geometry.transforms import read_transforms
from ..nets import catalog, checkpoint, device, image_to_field, predict, refiner
from . import fields, naming, photographed
from .isolate import isolate
from .posed import Camera, Posed, lens_of_blender, posed, shown
from .remesh import shape_from_field
from .requests import Reconstruct, Shape
from .texture import textured

NETWORK, REFINER, SIDES = "image_to_field", "refiner", "sides"
UNLIKE = 0.5
"""Likeness of the nearest known silhouette below which a picture counts as strange: 2 % of validation pictures are"""
DIFFERENT = 0.45
"""Agreement of a picture's mask with the shape below which it may show something else"""


@dataclass(frozen=True)
class Seen:
    """One picture, the object in it, and the squares round that."""

    picture: Picture
    mask: Picture | None
    isolated: Isolated
    crop: np.ndarray
    close: np.ndarray
    doubt: str


def reconstruct(request: Reconstruct, progress, cancelled) -> Shape:
    """Raises ValueError with a sentence for pictures that cannot be used."""
    start = time.perf_counter()
    known = cameras_of(request)
    seen = [see(request, i, progress) for i in range(len(request.images))]
    check_different(seen)
    sides_taken = sides([camera.matrix for camera in known]) if known else (request.turns, request.elevations)
    straight, unused = straightened(seen, known, request)
    progress(0.1, "Network", "loading")
    estimate, where, note = run(seen, sides_taken, straight, request, progress)
    progress(0.6, "Field")
    bounds, turn = (straight.bounds(estimate.place), straight.about.turn) if straight else (UNIT_CUBE, None)
    parts = {"colour": estimate.colour, "confidence": estimate.confidence, "turn": turn}
    field = Field(estimate.occupancy, estimate.level, bounds, **parts)
    key, unkept = fields.keep(field, request.cache)
    if request.save_field:
        field.save(request.save_field)
    taken = photographed.photos(seen, estimate, straight)
    shape = meshed(field, taken, request, progress)
    report = shape.report | {
        "cameras": photographed.rows(taken, shape.report["placement"]),
        "device": str(where),
        "seconds": time.perf_counter() - start,
        "mask": seen[0].isolated.method,
        "camera": estimate.camera,
        "likeness": estimate.likeness,
        "expected_iou": estimate.expected_iou,
    }
    if straight and not request.meshing.size:
        report["in_place"] = True
    if kind := naming.looks_like(field, where):
        report["class"] = kind
    notes = [note, unkept, unused, *(one.doubt for one in seen)]
    if estimate.likeness < UNLIKE:
        notes.append(
            f"the outline in {seen[0].picture.name} is unlike all that the network was trained on: "
            "look at the mask, and expect a rough shape"
        )
    if len(seen) > 1:
        report["views"] = [
            {"image": one.picture.name, **view} for one, view in zip(seen, estimate.views, strict=True)
        ]
        notes.append(doubt_of_views(report["views"]))
    if any(notes):
        report["note"] = ". ".join(filter(None, notes))
    origin = provenance(request, seen, sides_taken, known, straight, where)
    return dataclasses.replace(shape, field=key, report=report, provenance=origin)


def meshed(field: Field, taken: list[Photo], request: Reconstruct, progress) -> Shape:
    """The field's mesh, with a texture of the photos where one is asked for."""

    def paint(mesh):
        return textured(mesh, taken, request.texture, progress, (0.7, 0.95), guess=mesh.colours)

    wanted = paint if request.texture else None
    return shape_from_field(field, request.meshing, progress, request.preview, (0.65, 0.97), wanted)


def see(request: Reconstruct, index: int, progress) -> Seen:
    """Picture `index`, with the object cut out."""
    count = len(request.images)
    progress(0.02 + 0.08 * index / count, "Picture")
    picture = read_picture(request.images[index])
    progress(0.02 + 0.08 * (index + 0.5) / count, "Background")
    path = request.masks[index] if request.masks else request.mask
    mask = read_picture(path) if path else None
    try:
        isolated, doubt = isolate(picture, mask, request.device)
        crop, _ = crop_to_object(isolated.rgba, image_to_field.PICTURE)
        close, _ = crop_to_object(isolated.rgba, refiner.PICTURE)
    except ValueError as error:
        if count == 1 or picture.name in str(error):
            raise
        raise ValueError(f"{picture.name}: {error}") from None
    return Seen(picture, mask, isolated, crop, close, doubt)


def cameras_of(request: Reconstruct) -> list[Camera]:
    """The pictures' cameras where they are known; [] where they are not.

    Raises ValueError where a pose file does not know a picture."""
    if request.cameras:
        return [Camera(matrix) for matrix in np.array(request.cameras).reshape(-1, 4, 4)]
    if not request.poses:
        return []
    read = read_poses(request.poses) if os.path.isdir(request.poses) else read_transforms(request.poses)
    views = {os.path.realpath(view.path): view for view in (*read.views, *read.held_out)}
    for image in request.images:
        if os.path.realpath(image) not in views:
            raise ValueError(f"{os.path.basename(request.poses)} has no camera for {os.path.basename(image)}")
    found = [views[os.path.realpath(image)] for image in request.images]
    return [Camera(view.camera, view.lens) for view in found]


def straightened(seen: list[Seen], known: list[Camera], request: Reconstruct) -> tuple[Posed | None, str]:
    """The pictures as their cameras would see them straight, where cameras and lenses are known; and a sentence where
    they are and cannot be used, or are not.

    What an artist says of elevation or depth goes before what cameras say."""
    if len(seen) < 2 or not known or request.cameras and not request.lenses:
        return None, ""
    said = [name for name in ("elevation", "depth") if getattr(request.view, name) is not None]
    if said:
        given = " and ".join(said)
        return None, f"the cameras only say from which side each picture was taken, since {given} was set by hand"
    if request.lenses:
        sizes = [one.isolated.rgba.shape[1::-1] for one in seen]
        lenses = [lens_of_blender(lens, *size) for lens, size in zip(request.lenses, sizes, strict=True)]
        known = [dataclasses.replace(camera, lens=lens) for camera, lens in zip(known, lenses, strict=True)]
    try:
        pictures = [(one.picture.name, one.isolated.rgba) for one in seen]
        return posed(pictures, known, image_to_field.PICTURE, refiner.PICTURE), ""
    except ValueError as error:
        return None, f"the cameras only say from which side each picture was taken: {error}"


def check_different(seen: list[Seen]) -> None:
    """Raises ValueError where two files hold the same picture: it would count twice, from two sides."""
    first: dict[str, str] = {}
    for one in seen:
        other = first.setdefault(one.picture.sha256, one.picture.name)
        if other != one.picture.name:
            raise ValueError(f"{other} and {one.picture.name} are the same picture; give each side once")


def doubt_of_views(views: list[dict]) -> str:
    """Sentences on pictures that were left out, and on those that do not fit the shape that all of them made."""
    unused = [view["image"] for view in views if not view["used"]]
    odd = [view["image"] for view in views if view["used"] and view["agreement"] < DIFFERENT]
    said = []
    if unused:
        said.append(
            f"{_listed(unused)} {'was' if len(unused) == 1 else 'were'} left out, since the side could not be found; "
            "say from which side each picture was taken (Sides; --turns)"
        )
    if odd:
        said.append(f"{_listed(odd)} agrees little with the others; is it the same object, its side and mask right?")
    return ". ".join(said)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def run(seen: list[Seen], sides_taken: tuple[tuple, tuple], straight: Posed | None, request: Reconstruct, progress):
    """-> Estimate, the torch device it ran on, and a sentence when that was not the one asked for."""
    notes: list[str] = []
    own = ()
    turns, elevations = (given or (None,) * len(seen) for given in sides_taken)
    others = [
        predict.Beside(one.crop, one.close, turn, elevation)
        for one, turn, elevation in zip(seen[1:], turns[1:], elevations[1:], strict=True)
    ]
    if straight:
        seen = [shown(one, straight, i) for i, one in enumerate(seen)]
        (own, *cameras), (_, *fits) = straight.cameras, straight.fits
        others = [
            predict.Beside(one.crop, one.close, camera=camera, fit=fit)
            for one, camera, fit in zip(seen[1:], cameras, fits, strict=True)
        ]
    view = dataclasses.asdict(request.view)
    if view["elevation"] is None and not straight:
        view["elevation"] = elevations[0]

    def work(where, chunks):
        network = loaded(NETWORK, str(where))
        detail = loaded(REFINER, str(where)) if refines(request) else None
        judge = loaded(SIDES, str(where)) if searches(request, sides_taken, straight) else None
        if others and not network.config.several:
            raise ValueError("these weights were trained on one picture of an object alone; choose one")
        return predict.predict(
            network,
            seen[0].crop,
            seen[0].close,
            request.resolution if detail or request.resolution < refiner.REFINED else image_to_field.FINE,
            chunks,
            lambda fraction, note: progress(0.15 + 0.45 * fraction, "Network", note),
            **view,
            others=others,
            camera=own,
            refiner=detail,
            judge=judge,
        ), where

    estimate, where = device.with_less_memory(work, device.pick(request.device), say=notes.append)
    return estimate, where, " ".join(notes)


def refines(request: Reconstruct) -> bool:
    """Whether detail is asked for and its weights are there; a copy of Maquette may lack them."""
    return request.resolution == refiner.REFINED and catalog.bundled(REFINER)


def searches(request: Reconstruct, sides_taken: tuple[tuple, tuple], straight: Posed | None) -> bool:
    """Whether sides have to be found, and the weights that find them are there; a copy of Maquette may lack them."""
    turns = sides_taken[0] or (None,) * len(request.images)
    return not straight and None in turns[1:] and catalog.bundled(SIDES)


@functools.lru_cache(maxsize=6)
def loaded(name: str, where: str):
    """A network on a device, kept warm between requests."""
    return checkpoint.load(name, where)


def provenance(
    request: Reconstruct, seen: list[Seen], sides_taken: tuple[tuple, tuple], known, straight: Posed | None, where
) -> dict:
    """Enough to make the same shape again, bit for bit on the same device, torch and thread count."""
    settings = {
        "resolution": request.resolution,
        "view": dataclasses.asdict(request.view),
        "device": request.device,
        "meshing": dataclasses.asdict(request.meshing),
        **({"texture": request.texture} if request.texture else {}),
        **{name: list(given) for name, given in zip(("turns", "elevations"), sides_taken) if given},
        **({"cameras": [np.asarray(camera.matrix).tolist() for camera in known]} if straight else {}),
    }
    masks = [one.mask and {"path": str(one.mask.path), "sha256": one.mask.sha256} for one in seen]
    return {
        "verb": "reconstruct",
        "settings": settings,
        "images": [{"path": str(one.picture.path), "sha256": one.picture.sha256} for one in seen],
        **({"mask": masks[0]} if masks[0] else {}),
        **({"masks": masks} if any(masks[1:]) else {}),
        **({"matting": catalog.card("matting")["sha256"]} if any(s.isolated.method == "network" for s in seen) else {}),
        "network": NETWORK,
        "weights": catalog.card(NETWORK)["sha256"],
        **({"refiner": catalog.card(REFINER)["sha256"]} if refines(request) else {}),
        **({"sides": catalog.card(SIDES)["sha256"]} if searches(request, sides_taken, straight) else {}),
        "version": __version__,
        **device.versions(where),
    }
