"""Latents in standard deviations of their families: where the searches of Encode and Fit take their steps."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .sampler import Sampler

STEP = 0.12
"""Adam's, in standard deviations of the family's latents"""
FARTHEST = 2.5
"""Standard deviations from its family's shapes that a latent is held within"""


@dataclass(frozen=True, eq=False)
class Priors:
    """Of B latents' families, on the sampler's device."""

    means: Tensor
    """(B, L)"""
    factors: Tensor
    """(B, L, L)"""

    def white(self, latent: Tensor) -> Tensor:
        """latent (B, L) -> (B, L) in standard deviations."""
        return torch.linalg.solve_triangular(self.factors, (latent - self.means)[..., None], upper=False)[..., 0]

    def latent(self, white: Tensor) -> Tensor:
        return self.means + torch.einsum("bij,bj->bi", self.factors, white)

    def held(self, latent: Tensor) -> Tensor:
        """Latents (B, L) drawn back to within FARTHEST of their families' shapes."""
        return self.latent(within(self.white(latent)))


def priors(model: Sampler, family: Tensor) -> Priors:
    """Of families (B,)."""
    found = [model.latents.at(int(index)) for index in family]
    return Priors(*(torch.stack([getattr(one, name) for one in found]).to(model.where) for name in ("mean", "factor")))


def within(white: Tensor) -> Tensor:
    far = white.square().mean(-1, keepdim=True).sqrt()
    return white * (FARTHEST / far.clamp_min(FARTHEST))
