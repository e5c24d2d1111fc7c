"""The upright camera of a cropped picture: five numbers that carry points of the cube into the crop and back."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# Bins of the joint distribution over elevation (degrees) and log scale (half crops a unit)
ELEVATIONS = torch.linspace(-10, 60, 8) * (math.pi / 180)
SCALES = torch.linspace(0.15, 1.55, 8)
BINS = (len(ELEVATIONS), len(SCALES))


def project(points: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    """points (N, 3) of the cube, camera (B, 5) -> uv (B, N, 2) in [-1, 1] of the crop (v down), depth (B, N).

    Depth counts from the cube's centre.

    camera: elevation (radians), log scale, 1 / distance, u0, v0. The camera stands at -y and above by its elevation,
    its picture's up is the cube's z: u = s D x / (D + z) + u0, with s D / D the half crops a unit at the centre.
    """
    elevation, log_scale, near, u0, v0 = (camera[:, i, None] for i in range(5))
    x, y, z = points.unbind(-1)
    c, s = elevation.cos(), elevation.sin()
    depth = y * c - z * s
    up = y * s + z * c
    k = log_scale.exp() / (1 + near * depth).clamp_min(0.2)
    return torch.stack([k * x + u0, v0 - k * up], -1), depth


def unproject(uv: Tensor, depth: Tensor, camera: Tensor) -> Tensor:
    """The way back: uv (B, ..., 2) and depth (...), broadcast, through camera (B, 5) -> points (B, ..., 3)."""
    u, v, depth = torch.broadcast_tensors(uv[..., 0], uv[..., 1], depth)
    elevation, log_scale, near, u0, v0 = (camera[:, i].reshape(-1, *[1] * (u.ndim - 1)) for i in range(5))
    c, s = elevation.cos(), elevation.sin()
    k = log_scale.exp() / (1 + near * depth).clamp_min(0.2)
    x, up = (u - u0) / k, (v0 - v) / k
    return torch.stack([x, depth * c + up * s, up * c - depth * s], -1)


def cell_centres(resolution: int, device=None) -> Tensor:
    """Centres (N^3, 3) of the cells of [-.5, .5]^3, x slowest."""
    at = (torch.arange(resolution, device=device, dtype=torch.float32) + 0.5) / resolution - 0.5
    return torch.stack(torch.meshgrid(at, at, at, indexing="ij"), -1).reshape(-1, 3)


def soft_bins(elevation: Tensor, log_scale: Tensor) -> Tensor:
    """Joint target (B, E * S): each value shared between its two nearest bin centres."""
    return (share(elevation, ELEVATIONS)[:, :, None] * share(log_scale, SCALES)[:, None, :]).flatten(1)


def share(value: Tensor, centres: Tensor) -> Tensor:
    """How much of each value (B,) falls to each of evenly spaced bin centres (N,): (B, N), rows sum to 1."""
    centres = centres.to(value)
    step = centres[1] - centres[0]
    at = ((value - centres[0]) / step).clamp(0, len(centres) - 1)
    return (1 - (at[:, None] - torch.arange(len(centres), device=value.device)).abs()).clamp_min(0)


def hypotheses(logits: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The `count` likeliest cameras: (elevation, log scale) (B, count, 2) and weights (B, count) that sum to 1.

    Each is a peak of the joint bins, placed by the mean of its 3 x 3 neighbourhood, which is then taken out.
    """
    batch = len(logits)
    mass = logits.softmax(-1).reshape(batch, *BINS)
    rows = torch.arange(BINS[0], device=logits.device)[None, :, None]
    columns = torch.arange(BINS[1], device=logits.device)[None, None, :]
    elevations, scales = ELEVATIONS.to(mass)[None, :, None], SCALES.to(mass)[None, None, :]
    found, weights = [], []
    for _ in range(count):
        peak = mass.flatten(1).argmax(1)
        close = ((rows - (peak // BINS[1])[:, None, None]).abs() <= 1) & (
            (columns - (peak % BINS[1])[:, None, None]).abs() <= 1
        )
        local = mass * close
        total = local.sum((1, 2)).clamp_min(1e-9)
        found.append(torch.stack([(local * elevations).sum((1, 2)) / total, (local * scales).sum((1, 2)) / total], -1))
        weights.append(total)
        mass = mass * ~close
    weight = torch.stack(weights, 1)
    return torch.stack(found, 1), weight / weight.sum(1, keepdim=True)


def likeliest(
    logits: Tensor, elevation: float | None, log_scale: float | None
) -> tuple[Tensor, Tensor]:
    """The likeliest (elevation, log scale) (B, 2) and its share among the three likeliest (B,); what is given stays.

    logits (B, elevations * scales); elevation in radians.
    """
    mass = logits.softmax(-1).reshape(len(logits), *BINS)
    for value, centres, axis in ((elevation, ELEVATIONS, 1), (log_scale, SCALES, 2)):
        if value is not None:
            near = share(torch.tensor([value], device=logits.device), centres)[0]
            mass = mass * (near[:, None] if axis == 1 else near[None, :])
    guesses, weights = hypotheses(mass.flatten(1).clamp_min(1e-12).log(), 3)
    guess = guesses[:, 0]
    for index, value in enumerate((elevation, log_scale)):
        if value is not None:
            guess[:, index] = value
    return guess, weights[:, 0]
