"""sides: how wrong a turn between two pictures of an object would be, from what image_to_field makes of each alone."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets import checkpoint, turns
from ...nets.camera import likeliest
from ...nets.image_to_field import TRUNCATION, ImageToField
from ...nets.sides import Config, Sides, find, judged, laid, sight
from ..shapes import shards
from .base import BaseRecipe
from .disturb import disturb
from .field_samples import premultiplied
from .pool import Refilled, endless_shards, pooled, shard_paths

NAME = "sides"
DATA = "Procedural shapes of this project (maquette.train.shapes), no other data; licence GPL-3.0-or-later"
ANGLES = 48
"""Turns round the circle at which a shape is compared with itself"""
SHAPE = 32
"""Cells along each side of the shape that is"""
NEAR = math.radians(7.5)
"""How far from the true turn one candidate of each pair lies at most"""


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train the judge of sides on shards made by `python -m maquette.train shards --views 4`."""

    batch: int = 24
    rate: float = 2e-3
    shards: str = "runs/shards"
    """Folder with train_views/ and validation_views/ shards."""
    width: int = 16
    candidates: int = 8
    """Turns that are judged of each pair: one near the true one, one opposite it, the others from all round."""
    reuse: int = 12
    """In how many pairs a shape is seen on average: image_to_field's answers cost more than a step."""
    pool: int = 12_000
    """Shapes at hand to draw from, of 160 KB each."""
    validation: int = 64


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    return asdict(Config(recipe["width"]))


def data(recipe: dict) -> str:
    """What the card says the weights were trained on."""
    return DATA


def make(recipe: Recipe) -> Sides:
    return Sides(Config(recipe.width))


def batches(recipe: Recipe, rng: np.random.Generator, device):
    """Endless batches; state() and restore(state) go on with the random numbers, with new shapes at hand."""
    return Refilled(lambda random: drawn(recipe, random, device), rng)


def drawn(recipe: Recipe, rng: np.random.Generator, device):
    """Batches of two pictures of each shape of a pool."""
    for rows in pooled(answered(recipe, rng, device), rng, recipe.batch, recipe.pool, recipe.reuse):
        pairs = [rng.choice(len(row["turn"]), 2, replace=False) for row in rows]
        yield {
            "first": torch.stack([row["sight"][i] for row, (i, _) in zip(rows, pairs)]),
            "other": torch.stack([row["sight"][j] for row, (_, j) in zip(rows, pairs)]),
            "turn": torch.stack([row["turn"][j] - row["turn"][i] for row, (i, j) in zip(rows, pairs)]),
            "alike": torch.stack([row["alike"] for row in rows]),
        }


def answered(recipe: Recipe, rng: np.random.Generator, device):
    """Endless training shapes as `row` has them; bad shards are named and passed over."""
    network = checkpoint.load("image_to_field", device)
    for stored in endless_shards(*where(recipe, "train"), shards.Views, rng):
        for i in rng.permutation(len(stored)):
            yield row(network, stored, i, device, True)


def where(recipe: Recipe, split: str) -> tuple[str, str]:
    """The folder of a split's shards, and the options that make them."""
    return f"{recipe.shards}/{split}_views", f"--views 4 --split {split}"


@torch.inference_mode()
def row(network: ImageToField, stored: shards.Views, index: int, device, augment: bool) -> dict[str, Tensor]:
    """What each picture of a shape says, sight (V, SIGHT, 16, 16, 16) float16; how far the shape is turned in each,
    turn (V,); and alike (ANGLES,): how much of the shape overlaps itself where it is turned all round."""
    picture = torch.from_numpy(stored.picture[index]).permute(0, 3, 1, 2).float().to(device) / 255
    if augment:
        picture = disturb(picture)
    turn = torch.from_numpy(stored.fit[index, :, 0]).float()
    _, camera, shape = alone(network, picture)
    return {"sight": sights(picture, camera, shape).half(), "turn": turn, "alike": alike(stored.distance[index])}


