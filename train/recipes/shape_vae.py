"""The recipe of shape_vae: shapes drawn on the fly, reconstruction, KL divergence, numbers with names.

Over the first fifth of the budget the latent's noise grows from nothing, so that the network first learns to copy.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.shape_vae import TRUNCATION, Config, ShapeVAE
from .. import fit_sliders
from ..shapes import designs
from ..shapes.drawn_designs import Drawn, draw
from .base import BaseRecipe

NAME = "shape_vae"
SHAPES = 256
"""Of each family, that sliders are fitted to"""
DATA = "procedural shapes of this project's own designs (train/shapes/designs)"


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train shape_vae on shapes that are drawn while it trains."""

    batch: int = 8
    rate: float = 2e-3
    ema: float = 0.998
    optimiser: str = "muon3d"
    families: str = ""
    """Names of designs, by commas; "" takes all."""
    latent: int = 64
    widths: str = "48,96,192"
    blocks: str = "1,2,1"
    seen: str = "1,1,1"
    """Features and blocks, as nets.shape_vae.Config has them."""
    kl: float = 4e-4
    """Weight of the divergence in nats, of what has no name."""
    naming: float = 0.3
    """Weight of the named numbers' error."""
    told: float = 0.5
    """Share of the shapes that the decoder is told the true numbers of, rather than those that the encoder read: so it
    learns to go by them, and nothing is left in the other numbers that they say already."""
    edge: float = 0.5
    """Weight of the cross entropy of inside and outside."""
    pool: int = 96
    """Shapes drawn at once."""
    reuse: int = 3
    """How often a shape is seen."""
    validation: int = 300


def names(recipe) -> tuple[str, ...]:
    chosen = recipe["families"] if isinstance(recipe, dict) else recipe.families
    return tuple(chosen.split(",")) if chosen else tuple(designs.designs())


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    sizes = {name: tuple(int(n) for n in recipe[name].split(",")) for name in ("widths", "blocks", "seen")}
    known = designs.designs()
    counts = tuple(len(designs.ranges(known[name])) for name in names(recipe))
    return asdict(Config(names(recipe), recipe["latent"], counts=counts, **sizes))


def data(recipe: dict) -> str:
    return DATA


def make(recipe: Recipe) -> ShapeVAE:
    return ShapeVAE(Config(**config(asdict(recipe))))


def batches(recipe: Recipe, rng: np.random.Generator, device) -> Drawn:
    return Drawn(names(recipe), recipe.batch, recipe.pool, recipe.reuse, rng)


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """-> field (B, N, N, N) in [-1, 1], inside > 0."""
    return batch | {"field": batch["field"].float() / 127}


