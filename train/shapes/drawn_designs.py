"""Designed shapes as batches: drawn while a network trains, so that it never sees one twice too often."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ...nets.shape_vae import TRUNCATION
from . import designs, fast

RESOLUTION = 64
MOST = 12
"""Named numbers of a design, at most"""


def scaled(values: np.ndarray, ranges: list[designs.Range]) -> np.ndarray:
    """Numbers (N, P) in their units -> variance 1 over their ranges, mean 0."""
    low, high = (np.array([getattr(r, end) for r in ranges]) for end in ("low", "high"))
    return (values - (low + high) / 2) / ((high - low) / np.sqrt(12))


def draw(families: tuple[str, ...], rng: np.random.Generator, count: int) -> dict[str, np.ndarray]:
    """field (count, 64, 64, 64) int8: negated distance, 127 is the truncation; family (count,) and numbers
    (count, MOST) float32, scaled, NaN where a design has fewer."""
    known = designs.designs()
    share = np.array([known[name].share for name in families])
    family = rng.choice(len(families), count, p=share / share.sum())
    field = np.empty((count,) + (RESOLUTION,) * 3, np.int8)
    numbers = np.full((count, MOST), np.nan, np.float32)
    for i in np.unique(family):
        design, where = known[families[i]], np.flatnonzero(family == i)
        table, values = designs.tables(design, len(where), rng)
        numbers[where, : values.shape[1]] = scaled(values, list(designs.ranges(design).values()))
        for row, place in zip(table, where):
            field[place] = packed(distances(row))
    return {"field": field, "family": family, "numbers": numbers}


def distances(table: np.ndarray) -> np.ndarray:
    """(64, 64, 64) float32 signed distance of one table in the unit cube, inside < 0."""
    coarse, fine = np.empty((32,) * 3, np.float32), np.empty((RESOLUTION,) * 3, np.float32)
    fast.fields(table, int((table[:, 0] != 0).sum()), coarse, fine)
    return fine


def packed(distance: np.ndarray) -> np.ndarray:
    """Negated and truncated, int8."""
    return np.clip(np.round(distance * (-127 / TRUNCATION)), -127, 127).astype(np.int8)


class Drawn:
    """Endless batches out of a pool that is drawn anew when each of its shapes was seen `reuse` times."""

    def __init__(self, families: tuple[str, ...], batch: int, pool: int, reuse: int, rng: np.random.Generator):
        self.families, self.batch, self.pool, self.reuse, self.rng = families, batch, pool, reuse, rng
        self.batches: Iterator[dict[str, Tensor]] = iter(())
        self.before, self.given = rng.bit_generator.state, 0

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        found = next(self.batches, None)
        if found is None:
            self.before, self.given = self.rng.bit_generator.state, 0
            self.batches = self._pool()
            found = next(self.batches)
        self.given += 1
        return found

    def _pool(self) -> Iterator[dict[str, Tensor]]:
        shapes = {name: torch.from_numpy(array) for name, array in draw(self.families, self.rng, self.pool).items()}
        for _ in range(self.reuse):
            order = torch.from_numpy(self.rng.permutation(self.pool))
            for part in order.split(self.batch):
                if len(part) == self.batch:
                    yield {name: array[part] for name, array in shapes.items()}

    def state(self) -> dict:
        return {"random": self.before, "given": self.given}

    def restore(self, state: dict) -> None:
        """Go on after the batch that `state` was taken at."""
        self.rng.bit_generator.state = state["random"]
        self.batches = iter(())
        for _ in range(state["given"]):
            next(self)
