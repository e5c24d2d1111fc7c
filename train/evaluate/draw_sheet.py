"""What a sampler draws, as one picture to look at: random shapes of all families, then ways from one to another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from ...geometry.bridge import bridged_distance
from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE
from ...geometry.isosurface import mesh_from_field
from ...geometry.preview import draw

SIDE, ACROSS = 100, 8
WAYS = ((0, 0), (0, 4), (12, 12))
"""Families of the two ends of each row between"""


@torch.no_grad()
def write(network, prior, path: Path, count: int = 64, truncation: float = 0.7) -> None:
    """PNG of `count` draws, families in turn, and of a row of ACROSS steps for each of WAYS."""
    families = len(network.config.families)
    pictures = []
    for i in range(count):
        family = i % families
        pictures.append(picture(network, prior(1, family, 100 + i, truncation), shares(families, family, family, 0)))
    for row, (start, end) in enumerate(WAYS):
        a, b = (prior(1, min(f, families - 1), 500 + 2 * row + k, truncation) for k, f in enumerate((start, end)))
        for factor in np.linspace(0, 1, ACROSS):
            pictures.append(picture(network, torch.lerp(a, b, float(factor)), shares(families, start, end, factor)))
    rows = [np.concatenate(pictures[i : i + ACROSS], 1) for i in range(0, len(pictures), ACROSS)]
    Image.fromarray(np.concatenate(rows)).quantize(96, dither=Image.Dither.NONE).save(path, optimize=True)


def shares(families: int, start: int, end: int, factor: float) -> torch.Tensor:
    weights = torch.zeros(1, families)
    weights[0, min(start, families - 1)] += 1 - factor
    weights[0, min(end, families - 1)] += factor
    return weights


@torch.no_grad()
def picture(network, latent: torch.Tensor, weights: torch.Tensor) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8; plain where there is nothing to see."""
    device = next(network.parameters()).device
    values = network.decode(latent.to(device), weights.to(device))[0].float().cpu().numpy()
    if not (values > 0).any():
        return np.full((SIDE, SIDE, 3), 225, np.uint8)
    cell = 1 / (network.TRUNCATION * len(values))
    mesh = mesh_from_field(Field(bridged_distance(values, cell), 0.0, UNIT_CUBE))
    return np.asarray(Image.fromarray(draw(mesh, 2 * SIDE)).resize((SIDE, SIDE)))
