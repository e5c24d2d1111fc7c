"""binvox files: a header in text, then runs of equal voxels (Min 2004, patrickmin.com/binvox/binvox.html).

Voxels are stored with y running fastest, then z, then x. The format itself says nothing of which axis is up; ShapeNet's
models are y up, and `upright` turns their grids into the world's axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

LARGEST = 1024
"""Voxels along an axis: binvox itself makes no larger grids."""


@dataclass(frozen=True, eq=False)
class Voxels:
    """values (X, Y, Z) bool in the file's axes; the centre of voxel (i, j, k) is at translate + scale (i + .5) / X."""

    values: np.ndarray
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0
    """Length of the whole grid along x, in the model's units."""

    def centres(self) -> np.ndarray:
        """Places (V, 3) float64 of the filled voxels, in the model's units and axes."""
        return np.asarray(self.translate) + (np.argwhere(self.values) + 0.5) * (self.scale / self.values.shape[0])


def read(path: Path) -> Voxels:
    """Raises ValueError naming the file where it is no whole binvox file."""
    path = Path(path)
    try:
        stored = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    head, mark, runs = stored.partition(b"\ndata\n")
    lines = [line.split() for line in head.splitlines()]
    if not mark or not lines or not lines[0] or lines[0][0] != b"#binvox":
        raise ValueError(f"{path} is not a binvox file")
    fields = {line[0].decode("ascii", "replace"): line[1:] for line in lines if line}
    try:
        depth, width, height = (int(n) for n in fields["dim"])
        translate = tuple(float(x) for x in fields.get("translate", (0, 0, 0)))
        scale = float(fields["scale"][0]) if "scale" in fields else 1.0
    except (KeyError, ValueError, IndexError) as error:
        raise ValueError(f"{path} has no whole binvox header: {error}") from None
    if not 0 < min(depth, width, height) <= max(depth, width, height) <= LARGEST or len(translate) != 3:
        raise ValueError(f"{path} says it holds {depth} x {width} x {height} voxels; at most {LARGEST} a side are read")
    pairs = np.frombuffer(runs[: len(runs) // 2 * 2], np.uint8).reshape(-1, 2)
    count = int(pairs[:, 1].sum(dtype=np.int64))
    if count != depth * width * height:
        raise ValueError(f"{path} holds {count} voxels, its header promises {depth * width * height}")
    flat = np.repeat(pairs[:, 0] > 0, pairs[:, 1])
    return Voxels(flat.reshape(depth, width, height).transpose(0, 2, 1), translate, scale)  # X Z Y -> X Y Z


def write(path: Path, voxels: Voxels) -> None:
    """The file that `read` gives these voxels back from."""
    x, y, z = voxels.values.shape
    flat = voxels.values.transpose(0, 2, 1).ravel()
    starts = np.concatenate([[0], np.flatnonzero(np.diff(flat)) + 1, [len(flat)]])
    runs = bytearray()
    for start, end in zip(starts, starts[1:]):
        value, (whole, rest) = int(flat[start]), divmod(int(end - start), 255)  # a run's length is one byte
        runs += bytes([value, 255]) * whole + (bytes([value, rest]) if rest else b"")
    place = " ".join(map(repr, voxels.translate))
    head = f"#binvox 1\ndim {x} {z} {y}\ntranslate {place}\nscale {voxels.scale!r}\ndata\n"
    Path(path).write_bytes(head.encode("ascii") + bytes(runs))


def upright(values: np.ndarray) -> np.ndarray:
    """A grid (X, Y, Z) of a model that is y up, in the world's axes: its (x, y, z) is (x, -z, y) there."""
    return values.transpose(0, 2, 1)[:, ::-1]
