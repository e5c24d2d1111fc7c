"""COLMAP models, binary and text (colmap.github.io/format.html), read front to back without holding a file in memory.

COLMAP writes world-to-camera with x right, y down, looking along +z; here the cameras become camera-to-world with
OpenGL axes. Its world is left as it is. Pixels are the same as ours: the first one's centre is at .5, .5.
"""

import os
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .scene import NO_DISTORTION
from .views import Lens, rigid

MODELS = {
    0: ("SIMPLE_PINHOLE", 3),
    1: ("PINHOLE", 4),
    2: ("SIMPLE_RADIAL", 4),
    3: ("RADIAL", 5),
    4: ("OPENCV", 8),
    5: ("OPENCV_FISHEYE", 8),
    6: ("FULL_OPENCV", 12),
    7: ("FOV", 5),
    8: ("SIMPLE_RADIAL_FISHEYE", 4),
    9: ("RADIAL_FISHEYE", 5),
    10: ("THIN_PRISM_FISHEYE", 12),
}
"""COLMAP's number of a camera model, its name and how many parameters it has"""
FOLLOWED = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV")
OPENGL = np.diag([1.0, -1, -1, 1])
"""OpenGL's camera axes in OpenCV's"""
LONGEST_NAME = 4096


@dataclass(frozen=True, eq=False)
class Image:
    """A registered photograph of a model."""

    name: str
    """Its path below the folder of photographs"""
    camera: np.ndarray
    """(4, 4) camera-to-world, OpenGL axes"""
    lens: Lens


@dataclass(frozen=True, eq=False)
class Model:
    images: list[Image]
    points: np.ndarray
    """(P, 3)"""


def holds_model(folder) -> bool:
    return any((Path(folder) / f"images{ending}").is_file() for ending in (".bin", ".txt"))


def read_model(folder) -> Model:
    """The model in a folder: cameras, images and, where there is a file of them, points3D, all .bin or all .txt.

    Raises ValueError with a sentence naming the file that is missing, damaged or of a camera that is not followed.
    """
    folder = Path(folder)
    ending, readers = (".bin", BINARY) if (folder / "images.bin").is_file() else (".txt", TEXT)
    cameras = dict(_rows(folder / f"cameras{ending}", readers[0]))
    images = []
    for name, camera, number in _rows(folder / f"images{ending}", readers[1]):
        if number not in cameras:
            raise ValueError(f"images{ending} says that {name} was taken by camera {number}; cameras{ending} has none")
        try:
            images.append(Image(name, rigid(camera), cameras[number]))
        except ValueError as error:
            raise ValueError(f"images{ending} is damaged at {name}: {error}") from None
    if not images:
        raise ValueError(f"images{ending} holds no photos: COLMAP could place none")
    points = folder / f"points3D{ending}"
    places = np.array(list(_rows(points, readers[2])) if points.is_file() else [], np.float64).reshape(-1, 3)
    return Model(images, places[np.isfinite(places).all(axis=1)])


def lens_of(model: str, width: int, height: int, values) -> Lens:
    """Intrinsics of a COLMAP camera; values are its parameters. Raises ValueError where they are no lens of ours."""
    if model not in FOLLOWED:
        raise ValueError(
            f"the camera model {model}, which Capture does not read; undistort the photos first "
            "(colmap image_undistorter), or calibrate with OPENCV"
        )
    count = dict(MODELS.values())[model]
    if len(values) != count:
        raise ValueError(f"{len(values)} parameters for {model}, which has {count}")
    focals = 2 if model in ("PINHOLE", "OPENCV") else 1
    focal, centre, rest = values[:focals] * (3 - focals), values[focals : focals + 2], values[focals + 2 :]
    if not np.isfinite(values).all() or min(focal) <= 0 or min(width, height) < 1:
        raise ValueError(f"{model} of {width} x {height} pixels with focal length {min(focal):g}")
    distortion = (*rest, *NO_DISTORTION)[:4]  # k, or k1 k2, or k1 k2 p1 p2
    return Lens(tuple(focal), None, tuple(centre), (width, height), tuple(distortion))


def world_from(quaternion, translation):
    """Camera-to-world (4, 4), OpenGL axes, of COLMAP's quaternion (w, x, y, z) and translation, world to camera."""
    w, x, y, z = np.asarray(quaternion, np.float64) / np.linalg.norm(quaternion)
    rotation = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    camera = np.eye(4)
    camera[:3, :3], camera[:3, 3] = rotation.T, -rotation.T @ np.asarray(translation, np.float64)
    return camera @ OPENGL


