"""What a trained sampler's sliders are: directions in latent space for named numbers, and others that it found.

In the frame where the family's latents have the unit covariance, a named number is read by a row of a matrix A, and the
shortest way to change one and no other is a column of A's pseudo-inverse. What is left is turned so that its first axis
changes the decoded shape most, and so on (principal axes of the decoder's Jacobian, averaged over shapes).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from .shapes.designs import Design, Range

RIDGE = 1e-3
JITTER = 1e-4
"""Added to variances, so that latents which a family does not use still have some"""
FOUND = 6
"""Sliders without a name, at most"""
OBEYED = 0.5
"""R^2 from which a slider goes by what decoded shapes are: where little is obeyed, little says which way to go"""
Measure = Callable[[Tensor, Tensor], Tensor]
"""field (B, N, N, N) in [-1, 1], family (B,) -> numbers (B, P or more), scaled as drawn_designs.scaled has them"""
REACH = 2.5
"""Standard deviations to either side that those run over"""


@dataclass(frozen=True)
class Fitted:
    """Of one family; arrays as nets.latents.Latents stores them."""

    mean: Tensor
    factor: Tensor
    weight: Tensor
    bias: Tensor
    direction: Tensor
    named: int
    read: np.ndarray
    """(named,) R^2 of the values read off encoded shapes"""


def fit(
    mean: Tensor,
    variance: Tensor,
    numbers: Tensor,
    decode,
    found: int = FOUND,
    tied: Tied | None = None,
    readouts=None,
) -> Fitted:
    """mean, variance (N, L) of encoded shapes, numbers (N, S) in their own units; decode (B, L) -> (B, ...) fields.

    readouts: weight (S, L) and bias (S,) of the named ones, where they are known."""
    mean, numbers = mean.double(), numbers.double()
    centre = mean.mean(0)
    covariance = torch.cov(mean.T) + torch.diag(variance.double().mean(0))
    if tied:
        weight, bias, covariance, centre = tied.readouts(centre, covariance)
    elif readouts:
        weight, bias = (part.double() for part in readouts)
    else:
        weight, bias = regression(mean, numbers)
    factor = torch.linalg.cholesky(covariance + JITTER * torch.eye(len(covariance), dtype=torch.float64))
    read = 1 - (numbers - (mean @ weight.T + bias)).var(0) / numbers.var(0)
    white = weight @ factor  # the readouts where the covariance is a sphere
    direction = factor @ torch.linalg.pinv(white)  # L S
    rest = torch.linalg.qr(white.T, mode="complete").Q[:, len(weight) :]  # L R, at right angles to all readouts
    axes = axes_of_change(centre, factor @ rest, mean, decode) if found else rest.new_zeros(rest.shape[1], 0)
    turned = rest @ axes[:, :found]
    more = turned.T @ torch.linalg.inv(factor)
    weight = torch.cat([weight, more])
    bias = torch.cat([bias, -more @ centre])
    direction = torch.cat([direction.T, (factor @ turned).T])
    parts = (centre, factor, weight, bias, direction)
    return Fitted(*(part.float() for part in parts), named=numbers.shape[1], read=read.numpy())


def of_decoded(
    network,
    index: int,
    ranges: list[Range],
    measure: Measure,
    mean: Tensor,
    factor: Tensor,
    shapes: int,
    held: int,
    tied: Fitted | None = None,
) -> Fitted:
    """Sliders of a family by what its decoded draws are, as `measure` reads their named numbers.

    mean (L,) and factor (L, L): how its latents are spread. r2 is of `held` draws that nothing was fitted to. Sliders
    below OBEYED stay as they were `tied`."""
    random = torch.Generator().manual_seed(index)
    latent = torch.randn(shapes + held, len(mean), generator=random)
    latent = mean + torch.cat([standardised(latent[:shapes]), latent[shapes:]]) @ factor.T
    numbers = []
    for part in latent.split(16):
        family = torch.full((len(part),), index)
        numbers.append(measure(network.decode(part, family), family)[:, : len(ranges)])
    low, high = (torch.tensor([getattr(r, end) for r in ranges]) for end in ("low", "high"))
    numbers = (low + high) / 2 + torch.cat(numbers) * (high - low) / 12**0.5
    family = torch.tensor([index])

    def decode(z: Tensor) -> Tensor:
        return network.decode(z, family.expand(len(z)), True)

    weight, bias = regression(latent[:shapes].double(), numbers[:shapes].double())
    said = latent[shapes:].double() @ weight.T + bias
    score = 1 - (numbers[shapes:] - said).var(0) / numbers[shapes:].var(0).clamp_min(1e-12)
    if tied:
        weak = score < OBEYED
        weight = torch.where(weak[:, None], tied.weight[: len(ranges)], weight)
        bias = torch.where(weak, tied.bias[: len(ranges)], bias)
    found = fit(latent[:shapes], torch.zeros(shapes, len(mean)), numbers[:shapes], decode, readouts=(weight, bias))
    return replace(found, mean=mean, factor=factor, read=score.numpy())


def standardised(latent: Tensor) -> Tensor:
    """Latents (N, L) moved and turned so that their mean is 0 and their covariance 1 exactly, not only on average."""
    latent = latent.double() - latent.double().mean(0)
    factor = torch.linalg.cholesky(torch.cov(latent.T))
    return torch.linalg.solve_triangular(factor, latent.T, upper=False).T.float()


def regression(mean: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor]:
    """Ridge regression: weight (S, L) and bias (S,) that read the numbers off latents."""
    centre, middle = mean.mean(0), numbers.mean(0)
    spread = torch.cov(mean.T) + RIDGE * torch.eye(mean.shape[1], dtype=torch.float64)
    cross = (mean - centre).T @ (numbers - middle) / (len(mean) - 1)
    weight = torch.linalg.solve(spread, cross).T
    return weight, middle - weight @ centre


@dataclass(frozen=True)
class Tied:
    """A network whose first latents are the named numbers, scaled to mean 0 and variance 1: there is nothing to fit."""

    low: Tensor
    high: Tensor
    named: int
    """Latents kept for named numbers, of which this family may have fewer"""

    def readouts(self, centre: Tensor, covariance: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """-> weight, bias, and covariance and mean, in which named numbers are independent of all else, as drawn."""
        low, high = self.low.double(), self.high.double()
        count = len(low)
        weight = torch.zeros(count, len(covariance), dtype=torch.float64)
        weight[:, :count] = torch.diag((high - low) / 12**0.5)
        covariance, centre = covariance.clone(), centre.clone()
        covariance[: self.named] = covariance[:, : self.named] = 0
        covariance[:count, :count] = torch.eye(count, dtype=torch.float64)
        centre[: self.named] = 0
        return weight, (low + high) / 2, covariance, centre


def axes_of_change(centre: Tensor, basis: Tensor, latents: Tensor, decode, places: int = 4, batch: int = 32) -> Tensor:
    """basis (L, R) -> a rotation (R, R), its first column the direction that changes decoded fields most."""
    total = torch.zeros(basis.shape[1], basis.shape[1], dtype=torch.float64)
    for at in latents[:: max(len(latents) // places, 1)][:places]:
        there = []
        for part in basis.T.split(batch // 2):
            ends = torch.cat([at + part, at - part]).float()
            fields = decode(ends).clamp(-1, 1).flatten(1)
            there.append((fields[: len(part)] - fields[len(part) :]) / 2)
        change = torch.cat(there)
        total += (change @ change.T).double()
    values, axes = torch.linalg.eigh(total)
    return axes.flip(1)


def into(latents, family: int, fitted: Fitted) -> None:
    """Store what was fitted in a network's `latents` (nets.latents.Latents)."""
    readout, prior = getattr(latents.readout, str(family)), getattr(latents.prior, str(family))
    readout.weight.copy_(fitted.weight)
    readout.bias.copy_(fitted.bias)
    getattr(latents.direction, str(family)).copy_(fitted.direction)
    prior.mean.copy_(fitted.mean)
    prior.factor.copy_(fitted.factor)


