"""A pool of samples that cost more to make than to learn from: each is drawn several times before it is replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from ..shapes import shards

Row = TypeVar("Row")


def pooled(fresh: Iterator[Row], rng: np.random.Generator, batch: int, size: int, reuse: int) -> Iterator[list[Row]]:
    """Endless batches out of a pool that grows to `size` and is then replaced at a `reuse`-th of the batches' pace."""
    pool: list[Row] = []
    while True:
        for _ in range(batch if len(pool) < batch else -(-batch // reuse)):
            if len(pool) < size:
                pool.append(next(fresh))
            else:
                pool[rng.integers(size)] = next(fresh)
        yield [pool[i] for i in rng.choice(len(pool), batch, replace=False)]


class Refilled(Generic[Row]):
    """Endless batches as `drawn` makes them of random numbers. A resumed run goes on with those, and fills its pool
    anew."""

    def __init__(self, drawn: Callable[[np.random.Generator], Iterator[Row]], rng: np.random.Generator):
        self.make, self.rng = drawn, rng
        self.drawn = drawn(rng)

    def __iter__(self):
        return self

    def __next__(self) -> Row:
        return next(self.drawn)

    def state(self) -> dict:
        return {"random": self.rng.bit_generator.state}

    def restore(self, state: dict) -> None:
        self.rng.bit_generator.state = state["random"]
        self.drawn = self.make(self.rng)


def shard_paths(folder: str | Path, made_by: str) -> list[Path]:
    """The shards in a folder; ValueError, with the options that `made_by` names, where there are none."""
    paths = sorted(Path(folder).glob("shard-*.npz"))
    if not paths:
        raise ValueError(f"{folder} has no shards: run `python -m maquette.train shards {made_by}` first")
    return paths


def endless_shards(folder: str | Path, made_by: str, kind: type, rng: np.random.Generator) -> Iterator:
    """Shards of a folder that may still grow, picked at random without end; bad ones are named and passed over."""
    bad: set[Path] = set()
    while True:
        paths = [path for path in shard_paths(folder, made_by) if path not in bad]
        if not paths:
            raise ValueError(f"{folder} has no readable shards: make them again")
        path = paths[rng.integers(len(paths))]
        try:
            yield shards.load(path, kind)
        except ValueError as error:
            print(error)
            bad.add(path)
