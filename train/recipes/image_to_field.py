"""image_to_field: its recipe, its prior and its batches; the loss and the rest that the loop asks for lie beside it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open

from ...nets.image_to_field import Config, ImageToField
from ..evaluate.peers.global_latent import GlobalLatent
from ..readers import MARK
from .field_loss import loss
from .field_recipe import DESIGNS, Recipe
from .field_samples import cameras, prepare, samples
from .field_validation import pictures, validate
from .shard_batches import Batches, Drawn, Mixed

NAME = "image_to_field"
PROCEDURAL, LICENCE = "Procedural shapes of this project (maquette.train.shapes), ", "; licence GPL-3.0-or-later"


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields. Raises ValueError for a peer, which does not ship."""
    if recipe.get("design", DESIGNS[0]) != DESIGNS[0]:
        raise ValueError(f"{recipe['design']} is a peer to be measured against; only {DESIGNS[0]} ships")
    names = ("width", "encoder", "library", "several", "relief")
    return asdict(Config(**{name: recipe[name] for name in names if name in recipe}))


def data(recipe: dict) -> str:
    """What a run was trained on, for its card, from a recipe's fields."""
    others = f"and {recipe['other_data']}" if recipe.get("other_data") else "no other data"
    return f"{PROCEDURAL}{others}{LICENCE}"


def begun_on(start: str) -> str:
    """What the weights that a run begins with were trained on besides procedural shapes, as their card says it."""
    try:
        said = json.loads(Path(start).with_suffix(".json").read_text("utf-8"))["data"]
        known = said.startswith(f"{PROCEDURAL}and ") and said.endswith(LICENCE)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):  # without a card: not what `export` wrote
        return ""
    return said.removeprefix(f"{PROCEDURAL}and ").removesuffix(LICENCE) if known else ""


def make(recipe: Recipe) -> ImageToField:
    """Raises ValueError where data that shards or the first weights were made of would go unnamed on the card."""
    if not recipe.other_data and any(Path(recipe.shards).glob(f"*/shard-{MARK}-*.npz")):
        raise ValueError(
            f"{recipe.shards} holds shards made of meshes: say whose and under which licence with --other-data, "
            'such as --other-data "KayKit props, CC0", so that the card of the weights is true'
        )
    if (before := begun_on(recipe.start)) not in recipe.other_data:
        raise ValueError(
            f"{recipe.start} was trained on {before}, too: say so with --other-data, together with what comes new, so "
            "that the card of the weights stays true"
        )
    network = designed(recipe)
    if network.prior is not None and not brings_prior(recipe.start):
        fill_library(network, recipe)
    return network


def designed(recipe: Recipe) -> ImageToField:
    """The network of a recipe, its prior empty. Raises ValueError for a design that there is not."""
    if recipe.design not in DESIGNS:
        raise ValueError(f"--design is {' or '.join(DESIGNS)}, not {recipe.design!r}")
    own = Config(**config(asdict(recipe) | {"design": DESIGNS[0]}))
    return ImageToField(own) if recipe.design == DESIGNS[0] else GlobalLatent(own)


def brings_prior(start: str) -> bool:
    """Whether the weights that a run begins with hold the shapes of the prior; then no library shards are wanted.

    A file that cannot be read is left to the loop, which says so.
    """
    try:
        with safe_open(start, "pt") as file:
            return "prior.masks" in file.keys()
    except (OSError, SafetensorError):
        return False


def fill_library(network: ImageToField, recipe: Recipe) -> None:
    """Fill the prior from the library split, which shares no seed with what is trained or scored on."""
    prior, have = network.prior, 0
    for stored in samples(recipe, "library"):
        alpha = stored["picture"][..., 3:].permute(0, 3, 1, 2).float() / 255
        masks = np.packbits(F.adaptive_avg_pool2d(alpha, 28).flatten(1).cpu().numpy() > 0.5, axis=1)
        distance = F.avg_pool3d(stored["distance"][:, None].float(), 4).flatten(1).cpu().numpy()
        volumes = np.packbits(distance < 0, axis=1)
        end = min(have + len(masks), len(prior.masks))
        prior.masks[have:end] = torch.from_numpy(masks[: end - have])
        prior.volumes[have:end] = torch.from_numpy(volumes[: end - have])
        prior.cameras[have:end] = cameras(stored["camera"].cpu())[: end - have]
        have = end
        if have == len(prior.masks):
            return
    raise ValueError(
        f"{recipe.shards}/library holds {have} shapes, the prior wants {len(prior.masks)}: make more library shards"
    )


def batches(recipe: Recipe, rng: np.random.Generator, device):
    """Endless training batches as dicts of tensors; state() and restore(state) go on where they were."""
    if recipe.shards == "none":
        if recipe.several:
            raise ValueError("--several wants shards: several views are not drawn on the device yet")
        return Drawn(recipe, rng, device)
    if recipe.several:
        return Mixed(recipe, rng)
    return Batches(Path(recipe.shards) / "train", recipe, rng)


__all__ = ["NAME", "Recipe", "config", "data", "make", "batches", "prepare", "loss", "validate", "pictures"]
