"""A latent space that an artist moves about in: drawing, varying, and sliders that change one thing each.

Every family has its own. Latents z of the family's shapes are taken for Gaussian with mean m and covariance C = F F^T
(`prior`). A slider reads a value off a latent, `value = w z + b`, and moves it along a direction d. Directions are the
ones that change a latent least, as the covariance measures it, so that one slider's value changes and no other's
(w_i d_k = 1 where i = k, else 0). Named sliders come first; those that the network found follow, each at right angles
to all others where the covariance is a sphere.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Slider:
    """As the card has it."""

    name: str
    unit: str
    minimum: float
    maximum: float
    default: float
    r2: float | None = None
    """How well decoded shapes obey: 1 is perfectly. None for what a network found and nobody named."""
    part: str = ""
    """What it belongs with: "identity" or "expression" of heads"""


class Space:
    """Moving about where `readout`, `direction` and `prior` hold each family's tensors under its number."""

    readout: nn.Module
    direction: nn.Module
    prior: nn.Module
    even = True
    """Whether named numbers are drawn evenly from their ranges, as shapes were that a network learned to encode"""

    def at(self, family: int) -> nn.Module:
        """How latents of a family are spread: `mean` (L,) and `factor` (L, L)."""
        return getattr(self.prior, str(family))

    def values(self, latent: Tensor, family: int) -> Tensor:
        """latent (..., L) -> what the sliders say (..., S), in their own units."""
        readout = getattr(self.readout, str(family))
        return latent @ readout.weight.T + readout.bias

    def moved(self, latent: Tensor, family: int, change: Tensor) -> Tensor:
        """latent (..., L) with its sliders' values changed by (..., S)."""
        return latent + change @ getattr(self.direction, str(family))

    def draw(self, family: int, sliders: list[Slider], generator: np.random.Generator, truncation: float) -> Tensor:
        """A latent (L,) of the family: where `even`, named numbers from their ranges and the rest as the covariance has
        it, given those; else all as the covariance has it. `truncation` draws all towards the mean."""
        prior = getattr(self.prior, str(family))
        noise = torch.from_numpy(generator.standard_normal(len(prior.mean)).astype(np.float32))
        share = torch.from_numpy(generator.random(len(sliders)).astype(np.float32))
        latent = prior.mean + truncation * prior.factor @ noise
        if not self.even:
            return latent
        named = [i for i, slider in enumerate(sliders) if slider.r2 is not None]
        low, high = (torch.tensor([getattr(sliders[i], end) for i in named]) for end in ("minimum", "maximum"))
        change = torch.zeros(len(sliders))
        now = self.values(latent, family)
        middle = (low + high) / 2
        change[named] = middle + truncation * (share[named] - 0.5) * (high - low) - now[named]
        return self.moved(latent, family, change)

    def varied(self, latent: Tensor, family: int, generator: np.random.Generator, amount: float) -> Tensor:
        """A latent nearby: `amount` is the step's length, 1 as far apart as two random shapes are from their mean."""
        prior = getattr(self.prior, str(family))
        noise = torch.from_numpy(generator.standard_normal(len(prior.mean)).astype(np.float32))
        return latent + amount * prior.factor @ noise

    def depth(self, latent: Tensor, family: int) -> Tensor:
        """How far a latent lies from the family's shapes, in standard deviations: about 1 for those (...)."""
        prior = getattr(self.prior, str(family))
        white = torch.linalg.solve_triangular(prior.factor, (latent - prior.mean).unsqueeze(-1), upper=False)
        return white.square().mean((-2, -1)).sqrt()


class Latents(Space, nn.Module):
    """Tensors only, so that they are stored beside a network's weights; `sliders` counts each family's."""

    def __init__(self, latent: int, sliders: tuple[int, ...], even: bool = True):
        super().__init__()
        self.even = even
        self.readout, self.direction, self.prior = nn.Module(), nn.Module(), nn.Module()
        for i, count in enumerate(sliders):
            readout, prior = nn.Module(), nn.Module()
            readout.register_buffer("weight", torch.zeros(count, latent))
            readout.register_buffer("bias", torch.zeros(count))
            prior.register_buffer("mean", torch.zeros(latent))
            prior.register_buffer("factor", torch.eye(latent))
            self.readout.add_module(str(i), readout)
            self.direction.register_buffer(str(i), torch.zeros(count, latent))
            self.prior.add_module(str(i), prior)
