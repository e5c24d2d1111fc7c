"""head_vae on held-out shapes: how far vertices are off, how well sliders are answered, what they move besides.

    python -m maquette.train evaluate head_vae --faces FOLDER --heads FOLDER [--card METRICS.json] [--sheet HEADS.png]

Shapes are drawn as in training, from seeds that training does not use. Baselines: the mean shape, and principal
component analysis of the same shapes, exact, with as many numbers as the latent has.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from torch import Tensor

from ...nets import catalog, checkpoint
from ..heads import sheet, sliders
from ..heads.family import Family
from ..recipes import head_vae as recipe
from .writing import add_to_card

NAME = "head_vae"
BATCH = 50


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="maquette.train evaluate head_vae", description=__doc__.split("\n")[0])
    parser.add_argument("--faces", default="", help="folder of ICT FaceKit")
    parser.add_argument("--heads", default="", help="folder of MakeHuman's base mesh and targets")
    parser.add_argument("--shapes", type=int, default=300, help="held-out shapes of each family")
    parser.add_argument("--card", default="", help="JSON file that the scores are added to, for export --metrics")
    parser.add_argument("--sheet", default="", help="PNG of random heads and of sliders at their ends")
    options = parser.parse_args(argv)
    network = checkpoint.load(NAME)
    card = catalog.card(NAME)
    if options.sheet:
        sheet.write(network, card, options.sheet)
    if options.sheet and not (options.faces or options.heads):
        return
    settings = recipe.Recipe(**card["training"]["recipe"], faces=options.faces, heads=options.heads)
    found = {}
    for i, (family, basis) in enumerate(recipe.of(settings)):
        found[family.name] = errors(network, i, family, options.shapes)
        moved = leakage(network, i, family, basis, catalog.sliders(card)[family.name])
        print(slider_table(family.name, catalog.sliders(card)[family.name], moved))
        found[family.name]["largest leakage"] = round(float(moved[1].max()), 3)
    print(error_table(found))
    if options.card:
        add_to_card(options.card, found)


# --- reconstruction ---------------------------------------------------------------------------------------------------


@torch.no_grad()
def errors(network, i: int, family: Family, count: int) -> dict[str, float]:
    """Mean distance of vertices in mm, over shapes and vertices."""
    drawn = family.draw(np.random.default_rng([77, i]), count)
    basis = np.concatenate([family.identity, family.expression]).reshape(-1, family.vertices.size)
    weights = np.concatenate([drawn.identity, drawn.expression], 1).astype(np.float32)
    middle, rows = principal(family, basis, network.config.latent)
    scores = {"mean shape": [], f"PCA of {network.config.latent}": [], NAME: []}
    for part in np.array_split(weights, max(1, count // BATCH)):
        away = part @ basis - middle
        true = (away + middle).reshape(len(part), -1, 3) + family.vertices
        mean, _ = network.encode(torch.from_numpy(true), torch.full((len(part),), i))
        decoded = network.decode(mean, torch.full((len(part),), i)).numpy()
        answers = (
            np.zeros_like(away),
            away @ rows.T @ rows,
            decoded.reshape(away.shape) - family.vertices.ravel() - middle,
        )
        for name, answer in zip(scores, answers):
            scores[name].append(np.linalg.norm((answer - away).reshape(*true.shape), axis=-1).mean(1))
    return {name: round(1e3 * float(np.concatenate(values).mean()), 3) for name, values in scores.items()}


def principal(family: Family, basis: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean offset and the leading components (count, V * 3), of unit length, of what the family draws."""
    drawn = family.draw(np.random.default_rng([78, 0]), 6000)
    weights = np.concatenate([drawn.identity, drawn.expression], 1)
    middle = (weights.mean(0) @ basis).astype(np.float32)
    values, vectors = np.linalg.eigh(np.cov(weights.T))
    rows = (vectors * np.sqrt(values.clip(0))).T.astype(np.float32) @ basis
    values, vectors = np.linalg.eigh((rows @ rows.T).astype(np.float64))
    rows = (vectors[:, ::-1][:, :count] / np.sqrt(values[::-1][:count].clip(1e-18))).T.astype(np.float32) @ rows
    return middle, rows


