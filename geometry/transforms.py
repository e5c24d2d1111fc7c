"""Cameras from transforms.json, as NeRF's synthetic scenes, instant-ngp and nerfstudio write it.

All three hold camera-to-world matrices with OpenGL axes. They differ in where intrinsics stand (for all frames, or in
each), in what they are called, and in that nerfstudio turns the world: `applied_transform`, and `applied_scale`, are
undone here, so that what is made of the photos is in the frame that the cameras were found in. instant-ngp's
`aabb_scale`, `scale` and `offset` say how it fits the scene into its own cube; they change no camera.
"""

import json
import math
from pathlib import Path

import numpy as np

from .views import Lens, Poses, View, found, mask_beside, matrix_of, named, rigid

LARGEST = 256 << 20
"""Bytes of a pose file; real ones hold a megabyte for a thousand photos."""
MODELS = ("OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "PERSPECTIVE")
UNSEEN = 0.5
"""Pixels by which a distortion term that we do not follow may move the corners of a picture."""


def read_transforms(path) -> Poses:
    """The cameras of a transforms*.json, whose pictures lie in its folder; frames that cannot be used are noted.

    Raises ValueError with a sentence where the file itself is damaged, or the frame of its world cannot be undone.
    """
    path = Path(path)
    data = _json(path)
    frames = data.get("frames")
    if not isinstance(frames, list) or not frames:
        raise ValueError(f"{path.name} lists no frames, so it says nothing of any camera")
    undo = _undo(data, path.name)
    poses = Poses(source=path.name)
    views: dict[str, View] = {}
    for number, frame in enumerate(frames):
        try:
            view = _view(frame, data, path.parent, undo)
            if view.name in views:
                raise ValueError(f"{view.name} is listed twice; its first camera is taken")
        except ValueError as error:
            text = str(error)
            poses.notes.append(text if isinstance(frame, dict) else f"frame {number} of {path.name}: {text}")
        else:
            views[view.name] = view
    _split(poses, views, data)
    return poses


def _json(path):
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"{path.name} is over {LARGEST >> 20} MB; it cannot be a list of cameras")
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"{path.name} is not JSON, or cut short: {error}") from error
    if not isinstance(data, dict):
        raise ValueError(f"{path.name} holds no cameras: a list of frames is expected in it")
    return data


def _split(poses, views, data):
    """nerfstudio's lists of which photos to fit and which to score; without them all are fitted."""
    lists = {split: _names(data.get(f"{split}_filenames")) for split in ("train", "val", "test")}
    away = lists["test"] or lists["val"]
    kept = lists["train"] or set(views) - away
    poses.views = [view for name, view in views.items() if name in kept]
    poses.held_out = [view for name, view in views.items() if name in away - kept]


def _names(listed):
    listed = listed if isinstance(listed, list) else []
    return {named(text.removeprefix("./")) for text in listed if isinstance(text, str)}


def _view(frame, shared, folder, undo) -> View:
    if not isinstance(frame, dict):
        raise ValueError("it is not a frame with a file_path and a transform_matrix")
    within, path = found(folder, frame.get("file_path"))
    name = named(within)
    try:
        camera = frame.get("transform_matrix", frame.get("transform_matrix_start"))
        camera = rigid(undo(matrix_of(camera)))
        lens = _lens(frame, shared)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    mask = frame.get("mask_path")
    return View(name, path, camera, lens, found(folder, mask)[1] if mask else mask_beside(folder, within))


def _undo(data, name):
    """A function from the file's camera-to-world (4, 4) to that of the world the cameras were found in."""
    scale = _number(data, "applied_scale", 1.0)
    try:
        applied = matrix_of(data.get("applied_transform", np.eye(4)))
    except ValueError:
        raise ValueError(f"applied_transform of {name} is not a matrix of 3 x 4 numbers") from None
    if abs(np.linalg.det(applied)) < 1e-12 or not scale > 0:
        raise ValueError(f"applied_transform or applied_scale of {name} cannot be undone; export the file again")
    inverse = np.linalg.inv(applied)

    def undo(camera):
        camera = camera.copy()
        camera[:3, 3] /= scale
        return inverse @ camera

    return undo


# --- intrinsics -----------------------------------------------------------------------------------------------------


def _lens(frame, shared) -> Lens:
    """The lens of a frame: what it says itself goes before what the file says for all."""
    values = shared | frame
    model = values.get("camera_model") or "OPENCV"
    if model not in MODELS or values.get("is_fisheye"):
        kind = "a fisheye" if values.get("is_fisheye") else model
        raise ValueError(f"its camera is {kind}, which Capture does not read; undistort the photos first")
    size = _number(values, "w"), _number(values, "h")
    if None in size:
        size = None
    elif min(size) < 1:
        raise ValueError(f"its camera is given for {size[0]:g} x {size[1]:g} pixels")
    centre = _number(values, "cx"), _number(values, "cy")
    focal, fov = _focal(frame, shared)
    distortion = tuple(_number(values, key, 0.0) for key in ("k1", "k2", "p1", "p2"))
    lens = Lens(focal, fov, None if None in centre else centre, size and tuple(map(round, size)), distortion)
    _unfollowed(values, lens)
    return lens


def _focal(frame, shared):
    """(focal, fov), one of them None."""
    for source in (frame, shared):
        if (across := _number(source, "fl_x")) is not None:
            down = _number(source, "fl_y", across)
            if min(across, down) <= 0:
                raise ValueError(f"its focal length is {across:g} x {down:g} pixels; it must be above 0")
            return (across, down), None
        angles = _number(source, "camera_angle_x"), _number(source, "camera_angle_y")
        if angles[0] is None:
            degrees = _number(source, "x_fov"), _number(source, "y_fov")
            angles = tuple(None if angle is None else math.radians(angle) for angle in degrees)
        if angles[0] is not None:
            if not all(0 < angle < math.pi for angle in angles if angle is not None):
                raise ValueError(f"its field of view is {math.degrees(angles[0]):g} degrees")
            return None, angles
    raise ValueError("nothing says its focal length (fl_x or camera_angle_x)")


def _unfollowed(values, lens):
    """Refuse distortion beyond OPENCV's four terms, where it is large enough to be seen."""
    if lens.size is None or lens.focal is None:
        return
    corner = math.hypot(lens.size[0] / lens.focal[0], lens.size[1] / lens.focal[1]) / 2
    for key, power in (("k3", 7), ("k4", 9)):
        moved = abs(_number(values, key, 0.0)) * corner**power * max(lens.focal)
        if moved > UNSEEN:
            raise ValueError(
                f"its distortion {key} moves the corners by {moved:.1f} pixels and Capture follows k1, k2, p1 and p2; "
                "undistort the photos first"
            )


def _number(values, key, otherwise=None):
    value = values.get(key)
    if value is None:
        return otherwise
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{key} is {value!r}, not a number")
    return value
