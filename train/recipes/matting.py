"""matting: composites of procedural objects over backgrounds of every kind, and the loss."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.matting import Config, Matting
from ..shapes import backgrounds, composites, shards
from .base import BaseRecipe

NAME = "matting"
DATA = (
    "Procedural shapes and backgrounds of this project (maquette.train.shapes), licence GPL-3.0-or-later; some "
    "backgrounds are views into panoramas of HDRI Haven / Poly Haven, CC0"
)
PRIVATE = ("panoramas",)
"""Settings that name the trainer's own files."""


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train matting on composites, made on the fly from shards of `python -m maquette.train shards`."""

    batch: int = 16
    rate: float = 3e-3
    ema: float = 0.998
    shards: str = "runs/shards"
    """Folder with train/ and validation/ shards; only their pictures are read."""
    panoramas: str = ""
    """.npz of linear (H, W, 3) maps for photographed backgrounds; "" does without."""
    width: int = 16
    reuse: int = 3
    """How often a composite is seen on average, each time flipped and coloured anew: making one costs a step."""
    pool: int = 1500
    """Composites at hand to draw from."""
    motley: float = 0.5
    """Share of the objects that are in several colours or photographed patterns; of those that are scored none is."""
    validation: int = 400


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    return asdict(Config(recipe["width"]))


def data(recipe: dict) -> str:
    """What the card says the weights were trained on."""
    return DATA


def make(recipe: Recipe) -> Matting:
    return Matting(Config(recipe.width))


def cutouts(path: Path) -> np.ndarray:
    """The pictures (N, 128, 128, 4) of a shard. Raises ValueError naming it when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["picture"]
    except (OSError, ValueError, KeyError, EOFError, shards.zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is not a whole shard ({error}); delete it and make it again") from error


def shard_paths(recipe: Recipe, split: str) -> list[Path]:
    paths = sorted((Path(recipe.shards) / split).glob("shard-*.npz"))
    if not paths:
        raise ValueError(
            f"{recipe.shards}/{split} has no shards: run `python -m maquette.train shards --split {split}` first"
        )
    return paths


def batches(recipe: Recipe, rng: np.random.Generator, device):
    """Endless batches; state() and restore(state) go on with the random numbers, with new composites at hand."""
    return Batches(recipe, rng)


class Batches:
    """Endless batches: picture (B, S, S, 3) and mask (B, S, S), uint8. A resumed run fills its pool anew."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator):
        self.recipe, self.rng = recipe, rng
        self.drawn = drawn(recipe, rng)

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        return next(self.drawn)

    def state(self) -> dict:
        return {"random": self.rng.bit_generator.state}

    def restore(self, state: dict) -> None:
        self.rng.bit_generator.state = state["random"]
        self.drawn = drawn(self.recipe, self.rng)


def drawn(recipe: Recipe, rng: np.random.Generator):
    """Batches out of a pool.

    A pool of composites grows to its size and is then replaced bit by bit, at a `reuse`-th of the batches' pace.
    """
    fresh = composed(recipe, rng)
    pictures, masks = [], []
    while True:
        for _ in range(recipe.batch if len(pictures) < recipe.batch else -(-recipe.batch // recipe.reuse)):
            picture, mask = next(fresh)
            if len(pictures) < recipe.pool:
                pictures.append(picture)
                masks.append(mask)
            else:
                place = rng.integers(recipe.pool)
                pictures[place], masks[place] = picture, mask
        index = rng.choice(len(pictures), recipe.batch, replace=False)
        yield {
            "picture": torch.from_numpy(np.stack([pictures[i] for i in index])),
            "mask": torch.from_numpy(np.stack([masks[i] for i in index])),
        }


def composed(recipe: Recipe, rng: np.random.Generator, at_hand: int = 10):
    """Endless training composites (picture, mask) from a few shards at a time; bad shards are named and passed over."""
    panoramas = backgrounds.read_panoramas(recipe.panoramas, "train")
    loaded: list[np.ndarray] = []
    bad: set[Path] = set()
    while True:
        paths = [path for path in shard_paths(recipe, "train") if path not in bad]
        if not paths:
            raise ValueError(f"{recipe.shards}/train has no readable shards: make them again")
        path = paths[rng.integers(len(paths))]
        try:
            loaded = [*loaded, cutouts(path)][-at_hand:]
        except ValueError as error:
            print(error)
            bad.add(path)
            continue
        world = composites.World(np.concatenate(loaded), panoramas, motley=recipe.motley)
        for which in rng.integers(len(world.cutouts), size=shards.SHARD):
            yield composites.compose(rng, world, which)[:2]


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """-> picture (B, 3, S, S) and mask (B, 1, S, S) in [0, 1], with `augment` mirrored and coloured at random."""
    picture = batch["picture"].permute(0, 3, 1, 2).float() / 255
    mask = batch["mask"][:, None].float() / 255
    if augment:
        count, device = len(picture), picture.device
        flip = (torch.rand(count, device=device) < 0.5)[:, None, None, None]
        picture, mask = torch.where(flip, picture.flip(3), picture), torch.where(flip, mask.flip(3), mask)
        gain = 1 + 0.1 * torch.randn(count, 1, 1, 1, device=device) + 0.06 * torch.randn(count, 3, 1, 1, device=device)
        picture = (picture * gain + 0.04 * torch.randn(count, 1, 1, 1, device=device)).clamp(0, 1)
        if torch.rand(()) < 0.5:
            picture = picture[:, torch.randperm(3)]
    return {"picture": picture.contiguous(memory_format=torch.channels_last), "mask": mask}


def loss(
    network: Matting, batch: dict[str, Tensor], recipe: Recipe, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross entropy, more along the edge, and soft IoU."""
    logits, mask = network(batch["picture"]).float(), batch["mask"]
    near = F.max_pool2d(mask, 7, 1, 3) + F.max_pool2d(-mask, 7, 1, 3)  # 1 within three pixels of the edge
    pixels = F.binary_cross_entropy_with_logits(logits, mask, 1 + 2 * near)
    p, t = logits.sigmoid().flatten(1), mask.flatten(1)
    both = (p * t).sum(1)
    overlap = (1 - both / (p.sum(1) + t.sum(1) - both).clamp_min(1)).mean()
    return pixels + overlap, {"pixels": pixels.detach(), "overlap": overlap.detach()}


@torch.no_grad()
def validate(network: Matting, recipe: Recipe, device) -> dict[str, float]:
    """IoU on composites of held-out objects before held-out backgrounds, at thresholds and by kind of background."""
    network.eval()
    scores: dict[str, list[float]] = {}
    for picture, mask, kind in held_out(recipe):
        batch = prepare({"picture": picture[None].to(device), "mask": mask[None].to(device)}, augment=False)
        sure, true = network(batch["picture"])[0].float().sigmoid(), batch["mask"][0] > 0.5
        for threshold in (0.3, 0.4, 0.5, 0.6, 0.7):
            found = sure > threshold
            score = float((found & true).sum() / (found | true).sum().clamp_min(1))
            scores.setdefault(f"iou_{threshold}", []).append(score)
            if threshold == 0.5:
                scores.setdefault(kind, []).append(score)
    network.train()
    return {name: float(np.mean(values)) for name, values in scores.items()}


def held_out(recipe: Recipe):
    """The same `validation` composites each time: picture, mask and kind."""
    rng, left = np.random.default_rng(1), recipe.validation
    panoramas = backgrounds.read_panoramas(recipe.panoramas, "validation")
    for path in shard_paths(recipe, "validation"):
        world = composites.World(cutouts(path), panoramas)
        for which in range(len(world.cutouts)):
            if not left:
                return
            left -= 1
            picture, mask, kind = composites.compose(rng, world, which)
            yield torch.from_numpy(picture.copy()), torch.from_numpy(mask), kind


__all__ = ["NAME", "DATA", "PRIVATE", "Recipe", "config", "data", "make", "batches", "prepare", "loss", "validate"]
