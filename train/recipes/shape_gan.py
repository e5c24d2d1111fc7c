"""The recipe of shape_gan: a generator and a discriminator that take turns on shapes drawn on the fly.

A short run begins with the weights of shape_vae (`--start nets/weights/shape_vae.safetensors`): its decoder, and how
its latents are spread in each family. Without them the generator learns from nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor, nn

from ...nets import catalog, checkpoint, shape_gan
from ...nets.shape_gan import Config, Discriminator, ShapeGAN
from .. import fit_sliders, optimiser
from ..shapes import designs
from ..shapes.drawn_designs import Drawn, draw
from .base import BaseRecipe
from .shape_vae import DATA, errors, names
from .shape_vae import prepare as prepare

NAME = "shape_gan"
PLAYERS = ("discriminator", "generator")
"""Parts of the network that take turns in each step"""
LOSSES = ("minimax", "non-saturating", "wgan-gp")
STABILISERS = ("spectral", "r1", "both", "none")
OFTEN = 8
"""R1 counts in one of so many steps on average, and then so many times (Karras et al. 2020, arXiv:1912.04958)"""

Critic = Callable[[Tensor, Tensor], Tensor]
"""field (B, N, N, N), family (B,) -> logits (B,)"""


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train shape_gan on shapes that are drawn while it trains."""

    batch: int = 8
    rate: float = 3e-4
    ema: float = 0.995
    optimiser: str = "adam"
    """adam: with the momenta 0 and .9 that adversaries need; else as for other networks, for the generator."""
    weight_decay: float = 0.0
    clip: float = 10.0
    families: str = ""
    """Names of designs, by commas; "" takes all."""
    latent: int = 64
    widths: str = "48,96,192"
    blocks: str = "1,2,1"
    placed: int = 0
    """As of shape_vae."""
    factors: int = 0
    """As of shape_vae."""
    critic: str = "24,64,128"
    """Features of the discriminator."""
    loss: str = "non-saturating"
    """minimax or non-saturating (Goodfellow et al. 2014); wgan-gp (Gulrajani et al. 2017)."""
    stabilise: str = "spectral"
    """spectral: the discriminator's layers are bounded; r1: its gradient at real shapes is; both; none."""
    r1: float = 1.0
    penalty: float = 10.0
    """Weights of R1 and of WGAN-GP's penalty."""
    pace: float = 2.0
    """The discriminator's rate, in the generator's (Heusel et al. 2017, arXiv:1706.08500)."""
    alone: float = 0.0
    """Share of the budget in which the discriminator learns alone: one that knows nothing soon ruins a generator that
    begins with good weights."""
    known: float = 0.0
    """Weight of the error in shapes whose latents the bundled shape_vae reads, for a generator that began with its
    decoder (VAE/GAN, Larsen et al. 2016, arXiv:1512.09300): what the discriminator does not see stays as it was."""
    slope: float = 0.5
    """Weight of slopes in that: surfaces stay smooth."""
    noise: float = 0.05
    """Added to all that the discriminator sees: it shall not count the steps of stored distances."""
    pool: int = 96
    """Shapes drawn at once."""
    reuse: int = 3
    """How often a shape is seen."""
    validation: int = 150


class Players(nn.Module):
    """Both, as one network to the loop."""

    def __init__(self, recipe: Recipe):
        super().__init__()
        about = Config(**config(asdict(recipe)))
        widths = tuple(int(n) for n in recipe.critic.split(","))
        self.generator = ShapeGAN(about)
        self.discriminator = Discriminator(about, widths, spectral=recipe.stabilise in ("spectral", "both"))


def config(recipe: dict) -> dict:
    """The generator's config for its card, from a recipe's fields."""
    sizes = {name: tuple(int(n) for n in recipe[name].split(",")) for name in ("widths", "blocks")}
    sizes |= {name: recipe.get(name, 0) for name in ("placed", "factors")}
    return asdict(Config(names(recipe), recipe["latent"], **sizes))


def data(recipe: dict) -> str:
    """What the card says the weights were trained on."""
    begun = "; it began with the decoder of shape_vae, trained on the same (as in VAE-GAN, arXiv:1512.09300)"
    return DATA + (begun if "shape_vae" in recipe["start"] else "")


def players(recipe: Recipe, progress: float) -> tuple[str, ...]:
    return PLAYERS[:1] if progress < recipe.alone else PLAYERS


def make(recipe: Recipe) -> Players:
    for option, known in (("loss", LOSSES), ("stabilise", STABILISERS)):
        if getattr(recipe, option) not in known:
            raise ValueError(f"--{option} is {', '.join(known[:-1])} or {known[-1]}, not {getattr(recipe, option)!r}")
    if recipe.known and (names(recipe), recipe.latent) != known_by("shape_vae"):
        raise ValueError("--known wants the families and the latent of the bundled shape_vae: leave those as they are")
    return Players(recipe)


