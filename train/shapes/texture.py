"""Procedural textures in torch, the same as `fast.texture_mix`."""

from __future__ import annotations

import torch
from torch import Tensor

from . import program as P


def _hash(i: Tensor, j: Tensor, k: Tensor) -> Tensor:
    h = (i * 374761393 + j * 668265263 + k * 2147483647 + 144665) & 0x7FFFFFFF
    h = ((h ^ (h >> 13)) * 1274126177) & 0x7FFFFFFF
    return ((h ^ (h >> 16)) & 0xFFFF).float() / 65535


def noise(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    """Value noise in [0, 1]."""
    i, j, k = x.floor(), y.floor(), z.floor()
    u, v, w = (t * t * (3 - 2 * t) for t in (x - i, y - j, z - k))
    i, j, k = i.long(), j.long(), k.long()
    a, b = (torch.lerp(_hash(i, j + n, k), _hash(i, j + n, k + 1), w) for n in (0, 1))
    c, d = (torch.lerp(_hash(i + 1, j + n, k), _hash(i + 1, j + n, k + 1), w) for n in (0, 1))
    return torch.lerp(torch.lerp(a, b, v), torch.lerp(c, d, v), u)


def mix(kind: Tensor, scale: Tensor, points: Tensor) -> Tensor:
    """Share (B, N) of the second colour; kind and scale (B, N), points (B, N, 3)."""
    x, y, z = points.unbind(-1)
    s = scale
    checks = ((x * s).floor() + (y * s).floor() + (z * s).floor()).remainder(2)
    stripes = (torch.sin(6.2832 * z * s) > 0.2).float()
    patches = 0.65 * noise(x * s, y * s, z * s) + 0.35 * noise(x * 2.3 * s, y * 2.3 * s, 7 + z * 2.3 * s)
    rings = (x * x + 4 * y * y).sqrt() * 2 * s + 1.4 * noise(x * 3, y * 3, z * 0.7 * s)
    band = (z * s).remainder(1)
    print_ = torch.where(noise(x * s * 5, y * s * 5, z * s * 9) > 0.45, 1.0, 0.85) * ((band > 0.35) & (band < 0.75))
    speckle = (noise(x * s * 8, y * s * 8, z * s * 8) > 0.72).float()
    choices = {P.CHECKS: checks, P.STRIPES: stripes, P.BLOTCHES: ((patches - 0.42) * 6).clamp(0, 1),
               P.WOOD: 0.7 * rings.remainder(1), P.LABELS: print_, P.SPECKLE: speckle}
    out = torch.zeros_like(x)
    for which, value in choices.items():
        out = torch.where(kind == which, value, out)
    return out
