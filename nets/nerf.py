"""The classic radiance field, as the baseline of Capture's tables: Mildenhall 2020 (arXiv:2003.08934).

Sinusoidal encoding, eight layers of 256 with a skip, a coarse and a fine pass. Unlike everything else here it is kept
as it was published, not as we would build it; only the scene is brought into the unit cube, and masks stand for white.
"""

from __future__ import annotations

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry.hull import Similarity
from ..geometry.scene import Photo
from .pixels import Pixels, camera_of, directions

PLACES, WAYS = 10, 4
"""Frequencies of the encoding"""
WIDTH, DEPTH, SKIP = 256, 8, 4
COARSE, FINE = 64, 128
RAYS = 256
RATE = 5e-4


def encoded(values: Tensor, frequencies: int) -> Tensor:
    """values (..., 3) -> themselves and sines and cosines of octaves, (..., 3 + 6 * frequencies)."""
    scale = 2.0 ** torch.arange(frequencies, device=values.device) * np.pi
    angle = (values[..., None] * scale).flatten(-2)
    return torch.cat([values, angle.sin(), angle.cos()], -1)


class Nerf(nn.Module):
    """Places (..., 3) in [-1, 1] and unit directions (..., 3) -> colour (..., 3) and density (...)."""

    def __init__(self):
        super().__init__()
        places, ways = 3 + 6 * PLACES, 3 + 6 * WAYS
        sizes = [places] + [WIDTH + (places if i == SKIP else 0) for i in range(DEPTH - 1)]
        self.layers = nn.ModuleList(nn.Linear(size, WIDTH) for size in sizes)
        self.density, self.feature = nn.Linear(WIDTH, 1), nn.Linear(WIDTH, WIDTH)
        self.colour = nn.Sequential(nn.Linear(WIDTH + ways, WIDTH // 2), nn.ReLU(), nn.Linear(WIDTH // 2, 3))

    def forward(self, places: Tensor, ways: Tensor) -> tuple[Tensor, Tensor]:
        at = h = encoded(places, PLACES)
        for number, layer in enumerate(self.layers):
            h = F.relu(layer(torch.cat([at, h], -1) if number == SKIP + 1 else h))
        colour = self.colour(torch.cat([self.feature(h), encoded(ways, WAYS)], -1))
        return colour.sigmoid(), F.relu(self.density(h))[..., 0]


class Pair(nn.Module):
    """The coarse and the fine network."""

    def __init__(self):
        super().__init__()
        self.coarse, self.fine = Nerf(), Nerf()

    def forward(self, origins: Tensor, ways: Tensor, jitter: bool) -> tuple[Tensor, Tensor]:
        """Colours (R, 3) on white of both passes, of rays (R, 3) through the unit cube."""
        safe = torch.where(ways.abs() < 1e-6, torch.full_like(ways, 1e-6), ways)
        one, other = (-0.5 - origins) / safe, (0.5 - origins) / safe
        near = torch.minimum(one, other).amax(1).clamp_min(0)[:, None]
        far = torch.maximum(near, torch.maximum(one, other).amin(1)[:, None]) + 1e-3
        noise = torch.rand(len(ways), COARSE) if jitter else torch.full((len(ways), COARSE), 0.5)
        along = near + (far - near) * (torch.arange(COARSE) + noise) / COARSE
        first, weights = seen(self.coarse, origins, ways, along, far)
        more = drawn(along, weights.detach(), FINE, jitter)
        along = torch.sort(torch.cat([along, more], 1), 1).values
        return first, seen(self.fine, origins, ways, along, far)[0]


def seen(network: Nerf, origins: Tensor, ways: Tensor, along: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
    """Colour (R, 3) on white and weights (R, S) of samples along (R, S)."""
    places = 2 * (origins[:, None] + along[..., None] * ways[:, None])
    colour, density = network(places, ways[:, None].expand_as(places))
    apart = torch.diff(along, dim=1, append=far)
    alpha = 1 - torch.exp(-density * apart * 32)  # densities near 1, as in scenes some units across
    clear = torch.cumprod(torch.cat([torch.ones_like(alpha[:, :1]), 1 - alpha + 1e-10], 1), 1)[:, :-1]
    weights = alpha * clear
    return (weights[..., None] * colour).sum(1) + 1 - weights.sum(1, keepdim=True), weights


def drawn(along: Tensor, weights: Tensor, count: int, jitter: bool) -> Tensor:
    """Places (R, count) drawn from the weights (R, S) of samples along (R, S), by the inverse of their sum."""
    share = weights[:, 1:-1] + 1e-5
    below = torch.cumsum(share / share.sum(1, keepdim=True), 1)
    below = torch.cat([torch.zeros_like(below[:, :1]), below], 1)
    edges = (along[:, 1:] + along[:, :-1]) / 2
    at = (
        torch.rand(len(along), count)
        if jitter
        else torch.linspace(0.5 / count, 1 - 0.5 / count, count).expand(len(along), count)
    )
    above = torch.searchsorted(below, at.contiguous(), right=True).clamp(1, below.shape[1] - 1)
    low, high = below.gather(1, above - 1), below.gather(1, above)
    part = (at - low) / (high - low).clamp_min(1e-5)
    start, end = edges.gather(1, above - 1), edges.gather(1, above)
    return start + part.clamp(0, 1) * (end - start)


def fit_nerf(photos: list[Photo], similarity: Similarity, seconds: float, seed: int = 0, now=time.monotonic):
    """A Pair fitted to photos with masks for so long, and its steps. now() -> seconds."""
    torch.manual_seed(seed)
    pixels, pair = Pixels(photos, similarity, "cpu", seed), Pair()
    optimiser = torch.optim.Adam(pair.parameters(), RATE)
    began, steps = now(), 0
    while (passed := now() - began) < seconds:
        for group in optimiser.param_groups:
            group["lr"] = RATE * 0.1 ** (passed / seconds)
        origins, ways, colours, alpha, *_ = pixels.draw(RAYS)
        truth = colours * alpha[:, None] + 1 - alpha[:, None]
        both = pair(origins, ways, jitter=True)
        loss = sum((shown - truth).square().mean() for shown in both)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
    return pair, steps


@torch.no_grad()
def view_nerf(pair: Pair, photo: Photo, similarity: Similarity, pixels: np.ndarray, chunk: int = 2048) -> np.ndarray:
    """(N, 3) sRGB on white at pixels (N,) of a photo, counted row by row: a whole view takes minutes."""
    rotation, origin, lens = camera_of(photo, similarity)
    width = photo.image.shape[1]
    rows = []
    for place in torch.from_numpy(pixels).split(chunk):
        ways = directions(place // width, place % width, lens, rotation)
        rows.append(pair(origin.expand(len(ways), 3), ways, jitter=False)[1])
    return torch.cat(rows).numpy()


@torch.no_grad()
def volume_nerf(pair: Pair, resolution: int, chunk: int = 16384) -> np.ndarray:
    """Opacity of a cell's length (N, N, N) in [0, 1) at cell centres of the unit cube."""
    at = (torch.arange(resolution) + 0.5) / resolution * 2 - 1
    places = torch.stack(torch.meshgrid(at, at, at, indexing="ij"), -1).reshape(-1, 3)
    ahead = torch.tensor([0.0, 1.0, 0.0])
    parts = [pair.fine(p, ahead.expand_as(p))[1] for p in places.split(chunk)]
    return (1 - torch.exp(-torch.cat(parts) * 32 / resolution)).reshape((resolution,) * 3).numpy()
