"""The same distances, fields and pictures as `fast`, batched in torch: for GPUs, where a whole batch is one kernel a step.

Loops run over kinds of part, places in the table and steps along rays, never over objects.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from . import program as P

BIG = 1e9


def distance(table: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """table (B, K, WIDTH), points (B, N, 3) -> signed distance (B, N), inside < 0, and the nearest part's index (B, N)."""
    rows = int((table[..., P.KIND] != P.EMPTY).sum(1).max())
    table = table[:, :rows]
    parts = _part_distances(table, points)
    best = torch.full_like(points[..., 0], BIG)
    part = torch.zeros_like(best, dtype=torch.long)
    for i in range(rows):
        row = table[:, i, None]
        there, cut = row[..., P.KIND] != P.EMPTY, row[..., P.OP] != P.UNION
        d = torch.where(row[..., P.OP] == P.CUT, -parts[:, i], parts[:, i])
        blend = row[..., P.BLEND]
        near = (blend - (best - d).abs()).clamp_min(0)
        extra = near * near * 0.25 / blend.clamp_min(1e-9) * (blend > 0)
        joined = torch.where(cut, torch.maximum(best, d) + extra, torch.minimum(best, d) - extra)
        nearer = torch.where(cut, d > best, d < best)
        part = torch.where(there & nearer, i, part)
        best = torch.where(there, joined, best)
    return best, part


def _part_distances(table: Tensor, points: Tensor) -> Tensor:
    """Signed distances (B, K, N) to every part; BIG where there is none."""
    batch, rows, _ = table.shape
    out = points.new_full((batch, rows, points.shape[1]), BIG)
    for kind, shape in SHAPES.items():
        b, k = (table[..., P.KIND] == kind).nonzero(as_tuple=True)
        if len(b):
            row = table[b, k]
            local = torch.einsum("mij,mnj->mni", row[:, P.ROTATION].reshape(-1, 3, 3), points[b] - row[:, None, P.CENTRE])
            a = row[:, P.PARAMS].T[..., None]  # (18, M, 1)
            out[b, k] = shape(a, *local.unbind(-1)) - row[:, P.INFLATE, None]
    return out


def _length(*parts: Tensor) -> Tensor:
    return sum(p * p for p in parts).clamp_min(0).sqrt()


def _box(a, x, y, z):
    q = torch.stack([x.abs() - a[0] + a[3], y.abs() - a[1] + a[3], z.abs() - a[2] + a[3]], -1)
    return q.clamp_min(0).norm(dim=-1) + q.amax(-1).clamp_max(0) - a[3]


def _cone(a, x, y, z):
    h, r1, r2 = a[0] - a[3], (a[1] - a[3]).clamp_min(0), (a[2] - a[3]).clamp_min(0)
    q = _length(x, y)
    cap_x, cap_y = q - torch.minimum(q, torch.where(z < 0, r1, r2)), z.abs() - h
    kx, ky = r2 - r1, 2 * h
    t = (((r2 - q) * kx + (h - z) * ky) / (kx * kx + ky * ky).clamp_min(1e-12)).clamp(0, 1)
    side_x, side_y = q - r2 + kx * t, z - h + ky * t
    inside = (side_x < 0) & (cap_y < 0)
    d = torch.minimum(_length(cap_x, cap_y), _length(side_x, side_y))
    return torch.where(inside, -d, d) - a[3]


def _ellipsoid(a, x, y, z):
    u, v, w = x / a[0], y / a[1], z / a[2]
    k0, k1 = _length(u, v, w), _length(u / a[0], v / a[1], w / a[2])
    return torch.where(k1 < 1e-9, -torch.minimum(a[0], torch.minimum(a[1], a[2])), k0 * (k0 - 1) / k1.clamp_min(1e-9))


def _arc(a, x, y, z):
    x = x.abs()
    k = torch.where(a[3] * x > a[2] * y, x * a[2] + y * a[3], _length(x, y))
    return (x * x + y * y + z * z + a[0] * a[0] - 2 * a[0] * k).clamp_min(0).sqrt() - a[1]


def _capsule(a, x, y, z):
    h, r1, r2 = 2 * a[0], a[1], a[2]
    z, q = z + a[0], _length(x, y)
    b = (r1 - r2) / h.clamp_min(1e-9)
    s = (1 - b * b).clamp_min(0).sqrt()
    k = -b * q + s * z
    low, high = _length(q, z) - r1, _length(q, z - h) - r2
    side = q * s + z * b - r1
    swallowed = torch.where(r2 > r1, high, low)
    return torch.where(b.abs() >= 1, swallowed, torch.where(k < 0, low, torch.where(k > s * h, high, side)))


def _polygon(corners: list[tuple[Tensor, Tensor]], x: Tensor, y: Tensor, closed: bool) -> Tensor:
    best, inside = torch.full_like(x, 1e18), torch.zeros_like(x, dtype=torch.bool)
    edges = zip(corners if closed else corners[1:], [corners[-1], *corners] if closed else corners)
    for (qx, qy), (px, py) in edges:
        ex, ey = qx - px, qy - py
        wx, wy = x - px, y - py
        t = ((wx * ex + wy * ey) / (ex * ex + ey * ey).clamp_min(1e-18)).clamp(0, 1)
        best = torch.minimum(best, (wx - ex * t) ** 2 + (wy - ey * t) ** 2)
        steep = torch.where((qy - py).abs() < 1e-12, torch.full_like(qy, 1e-12), qy - py)
        inside ^= ((py > y) != (qy > y)) & (x < px + ex * (y - py) / steep)
    d = best.sqrt()
    return torch.where(inside, -d, d)


