"""The recipe of shape_class: designs that are drawn while it trains, or ModelNet10's voxels for the benchmark.

Of the designs every second shape is turned, resized and moved, and only its class is asked for; the others stand as
they were designed, and their numbers are asked for too.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.shape_class import RESOLUTION, Config, ShapeClass, placed, probabilities
from ..readers import grids
from ..readers.modelnet import TEN
from ..shapes import designs
from ..shapes.drawn_designs import MOST, Drawn, draw
from .base import BaseRecipe

NAME = "shape_class"
PRIVATE = ("modelnet",)
SIZES = (0.62, 0.85)
SHIFT = 0.06
NOISE = 0.02
"""Share of cells that say the opposite, at most"""


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train shape_class on the project's designs, or on ModelNet10 to compare with what is published."""

    batch: int = 32
    rate: float = 2e-3
    optimiser: str = "muon3d"
    weight_decay: float = 0.05
    modelnet: str = ""
    """ModelNet10's voxels (folder or .npz). Their terms allow benchmarks: do not ship what was trained on them."""
    families: str = ""
    """Names of designs, by commas; "" takes all."""
    smoothing: float = 0.05
    """Of the classes' labels."""
    balance: float = 0.7
    """How far ModelNet10's rare classes count as much as its common ones (11 times as many shapes): 0 not, 1 fully. Its
    test part has about as many of each."""
    turned: float = 180.0
    """Degrees that ModelNet10's shapes are turned about z by at most, to either side: those of a class face one way."""
    stretched: float = 0.0
    """Share by which ModelNet10's shapes are made longer or shorter along each of their axes, at most."""
    widths: str = ""
    """Features at 16^3, 8^3, 4^3 and 2^3 places, by commas; "" takes those of what ships."""
    naming: float = 1.0
    """Weight of the numbers' error."""
    pool: int = 256
    """Shapes drawn at once."""
    reuse: int = 6
    """How often a shape is seen, disturbed anew each time."""
    validation: int = 400


def names(recipe: dict) -> tuple[str, ...]:
    if recipe["modelnet"]:
        return TEN
    return tuple(recipe["families"].split(",")) if recipe["families"] else tuple(designs.designs())


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    named, widths = 0 if recipe["modelnet"] else MOST, recipe.get("widths")
    wide = {"widths": tuple(map(int, widths.split(",")))} if widths else {}
    return asdict(Config(names(recipe), named, **wide))


def data(recipe: dict) -> str:
    if recipe["modelnet"]:
        return "ModelNet10 (Wu 2015), offered for academic research only: a benchmark, not to be shipped"
    return "procedural shapes of this project's own designs (train/shapes/designs)"


def make(recipe: Recipe) -> ShapeClass:
    return ShapeClass(Config(**config(asdict(recipe))))


def batches(recipe: Recipe, rng: np.random.Generator, device):
    if recipe.modelnet:
        arrays = grids.read(recipe.modelnet, "train")
        turned, stretched = (
            np.full(len(arrays["family"]), share, np.float32) for share in (recipe.turned, recipe.stretched)
        )
        weight = balanced(arrays["family"], recipe.balance)
        arrays |= {"weight": weight, "turned": turned, "stretched": stretched}
        return grids.Epochs(arrays, recipe.batch, rng)
    return Drawn(names(asdict(recipe)), recipe.batch, recipe.pool, recipe.reuse, rng)


def balanced(family: np.ndarray, balance: float) -> np.ndarray:
    """Class of each shape (N,) -> its weight (N,) float32, 1 on average."""
    weight = np.bincount(family)[family] ** -float(balance)
    return (weight / weight.mean()).astype(np.float32)


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """-> field (B, 32, 32, 32) in [-1, 1], inside > 0; numbers (B, P), NaN where they are not asked for."""
    field = batch["field"].float() / 127
    if "numbers" not in batch:
        return batch | {"field": disturbed(field, batch["turned"], batch["stretched"])}
    moved = torch.arange(len(field), device=field.device) % 2 == 1
    halves = torch.empty(len(field), *(RESOLUTION,) * 3, device=field.device)
    halves[~moved] = halved(field[~moved])
    halves[moved] = disturbed(field[moved])
    return batch | {"field": halves, "numbers": batch["numbers"].masked_fill(moved[:, None], torch.nan)}


