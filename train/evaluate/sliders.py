"""Whether a slider does what its name says: numbers measured on decoded shapes by a network that never saw the sampler.

The judge is shape_class, which learnt to read a design's numbers from its shape. Its own R^2 on true shapes is as high
as any sampler can come. Numbers are scaled: variance 1 and mean 0 over their ranges.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from ...nets.shape_class import ShapeClass
from ...nets.shape_vae import ShapeVAE
from ..recipes.shape_class import read_numbers
from ..shapes.designs import Range
from .draws import Prior, decoded
from .measure import number
from .reconstructed import BATCH, Shapes

SPAN = 3**0.5
"""Half the range of a number that is even over it and has variance 1"""
OBEYED, ALONE = 0.8, 0.2
"""R^2 from which a slider counts as obeyed, leakage up to which as moving its own number alone"""


class Sliders(Protocol):
    """What a sampler offers for each family: latents (B, L)."""

    def count(self, family: int) -> int:
        """Sliders of a family, in the order of its design's numbers."""

    def values(self, latents: Tensor, family: int) -> Tensor:
        """(B, S) scaled."""

    def moved(self, latents: Tensor, family: int, slider: int, amount: Tensor) -> Tensor:
        """Latents whose value of that slider is larger by amount (B,)."""


class Tied:
    """The first numbers of a latent themselves, which training ties to the named ones."""

    def __init__(self, counts: list[int]):
        self.counts = counts

    def count(self, family: int) -> int:
        return self.counts[family]

    def values(self, latents: Tensor, family: int) -> Tensor:
        return latents[:, : self.counts[family]]

    def moved(self, latents: Tensor, family: int, slider: int, amount: Tensor) -> Tensor:
        latents = latents.clone()
        latents[:, slider] += amount
        return latents


class Shipped:
    """The sliders that an exported network holds, as artists move them; `ranges` are those of its families' designs."""

    def __init__(self, network: torch.nn.Module, ranges: list[list[Range]]):
        self.latents = network.latents.cpu()
        ends = [torch.tensor([[r.low, r.high] for r in own], dtype=torch.float32) for own in ranges]
        self.middle = [low_high.mean(1) for low_high in ends]
        self.unit = [(low_high[:, 1] - low_high[:, 0]) / (2 * SPAN) for low_high in ends]

    def count(self, family: int) -> int:
        return len(self.unit[family])

    def values(self, latents: Tensor, family: int) -> Tensor:
        said = self.latents.values(latents, family)[:, : self.count(family)]
        return (said - self.middle[family]) / self.unit[family]

    def moved(self, latents: Tensor, family: int, slider: int, amount: Tensor) -> Tensor:
        direction = getattr(self.latents.direction, str(family))[slider]
        return latents + (amount * self.unit[family][slider])[:, None] * direction


@dataclass(frozen=True)
class Slider:
    """r2 of what is measured against what was asked; leakage: how much the number moves that moves most besides, as a
    share of the one that was asked to; ceiling: r2 of the judge on true shapes."""

    family: str
    name: str
    r2: float
    leakage: float
    ceiling: float


def measure(
    network: ShapeVAE,
    sliders: Sliders,
    prior: Prior,
    judge: ShapeClass,
    names: list[list[str]],
    true: Shapes,
    draws: int = 32,
) -> list[Slider]:
    """Every slider of every family, over `draws` latents each: set to a value drawn evenly from its range."""
    ceilings = judged(judge, true)
    rows = []
    for family, own in enumerate(names):
        known = true.family == family
        base = prior(draws, family, 11)
        before = measured(judge, network, base, family)
        values = sliders.values(base, family)
        for slider, name in enumerate(own[: sliders.count(family)]):
            asked = torch.empty(draws).uniform_(-SPAN, SPAN, generator=torch.Generator().manual_seed(slider))
            moved = sliders.moved(base, family, slider, asked - values[:, slider])
            after = measured(judge, network, moved, family)
            found = determination(after[:, slider], asked.numpy())
            ceiling = determination(ceilings[known, slider], true.numbers[known, slider])
            change = leakage((after - before)[:, : len(own)], slider)
            rows.append(Slider(network.config.families[family], name, found, change, ceiling))
    return rows


def measured(judge: ShapeClass, network: ShapeVAE, latents: Tensor, family: int) -> np.ndarray:
    """Numbers (N, P) that the judge reads from decoded latents."""
    fields = decoded(network, latents, family)
    return judged(judge, Shapes(fields, np.full(len(fields), family)))


@torch.no_grad()
def judged(judge: ShapeClass, shapes: Shapes) -> np.ndarray:
    parts = range(0, len(shapes), BATCH)
    return np.concatenate([read_numbers(judge, *shapes.tensors(slice(i, i + BATCH))).numpy() for i in parts])


def determination(found: np.ndarray, asked: np.ndarray) -> float:
    """R^2 of answers to values whose variance over their range is 1: steady where they are few. NaN of none."""
    return float(1 - np.square(found - asked).mean()) if len(asked) else float("nan")


def leakage(change: np.ndarray, slider: int) -> float:
    """change (N, P) of all numbers -> root mean square of the one that moves most besides, over the slider's own."""
    size = np.sqrt(np.square(change).mean(0))
    others = np.delete(size, slider)
    return float(others.max() / max(size[slider], 1e-9)) if len(others) else 0.0


def table(rows: list[Slider]) -> str:
    """Markdown: means by family and over all sliders."""
    lines = ["| family | sliders | R² | the judge's own | leakage | weakest |", "| --- |" + " --- |" * 5]
    for family in dict.fromkeys(row.family for row in rows):
        lines.append(line(family, [row for row in rows if row.family == family]))
    good = [row for row in rows if row.r2 >= OBEYED]
    alone = [row for row in good if row.leakage <= ALONE]
    lines += [line("**all**", rows), ""]
    lines.append(f"{len(good)} sliders have an R² of {OBEYED} and more, as the judge reads them;")
    lines.append(f"{len(alone)} of those move their own number at least 5 times as much as any other.")
    return "\n".join(lines)


def line(title: str, rows: list[Slider]) -> str:
    found = means(rows)
    cells = " | ".join(number(found[column]) for column in ("r2", "ceiling", "leakage"))
    worst = min(rows, key=lambda row: row.r2)
    return f"| {title} | {len(rows)} | {cells} | {worst.name} {number(worst.r2)} |"


def means(rows: list[Slider]) -> dict[str, float]:
    found = {}
    for column in ("r2", "ceiling", "leakage"):
        values = [value for row in rows if not np.isnan(value := getattr(row, column))]
        found[column] = float(np.mean(values)) if values else float("nan")
    return found