def alone(network: ImageToField, picture: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What image_to_field says of pictures (V, 4, 128, 128), straight alpha, one by one: what it saw, the likeliest
    cameras (V, 5), and occupancy (V, 32, 32, 32)."""
    with torch.autocast(picture.device.type, torch.bfloat16):
        seen = network.encode(premultiplied(picture))
        camera = network.camera(seen, likeliest(seen["bins"].float(), None, None)[0])
        shape = network.decode(seen, camera, (slice(0, 1),) * 3).occupancy
    return seen, camera, shape.float().sigmoid()[:, 0]


def sights(picture: Tensor, camera: Tensor, shape: Tensor) -> Tensor:
    """(V, SIGHT, 16, 16, 16) on the CPU, of pictures and of what `alone` says of them."""
    return torch.stack([sight(one, camera[k : k + 1], picture[k : k + 1]) for k, one in enumerate(shape)]).cpu()


def alike(distance: np.ndarray) -> Tensor:
    """(ANGLES,) soft IoU of a shape, (64, 64, 64) int8 inside < 0, with itself turned all round."""
    soft = (0.5 - torch.from_numpy(distance).float() * (TRUNCATION / 127) * 64).clamp(0, 1)  # a cell wide
    solid = F.avg_pool3d(soft[None, None], distance.shape[0] // SHAPE)[0, 0]
    every = torch.arange(ANGLES) * (2 * math.pi / ANGLES)
    found = turns.overlap(solid, solid, turns.fit_of(solid, every))
    return found / found[0].clamp_min(1e-6)


def overlap_of(alike_: Tensor, wrong: Tensor) -> Tensor:
    """How much of shapes (B, ANGLES) overlaps itself turned by wrong (B, K) radians: (B, K) in [0, 1]."""
    alike_, at = alike_.float(), (wrong.float() / (2 * math.pi) * ANGLES) % ANGLES
    low = at.floor()
    below, above = (alike_.gather(1, one.long() % ANGLES) for one in (low, low + 1))
    return torch.lerp(below, above, at - low).clamp(0, 1)


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """first, other (B, SIGHT, 16, 16, 16); turn (B,) true; with `augment` half of the pairs mirrored."""
    ready = {name: batch[name].float() for name in ("first", "other", "turn", "alike")}
    if augment:
        flip = torch.rand(len(ready["turn"]), device=ready["turn"].device) < 0.5
        for name in ("first", "other"):
            ready[name] = torch.where(flip[:, None, None, None, None], ready[name].flip(2), ready[name])
        ready["turn"] = torch.where(flip, -ready["turn"], ready["turn"])
    return ready


def loss(
    network: Sides, batch: dict[str, Tensor], recipe: Recipe, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross entropy of the overlap that is expected at each candidate with the one that there is."""
    first, other, turn = batch["first"], batch["other"], batch["turn"]
    wrong = (torch.rand(len(turn), recipe.candidates, device=turn.device) * 2 - 1) * math.pi
    wrong[:, 0] *= NEAR / math.pi
    wrong[:, 1] = math.pi + wrong[:, 1] * (NEAR / math.pi)
    fits = torch.stack([turns.fit_of(one[0], angles) for one, angles in zip(first, turn[:, None] + wrong)])
    every = (one.repeat_interleave(recipe.candidates, 0) for one in (first, other))
    here, there = every
    logits = network(here, laid(there, fits.flatten(0, 1))).float().reshape(wrong.shape)
    truth = overlap_of(batch["alike"], wrong)
    entropy = F.binary_cross_entropy_with_logits(logits, truth)
    with torch.no_grad():
        off = (logits.sigmoid() - truth).abs().mean()
        best = overlap_of(batch["alike"], wrong.gather(1, logits.argmax(1, keepdim=True))).mean()
    return entropy, {"entropy": entropy.detach(), "off": off, "best": best}


@torch.inference_mode()
def validate(network: Sides, recipe: Recipe, device) -> dict[str, float]:
    """How much of the true shape overlaps itself at the turns that are found, of two pictures and of all together, and
    the share of them that look right (over .85); by chance, too; and what is found where it is sure."""
    network.eval()
    field, left = checkpoint.load("image_to_field", device), recipe.validation
    told: dict[str, list[float]] = {"pairs": [], "all": [], "chance": [], "sure": []}
    for path in shard_paths(*where(recipe, "validation")):
        stored = shards.load(path, shards.Views)
        for i in range(min(left, len(stored))):
            made = row(field, stored, i, device, False)
            seen, others = list(made["sight"].float().to(device)), made["turn"][1:]
            found, sure = (one.cpu() for one in find(network, seen))
            every = turns.candidates(device)
            alone = torch.stack([every[judged(network, seen[0], one, every).argmax()] for one in seen[1:]]).cpu()
            for name, angles in (("all", found), ("pairs", alone)):
                told[name] += overlap_of(made["alike"][None], (angles - others)[None])[0].tolist()
            told["chance"] += [float(made["alike"].mean())] * len(others)
            told["sure"] += sure.tolist()
        left -= min(left, len(stored))
    network.train()
    whole, sure = np.array(told["all"]), np.array(told["sure"])
    scores = {name: float(np.mean(told[name])) for name in ("all", "pairs", "chance")}
    scores |= {f"{name} right": float((np.array(told[name]) > 0.85).mean()) for name in ("all", "pairs")}
    for part in (0.25, 0.5):
        best = sure >= np.quantile(sure, 1 - part)
        scores[f"surest {part}"] = float(whole[best].mean())
    return scores


__all__ = ["NAME", "DATA", "Recipe", "config", "data", "make", "batches", "prepare", "loss", "validate"]
