"""MakeHuman's base mesh and targets, as in mpfb2 (CC0): one body, and named sparse offsets of its vertices.

FOLDER/3dobjs/base.obj                   decimetres, y up, looking along z; its groups are parts
FOLDER/targets/<group>/<name>.target.gz  lines "vertex dx dy dz", and comments after #
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Base:
    vertices: np.ndarray
    """(N, 3) float32 dm, y up"""
    uv: np.ndarray
    """(T, 2)"""
    faces: dict[str, np.ndarray]
    """By group: (F, 4, 2) numbers of vertices and of places in the UV map; -1 for no fourth corner"""


def read_base(folder: str | Path) -> Base:
    """Raises ValueError naming base.obj where it is missing, cut short or not of triangles and quads with UVs."""
    path = Path(folder) / "3dobjs" / "base.obj"
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError:
        raise ValueError(f"{path} is missing: the folder should be one of mpfb2") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error})") from None
    vertices, uv, groups, group = [], [], {}, ""
    for number, line in enumerate(lines, 1):
        kind, *values = line.split() or ["#"]
        try:
            if kind == "v":
                vertices.append([float(value) for value in values[:3]])
            elif kind == "vt":
                uv.append([float(value) for value in values[:2]])
            elif kind == "g":
                group = values[0]
            elif kind == "f":
                groups.setdefault(group, []).append(polygon(values))
        except (ValueError, IndexError):
            raise ValueError(f"{path}: line {number} cannot be read: {line.strip()[:60]!r}") from None
    return checked(path, vertices, uv, groups)


def polygon(values: list[str]) -> list[list[int]]:
    corners = [[int(number) - 1 for number in value.split("/")[:2]] for value in values]
    if len(corners) not in (3, 4) or any(len(corner) != 2 for corner in corners):
        raise ValueError
    return corners + [[-1, -1]] * (4 - len(corners))


def checked(path: Path, vertices: list, uv: list, groups: dict) -> Base:
    try:
        base = Base(
            np.array(vertices, np.float32).reshape(-1, 3),
            np.array(uv, np.float32).reshape(-1, 2),
            {name: np.array(faces, np.int64) for name, faces in groups.items()},
        )
    except ValueError:
        raise ValueError(f"{path} has vertices without three numbers, or UVs without two") from None
    if "body" not in base.faces:
        raise ValueError(f"{path} has no group 'body': it is cut short or another mesh")
    highest = np.max([faces.max((0, 1)) for faces in base.faces.values()], 0)
    if highest[0] >= len(base.vertices) or highest[1] >= len(base.uv):
        raise ValueError(f"{path} has faces that point beyond its {len(base.vertices)} vertices: it is cut short")
    return base


def read_targets(folder: str | Path, groups: tuple[str, ...], count: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """ "group/name" -> numbers of vertices (n,) and offsets (n, 3) dm, of the targets in these groups and below.

    Raises ValueError naming the file or folder that is missing, cut short or moves vertices beyond `count`."""
    root = Path(folder) / "targets"
    found = {}
    for group in groups:
        paths = sorted((root / group).rglob("*.target.gz"))
        if not paths:
            raise ValueError(f"{root / group} holds no .target.gz files: the folder should be one of mpfb2")
        for path in paths:
            found[path.relative_to(root).as_posix().removesuffix(".target.gz")] = read_target(path, count)
    return found


def read_target(path: Path, count: int) -> tuple[np.ndarray, np.ndarray]:
    try:
        text = gzip.decompress(path.read_bytes()).decode("utf-8")
        rows = [line.split() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        table = np.array(rows, np.float64).reshape(-1, 4)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(f"{path} cannot be read ({str(error).splitlines()[0]})") from None
    if len(table) and (table[:, 0].max() >= count or table[:, 0].min() < 0 or not np.isfinite(table).all()):
        raise ValueError(f"{path} moves vertices that the base mesh of {count} does not have")
    return table[:, 0].astype(np.int64), table[:, 1:].astype(np.float32)
