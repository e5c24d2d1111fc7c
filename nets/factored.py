"""A grid as a sum of planes times lines, along each axis.

Boards, legs and what a lathe turned are such sums of few products, flat and straight to a part of a cell, which
convolutions learn slowly. The vector-matrix decomposition of TensoRF (Chen et al. 2022, arXiv:2203.09517), whose
factors networks of places say here.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH = 64
"""Features of a network of places"""


class Factored(nn.Module):
    """In float32 throughout: eight bits cannot tell parts of a cell. Begins by saying nothing."""

    def __init__(self, sides: tuple[int, int, int], rank: int, entering: int):
        """sides: cells of the grid, the first perhaps the half of a mirrored one; entering: features of a condition."""
        super().__init__()
        self.sides = sides
        along = [(torch.arange(n) + 0.5) / sides[1] * 2 - 1 for n in sides]
        self.lines, self.planes = nn.ModuleList(), nn.ModuleList()
        for axis in range(3):
            plane = torch.cartesian_prod(*others(along, axis))
            plane = torch.cat([plane, plane.norm(dim=1, keepdim=True)], 1)
            self.planes.append(Factors(plane, rank, entering))
            self.lines.append(Factors(along[axis][:, None], rank, entering))
            nn.init.zeros_(self.lines[-1].last.weight)
            nn.init.zeros_(self.lines[-1].last.bias)

    def forward(self, condition: Tensor, coarse: bool = False) -> Tensor:
        """condition (B, C) -> (B, 1, X, Y, Z), or the means over cubes of 2^3 cells"""
        with torch.autocast(condition.device.type, enabled=False):
            return sum(self.product(axis, condition.float(), coarse) for axis in range(3))[:, None]

    def product(self, axis: int, condition: Tensor, coarse: bool) -> Tensor:
        """(B, X, Y, Z)"""
        plane, line = self.planes[axis](condition), self.lines[axis](condition)
        plane = plane.unflatten(1, others(self.sides, axis))
        if coarse:
            plane, line = halved(halved(plane, 1), 2), halved(line, 1)
        field = plane.flatten(1, 2) @ line.transpose(1, 2)
        return field.unflatten(1, plane.shape[1:3]).movedim(3, axis + 1)


class Factors(nn.Module):
    """A network of places (P, A) that knows what the whole shape says -> (B, P, rank).

    Two layers of bends: a distance is straight but for those."""

    def __init__(self, places: Tensor, rank: int, entering: int):
        super().__init__()
        self.register_buffer("places", places, persistent=False)
        self.slope = nn.Parameter(4 * torch.randn(places.shape[1], WIDTH))
        self.offset, self.shift = nn.Linear(entering, WIDTH), nn.Linear(entering, WIDTH)
        self.mix, self.last = nn.Linear(WIDTH, WIDTH, bias=False), nn.Linear(WIDTH, rank)
        nn.init.uniform_(self.offset.bias, -4, 4)

    def forward(self, condition: Tensor) -> Tensor:
        offset, shift = self.offset(condition), self.shift(condition)
        if len(condition) == 1:  # as biases they take no pass of their own
            x = F.relu(F.linear(self.places, self.slope.T, offset[0]), inplace=True)
            return self.last(F.relu(F.linear(x, self.mix.weight, shift[0]), inplace=True))[None]
        x = F.relu(self.places @ self.slope + offset[:, None], inplace=True)
        return self.last(F.relu(self.mix(x) + shift[:, None], inplace=True))


def halved(x: Tensor, axis: int) -> Tensor:
    """Means of neighbours along an axis."""
    return x.unflatten(axis, (-1, 2)).mean(axis + 1)


def others(values, axis: int) -> list:
    return [value for i, value in enumerate(values) if i != axis]
