"""Generative adversarial network of shapes: a normal latent and a family -> a negated, truncated signed distance.

After Goodfellow et al. (2014, arXiv:1406.2661) in 3D (Wu et al. 2016, arXiv:1610.07584), with distances in place of
voxels. The generator is the decoder of shape_vae, so that one can begin with the other's weights (Larsen et al. 2016,
arXiv:1512.09300, join the two). The discriminator serves training alone; its weights do not ship.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from .latents import Latents
from .shape_vae import PATCH, TRUNCATION, Convolution, Decoder

SHARP = 3.0
"""The discriminator sees tanh(SHARP field): most where the surface is, little of how far away far away is"""


@dataclass(frozen=True)
class Config:
    families: tuple[str, ...]
    latent: int = 64
    widths: tuple[int, ...] = (48, 96, 192)
    """Features at 16^3, 8^3 and 4^3 places"""
    blocks: tuple[int, ...] = (1, 2, 1)
    embedding: int = 32
    placed: int = 0
    """Features of the network of places"""
    factors: int = 0
    """Products of a plane and a line along each axis"""
    mirrored: bool = True
    """Left mirrors right: only half of the grid is computed"""
    resolution: int = 64
    sliders: tuple[int, ...] = ()
    """Of each family; () while it trains, when there are none."""

    @property
    def places(self) -> tuple[int, int, int]:
        """Patches of the half grid, along each axis."""
        count = self.resolution // PATCH
        return (count // 2 if self.mirrored else count, count, count)


class ShapeGAN(nn.Module):
    """The generator. It has what nets.sampler asks of a network but no encoder: latents are drawn, never found."""

    TRUNCATION = TRUNCATION

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        self.family = nn.Embedding(len(config.families), config.embedding)
        self.spread = Spread(len(config.families), config.latent)
        self.decoder = Decoder(config, tuple(count // 4 for count in config.places))
        # Evenly drawn numbers would lead to latents that the discriminator never saw shapes of
        self.latents = Latents(config.latent, config.sliders, even=False)

    def decode(self, latent: Tensor, family: Tensor, coarse: bool = False) -> Tensor:
        """latent (B, L) standard normal, family (B,) or shares of families (B, F) -> (B, N, N, N) over the truncation,
        inside > 0; half as many cells a side where `coarse`."""
        return self.shaped(self.spread(latent, family), family, coarse)

    def shaped(self, latent: Tensor, family: Tensor, coarse: bool = False) -> Tensor:
        """As `decode`, of latents that lie where the decoder has them, which is where shape_vae does if it began so."""
        field = self.decoder(latent, chosen(self.family.weight, family), coarse)[:, 0]
        return torch.cat([field, field.flip(1)], 1) if self.config.mirrored else field


class Spread(nn.Module):
    """Each family's own turn of the normal latent, before the decoder: z -> mean + factor z, learned.

    It starts as what it is given, or with the Gaussian of a VAE's latents, which that VAE's decoder understands."""

    def __init__(self, families: int, latent: int):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(families, latent))
        self.factor = nn.Parameter(torch.eye(latent).repeat(families, 1, 1))

    def forward(self, latent: Tensor, family: Tensor) -> Tensor:
        return chosen(self.mean, family) + torch.einsum("bij,bj->bi", chosen(self.factor, family), latent)


def chosen(table: Tensor, family: Tensor) -> Tensor:
    """Rows (B, ...) of a table (F, ...) for families (B,), mixed where there are shares of them (B, F)."""
    return torch.tensordot(family, table, 1) if family.is_floating_point() else table[family]


class Discriminator(nn.Module):
    """Field and family -> logit that the shape is real.

    The family counts by its projection on the shape's features (Miyato & Koyama 2018, arXiv:1802.05637). `spectral`
    divides each layer by its largest singular value (Miyato et al. 2018, arXiv:1802.05957). Nothing is normalised over
    a batch or a shape, so that gradients to single shapes mean something (as R1 and WGAN-GP need).

    Neighbouring cells are averaged, and while it trains the grid is moved by up to half a patch: else what it tells a
    generator soon roughens all surfaces with the pattern of its patches, of which both have the same.
    """

    def __init__(
        self, config: Config, widths: tuple[int, ...] = (24, 64, 128), features: int = 128, spectral: bool = True
    ):
        super().__init__()
        self.mirrored = config.mirrored
        bounded = spectral_norm if spectral else lambda layer: layer
        sizes = [1, *widths]
        self.downs = nn.ModuleList(
            bounded(Convolution(before, after, size, size)) for before, after, size in zip(sizes, widths, (PATCH, 2, 2))
        )
        self.blocks = nn.ModuleList(bounded(Convolution(width, width, 3, padding=1)) for width in widths)
        count = torch.Size(config.places).numel() // 2 ** (3 * (len(widths) - 1))
        self.features = bounded(nn.Linear(widths[-1] * count, features))
        self.real = bounded(nn.Linear(features, 1))
        self.family = bounded(nn.Embedding(len(config.families), features))

    def forward(self, field: Tensor, family: Tensor) -> Tensor:
        """field (B, N, N, N), family (B,) -> (B,)"""
        x = smooth(self.half(field)[:, None])
        x = torch.tanh(SHARP * (moved(x) if self.training else x))
        for down, block in zip(self.downs, self.blocks):
            x = leaky(down(x))
            x = x + leaky(block(x))
        x = leaky(self.features(x.flatten(1)))
        return self.real(x)[:, 0] + (self.family(family) * x).sum(1)

    def half(self, field: Tensor) -> Tensor:
        if not self.mirrored:
            return field
        left, right = field.chunk(2, 1)
        return (left + right.flip(1)) / 2


def smooth(x: Tensor) -> Tensor:
    """B 1 X Y Z -> the same, each cell with half of its neighbours' weights along each axis: 1 2 1."""
    x = F.pad(x, (1,) * 6, mode="replicate")
    for axis in (2, 3, 4):
        size = x.shape[axis] - 2
        before, here, after = (x.narrow(axis, start, size) for start in range(3))
        x = (before + 2 * here + after) / 4
    return x


def moved(x: Tensor) -> Tensor:
    """B 1 X Y Z -> the same, moved by the same random part of a patch, to either side, along each axis."""
    x = F.pad(x, (PATCH // 2, PATCH // 2 - 1) * 3, mode="replicate")
    for axis, start in zip((2, 3, 4), torch.randint(PATCH, (3,)).tolist()):
        x = x.narrow(axis, start, x.shape[axis] - PATCH + 1)
    return x


def leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


def create(config: dict) -> ShapeGAN:
    """From a card's config."""
    return ShapeGAN(
        Config(**{key: tuple(value) if isinstance(value, list) else value for key, value in config.items()})
    )