def halved(field: Tensor) -> Tensor:
    """(B, 64, 64, 64) -> (B, 32, 32, 32)"""
    return F.avg_pool3d(field[:, None], field.shape[-1] // RESOLUTION)[:, 0]


def disturbed(field: Tensor, turned: Tensor | None = None, stretched: Tensor | None = None) -> Tensor:
    """Turned about z, mirrored, resized, moved, with some cells wrong.

    turned (B,): by how many degrees at most, to either side; None by any. Those that keep their front are not mirrored:
    left and right of some are front and back of others. stretched (B,): by what share along each axis at most."""
    turn, size, mirror, wrong = torch.rand(4, len(field), device=field.device)
    if turned is not None:
        mirror = mirror.masked_fill(turned < 180, 0.0)
        turn = (turn - 0.5) * turned / 180
    shift = (torch.rand(len(field), 3, device=field.device) * 2 - 1) * SHIFT
    size = SIZES[0] + size * (SIZES[1] - SIZES[0])
    stretch = None
    if stretched is not None:
        stretch = 1 + (torch.rand(len(field), 3, device=field.device) * 2 - 1) * stretched[:, None]
        stretch = stretch / stretch.amax(1, keepdim=True)  # it stays within the grid
    found = placed(field, turn * 2 * np.pi, size, shift, torch.where(mirror < 0.5, 1.0, -1.0), stretch)
    flipped = torch.rand_like(found) < (NOISE * wrong.clamp_min(0.5) * 2 - NOISE)[:, None, None, None]
    return torch.where(flipped, -found, found)


def loss(network: ShapeClass, batch: dict, recipe: Recipe, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
    logits, numbers = network(batch["field"])
    family = batch["family"]
    kind = F.cross_entropy(logits, family, label_smoothing=recipe.smoothing, reduction="none")
    kind = (kind * batch.get("weight", torch.ones_like(kind))).mean()
    parts = {"kind": kind.detach()}
    if numbers is None:
        return kind, parts
    known = ~batch["numbers"].isnan()
    found = numbers[torch.arange(len(family)), family]
    naming = ((found - batch["numbers"].nan_to_num()).square() * known).sum() / known.sum().clamp_min(1)
    return kind + recipe.naming * naming, parts | {"naming": naming.detach()}


@torch.no_grad()
def validate(network: ShapeClass, recipe: Recipe, device) -> dict[str, float]:
    """On shapes that training never sees: how many get their class, turned and as a vote; R^2 of the numbers."""
    network.eval()
    if recipe.modelnet:
        held = grids.read(recipe.modelnet, "validation")
    else:
        held = draw(names(asdict(recipe)), np.random.default_rng([1, 0]), recipe.validation)
    family = torch.from_numpy(held["family"])
    once, voted, numbers = [], [], []
    for part in torch.arange(len(family)).split(recipe.batch):
        field = torch.from_numpy(held["field"])[part].to(device).float()
        once.append(probabilities(network, field, 1).argmax(1).cpu())
        voted.append(probabilities(network, field).argmax(1).cpu())
        if "numbers" in held:
            numbers.append(read_numbers(network, field / 127, family[part].to(device)).cpu())
    network.train()
    scores = {"accuracy": float((torch.cat(once) == family).float().mean())}
    right = (torch.cat(voted) == family).float()
    scores |= {
        "voted": float(right.mean()),
        "by_class": float(np.mean([right[family == i].mean() for i in family.unique()])),
    }
    if numbers:
        scores["r2"] = determination(torch.cat(numbers).numpy(), held["numbers"])
    return scores


def read_numbers(network: ShapeClass, field: Tensor, family: Tensor) -> Tensor:
    """field (B, 64, 64, 64) in [-1, 1] as it was designed, family (B,) -> numbers (B, P), scaled."""
    return network(halved(field))[1][torch.arange(len(family)), family]


def determination(found: np.ndarray, asked: np.ndarray) -> float:
    """R^2 of numbers (N, P) that have variance 1 and mean 0 over their ranges; NaN where there is none."""
    known = ~np.isnan(asked)
    return float(1 - np.square(found - asked)[known].sum() / np.square(asked[known]).sum())
