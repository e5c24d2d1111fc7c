"""The recipe of shape_vae: shapes drawn on the fly, reconstruction, KL divergence, numbers with names.

Over the first fifth of the budget the latent's noise grows from nothing, so that the network first learns to copy; one
that goes on from weights (--start) can copy already.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets import shape_vae
from ...nets.shape_vae import Config, ShapeVAE
from .. import fit_sliders
from ..readers import grids
from ..readers.modelnet import TEN
from ..shapes import designs
from ..shapes.drawn_designs import Drawn, draw
from .base import BaseRecipe

NAME = "shape_vae"
CELL = 1 / (64 * shape_vae.TRUNCATION)
"""Of 64 along a side, over the truncation"""
SHAPES = 256
"""Of each family, that the spread of latents is fitted to"""
DRAWN, HELD = 384, 128
"""Of each family, decoded, that sliders are fitted to and scored on"""
DATA = "procedural shapes of this project's own designs (train/shapes/designs)"
PRIVATE = ("modelnet",)


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
    placed: int = 0
    """Features of the network of places."""
    profiles: int = 0
    """Features of the encoder's network of means over planes."""
    factors: int = 0
    """Products of a plane and a line along each axis, that are added to the field."""
    kl: float = 4e-4
    """Weight of the divergence in nats, of what has no name."""
    naming: float = 0.3
    """Weight of the named numbers' error."""
    told: float = 0.5
    """Share of the shapes that the decoder is told the true numbers of, rather than those that the encoder read: so it
    learns to go by them, and nothing is left in the other numbers that they say already."""
    edge: float = 0.5
    """Weight of the cross entropy of inside and outside."""
    slope: float = 0.5
    """Weight of the error of slopes: what is off by little, to and fro from cell to cell, an artist sees as lumps."""
    pool: int = 96
    """Shapes drawn at once."""
    reuse: int = 3
    """How often a shape is seen."""
    validation: int = 300
    modelnet: str = ""
    """ModelNet10's voxels (folder or .npz), to compare with what is published. Their terms allow benchmarks: do not
    ship what was trained on them."""
    stretched: float = 0.0
    """Share by which each axis of ModelNet10's shapes is squeezed at most, anew each time: they are few."""
    resolution: int = 64
    """Cells along a side; ModelNet10's 32 are scored at 32, where a network of 32 costs an eighth."""


def names(recipe) -> tuple[str, ...]:
    recipe = recipe if isinstance(recipe, dict) else asdict(recipe)
    if recipe.get("modelnet"):
        return TEN
    chosen = recipe["families"]
    return tuple(chosen.split(",")) if chosen else tuple(designs.designs())


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    sizes = {name: tuple(int(n) for n in recipe[name].split(",")) for name in ("widths", "blocks", "seen")}
    if recipe.get("modelnet"):  # what people collected has no named numbers, and is not always symmetric
        more = {"mirrored": False}
    else:
        known = designs.designs()
        more = {"counts": tuple(len(designs.ranges(known[name])) for name in names(recipe))}
    more |= {name: recipe.get(name, 0) for name in ("placed", "factors", "profiles")}
    more |= {"resolution": recipe.get("resolution", 64)}
    return asdict(Config(names(recipe), recipe["latent"], **sizes, **more))


def data(recipe: dict) -> str:
    if recipe.get("modelnet"):
        return "ModelNet10 (Wu 2015), offered for academic research only: a benchmark, not to be shipped"
    return DATA


def make(recipe: Recipe) -> ShapeVAE:
    return ShapeVAE(Config(**config(asdict(recipe))))


