"""Endless batches for image_to_field: from shards on disk, of one view or several, or drawn on a device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..shapes import shards
from ..shapes.pictures import sample_batch
from ..shapes.skies import Skies
from .field_recipe import Recipe


class Drawn:
    """Endless batches drawn and traced on a device; their state is that of the generator that seeds them."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator, device):
        self.recipe, self.rng, self.device = recipe, rng, device

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        count, extra = self.recipe.batch, self.recipe.cameras
        drawn = sample_batch(int(self.rng.integers(2**31)), count + extra, "train", self.device, skies=Skies())
        cut = min(count, len(drawn["picture"]))
        return {name: value[:cut] for name, value in drawn.items()} | {
            "other_picture": drawn["picture"],
            "other_camera": drawn["camera"],
        }

    def state(self) -> dict:
        return {"random": self.rng.bit_generator.state}

    def restore(self, state: dict) -> None:
        self.rng.bit_generator.state = state["random"]


class Batches:
    """Endless shuffled batches from a folder of shards that may still grow; bad shards are named and passed over."""

    KIND: type = shards.Samples
    FIELDS = ("picture", "distance", "colour", "camera")

    def __init__(self, folder: Path, recipe: Recipe, rng: np.random.Generator, pool: int = 10):
        self.folder, self.batch, self.extra, self.rng, self.pool = folder, recipe.batch, recipe.cameras, rng, pool
        self.bad: set[Path] = set()
        self.unread: list[Path] = []
        self.loaded: list[Path] = []
        self.before: dict = {}  # the generator as the shards in memory were about to be shuffled
        self.given = 0  # batches of them
        self.order: Iterator[tuple[np.ndarray, np.ndarray]] = iter(())

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        while (pick := next(self.order, None)) is None:
            self._join(self._next_shards())
        self.given += 1
        rows, other = pick
        return self._batch(rows, other)

    def _batch(self, rows: np.ndarray, other: np.ndarray) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array[rows]) for name, array in self.joined.items()} | {
            "other_picture": torch.from_numpy(self.joined["picture"][other]),
            "other_camera": torch.from_numpy(self.joined["camera"][other]),
        }

    def _next_shards(self) -> list[shards.Samples]:
        stored, self.loaded = [], []
        while len(stored) < self.pool:
            if not self.unread:
                self.unread = [p for p in sorted(self.folder.glob("shard-*.npz")) if p not in self.bad]
                if not self.unread:
                    raise ValueError(
                        f"{self.folder} has no readable shards: run `python -m maquette.train shards` first"
                    )
                self.rng.shuffle(self.unread)
            self._load(self.unread.pop(), stored)
            if not self.unread and stored:
                break
        return stored

    def _load(self, path: Path, stored: list[shards.Samples]) -> None:
        try:
            stored.append(shards.load(path, self.KIND))
            self.loaded.append(path)
        except ValueError as error:
            print(error)
            self.bad.add(path)

    def _join(self, stored: list[shards.Samples]) -> None:
        self.joined = {name: np.concatenate([getattr(s, name) for s in stored]) for name in self.FIELDS}
        count = len(self.joined["camera"])
        if count < self.batch:
            raise ValueError(f"{self.folder} holds {count} samples in its shards; a batch takes {self.batch}")
        self.before, self.given = self.rng.bit_generator.state, 0
        self.order = self._shuffled(count)

    def _shuffled(self, count: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        index = self.rng.permutation(count)
        for i in range(0, count - self.batch + 1, self.batch):
            yield index[i : i + self.batch], self.rng.choice(count, self.extra)

    def state(self) -> dict:
        """Names and numbers alone: what is in memory, what is still to be read, how far it is given out."""
        lists = {name: [p.name for p in getattr(self, name)] for name in ("unread", "loaded", "bad")}
        return lists | {"random": self.before or self.rng.bit_generator.state, "given": self.given}

    def restore(self, state: dict) -> None:
        """Go on after the batch that `state` was taken at. A shard that has gone since is named and passed over."""
        self.unread, loaded = ([self.folder / n for n in state[name]] for name in ("unread", "loaded"))
        self.bad = {self.folder / name for name in state["bad"]}
        stored, self.loaded = [], []
        for path in loaded:
            self._load(path, stored)
        self.rng.bit_generator.state = state["random"]
        if stored:
            self._join(stored)
            for _ in range(state["given"]):
                next(self.order, None)
            self.given = state["given"]


class ViewBatches(Batches):
    """Batches of `shards.Views`."""

    KIND = shards.Views
    FIELDS = ("picture", "distance", "colour", "camera", "fit")

    def _batch(self, rows: np.ndarray, other: np.ndarray) -> dict[str, Tensor]:
        return {name: torch.from_numpy(array[rows]) for name, array in self.joined.items()}


class Mixed:
    """Batches of one view and, for a share of the steps, of several."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator):
        self.share, self.rng = recipe.several_share, rng
        root = Path(recipe.shards)
        one, several = (np.random.default_rng(rng.integers(2**63)) for _ in range(2))
        self.one = Batches(root / "train", recipe, one)
        self.several = ViewBatches(root / "train_views", recipe, several, 4)

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        return next(self.several if self.rng.random() < self.share else self.one)

    def state(self) -> dict:
        kept = {"one": self.one.state(), "several": self.several.state()}
        return kept | {"random": self.rng.bit_generator.state}

    def restore(self, state: dict) -> None:
        self.one.restore(state["one"])
        self.several.restore(state["several"])
        self.rng.bit_generator.state = state["random"]
