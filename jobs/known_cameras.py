"""Cameras that were found from photographs once: kept, so that nobody has to find the same ones again."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
from pathlib import Path

import numpy as np

from ..geometry.atomic import replacing
from ..geometry.views import Lens, Poses, View, mask_beside, named
from . import environment

FORMAT = "maquette cameras 1"
MOST = 200
"""Folders whose cameras are kept, the oldest out first"""


def load(folder: Path, paths: list[Path], cache: str) -> Poses | None:
    """The cameras of these photos of a folder; None where they are not known, or a photo was changed."""
    try:
        kept = json.loads(_file(folder, paths, cache).read_text("utf-8"))
        if kept["format"] != FORMAT:
            return None
        views = [_view(folder, paths, row) for row in kept["views"]]
        points = np.array(kept["points"], np.float64).reshape(-1, 3)
        return Poses(views, points=points if len(points) else None, notes=[str(note) for note in kept["notes"]])
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None  # not there, or damaged: they are found again


def keep(poses: Poses, folder: Path, paths: list[Path], cache: str) -> None:
    """Never fails: they can be found again."""
    number = {path: i for i, path in enumerate(paths)}
    rows = [
        {"photo": number[view.path], "camera": view.camera.tolist(), "lens": dataclasses.asdict(view.lens)}
        for view in poses.views
    ]
    points = [] if poses.points is None else np.round(poses.points, 6).tolist()
    path = _file(folder, paths, cache)
    with contextlib.suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            file.write(json.dumps({"format": FORMAT, "views": rows, "points": points, "notes": poses.notes}).encode())
        for old in sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime_ns)[:-MOST]:
            old.unlink(missing_ok=True)


def _view(folder: Path, paths: list[Path], row: dict) -> View:
    path = paths[row["photo"]]
    lens = {name: tuple(value) if isinstance(value, list) else value for name, value in row["lens"].items()}
    camera = np.array(row["camera"], np.float64)
    if camera.shape != (4, 4) or not np.isfinite(camera).all():
        raise ValueError
    within = path.relative_to(folder).as_posix()
    return View(named(within), path, camera, Lens(**lens), mask_beside(folder, within), upright=True)


def _file(folder: Path, paths: list[Path], cache: str) -> Path:
    """Another one where a photo, or a mask, came, went or was changed."""
    found = hashlib.sha256(os.fsencode(folder.absolute()))
    for path in paths:
        masks = mask_beside(folder, path.relative_to(folder).as_posix())
        for one in filter(None, (path, masks)):
            state = one.stat()
            found.update(repr((one.name, state.st_size, state.st_mtime_ns)).encode())
    return Path(environment.captures_folder(cache)) / f"{found.hexdigest()[:32]}.json"
