"""lookup.py's two ways as Triton kernels: which cell, which rows, their weights and their sum, in one go.

Nothing of it is imported where Triton is not there.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl
from torch import Tensor

BLOCK = 128
"""Points that one program takes"""


@triton.jit
def place(points, sample, there, axis: tl.constexpr, n):
    """The cell's number along an axis, and how far into the cell a point lies."""
    at = (tl.load(points + sample * 3 + axis, mask=there, other=0.0) + 0.5) * n
    low = tl.minimum(tl.maximum(tl.floor(at), 0.0), n - 1.0)
    return low.to(tl.int64), at - low


@triton.jit
def corner_of(rows, x, y, z, u, v, w, there, n, i: tl.constexpr, j: tl.constexpr, k: tl.constexpr):
    """The row of one of a cell's corners, and its share."""
    weight = (u if i else 1 - u) * (v if j else 1 - v) * (w if k else 1 - w)
    row = tl.load(rows + ((x + i) * (n + 1) + y + j) * (n + 1) + z + k, mask=there, other=0)
    return row.to(tl.int64), weight


@triton.jit
def begin(points, count, n, CHANNELS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr):
    """Which of this program's points are there, with their channels, where those lie; their cells, and how far in."""
    sample = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    there = sample < count
    channel = tl.arange(0, WIDE)
    held = there[:, None] & (channel < CHANNELS)[None, :]
    x, u = place(points, sample, there, 0, n)
    y, v = place(points, sample, there, 1, n)
    z, w = place(points, sample, there, 2, n)
    return there, held, sample[:, None] * CHANNELS + channel[None, :], x, y, z, u, v, w


@triton.jit
def mix(table, points, rows, out, count, n, CHANNELS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr):
    there, held, at, x, y, z, u, v, w = begin(points, count, n, CHANNELS, WIDE, BLOCK)
    total = tl.zeros((BLOCK, WIDE), tl.float32)
    for corner in tl.static_range(8):
        row, weight = corner_of(rows, x, y, z, u, v, w, there, n, corner // 4, corner // 2 % 2, corner % 2)
        value = tl.load(table + row[:, None] * CHANNELS + tl.arange(0, WIDE)[None, :], mask=held, other=0.0)
        total += weight[:, None] * value
    tl.store(out + at, total, mask=held)


@triton.jit
def unmix(grad, points, rows, out, count, n, CHANNELS: tl.constexpr, WIDE: tl.constexpr, BLOCK: tl.constexpr):
    there, held, at, x, y, z, u, v, w = begin(points, count, n, CHANNELS, WIDE, BLOCK)
    value = tl.load(grad + at, mask=held, other=0.0)
    told = held & (value != 0)  # samples that are no more than room in a buffer have no gradient
    for corner in tl.static_range(8):
        row, weight = corner_of(rows, x, y, z, u, v, w, there, n, corner // 4, corner // 2 % 2, corner % 2)
        tl.atomic_add(out + row[:, None] * CHANNELS + tl.arange(0, WIDE)[None, :], weight[:, None] * value, mask=told)


def launch(kernel, table: Tensor, points: Tensor, grid, out: Tensor) -> Tensor:
    count, channels = len(points), table.shape[1]
    if count:
        wide = triton.next_power_of_2(channels)
        shape = (triton.cdiv(count, BLOCK),)
        kernel[shape](table, points.contiguous(), grid.rows, out, count, grid.resolution, channels, wide, BLOCK)
    return out


def mixed(table: Tensor, points: Tensor, grid) -> Tensor:
    """table (M, C) float32, points (P, 3) -> (P, C)"""
    return launch(mix, table.contiguous(), points, grid, torch.empty(len(points), table.shape[1], device=table.device))


def spread(grad: Tensor, points: Tensor, grid, count: int) -> Tensor:
    """grad (P, C) float32 -> (M, C) of `count` rows"""
    return launch(unmix, grad, points, grid, torch.zeros(count, grad.shape[1], device=grad.device))