def _lathe(a, x, y, z):
    nought = torch.zeros_like(a[0])
    corners = [(nought, a[1]), *((a[2 * i], a[2 * i + 1]) for i in range(8)), (nought, a[15])]
    return _polygon(corners, _length(x, y), z, closed=False)


def _prism(a, x, y, z):
    d = _polygon([(a[2 * i], a[2 * i + 1]) for i in range(8)], x, y, closed=True) + a[17]
    w = z.abs() - a[16] + a[17]
    return torch.maximum(d, w).clamp_max(0) + _length(d.clamp_min(0), w.clamp_min(0)) - a[17]


SHAPES = {P.BOX: _box, P.CONE: _cone, P.ELLIPSOID: _ellipsoid, P.ARC: _arc, P.CAPSULE: _capsule, P.LATHE: _lathe, P.PRISM: _prism}


def cell_centres(resolution: int, device) -> Tensor:
    at = (torch.arange(resolution, device=device, dtype=torch.float32) + 0.5) / resolution - 0.5
    return torch.stack(torch.meshgrid(at, at, at, indexing="ij"), -1).reshape(-1, 3)


def field(table: Tensor, resolution: int, cells: int = 32768) -> Tensor:
    """Distances (B, N, N, N) at cell centres of [-.5, .5]^3, `cells` at a time."""
    points = cell_centres(resolution, table.device)
    slabs = [distance(table, slab.expand(len(table), -1, -1))[0] for slab in points.split(cells)]
    return torch.cat(slabs, 1).reshape(len(table), resolution, resolution, resolution)


def lookup(grid: Tensor, points: Tensor) -> Tensor:
    """Trilinear distances (B, R) from grids (B, N, N, N) at points (B, R, 3); outside the cube, plus the way to it."""
    inside = points.clamp(-0.5, 0.5)
    away = (points - inside).norm(dim=-1)
    at = (inside * 2).flip(-1)[:, None, None]
    d = F.grid_sample(grid[:, None], at, padding_mode="border", align_corners=False)[:, 0, 0, 0]
    return torch.where(away > 0, d.clamp_min(0) + away, d)


def trace(grid: Tensor, table: Tensor, origin: Tensor, way: Tensor, start: Tensor, end: Tensor, steps: int = 56,
          finish: int = 10) -> tuple[Tensor, Tensor]:
    """Distances t (B, R) along rays and which of them hit. origin (B, 1, 3), way (B, R, 3), start and end (B, 1)."""
    t = start.expand(way.shape[:2]).clone()
    near = 1.2 / grid.shape[-1]
    for _ in range(steps):
        d = lookup(grid, origin + t[..., None] * way)
        t = torch.where((d < near) | (t > end), t, t + torch.maximum(0.95 * d - 0.3 * near, 0.5 * d.new_tensor(near)))
    for _ in range(finish):
        points = origin + t[..., None] * way
        coarse = lookup(grid, points)
        exact = distance(table, points)[0]
        step = torch.where(coarse < near, (0.9 * exact).clamp_min(0), (0.95 * coarse - 0.3 * near).clamp_min(0.5 * near))
        t = torch.where((exact < 8e-4) | (t > end), t, t + step)
    exact = distance(table, origin + t[..., None] * way)[0]
    return t, (exact < 4e-3) & (t < end)


def rays(camera: Tensor, uv: Tensor) -> Tensor:
    """Unit directions (B, R, 3) through picture points uv (B, R, 2) in tangents (u right, v down)."""
    c, s = camera[:, 3, None], camera[:, 4, None]
    u, v = uv.unbind(-1)
    return F.normalize(torch.stack([u, c - v * s, -s - v * c], -1), dim=-1)


def normals(table: Tensor, points: Tensor, e: float = 1.5e-3) -> Tensor:
    corners = points.new_tensor([[1, -1, -1], [-1, -1, 1], [-1, 1, -1], [1, 1, 1]])
    return F.normalize(sum(k * distance(table, points + e * k)[0][..., None] for k in corners), dim=-1)


def shadow(grid: Tensor, points: Tensor, way: Tensor) -> Tensor:
    t, light = torch.full_like(points[..., 0], 0.03), torch.ones_like(points[..., 0])
    for _ in range(24):
        d = lookup(grid, points + t[..., None] * way)
        light = torch.where(t < 1.6, torch.minimum(light, 10 * d / t), light)
        t = t + d.clamp(0.012, 0.15)
    return torch.where(light < 0.02, 0.0, light)


def softly(grid: Tensor, points: Tensor, way: Tensor, sharpness: Tensor) -> Tensor:
    """Share (B, R) of a lobe of the sky that reaches points (B, R, 3); way (B, 1, 3), sharpness (B, 1)."""
    hardness = (2 / sharpness - sharpness**-2) ** -0.5
    t, light = torch.full_like(points[..., 0], 0.04), torch.ones_like(points[..., 0])
    for _ in range(12):
        d = lookup(grid, points + t[..., None] * way)
        light = torch.where(t < 1.4, torch.minimum(light, hardness * d / t), light)
        t = t + torch.maximum(d.clamp_min(0.02), 0.25 * t / hardness)
    return torch.where(light < 0.02, 0.0, light)


def occlusion(grid: Tensor, points: Tensor, normal: Tensor) -> Tensor:
    total, weight = torch.zeros_like(points[..., 0]), 1.0
    for i in range(1, 5):
        total = total + weight * (0.035 * i - lookup(grid, points + normal * 0.035 * i)).clamp_min(0)
        weight *= 0.75
    return (1 - 4 * total).clamp_min(0.15)
