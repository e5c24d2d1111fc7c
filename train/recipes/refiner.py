"""refiner: what the bundled image_to_field makes of new pictures, and the truth near its surfaces at 128^3."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry.occupancy_level import promising_level
from ...nets import checkpoint
from ...nets.answer import fused, outlined
from ...nets.camera import likeliest
from ...nets.image_to_field import PICTURE as CROP
from ...nets.image_to_field import ImageToField
from ...nets.look import Looker
from ...nets.refiner import PICTURE, REFINED, Config, Refiner, refined, sight, worth
from ..shapes import shards
from .base import BaseRecipe
from .disturb import disturb
from .field_samples import cameras, premultiplied
from .pool import Refilled, endless_shards, pooled, shard_paths

NAME = "refiner"
DATA = "Procedural shapes of this project (maquette.train.shapes), no other data; licence GPL-3.0-or-later"
FRESH = 8
"""Pictures that image_to_field sees at once"""
KEPT = 20_000
"""Places near each shape's surface that are kept to draw from"""
MATTED = 96, 224
"""Pixels along the sides of masks that half of the pictures get: background removal sees no more of a photo"""


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train the refiner on shards made by `python -m maquette.train shards --closer`."""

    batch: int = 8
    rate: float = 2e-3
    shards: str = "runs/shards"
    """Folder with train_closer/ and validation_closer/ shards."""
    picture: int = 12
    shape: int = 8
    width: int = 64
    points: int = 8192
    """Places near its surface that a step takes of each shape."""
    reuse: int = 8
    """How often a shape is seen on average, each time at other places: image_to_field's answer costs several steps."""
    pool: int = 1200
    """Shapes at hand to draw from."""
    validation: int = 64


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    return asdict(Config(*(recipe[name] for name in ("picture", "shape", "width"))))


def data(recipe: dict) -> str:
    """What the card says the weights were trained on."""
    return DATA


def make(recipe: Recipe) -> Refiner:
    return Refiner(Config(**config(asdict(recipe))))


def batches(recipe: Recipe, rng: np.random.Generator, device):
    """Endless batches; state() and restore(state) go on with the random numbers, with new shapes at hand."""
    return Refilled(lambda random: drawn(recipe, random, device), rng)


def drawn(recipe: Recipe, rng: np.random.Generator, device):
    """Batches out of a pool of shapes, each time at other places near their surfaces."""
    for rows in pooled(answered(recipe, rng, device), rng, recipe.batch, recipe.pool, recipe.reuse):
        few = [rng.choice(len(row["places"]), recipe.points, replace=False) for row in rows]
        parts = {name: [row[name] for row in rows] for name in rows[0]}
        parts |= {name: [row[name][some] for row, some in zip(rows, few)] for name in ("places", "truth")}
        yield {name: torch.from_numpy(np.stack(values)) for name, values in parts.items()}


def answered(recipe: Recipe, rng: np.random.Generator, device):
    """Endless training shapes with image_to_field's answers; bad shards are named and passed over."""
    network = checkpoint.load("image_to_field", device)
    for stored in endless_shards(*where(recipe, "train"), shards.Closer, rng):
        order = rng.permutation(len(stored))
        for start in range(0, len(order), FRESH):
            rows = order[start : start + FRESH]
            picture = torch.from_numpy(stored.picture[rows]).permute(0, 3, 1, 2).float().to(device) / 255
            picture = disturb(picture)
            half = torch.rand(len(rows)) < 0.5
            picture[half, 3:] = matted(picture[half, 3:], int(torch.randint(*MATTED, ())))
            known = cameras(torch.from_numpy(stored.camera[rows]).to(device))
            for row, one, numbers in zip(rows, picture, known):
                made = answer(network, one[None], numbers[None])
                if made is not None:
                    yield near_surface(made, stored.inside[row], rng)


def where(recipe: Recipe, split: str) -> tuple[str, str]:
    """The folder of a split's shards, and the options that make them."""
    return f"{recipe.shards}/{split}_closer", f"--closer --split {split}"


def matted(alpha: Tensor, size: int) -> Tensor:
    """Masks (B, 1, N, N) as coarse as background removal gives them, with `size` pixels a side."""
    small = F.interpolate(alpha, size, mode="bilinear", antialias=True, align_corners=False)
    return F.interpolate(small, alpha.shape[-1], mode="bilinear", align_corners=False)


