"""The coarse stage on cosine waves in place of a table: an option, measured in docs/benchmarks.md, and off.

What the stage adds to distances and colours is a discrete cosine transform (DCT-II) of few coefficients, low
frequencies first, so that each step moves all of the surface and nothing finer than the waves that are let in so far.
Steps are taken by the coefficients; the field's tables are written anew after each, so that all else reads them as
ever.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .fit_stage import Run

WAVES = 24
"""Frequencies along each side"""
FIRST = 4
"""Those that are let in at once; the others follow over the stage"""
DECAY = 1.5
"""Coefficients of frequency k move (1 + k) to the power of minus this as fast"""


class WavesRun(Run):
    """A stage whose optimiser moves coefficients (C, K, K, K) of distance and colours."""

    RECORDABLE = False

    def __init__(self, fitted, *rest, waves: int = WAVES):
        self.places = fitted.field.grid.places
        tables = tables_of(fitted.field)
        self.waves = cosines(len(fitted.volume), waves).to(tables.device)
        self.base = tables.detach().clone()
        self.coefficients = torch.nn.Parameter(tables.new_zeros(tables.shape[1], waves, waves, waves))
        side = torch.arange(waves, device=tables.device)
        self.frequency = torch.stack(torch.meshgrid(side, side, side, indexing="ij")).amax(0)
        self.slower = (1.0 + self.frequency) ** -DECAY
        self.let_in = FIRST
        super().__init__(fitted, *rest)

    def groups(self) -> list[dict]:
        """Rates as the tables' own: distance and colours move at theirs by `push`."""
        return [{"params": [self.coefficients], "lr": 1.0}, self.field.groups()[2]]

    def anneal(self, part: float) -> None:
        super().anneal(part)
        self.let_in = FIRST + part * (len(self.waves.T) - FIRST)

    def advance(self) -> None:
        self.optimiser.zero_grad(set_to_none=True)
        self.field.distance.grad = self.field.colour.grad = None
        self.loss().backward()
        self.pull()
        self.optimiser.step()
        self.push()

    @torch.no_grad()
    def pull(self) -> None:
        """Gradients of the tables -> of the coefficients that are let in."""
        grads = torch.cat([self.field.distance.grad[:, None], self.field.colour.grad], 1)
        n = len(self.waves)
        x, y, z = self.places.unbind(1)
        volume = grads.new_zeros(grads.shape[1], n, n, n)
        volume[:, x, y, z] = grads.T
        self.coefficients.grad = transformed(volume, self.waves.T) * (self.frequency < self.let_in)

    @torch.no_grad()
    def push(self) -> None:
        """The coefficients -> the field's tables."""
        x, y, z = self.places.unbind(1)
        values = transformed(self.coefficients * self.slower, self.waves)[:, x, y, z].T
        rates = [group["lr"] for group in self.field.groups()[:2]]
        self.field.distance.copy_(self.base[:, 0] + rates[0] * values[:, 0])
        self.field.colour.copy_(self.base[:, 1:] + rates[1] * values[:, 1:])


def tables_of(field) -> Tensor:
    """(M, 1 + C) distance and colours."""
    return torch.cat([field.distance.detach()[:, None], field.colour.detach()], 1)


def cosines(points: int, waves: int) -> Tensor:
    """(N, K) cosines of DCT-II at N points, of height 1."""
    return torch.cos(math.pi / points * (torch.arange(points)[:, None] + 0.5) * torch.arange(waves))


def transformed(volume: Tensor, matrix: Tensor) -> Tensor:
    """volume (C, A, A, A) by matrix (B, A) along each side: (C, B, B, B)."""
    return torch.einsum("cxyz,ax,by,dz->cabd", volume, matrix, matrix, matrix)
