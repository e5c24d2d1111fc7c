"""The recipe of head_vae: faces of ICT FaceKit and heads of MakeHuman, drawn anew as coefficients in each batch.

The error is that of vertices in square millimetres. Latents drawn from the normal distribution are held to expressions
that the data's units can make, none beyond its full strength.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

from ...nets.head_vae import UV_STEP, Config, HeadVAE
from ..heads import face, head, sliders
from ..heads.basis import Basis, fit
from ..heads.family import Family
from ..heads.start import begin_named
from ..readers import ict, makehuman
from .base import BaseRecipe

NAME = "head_vae"
DATA = (
    "face: ICT FaceKit, Copyright (c) 2020 USC Institute for Creative Technologies, MIT; "
    "head: the base mesh and targets of MakeHuman (mpfb2), CC0"
)
PRIVATE = ("faces", "heads")
"""Settings that name the trainer's own files."""
FAMILIES = ("face", "head")


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train head_vae on faces and heads drawn from two linear models."""

    minutes: float = 8.0
    batch: int = 256
    rate: float = 1e-3
    weight_decay: float = 0.0
    faces: str = ""
    """Folder of ICT FaceKit, as readers/ict.py describes."""
    heads: str = ""
    """Folder of MakeHuman's base mesh and targets, as readers/makehuman.py describes."""
    identity: int = 80
    expression: int = 40
    """Numbers of a latent; the first of an expression are tied to its sliders."""
    hidden: int = 192
    face_bases: str = "100,52,44"
    head_bases: str = "200,60,60"
    """Offsets kept of identities and of expressions, and how many of them in 16 bits."""
    kl: float = 0.002
    """Weight of the divergence: square millimetres a nat."""
    naming: float = 0.3
    """Weight of the numbers tied to sliders."""
    units: float = 0.02
    """Weight of expressions drawn beyond their units' ends."""
    pool: int = 8192
    reuse: int = 6
    """Shapes drawn at once, and how often each is seen."""
    validation: int = 1000


@lru_cache(maxsize=2)
def models(faces: str, heads: str, face_bases: str, head_bases: str) -> tuple[tuple[Family, Basis], ...]:
    if not faces or not heads:
        raise ValueError("head_vae wants --faces, a folder of ICT FaceKit, and --heads, one of mpfb2")
    base = makehuman.read_base(heads)
    targets = makehuman.read_targets(heads, head.GROUPS, len(base.vertices))
    families = face.family(ict.read(faces)), head.family(base, targets)
    sizes = [[int(n) for n in text.split(",")] for text in (face_bases, head_bases)]
    return tuple((family, fit(family, *kept)) for family, kept in zip(families, sizes))


def of(recipe) -> tuple[tuple[Family, Basis], ...]:
    """The families with their bases, from a recipe or its fields."""
    fields = recipe if isinstance(recipe, dict) else asdict(recipe)
    return models(*(fields[name] for name in ("faces", "heads", "face_bases", "head_bases")))


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    found = of(recipe)
    counts = {
        "vertices": [len(family.vertices) for family, _ in found],
        "faces": [len(family.faces) for family, _ in found],
        "corners": [len(family.uv) for family, _ in found],
        "identities": [basis.true_identity.shape[1] for _, basis in found],
        "expressions": [basis.true_expression.shape[1] for _, basis in found],
        "coarse": [len(basis.coarse) for _, basis in found],
        "sliders": [len(sliders.names(family)) for family, _ in found],
    }
    sizes = {name: recipe[name] for name in ("identity", "expression", "hidden")}
    return asdict(Config(FAMILIES, **{name: tuple(value) for name, value in counts.items()}, **sizes))


def data(recipe: dict) -> str:
    """What the card says the weights were trained on."""
    return DATA


def make(recipe: Recipe) -> HeadVAE:
    network = HeadVAE(Config(**config(asdict(recipe))))
    for i, (family, basis) in enumerate(of(recipe)):
        part = network.family[i]
        part.mean.copy_(torch.from_numpy(basis.mean))
        for name in ("coarse", "fine", "place", "step"):
            getattr(part, name).copy_(torch.from_numpy(getattr(basis, name)))
        part.uv.copy_(torch.from_numpy(np.rint(family.uv.astype(np.float64) / UV_STEP).astype(np.int32)))
        begin_named(part, family, basis)
        network.faces[i].copy_(torch.from_numpy(family.faces.astype(np.int16)))
        network.faces_uv[i].copy_(torch.from_numpy(family.faces_uv.astype(np.int16)))
    return network