def known_by(name: str) -> tuple[tuple[str, ...], int]:
    """The families and the latent's length of a bundled network."""
    about = catalog.card(name)["config"]
    return tuple(about["families"]), about["latent"]


def begun(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The generator's first weights, from a file of shape_gan, or of shape_vae with its latents' Gaussians."""
    aside = ("latents.", "encoder.")
    kept = {f"generator.{name}": value for name, value in tensors.items() if not name.startswith(aside)}
    if "latents.prior.0.mean" in tensors and "spread.mean" not in tensors:
        for part in ("mean", "factor"):
            told = [tensors[f"latents.prior.{i}.{part}"] for i in range(len(tensors["family.weight"]))]
            kept[f"generator.spread.{part}"] = torch.stack(told)
    return kept


def optimisers(network: Players, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """The generator's, then the discriminator's."""

    def adam(part: nn.Module, pace: float) -> torch.optim.Optimizer:
        group = {"params": list(part.parameters()), "pace": pace}
        return torch.optim.AdamW([group], lr=recipe.rate, betas=(0.0, 0.9), weight_decay=recipe.weight_decay)

    own = (
        [adam(network.generator, 1.0)]
        if recipe.optimiser == "adam"
        else optimiser.optimisers(network.generator, recipe)
    )
    return [*own, adam(network.discriminator, recipe.pace)]


def batches(recipe: Recipe, rng: np.random.Generator, device) -> Drawn:
    return Drawn(names(recipe), recipe.batch, recipe.pool, recipe.reuse, rng)


def loss(
    network: Players, batch: dict, recipe: Recipe, progress: float, player: str
) -> tuple[Tensor, dict[str, Tensor]]:
    """Of the player whose turn it is."""
    generator, discriminator = network.generator, network.discriminator
    real, family = batch["field"], batch["family"]
    latent = torch.randn(len(real), generator.config.latent, device=real.device)
    if player == "generator":
        latent, again = generator.spread(latent, family), family
        if recipe.known:
            latent, again = torch.cat([latent, read(real, family)]), torch.cat([family, family])
        fields = generator.shaped(latent, again)
        logits = discriminator(blurred(fields[: len(real)], recipe), family)
        total = generator_loss(logits, recipe.loss)
        parts = {"generator": total.detach()}
        if recipe.known:
            distance, edge, slope = errors(fields[len(real) :].float(), real)
            total = total + recipe.known * (distance + 0.5 * edge + recipe.slope * slope)
            parts |= {"distance": distance.detach(), "edge": edge.detach(), "slope": slope.detach()}
        return total, parts
    with torch.no_grad():
        fake = generator.decode(latent, family).to(real.dtype)
    real, fake = blurred(real, recipe), blurred(fake, recipe)
    told = discriminator(torch.cat([real, fake]), torch.cat([family, family])).float()
    of_real, of_fake = told.chunk(2)
    total = discriminator_loss(of_real, of_fake, recipe.loss)
    parts = {"discriminator": total, "apart": of_real.mean() - of_fake.mean()}
    if recipe.loss == "wgan-gp":
        parts["penalty"] = gradient_penalty(discriminator, real, fake, family)
        total = total + recipe.penalty * parts["penalty"]
    if recipe.stabilise in ("r1", "both") and torch.rand(()) < 1 / OFTEN:
        parts["r1"] = r1(discriminator, real, family)
        total = total + OFTEN * recipe.r1 * parts["r1"]
    return total, {name: value.detach() for name, value in parts.items()}


@torch.no_grad()
def read(field: Tensor, family: Tensor) -> Tensor:
    """The latents (B, L) that the bundled shape_vae encodes shapes by."""
    return reader(str(field.device)).encode(field.float(), family)[0]


@functools.lru_cache(maxsize=1)
def reader(where: str) -> nn.Module:
    return checkpoint.load("shape_vae", where)


def blurred(field: Tensor, recipe: Recipe) -> Tensor:
    return field + recipe.noise * torch.randn_like(field)


def discriminator_loss(real: Tensor, fake: Tensor, kind: str) -> Tensor:
    """Of logits (B,) each; real ones should be high."""
    if kind == "wgan-gp":
        return fake.mean() - real.mean()
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def generator_loss(fake: Tensor, kind: str) -> Tensor:
    """minimax: the other's own loss turned round, flat where the other is sure; non-saturating is steep there."""
    if kind == "wgan-gp":
        return -fake.mean()
    return -F.softplus(fake).mean() if kind == "minimax" else F.softplus(-fake).mean()


def slopes(critic: Critic, field: Tensor, family: Tensor) -> Tensor:
    """Squared length (B,) of each logit's gradient by its own field."""
    field = field.detach().requires_grad_(True)
    (gradient,) = torch.autograd.grad(critic(field, family).sum(), field, create_graph=True)
    return gradient.flatten(1).square().sum(1)


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor, family: Tensor) -> Tensor:
    """How far slopes between real and fake shapes are from 1 (Gulrajani et al. 2017, arXiv:1704.00028)."""
    share = torch.rand(len(real), 1, 1, 1, device=real.device)
    return ((slopes(critic, torch.lerp(fake, real, share), family) + 1e-12).sqrt() - 1).square().mean()


