"""Values between the eight corners of a grid's cells, with gradients for the table that holds them.

For graphics cards: `F.embedding_bag`, which is the quickest on a processor, would sort its rows for each gradient. A
kernel of lookup_triton.py does each way in one go where Triton can be had; plain operations do the same elsewhere.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util

import torch
from torch import Tensor

CLOSE = 1e-4
"""By how much kernels and plain operations may differ, of values near one"""


class Trilinear(torch.autograd.Function):
    """table (M, C), points (P, 3) in active cells of a VoxelGrid -> (P, C). Points get no gradients."""

    @staticmethod
    def forward(ctx, table: Tensor, points: Tensor, grid) -> Tensor:
        ctx.save_for_backward(points)
        ctx.grid, ctx.count = grid, len(table)
        kernels = kernels_for(table.device, type(grid))
        return kernels.mixed(table, points, grid) if kernels else mixed(table, points, grid)

    @staticmethod
    def backward(ctx, grad: Tensor):
        (points,) = ctx.saved_tensors
        kernels = kernels_for(grad.device, type(ctx.grid))
        spread = kernels.spread if kernels else spread_plainly
        return spread(grad.contiguous(), points, ctx.grid, ctx.count), None, None


def mixed(table: Tensor, points: Tensor, grid) -> Tensor:
    """As Trilinear."""
    rows, weights = grid.mixture(points)
    found = table.index_select(0, rows.flatten()).unflatten(0, rows.shape)
    return (found * weights[..., None]).sum(1)


def spread_plainly(grad: Tensor, points: Tensor, grid, count: int) -> Tensor:
    """grad (P, C) of values at points -> (M, C) of the table's `count` rows."""
    rows, weights = grid.mixture(points)
    shares = (weights[..., None] * grad[:, None]).flatten(0, 1)
    return grad.new_zeros(count, grad.shape[1]).index_add_(0, rows.flatten(), shares)


@functools.cache
def kernels_for(device: torch.device, kind: type):
    """The module of kernels for a device and a kind of grid, if they agree with plain operations on it; else None."""
    if device.type != "cuda" or importlib.util.find_spec("triton") is None:
        return None
    try:
        kernels = importlib.import_module(".lookup_triton", __package__)
        return kernels if agree(kernels, device, kind) else None
    except Exception:  # no compiler, a card that is too old: whatever it is, there is another way
        return None


def agree(kernels, device, kind: type) -> bool:
    """Whether kernels find the values and gradients that plain operations do."""
    chance = torch.Generator().manual_seed(0)
    grid = kind((torch.rand(6, 6, 6, generator=chance) < 0.5).to(device))
    cell = grid.active.nonzero()[torch.randint(int(grid.active.sum()), (300,), generator=chance).to(device)]
    points = (cell + torch.rand(300, 3, generator=chance).to(device)) / 6 - 0.5
    table = torch.rand(len(grid), 11, generator=chance).to(device)
    grad = torch.rand(300, 11, generator=chance).to(device)
    pairs = (
        (kernels.mixed(table, points, grid), mixed(table, points, grid)),
        (kernels.spread(grad, points, grid, len(grid)), spread_plainly(grad, points, grid, len(grid))),
    )
    return all(torch.allclose(one, other, rtol=CLOSE, atol=CLOSE) for one, other in pairs)