def begun(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a run takes over of exported weights (--start): all but the sliders, which export fits anew."""
    return {name: value for name, value in tensors.items() if not name.startswith("latents.")}


def batches(recipe: Recipe, rng: np.random.Generator, device):
    if recipe.modelnet:
        arrays = collected(recipe, "train")
        arrays["stretched"] = np.full(len(arrays["family"]), recipe.stretched, np.float32)
        return grids.Epochs(arrays, recipe.batch, rng)
    return Drawn(names(recipe), recipe.batch, recipe.pool, recipe.reuse, rng)


def collected(recipe: Recipe, part: str) -> dict[str, np.ndarray]:
    """ModelNet10's shapes of a part as distances (N, R, R, R) int8; they have no numbers with names."""
    arrays = grids.read_distances(recipe.modelnet, part)
    field = arrays["field"]
    if recipe.resolution == 2 * field.shape[-1]:
        field = np.concatenate([grids.doubled(torch.from_numpy(f).float()[None]).to(torch.int8) for f in field])
    elif recipe.resolution != field.shape[-1]:
        raise ValueError(f"ModelNet10's voxels are of 32^3: --resolution 32 or 64, not {recipe.resolution}")
    numbers = np.full((len(field), Config.named), np.nan, np.float32)
    return {"field": field, "family": arrays["family"], "numbers": numbers}


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """-> field (B, N, N, N) in [-1, 1], inside > 0; shapes without numbers are mirrored now and then."""
    field = batch["field"].float() / 127
    if augment:
        mirrored = batch["numbers"].isnan().all(1) & (torch.rand(len(field), device=field.device) < 0.5)
        field[mirrored] = field[mirrored].flip(1)
        if "stretched" in batch:
            field = squeezed(field, 1 - batch["stretched"][:, None] * torch.rand(len(field), 3, device=field.device))
    return batch | {"field": field}


def squeezed(field: Tensor, shares: Tensor) -> Tensor:
    """Distances (B, N, N, N) of shapes that keep shares (B, 3) of their length along each axis, round the middle.

    Exact where all shares of a shape are the same; else their geometric mean says how distances shrink."""
    matrix = torch.diag_embed(1 / shares.flip(1))  # grid_sample counts axes from the last
    places = F.affine_grid(F.pad(matrix, (0, 1)), (len(field), 1, *field.shape[1:]), align_corners=False)
    sampled = F.grid_sample(field[:, None], places, padding_mode="border", align_corners=False)[:, 0]
    shrunk = sampled * shares.log().mean(1).exp()[:, None, None, None]
    return torch.where(sampled.abs() > 0.98, sampled, shrunk)  # what was cut off stays so


def loss(network: ShapeVAE, batch: dict, recipe: Recipe, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
    field, family, numbers = batch["field"], batch["family"], batch["numbers"]
    mean, log_variance = network.encode(field, family)
    count, known = network.config.named, ~numbers.isnan()
    noise = 1.0 if recipe.start else min(1.0, progress / 0.2)
    truth = numbers.nan_to_num()
    told = torch.rand(len(mean), 1, device=mean.device) < recipe.told
    named = torch.where(told, truth, mean[:, :count])
    free, spread = mean[:, count:], log_variance[:, count:]
    free = free + noise * torch.randn_like(free) * (spread / 2).exp()
    decoded = network.decode(torch.cat([named, free], 1), family)
    if network.config.mirrored:  # the other half is the same
        decoded, field = (grid[:, : network.config.resolution // 2] for grid in (decoded, field))
    distance, edge, slope = errors(decoded.float(), field)
    naming = ((mean[:, :count] - truth).square() * known).sum() / known.sum().clamp_min(1)
    divergence = 0.5 * (mean[:, count:].square() + spread.exp() - 1 - spread).sum(1).mean()
    total = distance + recipe.edge * edge + recipe.slope * slope + recipe.kl * noise * divergence
    total = total + recipe.naming * naming
    parts = {"distance": distance, "edge": edge, "slope": slope, "naming": naming, "divergence": divergence}
    return total, {name: value.detach() for name, value in parts.items()}


def errors(decoded: Tensor, field: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean absolute error of the truncated distance, cross entropy of which side a cell is on, and mean absolute error
    of slopes, where a true distance has a slope of 1 (Sobolev training, Czarnecki et al. 2017, arXiv:1706.04859).

    All count cells near the surface more: far away there is nothing to see."""
    near = 0.2 + (field.abs() < 0.6)
    cut = decoded.clamp(-1, 1) + 0.01 * (decoded - decoded.detach().clamp(-1, 1))
    off = cut - field
    distance = (off.abs() * near).sum() / near.sum()
    steps = ((off.diff(dim=axis), near.narrow(axis, 1, near.shape[axis] - 1)) for axis in (1, 2, 3))
    slope = sum((step.abs() * there).sum() / there.sum() for step, there in steps) / (3 * CELL)
    said, truth = decoded * shape_vae.SHARP, field * shape_vae.SHARP
    inside = truth.sigmoid()
    # Less the entropy of the truth itself, so that a perfect answer costs nothing
    edge = F.softplus(said) - F.softplus(truth) - inside * (said - truth)
    return distance, (edge * near).sum() / near.sum(), slope


@torch.no_grad()
def finished(averaged: dict[str, Tensor], recipe: dict) -> tuple[dict, dict[str, Tensor], dict]:
    """What export stores: the config and the weights with sliders in them, and what the card says of the families.

    How latents are spread is fitted to SHAPES new ones of each family, named numbers as they are drawn. Sliders are
    fitted to what decoded draws are, as the encoder reads it: a decoder does not go by the named latents alone."""
    trained = ShapeVAE(Config(**config(recipe))).eval()
    trained.load_state_dict(averaged)
    known, rng = designs.designs(), np.random.default_rng([0, 2**31])

    def measure(field: Tensor, family: Tensor) -> Tensor:
        return trained.encode(field.clamp(-1, 1), family)[0][:, : trained.config.named]

    fits, rows = [], []
    for index, name in enumerate(names(recipe)):
        ranges = designs.ranges(known[name])
        mean, variance, numbers = encoded(trained, name, index, rng, SHAPES)
        low, high = (torch.tensor([getattr(r, end) for r in ranges.values()]) for end in ("low", "high"))
        numbers = (low + high) / 2 + numbers[:, : len(ranges)] * (high - low) / 12**0.5
        tied = fit_sliders.Tied(low, high, trained.config.named)
        spread = fit_sliders.fit(mean, variance, numbers, None, found=0, tied=tied)
        prior = spread.mean, spread.factor
        fits.append(fit_sliders.of_decoded(trained, index, list(ranges.values()), measure, *prior, DRAWN, HELD, spread))
        rows.append(fit_sliders.row(known[name], ranges, fits[-1]))
    return fit_sliders.stored(shape_vae.create, config(recipe), averaged, rows, fits)


def encoded(
    network: ShapeVAE, name: str, index: int, rng: np.random.Generator, count: int
) -> tuple[Tensor, Tensor, Tensor]:
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


@torch.no_grad()
def validate(network: ShapeVAE, recipe: Recipe, device) -> dict[str, float]:
    """On held-out shapes: IoU of the decoded mean, error of the named numbers, active latents."""
    network.eval()
    if recipe.modelnet:
        held = collected(recipe, "validation")
    else:
        held = draw(names(recipe), np.random.default_rng([1, 0]), recipe.validation)
    scores, means, families = [], [], []
    numbers = torch.from_numpy(held["numbers"])
    for part in torch.arange(len(numbers)).split(recipe.batch):
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