# --- sliders ----------------------------------------------------------------------------------------------------------


@torch.no_grad()
def leakage(network, i: int, family: Family, basis, rows: list[dict]) -> tuple[np.ndarray, np.ndarray]:
    """-> how much of what was asked each slider does (S,), and the most that it moves another (S,).

    Both measured on the decoded shapes of random latents, one slider at a time moved by a quarter of its range; others
    in shares of their own ranges, per share of its range that the slider was asked to move."""
    state = np.random.default_rng([79, i])
    latent = (
        network.prior[i].mean
        + 0.7
        * torch.from_numpy(state.standard_normal((60, network.config.latent)).astype(np.float32))
        @ network.prior[i].factor.T
    )
    span = np.array([row["maximum"] - row["minimum"] for row in rows])
    values = Values(network, i, family, basis)
    before = values(latent)
    moved = np.stack([
        ((values(latent + 0.25 * span[k] * network.direction[i][k]) - before) / span).mean(0) / 0.25
        for k in range(len(rows))
    ])  # fmt: skip
    others = np.abs(moved - np.diag(np.diag(moved)))
    return np.diag(moved), others.max(1)


class Values:
    """Values of all sliders, measured on what latents decode to: distances on the shape without its expression, other
    numbers by the least squares that find them in the coefficients of drawn shapes."""

    def __init__(self, network, i: int, family: Family, basis):
        self.network, self.i, self.family = network, i, family
        drawn = family.draw(np.random.default_rng([80, i]), 6000)
        _, true = basis.coefficients(drawn)
        self.split = network.config.identities[i]
        parts = (true[:, : self.split], drawn.identity_numbers), (true[:, self.split :], drawn.expression_numbers)
        self.maps = [fitted(c.numpy(), numbers) for c, numbers in parts]
        self.used = sorted({end for distance in family.distances for end in (distance.a, distance.b)})

    def __call__(self, latent: Tensor) -> np.ndarray:
        part = self.network.family[self.i]
        identity, expression = part.decode(latent)
        still = part.vertices(identity, torch.zeros_like(expression), torch.tensor(self.used)).numpy()
        named = [with_one(c.numpy()) @ m for c, m in zip((identity, expression), self.maps)]
        return np.concatenate([sliders.measured(self.family, self.used, still), *named], 1)


def with_one(coefficients: np.ndarray) -> np.ndarray:
    return np.concatenate([coefficients, np.ones((len(coefficients), 1))], 1)


def fitted(coefficients: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    return np.linalg.lstsq(with_one(coefficients), numbers, rcond=1e-6)[0]


# --- tables -----------------------------------------------------------------------------------------------------------


def error_table(found: dict[str, dict[str, float]]) -> str:
    columns = list(next(iter(found.values())))[:3]
    lines = [f"| mm | {' | '.join(columns)} |", "| --- " * 4 + "|"]
    return "\n".join(
        lines + [f"| {name} | {' | '.join(f'{row[c]:.2f}' for c in columns)} |" for name, row in found.items()]
    )


def slider_table(name: str, rows: list[dict], moved: tuple[np.ndarray, np.ndarray]) -> str:
    lines = [f"| {name} | unit | from | to | R² | moves itself | moves another |", "| --- " * 7 + "|"]
    for row, own, other in zip(rows, *moved):
        ends = f"{row['minimum']:g} | {row['maximum']:g}"
        lines.append(f"| {row['name']} | {row['unit']} | {ends} | {row['r2']:.3f} | {own:.2f} | {other:.2f} |")
    return "\n".join(lines) + "\n"
