"""Sliders of a trained head_vae: how a latent reads as numbers with names, and what to add to it to change one alone.

Values are regressed on latents of drawn shapes; those of identities on the first numbers of a latent, those of
expressions on the others. Of all ways to change a slider and leave the others, a direction takes the one that leads to
the likeliest shapes: D = C W' (W C W')^-1 for readouts W and the latents' covariance C.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from ...nets.head_vae import HeadVAE
from .basis import Basis
from .family import Drawn, Family

SAMPLE = 12000
FAR = 3.5
RIDGE = 1e-3
"""Of a latent's variance"""


@dataclass(frozen=True)
class Fitted:
    weight: Tensor
    """(S, L)"""
    bias: Tensor
    direction: Tensor
    """(S, L)"""
    mean: Tensor
    factor: Tensor
    rows: list[dict]
    """For the card: name, unit, part, minimum, maximum, default, r2"""


def names(family: Family) -> list[tuple[str, str, str]]:
    """Name, unit and part of each slider: distances, then what identities, then what expressions are drawn by."""
    rows = [(distance.name, "cm", "identity") for distance in family.distances]
    rows += [(named.name, named.unit, "identity") for named in family.about]
    return rows + [(named.name, named.unit, "expression") for named in family.moves]


@torch.no_grad()
def fit(network: HeadVAE, i: int, family: Family, basis: Basis, seed: int = 21) -> Fitted:
    """Of family i: readouts, directions, the distribution of latents. ValueError where a latent is too short."""
    split, count = network.config.identity, identity_count(family)
    if count > split or len(family.moves) > network.config.expression:
        wanted = f"--identity {count} and --expression {len(family.moves)}"
        raise ValueError(
            f"the family {family.name} has more sliders than its latent has numbers; it wants {wanted} at least"
        )
    latent, log_variance, values = sample(network, i, family, basis, seed)
    spread = covariance(latent, split) + torch.diag(log_variance.exp().mean(0))
    weight, bias = regressed(latent, values, split, count)
    mean = latent.mean(0)
    mean[split:] = neutral(network, i)[split:]
    # Where nothing moves, the sliders of moves stand at 0
    bias[count:] = -(weight[count:] @ mean)
    held, _, truth = sample(network, i, family, basis, seed + 1)
    r2 = 1 - (truth - held @ weight.T - bias).square().mean(0) / truth.var(0)
    direction = torch.linalg.solve(weight @ spread @ weight.T, weight @ spread)
    alone = (direction * torch.linalg.solve(spread, direction.T).T).sum(1) ** -0.5
    default, alone = (weight @ mean + bias).tolist(), alone.tolist()
    rows = [
        {"name": name, "unit": unit, "part": part, **limits(family, k, values[:, k], default[k], alone[k]),
         "default": round(default[k], 2) + 0.0, "r2": round(float(r2[k]), 4)}
        for k, (name, unit, part) in enumerate(names(family))
    ]  # fmt: skip
    return Fitted(weight, bias, direction, mean, torch.linalg.cholesky(spread), rows)


def sample(network, i, family, basis, seed, count=SAMPLE) -> tuple[Tensor, Tensor, Tensor]:
    """Latents (n, L), their log variances, and the true values (n, S) of shapes drawn anew, in float64."""
    drawn = family.draw(np.random.default_rng([seed, i]), count)
    found, true = basis.coefficients(drawn)
    mean, log_variance = network.family[i].encode(found)
    return mean.double(), log_variance.double(), torch.from_numpy(truth(family, drawn)).double()


def truth(family: Family, drawn: Drawn) -> np.ndarray:
    """(n, S): distances on the neutral shape itself, whatever of it the bases keep."""
    used = sorted({end for distance in family.distances for end in (distance.a, distance.b)})
    offsets = family.identity[:, used].reshape(len(family.identity), -1)
    still = family.vertices[used] + (drawn.identity @ offsets).reshape(len(drawn.identity), -1, 3)
    return np.concatenate([measured(family, used, still), drawn.identity_numbers, drawn.expression_numbers], 1)


def measured(family: Family, used: list[int], vertices: np.ndarray) -> np.ndarray:
    """(n, M) cm: the family's distances between vertices of which only those numbered in `used` are given."""
    at = {number: place for place, number in enumerate(used)}
    return np.stack([replace(d, a=at[d.a], b=at[d.b]).of(vertices) for d in family.distances], 1)


def identity_count(family: Family) -> int:
    return len(family.distances) + len(family.about)


def neutral(network: HeadVAE, i: int) -> Tensor:
    """The latent (L,) of the mean shape without expression."""
    part = network.family[i]
    return part.encode(torch.zeros(1, len(part.place)))[0][0].double()


def covariance(latent: Tensor, split: int) -> Tensor:
    """Identity and expression are drawn apart, so what else is seen between them is chance."""
    spread = latent.T.cov()
    spread[:split, split:] = 0
    spread[split:, :split] = 0
    return spread


def regressed(latent: Tensor, values: Tensor, split: int, count: int) -> tuple[Tensor, Tensor]:
    """Ridge regression of each slider on its own part of the latent: (S, L), (S,)."""
    middle, centre = latent.mean(0), values.mean(0)
    weight = torch.zeros(values.shape[1], latent.shape[1], dtype=torch.float64)
    for own, columns in ((slice(0, count), slice(0, split)), (slice(count, None), slice(split, None))):
        x, y = latent[:, columns] - middle[columns], values[:, own] - centre[own]
        gram = x.T @ x
        weight[own, columns] = torch.linalg.solve(
            gram + RIDGE * gram.diagonal().mean() * torch.eye(len(gram)), x.T @ y
        ).T
    return weight, centre - weight @ middle


def limits(family: Family, k: int, values: Tensor, default: float, alone: float) -> dict[str, float]:
    """Where a slider ends: as it was drawn, or where all but one shape in a hundred measure.

    An identity's no further than FAR times what it varies while all other sliders stand still."""
    k -= len(family.distances)
    if k >= len(family.about):
        named = family.moves[k - len(family.about)]
        return {"minimum": named.low, "maximum": named.high}
    ends = values.quantile(torch.tensor([0.005, 0.995], dtype=torch.float64)).tolist()
    if k >= 0:
        ends = family.about[k].low, family.about[k].high
    low, high = max(ends[0], default - FAR * alone), min(ends[1], default + FAR * alone)
    digits = 0 if ends[1] > 50 else 1
    return {"minimum": round(low, digits), "maximum": round(high, digits)}
