"""ModelNet10's voxels as batches: signed distances, a split of the training part that is held back, shuffled epochs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from ...nets.shape_vae import TRUNCATION
from .modelnet import voxels

FILE = "modelnet10.npz"
CACHE = "runs/modelnet"
HELD = 0.1
"""Of the training part, to validate on"""


def read(path: str | Path, part: str) -> dict[str, np.ndarray]:
    """field (N, 32, 32, 32) int8: 127 inside, -127 outside; family (N,). part: train, validation or test.

    The official test part is "test"; the other two share the training part, by a fixed seed. Raises ValueError.
    """
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    found = list(voxels(path, "test" if part == "test" else "train"))
    if not found:
        raise ValueError(f"{path} holds no voxels of objects")
    if part != "test":
        order = np.random.default_rng(0).permutation(len(found))
        held = max(1, round(HELD * len(found)))
        found = [found[i] for i in sorted(order[:held] if part == "validation" else order[held:])]
    field = np.stack([np.where(grid, 127, -127).astype(np.int8) for _, grid in found])
    return {"field": field, "family": np.array([label for label, _ in found])}


def distances(field: np.ndarray) -> np.ndarray:
    """(N, R, R, R) int8, inside > 0 -> negated distances to the nearest cell of the other kind, less half a cell; 127
    is shape_vae's truncation. Beyond the grid nothing is known."""
    out = np.empty_like(field)
    for i, grid in enumerate(field):
        inside = grid > 0
        signed = distance_transform_edt(inside) - distance_transform_edt(~inside) - inside + 0.5
        out[i] = np.clip(np.round(signed * (127 / (TRUNCATION * len(grid)))), -127, 127)
    return out


def read_distances(path: str | Path, part: str, cache: str | Path = CACHE) -> dict[str, np.ndarray]:
    """As `read`, with distances in place of voxels: minutes of work, kept in a folder for the next time."""
    arrays = read(path, part)
    kept = Path(cache) / f"{part}_{hashlib.sha256(arrays['field']).hexdigest()[:12]}.npy"
    if kept.exists():
        return arrays | {"field": np.load(kept, allow_pickle=False)}
    found = arrays | {"field": distances(arrays["field"])}
    kept.parent.mkdir(parents=True, exist_ok=True)
    partial = kept.with_suffix(f".{os.getpid()}.part.npy")
    np.save(partial, found["field"])
    partial.replace(kept)
    return found


def doubled(field: Tensor) -> Tensor:
    """(B, N, N, N) float -> (B, 2 N, 2 N, 2 N), between the cells' centres."""
    return F.interpolate(field[:, None], scale_factor=2, mode="trilinear", align_corners=False)[:, 0]


class Epochs:
    """Endless batches of arrays that are shuffled anew each time they were all seen."""

    def __init__(self, arrays: dict[str, np.ndarray], batch: int, rng: np.random.Generator):
        self.arrays = {name: torch.from_numpy(array) for name, array in arrays.items()}
        self.count = len(next(iter(arrays.values())))
        if self.count < batch:
            raise ValueError(f"{self.count} shapes do not fill a batch of {batch}; lower --batch")
        self.batch, self.rng = batch, rng
        self.before, self.given = rng.bit_generator.state, 0
        self.parts: Iterator[Tensor] = iter(())

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        part = next(self.parts, None)
        if part is None or len(part) < self.batch:
            self.before, self.given = self.rng.bit_generator.state, 0
            self.parts = iter(torch.from_numpy(self.rng.permutation(self.count)).split(self.batch))
            part = next(self.parts)
        self.given += 1
        return {name: array[part] for name, array in self.arrays.items()}

    def state(self) -> dict:
        return {"random": self.before, "given": self.given}

    def restore(self, state: dict) -> None:
        """Go on after the batch that `state` was taken at."""
        self.rng.bit_generator.state = state["random"]
        self.parts = iter(())
        for _ in range(state["given"]):
            next(self)