def sliders(ranges: dict[str, Range], found: Fitted) -> list[dict]:
    """The card's rows: named numbers over the ranges they were drawn from, then what was found, unnamed."""
    rows = [
        {
            "name": name.capitalize(),
            "unit": r.unit,
            "minimum": r.low,
            "maximum": r.high,
            "default": (r.low + r.high) / 2,
            "r2": round(float(score), 3),
        }
        for (name, r), score in zip(ranges.items(), found.read)
    ]
    reach = REACH
    for number in range(len(found.weight) - found.named):
        rows.append(
            {
                "name": f"Variation {number + 1}",
                "unit": "",
                "minimum": -reach,
                "maximum": reach,
                "default": 0.0,
                "r2": None,
            }
        )
    return rows


def row(design: Design, ranges: dict[str, Range], found: Fitted) -> dict:
    """What a card says of a family; told on the terminal, too."""
    own = sliders(ranges, found)
    print(f"{design.name}: " + ", ".join(f"{one['name']} {one['r2']}" for one in own if one["r2"] is not None))
    return {"name": design.name, "side": design.side, "sliders": own}


def stored(
    create, config: dict, weights: dict[str, Tensor], rows: list[dict], fits: list[Fitted]
) -> tuple[dict, dict[str, Tensor], dict]:
    """What export stores of a network that `create` builds: its config, weights with sliders, the card's rows."""
    whole = config | {"sliders": tuple(len(row["sliders"]) for row in rows)}
    network = create(whole)
    network.load_state_dict(weights, strict=False)
    for index, found in enumerate(fits):
        into(network.latents, index, found)
    return whole, network.state_dict(), {"families": rows}
