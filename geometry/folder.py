"""What a folder of photographs holds, whoever wrote it: the readers of Capture under one name."""

import re
from pathlib import Path

import numpy as np

from .colmap import holds_model, read_model
from .scene import Photo, Scene
from .transforms import read_transforms
from .views import PICTURES, Poses, View, found, mask_beside, named, photograph

VIDEOS = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm")
MODELS = ("sparse/0", "sparse", "colmap/sparse/0", ".")
"""Where a COLMAP model lies within a folder"""
PLACES = ("images", "input", ".", "images_2", "images_4", "images_8")
"""Where its photographs lie; reduced copies serve where the whole ones are not there"""
BARE = ("images", "input", ".")
"""Where photographs lie that have no cameras yet"""
FEWEST = 2
"""Photos below which nothing says how far away anything is"""


class NoCameras(ValueError):
    """The folder holds photos or a video, but nothing says where the cameras were."""


def read_scene(folder, holdout: int = 0, longest_side: int = 0, progress=None) -> Scene:
    """The photographs in a folder with their cameras.

    Looked for in this order: transforms_train.json (transforms_test.json or transforms_val.json are then held out),
    transforms.json, a COLMAP model. Where the folder holds out nothing itself, every `holdout`-th photo by name is held
    out. `longest_side` reduces larger photos, and their intrinsics along; it may be a function that says it of the
    views and of how many of them, the last ones, are held out. `progress(fraction, note)` is called while pictures are
    read.

    Raises NoCameras where there are only photos or a video, ValueError with a sentence for what cannot be used.
    """
    return scene_from(read_poses(folder), holdout, longest_side, progress)


def read_poses(folder) -> Poses:
    """What the folder's pose files say. Raises as read_scene does."""
    folder = Path(folder)
    if not folder.exists():
        raise ValueError(f"{folder} does not exist; Capture needs a folder of photos, or a video")
    if folder.is_file() and folder.suffix.lower() not in VIDEOS:
        raise ValueError(f"{folder.name} is a single file; Capture needs a folder of photos, or a video")
    if (folder / "transforms_train.json").is_file():
        return _nerf(folder)
    if (folder / "transforms.json").is_file():
        return read_transforms(folder / "transforms.json")
    for place in MODELS:
        if holds_model(folder / place):
            return _colmap(folder, folder / place)
    if video := bare_video(folder):
        raise NoCameras(f"{video.name} is a video; its cameras have to be found first")
    bare = bare_photos(folder)
    raise NoCameras(f"{folder.name} holds {len(bare)} photos without cameras; they have to be found first")


def bare_video(folder) -> Path | None:
    """The video that is named instead of a folder, or the only thing to see in one; None where there are photos."""
    folder = Path(folder)
    if folder.is_file():
        return folder
    videos = _files(folder, VIDEOS)
    return videos[0] if videos and not any(_files(folder / place, PICTURES) for place in BARE) else None


def bare_photos(folder) -> list[Path]:
    """The photographs in a folder, or in its images/ or input/, by name. Raises ValueError where there are none."""
    for place in BARE:
        if paths := _files(Path(folder) / place, PICTURES):
            return paths
    raise ValueError(f"the folder {Path(folder).name} holds no photos ({', '.join(PICTURES)})")


def scene_from(poses: Poses, holdout: int = 0, longest_side: int = 0, progress=None) -> Scene:
    """Read the pictures of all views. What cannot be read or does not fit is noted; raises as read_scene does."""
    if isinstance(holdout, bool) or holdout < 0 or holdout == 1:
        raise ValueError(f"Holdout is {holdout}; every second photo (2) is the most that can be held out, 0 is none")
    views = sorted(poses.views, key=_by_name)
    held_out = sorted(poses.held_out, key=_by_name)
    if holdout and not held_out:
        held_out = views[::holdout]
        views = [view for number, view in enumerate(views) if number % holdout]
    notes = list(poses.notes)
    total = len(views) + len(held_out)
    if callable(longest_side):
        longest_side = longest_side([*views, *held_out], len(held_out))
    seen = progress or (lambda fraction, note: None)
    read = []
    for number, view in enumerate([*views, *held_out]):
        seen(number / total, view.name)
        read.append(_photo(view, longest_side, notes))
    photos = tuple(photo for photo in read[: len(views)] if photo)
    scored = tuple(photo for photo in read[len(views) :] if photo)
    _check(photos, notes)
    return Scene(photos, scored, poses.points, tuple(notes))


def _nerf(folder) -> Poses:
    """NeRF's synthetic scenes: a file for each of what is fitted, looked at while fitting, and scored."""
    poses = read_transforms(folder / "transforms_train.json")
    for split in ("test", "val"):
        path = folder / f"transforms_{split}.json"
        if path.is_file():
            away = read_transforms(path)
            fitted = {view.name for view in poses.views}
            poses.held_out = [view for view in away.views if view.name not in fitted]
            poses.notes += away.notes
            break
    return poses


def _colmap(folder, place) -> Poses:
    model = read_model(place)
    poses = Poses(points=model.points if len(model.points) else None, source="COLMAP model")
    if poses.points is None:
        poses.notes.append("the COLMAP model holds no points, so only the cameras are known")
    within = _place(folder, model)
    for image in model.images:
        try:
            name, path = found(folder, f"{within}/{image.name}", endings=())
        except ValueError as error:
            poses.notes.append(str(error).removeprefix("./"))
        else:
            poses.views.append(View(named(name), path, image.camera, image.lens, mask_beside(folder, name)))
    return poses


def _place(folder, model) -> str:
    """Which of PLACES holds most of the model's photographs."""
    some = model.images[:: max(1, len(model.images) // 20)]
    counts = {place: sum(_exists(folder / place / image.name) for image in some) for place in PLACES}
    return max(counts, key=counts.get)


def _exists(path) -> bool:
    return "\0" not in str(path) and path.is_file()


def _photo(view, longest_side, notes) -> Photo | None:
    try:
        return photograph(view, longest_side)
    except ValueError as error:
        notes.append(str(error))
        return None


def _check(photos, notes):
    """Raises ValueError where no surface could come of the photos."""
    if not photos:
        why = f": {notes[0]}" if notes else ""
        raise ValueError(f"none of the photos can be used{why}")
    if len(photos) < FEWEST:
        why = f" ({notes[0]})" if notes else ""
        raise ValueError(f"there is only one photo, {photos[0].name}{why}; Capture needs several, from different sides")
    first = photos[0]
    if all(np.array_equal(photo.image, first.image) for photo in photos[1:]):
        raise ValueError(f"all {len(photos)} photos show the same picture; Capture needs photos from different sides")
    if all(np.allclose(photo.camera[:3, 3], first.camera[:3, 3], rtol=0, atol=1e-9) for photo in photos[1:]):
        raise ValueError(
            "all cameras stand at one place, so nothing says how far away anything is; walk round the object"
        )
    if all(photo.mask is not None and not photo.mask.any() for photo in photos):
        raise ValueError("the masks are black, or the photos transparent, all over: there is no object to see")


def _files(folder, endings) -> list[Path]:
    """The files in a folder with one of these endings, by name, hidden ones left out."""
    paths = folder.iterdir() if folder.is_dir() else []
    paths = [path for path in paths if path.suffix.lower() in endings and path.name[0] != "." and path.is_file()]
    return sorted(paths, key=lambda path: _natural(path.name))


def _by_name(view):
    return _natural(view.name)


def _natural(text):
    """A key that sorts r_2 before r_10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", text)], text
