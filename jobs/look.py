"""Look: what a folder of photographs holds, before anything is captured."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..geometry import folder as folders
from ..geometry.picture import decoded, size_of
from ..geometry.scene import Scene
from . import poses
from .capture import both, box_of, cameras, told
from .capturing import Look, Looked
from .shown import with_shown

SMALL = 160
"""Pixels along the longer side that photos are read with: enough for a box round masks"""


def look(request: Look, progress, cancelled) -> Looked:
    """Raises ValueError with a sentence where the folder holds nothing that can be captured."""
    path = Path(request.folder)
    try:
        known = folders.read_poses(path)
    except folders.NoCameras:
        if not request.find:
            return bare(path, progress)
        scene = poses.find_scene(path, 0, SMALL, progress, cancelled, cache=request.cache)
        return looked(scene, "photos", video_of(path), request.backgrounds)
    scene = folders.scene_from(known, 0, SMALL, lambda done, note: progress(done, "Photos", note))
    return looked(scene, known.source, "", request.backgrounds)


def looked(scene: Scene, source: str, video: str, backgrounds: str = "") -> Looked:
    """What a Scene holds whose cameras are known."""
    notes, report = list(scene.notes), {"cameras": with_shown(cameras(scene), both(scene), backgrounds)}
    try:
        report["box"] = told(box_of(scene), None)
    except ValueError as error:
        notes.append(str(error))
    masks = sum(photo.mask is not None for photo in scene.photos)
    if 0 < masks < len(scene.photos):
        notes.append(f"{len(scene.photos) - masks} photos have no mask and are left out, since the others have one")
    points = None if scene.points is None else scene.points.astype(np.float32)
    counts = {"masks": masks, "held_out": len(scene.held_out), "size": largest([p.path for p in scene.photos])}
    return Looked(len(scene.photos), source, video, notes=tuple(notes), report=report, points=points, **counts)


def bare(path: Path, progress) -> Looked:
    """What photos without cameras, or a video, are."""
    if video := video_of(path):
        return Looked(0, video=video)
    photos = folders.bare_photos(path)
    good, notes = [], []  # files
    for number, photo in enumerate(photos):
        progress(number / len(photos), "Photos", photo.name)
        try:
            decoded(photo, SMALL)
            good.append(photo)
        except ValueError as error:
            notes.append(str(error))
    if len(good) < folders.FEWEST:
        few = f"only {len(good)} of its {len(photos)} pictures can be used" if notes else "it holds a single photo"
        why = f" ({notes[0]})" if notes else ""
        raise ValueError(f"{path.name}: {few}{why}; Capture needs several, from different sides")
    masks = sum(folders.mask_beside(path, photo.relative_to(path).as_posix()) is not None for photo in photos)
    return Looked(len(good), masks=masks, size=largest(good), notes=tuple(notes))


def video_of(path: Path) -> str:
    """The name of the video that stands for a folder of photos; "" where there is none."""
    video = folders.bare_video(path)
    return video.name if video else ""


def largest(paths: list) -> tuple[int, int]:
    """Width and height of the largest picture among files."""
    return max(map(size_of, filter(None, paths)), key=lambda size: size[0] * size[1], default=(0, 0))
