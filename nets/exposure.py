"""How much brighter than the others each photo was taken, and how its white was balanced: found beside the field."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .radiance_field import harmonics

TOE, POWER = 0.055, 2.4
"""Of sRGB's curve: light is (c + TOE) to this power"""
PRIOR = 5e-4
"""Weight of gains that are one beside mean squares of colours: where photos may be alike, they are."""
SPEED = 0.1
"""Share of the way to the best gains that each step goes: its pixels are only some of a photo's."""
BEGINS = 0.12
"""Share of the fitting before which colours are too rough to tell one photo's light from another's."""
ALIKE = 0.04
"""Spread of the logarithms of light below which photos are taken for alike: that much is found where they are"""
MANY = 30
"""Photos from which bends are told from chance in what changes from side to side"""


class Exposure(nn.Module):
    """A gain for each of P photos and each channel; over all photos their logarithms have mean zero.

    Light times a factor is (c + TOE) times a gain in sRGB, but for what is nearly black. How other photos than these
    were taken nobody knows: they are drawn as the mean of all, which is a gain of one.
    """

    def __init__(self, photos: int):
        super().__init__()
        self.register_buffer("log", torch.zeros(photos, 3))

    def forward(self, colour: Tensor, photo: Tensor, opacity: Tensor | float = 1.0) -> Tensor:
        """colour (R, 3) sRGB times opacity (R, 1), as the photos (R,) int64 of these numbers took it."""
        return (colour + TOE * opacity) * self.log[photo].exp() - TOE * opacity

    @torch.no_grad()
    def learn(self, shown: Tensor, missing: Tensor, photo: Tensor) -> None:
        """A step towards the least squares: shown (R, 3) as exposed, missing (R, 3) what the photos (R,) have more."""
        sums = torch.zeros_like(self.log)
        wanted = sums.index_add(0, photo, shown * missing)
        weight = sums.index_add(0, photo, shown.square())
        prior = PRIOR * sums[:, :1].index_add(0, photo, torch.ones_like(shown[:, :1]))
        self.log += SPEED * (wanted - prior * self.log) / (weight + prior).clamp_min(1e-6)
        self.log -= self.log.mean(0)

    def matters(self, ways: Tensor) -> bool:
        """Photos differ by more than is found in those that do not. ways (P, 3): where each looks.

        What changes smoothly from side to side does not count: colours that depend on the direction of view say the
        same, so that much of it comes unbidden, the more the longer one waits.
        """
        smooth = harmonics(ways)[:, : 9 if len(ways) >= MANY else 4]
        if len(ways) <= 2 * smooth.shape[1]:
            smooth = smooth[:, :1]
        left = self.log - smooth @ (torch.linalg.pinv(smooth) @ self.log)
        spread = left.square().sum(0).mean() / max(len(ways) - smooth.shape[1], 1)
        return float(spread.sqrt()) * POWER > ALIKE

    def gains(self) -> Tensor:
        """(P, 3) factors of light."""
        return (self.log * POWER).exp()
