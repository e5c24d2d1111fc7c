"""How sure an answer is from place to place, and the smoothing that this takes."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

STEEP = 0.2
"""Change of the fine grid's occupancy from cell to cell that counts as sure"""
ROUND = 1.5
"""Standard deviation, in fine cells, of what is looked at round a place"""


def confidence(occupancy: Tensor) -> Tensor:
    """(N, N, N) in [0, 1] of occupancy (N, N, N) in [0, 1] at 64^3, in 255 steps: how steeply it changes at a surface.

    A network that does not know where a surface is answers with a slope as wide as its doubt. What that says about the
    distance to the true surface on validation shapes is in docs/benchmarks.md.
    """
    slope = torch.stack(torch.gradient(occupancy.float())).square().sum(0).sqrt()
    sure = (gaussian(slope, ROUND) / STEEP).clamp(0, 1)
    return (sure * 255).round() / 255


def gaussian(values: Tensor, deviation: float) -> Tensor:
    """values (N, N, N) smoothed by a Gaussian of so many cells."""
    reach = -int(-3 * deviation // 1)
    at = torch.arange(-float(reach), reach + 1, device=values.device)
    kernel = torch.softmax(-(at**2) / (2 * deviation**2), 0).tolist()
    values = values.float()
    for axis, size in enumerate(values.shape):  # shifted sums take a tenth of a convolution's time, or less
        around = [0] * 6
        around[4 - 2 * axis : 6 - 2 * axis] = reach, reach
        wide = F.pad(values[None, None], around, mode="replicate")[0, 0]
        values = sum_of([wide.narrow(axis, i, size) for i in range(len(kernel))], kernel)
    return values


def sum_of(parts: list[Tensor], weights: list[float]) -> Tensor:
    total = parts[0] * weights[0]
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        total.add_(part, alpha=weight)
    return total