class Batches:
    """Endless batches: found.i and true.i (B, K), coefficients of shapes of family i, and moves.i (B, U), the numbers
    of their sliders with a mean square of 1. Drawing a shape costs as much as a step, so each of a pool is seen
    `reuse` times. A resumed run goes on as if never stopped."""

    def __init__(self, recipe: Recipe, rng: np.random.Generator):
        self.models, self.recipe = of(recipe), recipe
        self.restore({"random": rng.bit_generator.state, "taken": 0})

    def __iter__(self):
        return self

    def __next__(self) -> dict[str, Tensor]:
        size = self.recipe.pool // self.recipe.batch
        if self.taken % (size * self.recipe.reuse) == 0:
            self.before, self.taken = self.rng.bit_generator.state, 0
            self.shapes = drawn(self.models, self.rng, size * self.recipe.batch)
        if self.taken % size == 0:
            self.order = torch.from_numpy(self.rng.permutation(size * self.recipe.batch))
        now = self.order[(self.taken % size) * self.recipe.batch :][: self.recipe.batch]
        self.taken += 1
        return {name: values[now] for name, values in self.shapes.items()}

    def state(self) -> dict:
        return {"random": self.before, "taken": self.taken}

    def restore(self, state: dict) -> None:
        """From where the pool was drawn, through what was taken of it."""
        self.rng = np.random.default_rng()
        self.rng.bit_generator.state = self.before = state["random"]
        self.taken = 0
        for _ in range(state["taken"]):
            next(self)


def batches(recipe: Recipe, rng: np.random.Generator, device) -> Batches:
    return Batches(recipe, rng)


def drawn(found, rng: np.random.Generator, count: int) -> dict[str, Tensor]:
    batch = {}
    for i, (family, basis) in enumerate(found):
        shapes = family.draw(rng, count)
        batch[f"found.{i}"], batch[f"true.{i}"] = basis.coefficients(shapes)
        batch[f"moves.{i}"] = torch.from_numpy((shapes.expression_numbers / basis.move).astype(np.float32))
    return batch


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """With `augment` the coefficients are a little off, as a mesh's are that is not quite of the data."""
    if not augment:
        return batch
    return {k: v + 0.03 * torch.randn_like(v) if k.startswith("found") else v for k, v in batch.items()}


def loss(network: HeadVAE, batch: dict, recipe: Recipe, progress: float) -> tuple[Tensor, dict[str, Tensor]]:
    total, parts = torch.zeros(()), {}
    for i, (family, basis) in enumerate(of(recipe)):
        found, true = batch[f"found.{i}"], batch[f"true.{i}"]
        part = network.family[i]
        mean, log_variance = part.encode(found)
        latent = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        error = torch.cat(part.decode(latent), 1) - true
        weight = torch.from_numpy(basis.weight).to(error)
        wrong = (error.square() @ weight).mean()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1).mean()
        beyond = overdone(part.decode(torch.randn_like(mean))[1], basis)
        moves = batch[f"moves.{i}"]
        tied = mean[:, network.config.identity :][:, : moves.shape[1]]
        naming = (tied - moves[:, : tied.shape[1]]).square().sum(1).mean()
        total = total.to(wrong) + wrong + recipe.kl * divergence + recipe.naming * naming + recipe.units * beyond
        told = {"mm2": wrong, "nats": divergence, "naming": naming, "beyond": beyond}
        parts |= {f"{name}_{family.name}": value for name, value in told.items()}
    return total, {name: value.detach() for name, value in parts.items()}


def overdone(expression: Tensor, basis: Basis) -> Tensor:
    """How far the units' weights that make an expression lie outside [0, 1], squared and added up."""
    solved = units_of(basis).to(expression)
    weights = expression @ solved
    return ((-weights).relu().square() + (weights - 1).relu().square()).sum(1).mean()


@lru_cache(maxsize=4)
def units_of(basis: Basis) -> Tensor:
    """(K expressions, E): an expression's coefficients -> the least weights of offsets that make it."""
    return torch.from_numpy(np.linalg.pinv(basis.true_expression, rcond=1e-2).astype(np.float32))


@torch.no_grad()
def validate(network: HeadVAE, recipe: Recipe, device) -> dict[str, float]:
    """On held-out shapes: root mean square error of coefficients in mm of vertices, latents at work."""
    network.eval()
    scores = {}
    batch = drawn(of(recipe), np.random.default_rng([5, 0]), recipe.validation)
    for i, (family, basis) in enumerate(of(recipe)):
        found, true = (batch[f"{name}.{i}"].to(device) for name in ("found", "true"))
        mean, log_variance = network.family[i].encode(found)
        error = torch.cat(network.family[i].decode(mean), 1) - true
        square = torch.from_numpy(basis.square).to(error)
        scores[f"mm_{family.name}"] = float((error.square() @ square).mean().sqrt())
        scores[f"active_{family.name}"] = float((log_variance.exp().mean(0) < 0.8).sum())
    network.train()
    return scores


def finished(tensors: dict[str, Tensor], recipe: dict) -> tuple[dict, dict[str, Tensor], dict]:
    """The config, the averaged weights with sliders fitted to them, and what the card says of these."""
    network = HeadVAE(Config(**config(recipe)))
    network.load_state_dict(tensors)
    rows = []
    for i, (family, basis) in enumerate(of(recipe)):
        fitted = sliders.fit(network.eval(), i, family, basis)
        network.readout[i].weight.copy_(fitted.weight)
        network.readout[i].bias.copy_(fitted.bias)
        network.direction[i].copy_(fitted.direction)
        network.prior[i].mean.copy_(fitted.mean)
        network.prior[i].factor.copy_(fitted.factor)
        named = [{**row, "name": row["name"].capitalize()} for row in fitted.rows]
        rows.append({"name": family.name, "sliders": named})
    return config(recipe), network.state_dict(), {"families": rows}
