"""Which cells of a cube hold a surface, and how points in them mix what is stored at their eight corners."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .lookup import Trilinear


class VoxelGrid:
    """Active cells of [-.5, .5]^3 at resolution R; their corners are numbered rows of the tables that hold values.

    active (R, R, R) bool. Memory is 4 bytes a corner of the whole cube; tables have rows for active corners alone.
    On a CPU several channels are mixed by `F.embedding_bag`, one channel by plain indexing: there each is several times
    quicker at its own than the other. Graphics cards have lookup.py.
    """

    def __init__(self, active: Tensor):
        self.active = active
        self.resolution = n = active.shape[0]
        corner = F.max_pool3d(F.pad(active[None, None].float(), (1,) * 6), 2, 1)[0, 0] > 0
        number = torch.cumsum(corner.flatten(), 0, dtype=torch.int32) - 1
        self.rows = torch.where(corner.flatten(), number, -1)
        """((R + 1)^3,) int32: the row of each corner, -1 where it has none"""
        self.places = corner.nonzero()
        """(M, 3) int64: the corner of each row, 0 to R"""
        steps = torch.arange(2, device=active.device)
        near = torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(8, 3)
        self.stride = torch.tensor([(n + 1) ** 2, n + 1, 1]).to(active.device)
        self.offsets = (near * self.stride).sum(1)
        self.near = near

    def __len__(self) -> int:
        return len(self.places)

    def holds(self, points: Tensor) -> Tensor:
        """points (..., 3) of the cube -> bool (...): in an active cell."""
        return self.active.flatten()[self.cells(points)] & (points.abs() < 0.5).all(-1)

    def cells(self, points: Tensor, size: int = 1) -> Tensor:
        """The number of the cell, or of the block of size^3 cells, that holds each of points (..., 3)."""
        n = self.resolution // size
        at = ((points + 0.5) * n).long().clamp_(0, n - 1)
        return (at[..., 0] * n + at[..., 1]) * n + at[..., 2]

    def mixture(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """points (P, 3) in active cells -> rows (P, 8) int32 and trilinear weights (P, 8)."""
        at = (points + 0.5) * self.resolution
        low = at.floor().clamp_(0, self.resolution - 1)
        part = (at - low)[:, None]
        weights = torch.where(self.near.bool(), part, 1 - part).prod(-1)
        first = (low.long() * self.stride).sum(1)
        return self.rows[first[:, None] + self.offsets], weights

    def at(self, table: Tensor, points: Tensor) -> Tensor:
        """What table (M, C) holds at points (P, 3) in active cells, mixed trilinearly: (P, C); of table (M,): (P,)."""
        if table.device.type == "cpu":
            return self.values(table, self.mixture(points))
        flat = table[:, None] if table.ndim == 1 else table
        return Trilinear.apply(flat, points, self).reshape(len(points), *table.shape[1:])

    def values(self, table: Tensor, mixture: tuple[Tensor, Tensor]) -> Tensor:
        """Rows of table (M, C) mixed: (P, C); of table (M,): (P,)."""
        rows, weights = mixture
        if table.ndim == 1:
            return (table[rows.long()] * weights).sum(1)
        return F.embedding_bag(rows, table, mode="sum", per_sample_weights=weights)

    def neighbours(self) -> Tensor:
        """(K, 7) rows: a corner, those after it along x, y and z, and those before it, where all are there."""
        n = self.resolution
        first = (self.places * self.stride).sum(1)
        within = ((self.places > 0) & (self.places < n)).all(1)
        steps = torch.cat([torch.zeros_like(self.stride[:1]), self.stride, -self.stride])
        group = self.rows[first[within][:, None] + steps]
        return group[(group >= 0).all(1)].long()

    def corners(self) -> Tensor:
        """Places (M, 3) of the rows in the cube."""
        return self.places.float() / self.resolution - 0.5

    def dense(self, table: Tensor, fill: float) -> Tensor:
        """table (M,) as a volume over all corners, (R + 1, R + 1, R + 1)."""
        n = self.resolution + 1
        out = table.new_full((n**3,), fill)
        kept = self.rows >= 0
        out[kept] = table[self.rows[kept].long()]
        return out.reshape(n, n, n)