def r1(critic: Critic, real: Tensor, family: Tensor) -> Tensor:
    """Half the mean squared slope at real shapes (Mescheder et al. 2018, arXiv:1801.04406)."""
    return slopes(critic, real, family).mean() / 2


def used(averaged: dict[str, Tensor]) -> dict[str, Tensor]:
    """The generator's weights under its own names: what makes shapes, of what trains."""
    part = "generator."
    return {name.removeprefix(part): value for name, value in averaged.items() if name.startswith(part)}


@torch.no_grad()
def finished(
    averaged: dict[str, Tensor],
    recipe: dict,
    measure: fit_sliders.Measure | None = None,
    shapes: int = 384,
    held: int = 128,
) -> tuple[dict, dict[str, Tensor], dict]:
    """What export stores: the generator with sliders in it, without the discriminator, and what the card says.

    Latents are drawn and decoded, and `measure` (None: what the bundled shape_vae encodes of its named numbers) reads
    the shapes: sliders are fitted to `shapes` of a family and scored on `held` others."""
    weights = used(averaged)
    trained = ShapeGAN(Config(**config(recipe))).eval()
    trained.load_state_dict(weights)
    measure, known, fits, rows = measure or encoded_numbers(), designs.designs(), [], []
    for index, name in enumerate(names(recipe)):
        ranges = designs.ranges(known[name])
        none = torch.zeros(trained.config.latent), torch.eye(trained.config.latent)
        fits.append(fit_sliders.of_decoded(trained, index, list(ranges.values()), measure, *none, shapes, held))
        rows.append(fit_sliders.row(known[name], ranges, fits[-1]))
    return fit_sliders.stored(shape_gan.create, config(recipe), weights, rows, fits)


def encoded_numbers() -> fit_sliders.Measure:
    """The bundled shape_vae as a measure: the first of its latents are named numbers, scaled."""
    network = checkpoint.load("shape_vae")
    return lambda field, family: network.encode(field.clamp(-1, 1), family)[0][:, : network.config.named]


@torch.no_grad()
def validate(network: Players, recipe: Recipe, device) -> dict[str, float]:
    """Of draws beside as many real shapes of the same families, at a quarter of the resolution.

    nna: share of shapes whose nearest other one is of their own kind, real or drawn; .5 where nobody can tell.
    variety: how far apart draws of a family are, against real ones; near 0 where the generator collapsed.
    whole: share of draws that are closed and one piece.
    """
    network.eval()
    held = draw(names(recipe), np.random.default_rng([1, 0]), recipe.validation)
    real, family = torch.from_numpy(held["field"]).float() / 127, torch.from_numpy(held["family"])
    latent = torch.randn(len(real), recipe.latent, generator=torch.Generator().manual_seed(1))
    parts = zip(latent.split(recipe.batch), family.split(recipe.batch))
    fake = torch.cat([network.generator.decode(z.to(device), f.to(device)).float().cpu() for z, f in parts])
    network.train()
    seen = [F.avg_pool3d(field.clamp(-0.5, 0.5)[:, None], 4).flatten(1) for field in (real, fake)]
    apart = torch.cdist(torch.cat(seen), torch.cat(seen)).fill_diagonal_(torch.inf)
    own = torch.arange(len(apart)) < len(real)
    nearest = apart.argmin(1)
    same = (family[:, None] == family) & ~torch.eye(len(family), dtype=torch.bool)
    among = [apart[half][:, half][same].mean() for half in (own, ~own)]
    return {
        "nna": float((own[nearest] == own).float().mean()),
        "variety": float(among[1] / among[0]) if same.any() else float("nan"),
        "whole": float(np.mean([in_one_piece(field.numpy()) for field in fake])),
    }


def in_one_piece(field: np.ndarray) -> bool:
    """Whether what is inside hangs together by its sides, and what is outside by its corners: no island, no bubble."""
    inside = np.pad(field > 0, 1)
    return ndimage.label(inside)[1] == 1 and ndimage.label(~inside, np.ones((3, 3, 3)))[1] == 1
