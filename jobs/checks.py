"""What requests and results check when they are made. Each raises ValueError with one sentence."""

import math
import os

import numpy as np


def put(owner, name: str, value):
    object.__setattr__(owner, name, value)  # the classes are frozen for everyone else


def listed(options) -> str:
    return ", ".join(str(option) for option in options)


def one_of(label: str, value, options):
    if value not in options:
        raise ValueError(f"{label} is {value!r}; choose one of {listed(options)}")


def number(label: str, value) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
        raise ValueError(f"{label} is {value!r}; it must be a number")
    return float(value)


def whole(label: str, value, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        raise ValueError(f"{label} is {value!r}; it must be a whole number from {low} to {high}")
    return int(value)


def box(label: str, value) -> tuple[float, ...]:
    """() or six numbers: a centre, and sizes above 0."""
    if not isinstance(value, (tuple, list)) or len(value) not in (0, 6):
        raise ValueError(f"{label} is {value!r}; it must be six numbers, centre x, y, z and size x, y, z")
    found = tuple(number(label, one) for one in value)
    if found and min(found[3:]) <= 0:
        raise ValueError(f"{label} is {min(found[3:]):g} along one side; each must be above 0")
    return found


def truth(label: str, value) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise ValueError(f"{label} is {value!r}; it is either on or off")
    return bool(value)


def check(owner, label: str, value, kind):
    if not isinstance(value, kind):
        raise ValueError(f"{label} of {type(owner).__name__} is {value!r}; it must be a {kind.__name__}")


def path(label: str, value) -> str:
    if not isinstance(value, (str, os.PathLike)) or not os.fspath(value):
        raise ValueError(f"{label} is {value!r}; it must name a file")
    return os.path.abspath(os.path.expanduser(os.fspath(value)))


def paths(owner, *names: str):
    """Optional paths: "" stays "", anything else becomes absolute."""
    for name in names:
        value = getattr(owner, name)
        put(owner, name, path(name.replace("_", " ").capitalize(), value) if value not in ("", None) else "")


def mesh(owner):
    vertices = np.ascontiguousarray(owner.vertices, np.float32)
    faces = np.ascontiguousarray(owner.faces, np.int32)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or faces.ndim != 2 or faces.shape[1] != 3:
        raise ValueError(f"A mesh needs (V, 3) vertices and (F, 3) faces, not {vertices.shape} and {faces.shape}")
    if faces.size and (faces.min() < 0 or faces.max() >= len(vertices)):
        raise ValueError(f"A face names vertex {faces.max()} of a mesh with {len(vertices)} vertices")
    put(owner, "vertices", vertices)
    put(owner, "faces", faces)
    if getattr(owner, "colours", None) is not None:
        colours = np.ascontiguousarray(owner.colours, np.float32)
        if colours.shape != vertices.shape:
            raise ValueError(f"Colours are {colours.shape}; one per vertex would be {vertices.shape}")
        put(owner, "colours", colours)
    if getattr(owner, "confidence", None) is not None:
        confidence = np.ascontiguousarray(owner.confidence, np.float32)
        if confidence.shape != (len(vertices),):
            raise ValueError(f"Confidence is {confidence.shape}; one per vertex would be {(len(vertices),)}")
        put(owner, "confidence", confidence)
    if getattr(owner, "uvs", None) is not None:
        uvs = np.ascontiguousarray(owner.uvs, np.float32)
        if uvs.shape != (len(faces), 3, 2) or not np.isfinite(uvs).all():
            raise ValueError(f"UVs are {uvs.shape}; two numbers for each corner would be {(len(faces), 3, 2)}")
        put(owner, "uvs", uvs)
    if getattr(owner, "polygons", None) is not None:
        polygons = np.ascontiguousarray(owner.polygons, np.int32)
        if polygons.shape != (len(faces),):
            raise ValueError(f"Polygons are {polygons.shape}; a number for each face would be {(len(faces),)}")
        pairs = np.flatnonzero(polygons[1:] == polygons[:-1])
        first, second = faces[pairs], faces[pairs + 1]
        if (first[:, 0] != second[:, 0]).any() or (first[:, 2] != second[:, 1]).any() or (np.diff(pairs) == 1).any():
            raise ValueError("Polygons join faces that are not the two halves of a quad")
        put(owner, "polygons", polygons)
    texture = getattr(owner, "texture", None)
    if texture is not None:
        shape = np.shape(texture)
        if len(shape) != 3 or shape[0] != shape[1] or shape[2] != 3 or texture.dtype != np.uint8 or not shape[0]:
            raise ValueError(f"Texture is {shape}; it must be square with three bytes a pixel")
        if owner.uvs is None:
            raise ValueError("A texture needs UVs that say where it lies on the mesh")
