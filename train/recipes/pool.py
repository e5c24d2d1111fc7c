"""A pool of samples that cost more to make than to learn from: each is drawn several times before it is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import numpy as np

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
