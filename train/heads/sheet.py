"""A contact sheet of a head_vae: random heads of each family, and sliders at their ends."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image

from ...geometry.mesh import Mesh
from ...geometry.preview import draw
from ...nets import catalog
from ...nets.head_vae import HeadVAE
from ...nets.sampler import triangles

TILE, COLUMNS, RANDOM = 100, 12, 24
TRUNCATION = 0.7
SHOWN = {
    "face": ("face width", "nose depth", "lip height", "jaw open", "smile left", "brow raise"),
    "head": ("age", "masculine", "nose length", "mouth open", "pucker", "blink left"),
}


def write(network: HeadVAE, card: dict, path: str) -> None:
    """PNG: for each family two rows of random heads, the second with expressions; then sliders, each at both ends."""
    rows = []
    for i, name in enumerate(network.config.families):
        latents = torch.cat([random(network, i), ends(network, i, catalog.sliders(card)[name], SHOWN.get(name, ()))])
        tiles = [tile(network, i, latent) for latent in latents]
        rows += [np.concatenate(tiles[at : at + COLUMNS], 1) for at in range(0, len(tiles), COLUMNS)]
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    Image.fromarray(np.concatenate(rows)).quantize(128).save(path, optimize=True)


def random(network: HeadVAE, i: int, seed: int = 4) -> torch.Tensor:
    """(RANDOM, L) latents at TRUNCATION, the first half without expression."""
    normal = torch.randn(RANDOM, network.config.latent, generator=torch.Generator().manual_seed(seed)) * TRUNCATION
    normal[: RANDOM // 2, network.config.identity :] = 0
    return network.prior[i].mean + normal @ network.prior[i].factor.T


def ends(network: HeadVAE, i: int, sliders: list[dict], names: tuple[str, ...]) -> torch.Tensor:
    """(2 * names, L): the mean head with one slider at its minimum, then at its maximum."""
    found = [
        network.prior[i].mean + network.direction[i][k] * (row[end] - row["default"])
        for name in names
        for k, row in enumerate(sliders)
        if row["name"].lower() == name
        for end in ("minimum", "maximum")
    ]
    return torch.stack(found) if found else torch.zeros(0, network.config.latent)


@torch.no_grad()
def tile(network: HeadVAE, i: int, latent: torch.Tensor) -> np.ndarray:
    vertices = network.decode(latent[None], torch.tensor([i]))[0].numpy()
    mesh = Mesh(vertices, triangles(network.quads(i)[0].numpy())[0])
    return draw(mesh, TILE, azimuth=25, elevation=4, shown=0.92)