def _rows(path, reader):
    """What a reader makes of a file, row by row; what is wrong with the file becomes a sentence that names it."""
    try:
        with open(path, "rb") as file:
            yield from reader(file)
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing beside the other files of the COLMAP model") from None
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read: {error.strerror or error}") from error
    except (EOFError, struct.error, IndexError):
        raise ValueError(f"{path.name} is cut short; copy it again, or export the COLMAP model again") from None
    except (UnicodeDecodeError, OverflowError) as error:
        raise ValueError(f"{path.name} is not a file of a COLMAP model: {error}") from None
    except Unfit as error:
        raise ValueError(f"{path.name} holds {error}") from None


class Unfit(Exception):
    """What a file holds that it should not: the end of a sentence."""


def _camera(number, model, width, height, values):
    try:
        return number, lens_of(model, width, height, values)
    except ValueError as error:
        raise Unfit(str(error)) from None


def _pose(name, quaternion, translation, number):
    if not 0 < np.linalg.norm(quaternion) < np.inf:
        raise Unfit(f"no rotation for {name}")
    return name, world_from(quaternion, translation), number


# --- binary ---------------------------------------------------------------------------------------------------------


def _binary_cameras(file):
    for _ in range(_count(file, 24)):
        number, kind, width, height = _take(file, "<iiQQ")
        if kind not in MODELS:
            raise Unfit(f"camera model number {kind}, which Capture does not know; undistort the photos first")
        model, count = MODELS[kind]
        yield _camera(number, model, width, height, _take(file, f"<{count}d"))


def _binary_images(file):
    for _ in range(_count(file, 73)):
        _, *pose, number = _take(file, "<i7di")
        name = _name(file)
        (seen,) = _take(file, "<Q")
        _skip(file, seen * 24)
        yield _pose(name, pose[:4], pose[4:], number)


def _binary_points(file):
    for _ in range(_count(file, 51)):
        _, x, y, z, *_, seen = _take(file, "<Q3d3BdQ")
        _skip(file, seen * 8)
        yield x, y, z


def _count(file, least):
    """How many rows follow, each of at least so many bytes."""
    (count,) = _take(file, "<Q")
    if count * least > _left(file):
        raise EOFError
    return count


def _take(file, form):
    return struct.unpack(form, file.read(struct.calcsize(form)))


def _name(file):
    name = bytearray()
    while (letter := file.read(1)) != b"\0":
        if not letter or len(name) == LONGEST_NAME:
            raise EOFError
        name += letter
    return name.decode("utf-8")


def _skip(file, count):
    if count > _left(file):
        raise EOFError
    file.seek(count, os.SEEK_CUR)


def _left(file):
    return os.fstat(file.fileno()).st_size - file.tell()


# --- text -----------------------------------------------------------------------------------------------------------


def _lines(file):
    """Lines without comments, split by blanks; empty ones too, as an image may have no points."""
    for line in file:
        if not line.lstrip().startswith(b"#"):
            yield line.decode("utf-8").strip()


def _text_cameras(file):
    for line in filter(None, _lines(file)):
        number, *rest = line.split()
        numbers = _numbers((number, *rest[1:]), line)
        if len(numbers) < 3:
            raise EOFError
        model = rest[0]
        yield _camera(int(numbers[0]), model, int(numbers[1]), int(numbers[2]), tuple(numbers[3:]))


def _text_images(file):
    lines = _lines(file)
    for line in lines:
        if not line:  # a blank between images, not the points of one
            continue
        parts = line.split(maxsplit=9)
        numbers = _numbers(parts[:9], line)
        if len(parts) < 10:
            raise EOFError
        next(lines, None)  # the points of the image
        yield _pose(parts[9], numbers[1:5], numbers[5:8], int(numbers[8]))


def _text_points(file):
    for line in filter(None, _lines(file)):
        numbers = _numbers(line.split(maxsplit=4)[:4], line)
        if len(numbers) < 4:
            raise EOFError
        yield tuple(numbers[1:])


def _numbers(parts, line):
    try:
        numbers = [float(part) for part in parts]
    except ValueError:
        numbers = [np.nan]
    if not np.isfinite(numbers).all():
        raise Unfit(f"a line that is not of a COLMAP model: {line[:60]}")
    return numbers


BINARY = _binary_cameras, _binary_images, _binary_points
TEXT = _text_cameras, _text_images, _text_points