@torch.inference_mode()
def answer(network: ImageToField, picture: Tensor, known: Tensor | None = None) -> dict[str, Tensor] | None:
    """What Reconstruct gets of one picture (1, 4, 256, 256), straight alpha, before it is refined: picture, times
    alpha; logits and distance (1, 1, 64, 64, 64), the level's logit (1,) and camera (1, 5). None: of nothing.

    The camera is the `known` one (1, 5), or the likeliest. Training has it known: by a camera that is off by as many
    cells as a detail is wide, outlines would say little of the truth, and the refiner would learn not to heed them.
    """
    close = premultiplied(picture)
    crop = F.avg_pool2d(close, PICTURE // CROP)
    seen = network.encode(torch.cat([crop, crop.flip(3)]))
    if known is None:
        camera = network.camera(seen, likeliest(seen["bins"].float(), None, None)[0])
    else:
        camera = torch.cat([known, known * known.new_tensor([1, 1, 1, -1, 1])])
    whole = fused(network, seen, camera, [], 1)
    whole = outlined(whole, [crop], [Looker(picture, camera[:1])], [True])
    level, _ = promising_level(whole.fine_occupancy.float()[0, 0].sigmoid().cpu().numpy())
    if not (whole.fine_occupancy.sigmoid() > level).any():
        return None
    logit = torch.logit(torch.tensor([level]))
    found = {"picture": close, "logits": whole.fine_occupancy, "distance": whole.fine_distance}
    return found | {"level": logit, "camera": camera[:1]}


def near_surface(made: dict[str, Tensor], inside: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """A row of the pool: `answer`, what the camera sees, and KEPT places of 128^3 near the surface with the truth."""
    above = made["logits"] - made["level"].to(made["logits"])
    band = worth(above[0, 0]).cpu().numpy()
    twice = REFINED // len(band)
    cells = np.argwhere(band)
    cells = cells[rng.integers(len(cells), size=KEPT)] * twice + rng.integers(twice, size=(KEPT, 3))
    truth = np.unpackbits(inside, axis=-1)[tuple(cells.T)]
    row = {name: value[0].cpu().half().numpy() for name, value in made.items() if name not in ("camera", "level")}
    row |= {name: made[name][0].cpu().numpy() for name in ("camera", "level")}
    row["sight"] = sight(above, made["camera"])[0].cpu().half().numpy()
    return row | {"places": cells.astype(np.uint8), "truth": truth}


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """All float32; points (B, P, 3) of the cube; with `augment` half of the shapes mirrored."""
    ready = {name: batch[name].float() for name in ("picture", "logits", "distance", "sight", "camera", "level")}
    points = (batch["places"].float() + 0.5) / REFINED - 0.5
    if augment:
        flip = torch.rand(len(points), device=points.device) < 0.5
        for name, axis in (("picture", 3), ("sight", 3), ("logits", 2), ("distance", 2)):
            turned = ready[name].flip(axis)
            ready[name] = torch.where(flip.reshape(-1, *[1] * (turned.ndim - 1)), turned, ready[name])
        points = torch.where(flip[:, None, None], points * points.new_tensor([-1, 1, 1]), points)
        mirror = ready["camera"].new_tensor([1, 1, 1, -1, 1])
        ready["camera"] = torch.where(flip[:, None], ready["camera"] * mirror, ready["camera"])
    return ready | {"points": points, "truth": batch["truth"].float()}


def loss(
    network: Refiner, batch: dict[str, Tensor], recipe: Recipe, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """Cross entropy near the surface, and how much of it there was before."""
    above = batch["logits"] - batch["level"].reshape(-1, 1, 1, 1, 1)
    seen = network.features(batch["picture"], batch["sight"], above, batch["distance"])
    grid = 2 * batch["points"].flip(-1)[:, :, None, None]
    before = F.grid_sample(batch["logits"], grid, padding_mode="border", align_corners=False).flatten(1)
    found = before + network(seen, batch["camera"], batch["points"]).float()
    entropy = F.binary_cross_entropy_with_logits(found, batch["truth"])
    with torch.no_grad():
        was = F.binary_cross_entropy_with_logits(before, batch["truth"])
    return entropy, {"entropy": entropy.detach(), "gain": was - entropy.detach()}


@torch.no_grad()
def validate(network: Refiner, recipe: Recipe, device) -> dict[str, float]:
    """IoU at 128^3 of held-out shapes, as the field of 64^3 is drawn out to it, and refined; each at its own level."""
    network.eval()
    field, scores = checkpoint.load("image_to_field", device), {"iou": [], "before": []}
    for picture, known, inside in held_out(recipe):
        made = answer(field, picture.to(device), known.to(device))
        if made is None:
            continue
        truth = np.unpackbits(inside, axis=-1).astype(bool)
        before = F.interpolate(made["logits"].float(), scale_factor=2, mode="trilinear", align_corners=False)
        seen = [Looker(picture.to(device), made["camera"])]
        after = refined(network, made["logits"], made["distance"], float(made["level"]), seen)
        for name, field_of in (("before", before), ("iou", after)):
            occupancy = field_of[0, 0].float().sigmoid().cpu().numpy()
            found = occupancy > promising_level(occupancy)[0]
            scores[name].append((found & truth).sum() / max((found | truth).sum(), 1))
    network.train()
    return {name: float(np.mean(values)) for name, values in scores.items()}


def held_out(recipe: Recipe):
    """The first `validation` pictures (1, 4, 256, 256), straight alpha in [0, 1], their cameras (1, 5), the inside."""
    left = recipe.validation
    for path in shard_paths(*where(recipe, "validation")):
        stored = shards.load(path, shards.Closer)
        known = cameras(torch.from_numpy(stored.camera))[:, None]
        for picture, camera, inside in zip(stored.picture[:left], known, stored.inside):
            yield torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255, camera, inside
        left -= min(left, len(stored))


__all__ = ["NAME", "DATA", "Recipe", "config", "data", "make", "batches", "prepare", "loss", "validate"]
