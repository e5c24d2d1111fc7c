"""Variational autoencoder of shapes: a negated, truncated signed distance on a grid <-> a latent, knowing the family.

After Kingma & Welling (2013, arXiv:1312.6114) in 3D (Brock et al. 2016, arXiv:1608.04236), with distances in place of
voxels. Both halves work on cubes of 4^3 cells: 16^3 places hold 64 features each, which the last layer unfolds. The
first numbers of a latent are those that the shapes of a family were designed by (Kingma et al. 2014, arXiv:1406.5298,
have such a half-known latent); only the rest is variational, and holds what those leave open.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .factored import Factored
from .latents import Latents

PATCH = 4
"""Cells along a side that share one place"""
SHARP = 20.0
"""How fast inside becomes outside: over a twentieth of the truncation, a third of a cell of 64"""
SURE = -12.0
"""Log variance of what is known"""
ONEDNN = torch.backends.mkldnn.is_available()
TRUNCATION = 0.1
"""Distances are cut off at this, as a share of the cube's side"""


@dataclass(frozen=True)
class Config:
    families: tuple[str, ...]
    latent: int = 64
    named: int = 12
    """The first numbers of a latent: a family's named numbers, scaled to variance 1"""
    counts: tuple[int, ...] = ()
    """How many of those each family has; the others are 0. () has none anywhere."""
    widths: tuple[int, ...] = (48, 96, 192)
    """Features at 16^3, 8^3 and 4^3 places"""
    blocks: tuple[int, ...] = (1, 2, 1)
    """Of the decoder, at those"""
    seen: tuple[int, ...] = (1, 1, 1)
    """Of the encoder"""
    embedding: int = 32
    placed: int = 0
    """Features of the network that is asked at each of the 16^3 places by where it is; 0 has none"""
    profiles: int = 0
    """Features of the network that the encoder asks about the grid's means over planes; 0 has none"""
    factors: int = 0
    """Products of a plane and a line along each axis, that are added to the field; 0 has none"""
    mirrored: bool = True
    """Left mirrors right: only half of the grid is computed"""
    resolution: int = 64
    sliders: tuple[int, ...] = ()
    """Of each family; () while it trains, when there are none."""


class Convolution(nn.Conv3d):
    """torch takes its slow kernel where a batch is small (2.13); oneDNN's own runs in half the time, or less."""

    def forward(self, x: Tensor) -> Tensor:
        return convolved(x, self.weight, self.bias, self.padding, self.stride)


def convolved(x: Tensor, weight: Tensor, bias: Tensor, padding, stride=(1, 1, 1)) -> Tensor:
    if weight.dtype == torch.bfloat16:
        x = x.to(weight.dtype)
    if x.device.type == "cpu" and torch.is_grad_enabled() and x.shape[2] == 2 and padding[0]:
        # In bfloat16 oneDNN (torch 2.13) leaves parts of such a weight's gradient as its memory was
        x, padding = F.pad(x, (0, 0, 0, 0, padding[0], padding[0])), (0, *padding[1:])
    if x.device.type == "cpu" and not torch.is_grad_enabled():
        if weight.shape[2:] == (1, 1, 1):  # as a product of matrices, up to three times as fast
            rows = weight.flatten(1).expand(len(x), -1, -1)
            return torch.baddbmm(bias[:, None], rows, x.flatten(2)).unflatten(2, x.shape[2:])
        if x.dtype == torch.float32 and ONEDNN:
            return torch.mkldnn_convolution(x, weight, bias, padding, stride, (1, 1, 1), 1)
    return F.conv3d(x, weight, bias, stride, padding)


class Block(nn.Module):
    """A residual convolution, its input scaled and shifted by what the whole shape says (FiLM, arXiv:1709.07871)."""

    def __init__(self, width: int, condition: int):
        super().__init__()
        self.norm = nn.GroupNorm(8, width)
        self.film = nn.Linear(condition, 2 * width)
        self.convolution = Convolution(width, width, 3, padding=1)
        nn.init.zeros_(self.film.weight)
        nn.init.zeros_(self.film.bias)

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        scale, shift = self.film(condition)[..., None, None, None].chunk(2, 1)
        return x + self.convolution(F.silu(self.norm(x) * (1 + scale) + shift))


