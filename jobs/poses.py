"""Photos or a video whose cameras nobody knows -> Scene, by structure from motion."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..geometry.colmap import OPENGL, lens_of
from ..geometry.folder import NoCameras, bare_photos, bare_video, read_scene, scene_from
from ..geometry.picture import write_picture
from ..geometry.sharpness import taken_with, weakness
from ..geometry.views import Lens, Poses, View, mask_beside, named, photograph
from . import known_cameras
from .protocol import Cancelled
from .structure import ALL_PAIRS, ENOUGH, Group, Structure
from .video import sharp_frames

WORKING = 1600
"""Longer side of the copies in which features are found"""
LARGE = 1200
"""Pixels along the longer side of copies from which half-sized pixels are not looked at first"""
FEWEST_FEATURES = 60
"""Points below which a photo shows too little to be recognised by"""
FEWEST = 3
"""Photos below which a model is a chance: of more than that many, two that fit are no capture"""
AT_ONE_PLACE = 0.02
"""How far cameras are apart, as a share of how far away things are, where they only turn"""
SEEN_BY, WITHIN = 3, 2.0
"""Points that so many photos see, within so many pixels, are kept"""
SHARES = {"Features": (0.1, 0.35), "Matches": (0.35, 0.65), "Cameras": (0.65, 0.9), "Photos": (0.9, 1.0)}
"""What part of the progress each phase takes"""


@dataclass(frozen=True)
class Bare:
    """A photograph without a camera, copied upright to where features are found."""

    name: str
    path: Path
    copy: str
    """Below photos/"""
    size: tuple[int, int]
    """Of the copy"""
    mask: Path | None
    has_mask: bool
    """By a mask or by its own alpha"""
    camera: tuple
    """What tells one camera from another"""
    focal: float | None
    """In pixels of the copy"""
    weakness: str
    """Why it would show too little detail"""
    digest: int
    """Equal for pictures that are all the same"""


def open_scene(
    folder, holdout: int = 0, longest_side: int = 0, progress=None, cancelled=None, frames: int = 100, cache: str = ""
):
    """The Scene in a folder or a video: its cameras are read where it says them, else found.

    `frames` is how many pictures of a video are taken at most; `cache` the folder that remembers cameras which were
    found, "" the system's. `progress(fraction, phase, note)` and `cancelled()` are
    those of a job. Raises ValueError with a sentence where it holds nothing that can be captured.
    """
    report = progress or (lambda fraction, phase, note="": None)
    try:
        return read_scene(folder, holdout, longest_side, lambda done, note: report(done, "Photos", note))
    except NoCameras:
        return find_scene(folder, holdout, longest_side, progress, cancelled, frames, cache)


def find_scene(
    folder, holdout: int = 0, longest_side: int = 0, progress=None, cancelled=None, frames: int = 100, cache: str = ""
):
    """As open_scene, but whatever the folder says of cameras is not looked at."""
    folder = Path(folder)
    report = progress or (lambda fraction, phase, note="": None)
    furthest = [0.0]

    def watch(fraction, phase, note=""):
        furthest[0] = max(furthest[0], fraction)  # what is tried once more does not go back
        report(furthest[0], phase, note)
        if cancelled and cancelled():
            raise Cancelled

    with tempfile.TemporaryDirectory(prefix="maquette-") as temporary:
        paths, notes = _pictures(folder, Path(temporary), frames, watch)
        lasting = folder.is_dir() and not bare_video(folder)  # a video's frames are gone afterwards
        poses = known_cameras.load(folder, paths, cache) if lasting else None
        if poses is None:
            photos = copies(folder, paths, Path(temporary), notes, watch)
            poses = solve(photos, Path(temporary), watch)
            poses.notes[:0] = notes
            if lasting:
                known_cameras.keep(poses, folder, paths, cache)
        share = _shared("Photos", watch)
        return scene_from(poses, holdout, longest_side, share)


# --- photos ---------------------------------------------------------------------------------------------------------


def _pictures(folder, temporary, frames, watch):
    """The photos of a folder, or the sharp frames of a video: (paths, notes)."""
    video = bare_video(folder)
    if not video:
        return bare_photos(folder), []
    return sharp_frames(video, temporary / "frames", frames, lambda done, note: watch(0.05 * done, "Video", note))


def copies(folder, paths, temporary, notes, watch) -> list[Bare]:
    """Copy photos upright and reduced to temporary/photos, masks to temporary/masks; what cannot be read is noted."""
    photos: list[Bare] = []
    cameras: dict[tuple, int] = {}
    for number, path in enumerate(paths):
        watch(0.05 + 0.05 * number / len(paths), "Photos", path.name)
        try:
            photos.append(_copied(folder, path, temporary, cameras, number))
        except ValueError as error:
            notes.append(str(error))
    if not photos:
        raise ValueError(f"none of the photos can be used: {notes[0]}")
    if len(photos) == 1:
        why = f" ({notes[0]})" if notes else ""
        raise ValueError(f"there is only one photo, {photos[0].name}{why}; Capture needs several, from different sides")
    if len({photo.digest for photo in photos}) == 1:
        raise ValueError(f"all {len(photos)} photos show the same picture; Capture needs photos from different sides")
    return photos


def _copied(folder, path, temporary, cameras, number) -> Bare:
    within = path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name
    mask = mask_beside(folder, within) if folder.is_dir() else None
    # Nobody knows this lens yet: any field of view does for reading the picture.
    photo = photograph(View(named(within), path, np.eye(4), Lens(fov=(1.0, None)), mask, upright=True), WORKING)
    size = photo.image.shape[1], photo.image.shape[0]
    taken, sides = taken_with(path)
    camera = (*taken, *size)
    copy = f"{cameras.setdefault(camera, len(cameras))}/{number:05}.png"
    for room in ("photos", "masks"):
        (temporary / room / copy).parent.mkdir(parents=True, exist_ok=True)
    write_picture(photo.image, temporary / "photos" / copy)
    if photo.mask is not None:
        write_picture(photo.mask, temporary / "masks" / f"{copy}.png")
    return Bare(
        photo.name,
        path,
        copy,
        size,
        mask,
        photo.mask is not None,
        camera,
        sides and sides * max(size),
        weakness(photo.image),
        hash(photo.image.tobytes()),
    )


# --- cameras --------------------------------------------------------------------------------------------------------


def solve(photos: list[Bare], temporary, watch) -> Poses:
    """Find the cameras of copied photos; those without are noted with the reason.

    Where there are masks only what they show is looked at first: on a turntable the background stands still. If that
    is too little to go by, the whole photos are tried. Raises ValueError with a sentence where no cameras are found.
    """
    masked = any(photo.has_mask for photo in photos)
    model, features, matched = attempt(photos, temporary, masked, watch)
    if masked and _placed(model) < 0.5 * len(photos):
        whole = attempt(photos, temporary, False, watch)
        if _placed(whole[0]) > _placed(model):
            model, features, matched = whole
    if _placed(model) < min(FEWEST, len(photos)):
        raise ValueError(_hopeless(photos, features, matched))
    return poses_of(model, photos, features, matched)


def attempt(photos, temporary, masked, watch):
    """(largest model or None, features by copy, copies that match another), with settings that ask less and less.

    Large photos show enough without their smallest details, in less than half the time; if not, these are looked for.
    """
    large = not masked and min(max(photo.size) for photo in photos) >= LARGE
    found = tried(photos, temporary, masked, watch, doubled=False) if large else (None, {}, set())
    if _placed(found[0]) >= ENOUGH * len(photos):
        return found
    return max(tried(photos, temporary, masked, watch), found, key=lambda one: _placed(one[0]))


def tried(photos, temporary, masked, watch, doubled=True):
    """The same with one kind of features."""
    phase = ["Features"]
    structure = Structure(temporary, lambda done, note: _shared(phase[0], watch)(done, note))
    features = structure.features(groups_of(photos), masked, doubled)
    names = [photo.copy for photo in photos if features.get(photo.copy, 0) >= FEWEST_FEATURES]
    model, matched = None, set()
    if len(names) < 2:
        return model, features, matched
    for every_pair in (True,) if len(names) <= ALL_PAIRS else (False, True):
        phase[0] = "Matches"
        matched = structure.matches(names, every_pair)
        if len(matched) < 2:
            continue
        phase[0] = "Cameras"
        settings = (lambda: structure.mapping(False), lambda: structure.mapping(True), structure.mapping_at_once)
        for mapping in settings:
            model = max(model, _standing(mapping()), key=_placed)
            if _placed(model) >= ENOUGH * len(matched) and len(matched) >= ENOUGH * len(names):
                return model, features, matched
    return model, features, matched


def groups_of(photos) -> list[Group]:
    """Photos of one size by one camera share its intrinsics."""
    groups: dict[tuple, list[Bare]] = {}
    for photo in photos:
        groups.setdefault(photo.camera, []).append(photo)
    return [Group(tuple(photo.copy for photo in some), some[0].size, some[0].focal) for some in groups.values()]


def poses_of(model, photos, features, matched) -> Poses:
    """The cameras of a pycolmap.Reconstruction, in its own frame, and why other photos have none."""
    placed = {model.image(number).name: model.image(number) for number in model.reg_image_ids()}
    poses = Poses(points=_points(model))
    for photo in photos:
        if photo.copy not in placed:
            poses.notes.append(_reason(photo, features, matched))
            continue
        image = placed[photo.copy]
        camera = model.camera(image.camera_id)
        lens = lens_of(camera.model_name, camera.width, camera.height, tuple(map(float, camera.params)))
        world = np.linalg.inv(np.vstack([image.cam_from_world().matrix(), [0, 0, 0, 1]])) @ OPENGL
        poses.views.append(View(photo.name, photo.path, world, lens, photo.mask, upright=True))
    return poses


def _points(model):
    """(P, 3) of the points that are seen often and well; None where there are none."""
    kept = [p.xyz for p in model.points3D.values() if p.track.length() >= SEEN_BY and p.error <= WITHIN]
    return np.array(kept) if kept else None


def _standing(model):
    """The model, or None where its cameras stand as good as at one place: then its depths are chance."""
    points = None if model is None else np.array([p.xyz for p in model.points3D.values()])
    if points is None or len(points) == 0:
        return None
    eyes = np.array([model.image(number).projection_center() for number in model.reg_image_ids()])
    apart = np.linalg.norm(eyes - eyes.mean(axis=0), axis=1).max()
    away = np.median(np.linalg.norm(points - eyes.mean(axis=0), axis=1))
    return model if apart > AT_ONE_PLACE * away else None


def _placed(model) -> int:
    return 0 if model is None else model.num_reg_images()


def _reason(photo, features, matched) -> str:
    found = features.get(photo.copy, 0)
    if found < FEWEST_FEATURES:
        return f"{photo.name} shows too little detail ({found} points): {photo.weakness}"
    if photo.copy not in matched:
        return f"{photo.name} has nothing in common with the other photos"
    return f"{photo.name} could not be placed: it has too little in common with the photos that could"


def _hopeless(photos, features, matched) -> str:
    """Why no cameras were found, and what to do."""
    seen = sum(features.get(photo.copy, 0) >= FEWEST_FEATURES for photo in photos)
    if seen < 2:
        return (
            f"the photos show too little detail to find their cameras ({photos[0].name}: {photos[0].weakness}); "
            "take sharp, bright ones, with something patterned beside the object"
        )
    if len(matched) < 2:
        return (
            f"the {len(photos)} photos have nothing in common, so their cameras cannot be found; "
            "take more of one object, each overlapping the one before by two thirds"
        )
    return (
        f"the cameras of the {len(photos)} photos could not be found; walk round the object rather than turn on the "
        "spot, and let each photo overlap the one before by two thirds"
    )


def _shared(phase, watch):
    """A report (fraction, note) of one phase, placed in the whole."""
    start, end = SHARES[phase]
    return lambda done, note="": watch(start + (end - start) * done, phase, note)