def loss(network: ShapeVAE, batch: dict, recipe: Recipe, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
    field, family, numbers = batch["field"], batch["family"], batch["numbers"]
    mean, log_variance = network.encode(field, family)
    count, known, noise = network.config.named, ~numbers.isnan(), min(1.0, progress / 0.2)
    truth = numbers.nan_to_num()
    told = torch.rand(len(mean), 1, device=mean.device) < recipe.told
    named = torch.where(told, truth, mean[:, :count])
    free, spread = mean[:, count:], log_variance[:, count:]
    free = free + noise * torch.randn_like(free) * (spread / 2).exp()
    decoded = network.decode(torch.cat([named, free], 1), family)
    distance, edge = errors(decoded.float(), field)
    naming = ((mean[:, :count] - truth).square() * known).sum() / known.sum().clamp_min(1)
    divergence = 0.5 * (mean[:, count:].square() + spread.exp() - 1 - spread).sum(1).mean()
    total = distance + recipe.edge * edge + recipe.kl * noise * divergence + recipe.naming * naming
    parts = {"distance": distance, "edge": edge, "naming": naming, "divergence": divergence}
    return total, {name: value.detach() for name, value in parts.items()}


def errors(decoded: Tensor, field: Tensor) -> tuple[Tensor, Tensor]:
    """Mean absolute error of the truncated distance, and cross entropy of which side a cell is on.

    Both count cells near the surface more: far away there is nothing to see."""
    near = 0.2 + (field.abs() < 0.6)
    cut = decoded.clamp(-1, 1) + 0.01 * (decoded - decoded.detach().clamp(-1, 1))
    distance = ((cut - field).abs() * near).sum() / near.sum()
    # A cell is .156 of the truncation wide at 64^3; the surface is sharp to a third of it
    sharp = 20.0
    edge = F.binary_cross_entropy_with_logits(decoded * sharp, (field * sharp).sigmoid(), near, reduction="sum") / near.sum()
    return distance, edge - entropy(field * sharp, near)


def entropy(logits: Tensor, weight: Tensor) -> Tensor:
    """Of the truth itself, so that a perfect answer costs nothing."""
    p = logits.sigmoid()
    return F.binary_cross_entropy_with_logits(logits, p, weight, reduction="sum") / weight.sum()


@torch.no_grad()
def finished(averaged: dict[str, Tensor], recipe: dict) -> tuple[dict, dict[str, Tensor], dict]:
    """What export stores: the config and the weights with sliders in them, and what the card says of the families.

    Sliders are fitted to SHAPES new ones of each family."""
    trained = ShapeVAE(Config(**config(recipe))).eval()
    trained.load_state_dict(averaged)
    known, rng = designs.designs(), np.random.default_rng([0, 2**31])
    fits, rows = [], []
    for index, name in enumerate(names(recipe)):
        ranges = designs.ranges(known[name])
        mean, variance, numbers = encoded(trained, name, index, rng, SHAPES)
        low, high = (torch.tensor([getattr(r, end) for r in ranges.values()]) for end in ("low", "high"))
        numbers = (low + high) / 2 + numbers[:, : len(ranges)] * (high - low) / 12**0.5
        family = torch.tensor([index])
        fits.append(
            fit_sliders.fit(
                mean,
                variance,
                numbers,
                lambda z, f=family: trained.decode(z, f.expand(len(z)), True),
                tied=fit_sliders.Tied(low, high, trained.config.named),
            )
        )
        rows.append({"name": name, "side": known[name].side, "sliders": sliders(ranges, fits[-1])})
        print(f"{name}: " + ", ".join(f"{row['name']} {row['r2']}" for row in rows[-1]["sliders"] if row["r2"] is not None))
    whole = config(recipe) | {"sliders": tuple(len(row["sliders"]) for row in rows)}
    network = ShapeVAE(Config(**whole))
    network.load_state_dict(averaged, strict=False)
    for index, found in enumerate(fits):
        fit_sliders.into(network.latents, index, found)
    return whole, network.state_dict(), {"families": rows}


def encoded(network: ShapeVAE, name: str, index: int, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Means and variances (count, L), and scaled numbers (count, MOST), of new shapes of a family."""
    means, variances, numbers = [], [], []
    for start in range(0, count, 16):
        drawn = draw((name,), rng, min(16, count - start))
        field = torch.from_numpy(drawn["field"]).float() / 127
        mean, log_variance = network.encode(field, torch.full((len(field),), index))
        means.append(mean)
        variances.append(log_variance.exp())
        numbers.append(torch.from_numpy(drawn["numbers"]))
    return torch.cat(means), torch.cat(variances), torch.cat(numbers)


def sliders(ranges: dict[str, designs.Range], found: fit_sliders.Fitted) -> list[dict]:
    """The card's rows: named numbers over the ranges they were drawn from, then what was found, unnamed."""
    rows = [
        {"name": name.capitalize(), "unit": r.unit, "minimum": r.low, "maximum": r.high, "default": (r.low + r.high) / 2,
         "r2": round(float(score), 3)}
        for (name, r), score in zip(ranges.items(), found.read)
    ]
    reach = fit_sliders.REACH
    for number in range(len(found.weight) - found.named):
        rows.append({"name": f"Variation {number + 1}", "unit": "", "minimum": -reach, "maximum": reach, "default": 0.0, "r2": None})
    return rows


@torch.no_grad()
def validate(network: ShapeVAE, recipe: Recipe, device) -> dict[str, float]:
    """On held-out shapes: IoU of the decoded mean, error of the named numbers, active latents."""
    network.eval()
    held = draw(names(recipe), np.random.default_rng([1, 0]), recipe.validation)
    scores, means, families = [], [], []
    numbers = torch.from_numpy(held["numbers"])
    for part in torch.arange(recipe.validation).split(recipe.batch):
        field = torch.from_numpy(held["field"])[part].to(device).float() / 127
        family = torch.from_numpy(held["family"])[part].to(device)
        mean, _ = network.encode(field, family)
        decoded = network.decode(mean, family) > 0
        true = field > 0
        both, either = (decoded & true).flatten(1).sum(1), (decoded | true).flatten(1).sum(1)
        scores.append((both / either.clamp_min(1)).cpu())
        means.append(mean.cpu())
        families.append(family.cpu())
    network.train()
    iou, mean, family = torch.cat(scores), torch.cat(means), torch.cat(families)
    wrong = (mean[:, : network.config.named] - numbers).square()
    by_family = {f"iou_{name}": float(iou[family == i].mean()) for i, name in enumerate(names(recipe))}
    return {
        "iou": float(iou.mean()),
        "naming": float(wrong[~wrong.isnan()].mean()),
        "active": float((mean.var(0) > 0.05).sum()),
        **by_family,
    }