class ShapeVAE(nn.Module):
    """`latents` holds what was fitted to the trained network: its sliders, and how latents are spread."""

    TRUNCATION = TRUNCATION

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        count = config.resolution // PATCH
        self.places = tuple(n // 4 for n in (count // 2 if config.mirrored else count, count, count))
        cells = self.places[0] * self.places[1] * self.places[2]
        fine, middle, coarse = config.widths
        self.family = nn.Embedding(len(config.families), config.embedding)
        self.encoder = Encoder(config, cells)
        self.decoder = Decoder(config, self.places)
        self.latents = Latents(config.latent, config.sliders)
        counts = torch.tensor(config.counts or (0,) * len(config.families))
        self.register_buffer("has", (torch.arange(config.named) < counts[:, None]).float(), persistent=False)

    def encode(self, field: Tensor, family: Tensor) -> tuple[Tensor, Tensor]:
        """field (B, N, N, N) negated distances over the truncation, in [-1, 1]; family (B,) -> mean and log variance
        (B, L); the named numbers are without variance."""
        mean, log_variance = self.encoder(self.half(field)[:, None], self.embedded(family)).chunk(2, -1)
        named, count = self.has[family], self.config.named
        mean = torch.cat([mean[:, :count] * named, mean[:, count:]], 1)
        return mean, torch.cat([torch.full_like(named, SURE), log_variance[:, count:].clamp(SURE, 4)], 1)

    def decode(self, latent: Tensor, family: Tensor, coarse: bool = False) -> Tensor:
        """latent (B, L), family (B,) or shares of families (B, F) -> (B, N, N, N) over the truncation, inside > 0;
        half as many cells a side where `coarse`."""
        field = self.decoder(latent, self.embedded(family), coarse)[:, 0]
        return torch.cat([field, field.flip(1)], 1) if self.config.mirrored else field

    def embedded(self, family: Tensor) -> Tensor:
        return family @ self.family.weight if family.is_floating_point() else self.family(family)

    def half(self, field: Tensor) -> Tensor:
        """What the network sees: the half at x < 0, averaged with the mirrored other one."""
        if not self.config.mirrored:
            return field
        left, right = field.chunk(2, 1)
        return (left + right.flip(1)) / 2


class Encoder(nn.Module):
    def __init__(self, config: Config, cells: int):
        super().__init__()
        fine, middle, coarse = config.widths
        condition = config.embedding
        self.stem = Convolution(1, fine, PATCH, PATCH)
        self.levels = nn.ModuleList(
            nn.ModuleList(Block(width, condition) for _ in range(count))
            for width, count in zip(config.widths, config.seen)
        )
        self.downs = nn.ModuleList([Convolution(fine, middle, 2, 2), Convolution(middle, coarse, 2, 2)])
        self.last = nn.Linear(coarse * cells + condition, 2 * config.latent)
        self.profiles = Profiles(config) if config.profiles else None

    def forward(self, field: Tensor, condition: Tensor) -> Tensor:
        x = self.stem(field)
        for i, blocks in enumerate(self.levels):
            if i:
                x = self.downs[i - 1](x)
            for block in blocks:
                x = block(x, condition)
        latent = self.last(torch.cat([F.silu(x).flatten(1), condition], 1))
        return latent + self.profiles(field, condition) if self.profiles else latent


class Profiles(nn.Module):
    """What the grid's means over planes across each axis say: where a board begins, to a part of a cell."""

    def __init__(self, config: Config):
        super().__init__()
        width, sides = config.profiles, config.resolution * 3 - (config.resolution // 2 if config.mirrored else 0)
        self.first, self.mix = nn.Linear(2 * sides + config.embedding, width), nn.Linear(width, width)
        self.last = nn.Linear(width, 2 * config.latent)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, field: Tensor, condition: Tensor) -> Tensor:
        """field (B, 1, X, Y, Z), condition (B, E) -> (B, 2 L)"""
        with torch.autocast(field.device.type, enabled=False):
            seen = torch.cat([field.float(), torch.sigmoid(SHARP * field.float())], 1)
            plane = seen.mean(2)
            means = [seen.mean((3, 4)), plane.mean(3), plane.mean(2)]
            x = torch.cat([*(8 * mean.flatten(1) for mean in means), condition.float()], 1)
            return self.last(F.silu(self.mix(F.silu(self.first(x)))))


class Decoder(nn.Module):
    """Latent and family -> field; the generator of shape_gan has the same."""

    def __init__(self, config: Config, places: tuple[int, int, int]):
        super().__init__()
        fine, middle, coarse = config.widths
        self.places, condition = places, 2 * config.latent
        self.mapping = nn.Sequential(
            nn.Linear(config.latent + config.embedding, condition),
            nn.SiLU(),
            nn.Linear(condition, condition),
            nn.SiLU(),
        )
        self.first = nn.Linear(condition, coarse * places[0] * places[1] * places[2])
        self.ups = nn.ModuleList([Convolution(coarse, middle * 8, 1), Convolution(middle, fine * 8, 1)])
        self.levels = nn.ModuleList(
            nn.ModuleList(Block(width, condition) for _ in range(count))
            for width, count in zip(config.widths[::-1], config.blocks[::-1])
        )
        fine_places = tuple(4 * n for n in places)
        entering = condition + config.latent + config.embedding
        self.placed = Placed(config, fine_places, entering) if config.placed else None
        sides = tuple(PATCH * n for n in fine_places)
        self.factored = Factored(sides, config.factors, entering) if config.factors else None
        self.norm = nn.GroupNorm(8, fine)
        self.head = Convolution(fine, PATCH**3, 3, padding=1)

    def forward(self, latent: Tensor, family: Tensor, coarse: bool = False) -> Tensor:
        told = torch.cat([latent, family], 1)
        condition = self.mapping(told)
        known = torch.cat([condition, told], 1)
        x = self.first(condition).unflatten(1, (-1, *self.places))
        for i, blocks in enumerate(self.levels):
            if i:
                x = unfold(self.ups[i - 1](x), 2)
            if self.placed and i == len(self.levels) - 1:
                x = x + self.placed(known)
            for block in blocks:
                x = block(x, condition)
        x = F.silu(self.norm(x))
        field = self.coarse(x) if coarse else unfold(self.head(x), PATCH)
        return field + self.factored(known, coarse) if self.factored else field

    def coarse(self, x: Tensor) -> Tensor:
        """The mean over cubes of 2^3 cells of what the head would have said."""
        weight, bias = (
            F.avg_pool3d(t.view(-1, 1, PATCH, PATCH, PATCH), 2) for t in (by_row(self.head.weight), self.head.bias)
        )
        weight = weight.reshape(*self.head.weight.shape[1:], -1).permute(4, 0, 1, 2, 3).contiguous()
        return unfold(convolved(x, weight, bias.reshape(-1), (1, 1, 1)), PATCH // 2)


class Placed(nn.Module):
    """What a network of places says: a board's side at a height that a latent names is a bend in one of its features.

    Convolutions alone learn slowly where things are to a part of a cell. After occupancy networks (Mescheder et al.
    2019, arXiv:1812.03828).
    """

    def __init__(self, config: Config, places: tuple[int, int, int], entering: int):
        super().__init__()
        width = config.placed
        sides = ((torch.arange(n) + 0.5) / places[1] * 2 - 1 for n in places)
        self.register_buffer("where", torch.stack(torch.meshgrid(*sides, indexing="ij")), persistent=False)
        self.slope = nn.Parameter(4 * torch.randn(width, 3))
        self.offset, self.shift = nn.Linear(entering, width), nn.Linear(entering, width)
        self.mix, self.last = Convolution(width, width, 1), Convolution(width, config.widths[0], 1)
        nn.init.uniform_(self.offset.bias, -4, 4)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, condition: Tensor) -> Tensor:
        """condition (B, C) -> (B, F, X, Y, Z)"""
        x = torch.einsum("fa,axyz->fxyz", self.slope, self.where)
        x = F.silu(x + self.offset(condition)[..., None, None, None])
        return self.last(F.silu(self.mix(x) + self.shift(condition)[..., None, None, None]))


def narrowed(network: nn.Module) -> nn.Module:
    """A copy whose convolutions are in bfloat16, all else as it is: off by 1 % of the truncation, a third sooner."""
    copied = copy.deepcopy(network)
    for module in copied.modules():
        if isinstance(module, Convolution):
            module.bfloat16()
    return copied


def by_row(weight: Tensor) -> Tensor:
    """(O, I, 3, 3, 3) -> (I * 27, O), so that the outputs lie together."""
    return weight.flatten(1).T.contiguous()


def unfold(x: Tensor, size: int) -> Tensor:
    """B (C size^3) X Y Z -> B C (X size) (Y size) (Z size): each place becomes a cube of cells."""
    batch, channels, a, b, c = x.shape
    x = x.reshape(batch, channels // size**3, size, size, size, a, b, c).permute(0, 1, 5, 2, 6, 3, 7, 4)
    return x.reshape(batch, channels // size**3, a * size, b * size, c * size)


def create(config: dict) -> ShapeVAE:
    """From a card's config."""
    return ShapeVAE(
        Config(**{key: tuple(value) if isinstance(value, list) else value for key, value in config.items()})
    )
