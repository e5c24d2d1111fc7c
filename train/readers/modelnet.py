"""ModelNet10 and ModelNet40 (Wu 2015, arXiv:1406.5670): OFF meshes in their folders, or voxels in one npz.

    FOLDER/<class>/train/*.off, FOLDER/<class>/test/*.off
    FILE.npz with X_train (N, 32, 32, 32), y_train (N,), X_test, y_test: 0 or 1, z up

The meshes were collected from the web for academic research: benchmarks only.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

TEN = ("bathtub", "bed", "chair", "desk", "dresser", "monitor", "night_stand", "sofa", "table", "toilet")
"""ModelNet10's classes in the order of their numbers: by name."""
FEWEST = 50
"""Voxels below which a grid is a voxeliser's failure rather than an object."""


@dataclass(frozen=True)
class Model:
    """One OFF file: its class and part; `meshes.read` reads it, z up."""

    kind: str
    part: str
    path: Path


def models(folder: str | Path, part: str = "test") -> list[Model]:
    """The meshes of a part ("train" or "test"), by class and name. Raises ValueError where there are none."""
    folder = Path(folder)
    found = [Model(p.parents[1].name, part, p) for p in sorted(folder.glob(f"*/{part}/*.off"))]
    if not found:
        raise ValueError(f"{folder} holds no meshes at <class>/{part}/*.off, where ModelNet has them")
    return found


def voxels(path: str | Path, part: str = "test", fewest: int = FEWEST) -> Iterator[tuple[int, np.ndarray]]:
    """(class number, grid (X, Y, Z) bool, z up) one after another; grids with fewer voxels are passed over.

    One grid is in memory at a time, not the array. Raises ValueError naming the file where it is not in this layout.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            labels = arrays[f"y_{part}"]
        with zipfile.ZipFile(path) as archive, archive.open(f"X_{part}.npy") as file:
            shape, fortran, kind = array_header(file)
            if len(shape) != 4 or fortran or len(labels) != shape[0] or kind.hasobject:
                raise ValueError(f"X_{part} is {shape}, y_{part} has {len(labels)}")
            size = int(np.prod(shape[1:])) * kind.itemsize
            for label in labels:
                stored = file.read(size)
                if len(stored) != size:
                    raise ValueError(f"X_{part} ends early")
                grid = np.frombuffer(stored, kind).reshape(shape[1:]) > 0
                if grid.sum() >= fewest:
                    yield int(label), grid
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} cannot be read as ModelNet voxels: {error}") from None


def array_header(file) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, order and type of the .npy array that an open file begins with."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)
