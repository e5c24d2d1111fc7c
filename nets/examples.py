"""What each family of a sampler looks like: its mean shape and a few drawn ones, decoded once and kept.

Searches begin by comparing with these, which costs next to nothing, and go on with those that are alike.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .camera import cell_centres
from .sampler import GROUND, Family, Sampler

COUNT = 8
"""Of each family; the first is its mean"""
TRUNCATION = 0.9
GRID = 24
"""Cells along each side of the box in which shapes are compared whatever their size"""
AFLOAT = 0.1
"""Of the cube's side above the floor, from which a shape does not stand on it; thin legs are lost in few cells"""
SOFT = 0.02
"""Of the longest side: how far off a surface may be and still count in part"""


@dataclass(frozen=True, eq=False)
class Examples:
    """Of one family, on the sampler's device; C are half the network's cells, whose means they are."""

    latents: Tensor
    """(K, L) on the CPU"""
    fields: Tensor
    """(K, C, C, C) negated distances over the truncation"""
    low: Tensor
    """(K, 3) lowest corners of the shapes' bounds, as shares of the cube's side from its middle"""
    high: Tensor
    """(K, 3)"""

    @property
    def longest(self) -> Tensor:
        """(K,) longest sides of the bounds."""
        return (self.high - self.low).amax(1)

    @property
    def foot(self) -> Tensor:
        """(K, 3) the middle of each lower face of the bounds."""
        return foot(self.low, self.high)


@functools.lru_cache(maxsize=64)
@torch.inference_mode()
def examples(model: Sampler, family: Family, count: int = COUNT) -> Examples:
    """Always the same for a model and a family."""
    prior = model.latents.at(family.index)
    rng, sliders = np.random.default_rng(family.index), list(family.sliders)
    drawn = [model.latents.draw(family.index, sliders, rng, TRUNCATION) for _ in range(count - 1)]
    latents = torch.stack([prior.mean, *drawn])
    where = torch.full((count,), family.index, device=model.where)
    fine = model.network.decode(latents.to(model.where), where).float()
    # A shape of nothing, as an untrained network decodes it, has the bounds of its largest cell
    solid = fine > (fine.amax((1, 2, 3), keepdim=True) - 1e-6).clamp_max(0)
    fields = F.avg_pool3d(fine[:, None], 2)[:, 0]
    low, high = (torch.stack(ends) for ends in zip(*(span(one) for one in solid), strict=True))
    low[:, 2] = torch.where(low[:, 2] < GROUND + AFLOAT, GROUND, low[:, 2])
    return Examples(latents, fields, low, high)


def span(solid: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of the filled cells of (N, N, N) bool over the cube [-.5, .5]^3."""
    n, ends = solid.shape[0], []
    for axis in range(3):
        there = (
            solid.any(max(a for a in range(3) if a != axis)).any(min(a for a in range(3) if a != axis)).nonzero()[:, 0]
        )
        ends.append(torch.stack([there[0] / n - 0.5, (there[-1] + 1) / n - 0.5]))
    low, high = torch.stack(ends).float().T
    return low, high


def foot(low: Tensor, high: Tensor) -> Tensor:
    """The middle of the lower face of bounds (..., 3)."""
    middle = (low + high) / 2
    return torch.cat([middle[..., :2], low[..., 2:]], -1)


def box(device=None) -> Tensor:
    """Places (GRID^3, 3) of the box that shapes stand in when they are compared: longest side 1, the foot at 0."""
    return cell_centres(GRID, device) + torch.tensor([0, 0, 0.5], device=device)


@functools.lru_cache(maxsize=64)
@torch.inference_mode()
def boxed(model: Sampler, family: Family) -> Tensor:
    """Soft occupancies (K, GRID^3) of the examples, each scaled to longest side 1 and standing on the box's floor."""
    found = examples(model, family)
    places = box(model.where) * found.longest[:, None, None] + found.foot[:, None]
    values = F.grid_sample(
        found.fields[:, None], (2 * places).flip(-1)[:, :, None, None], padding_mode="border", align_corners=False
    ).flatten(1)
    return (values * model.network.TRUNCATION / found.longest[:, None] / SOFT).sigmoid()


def overlap(some: Tensor, others: Tensor) -> Tensor:
    """Soft intersection over union (A, B) of (A, P) and (B, P) in [0, 1]."""
    both = some @ others.T
    return both / (some.square().sum(1)[:, None] + others.square().sum(1)[None] - both).clamp_min(1e-6)
