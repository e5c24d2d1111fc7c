"""Variational autoencoder of heads as meshes: vertices of a fixed topology <-> a latent of identity and expression.

After Kingma & Welling (2013, arXiv:1312.6114), on the coefficients of linear bases of offsets, as in morphable models
(Blanz and Vetter 1999). A family is a topology of quads with UVs, metres, z up, seen from the front at -y, the lowest
point of the mean shape's open cut at the neck on z = 0:

    face   face, neck, back of the head down to the shoulders, inside of the mouth, eyeballs; eyes open at the lids
    head   head and neck with ears, eye sockets, eyeballs, teeth and tongue, cut along one ring of edges below the neck

Vertices are the mean plus a basis of identities and a basis of expressions, scaled so that coefficients have
variance 1. The largest offsets are kept in 16 bits in the weights, the others in 8. The first numbers of a latent are
the identity, the others the expression.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from .latents import Slider, Space

MEAN_STEP = 2.0**-16
"""Metres that one step of the mean's 16-bit numbers stands for: .5 m fit"""
UV_STEP = 2.0**-20
OFFSET_STEP = 2.0**-40
"""Metres that the steps of offsets are counted in"""
NOISE = 3e-4
"""Metres by which a vertex may miss the bases, when their coefficients are sought"""


@dataclass(frozen=True)
class Config:
    """One number a family wherever there is a tuple."""

    families: tuple[str, ...]
    vertices: tuple[int, ...]
    faces: tuple[int, ...]
    corners: tuple[int, ...]
    """Places in the UV map"""
    identities: tuple[int, ...]
    expressions: tuple[int, ...]
    """Offsets that the bases hold"""
    coarse: tuple[int, ...]
    """Of both, those that are kept in 16 bits"""
    sliders: tuple[int, ...]
    identity: int = 80
    expression: int = 40
    """Numbers of a latent for each"""
    hidden: int = 192

    @property
    def latent(self) -> int:
        return self.identity + self.expression


class HeadVAE(Space, nn.Module):
    """Buffers of family i, beside its networks:

    faces.i, faces_uv.i (F, 4)      numbers of vertices and of places in the UV map; -1 is no fourth corner
    readout.i.weight, .bias         (S, L), (S,): a slider's value is weight @ latent + bias
    direction.i (S, L)              moving a latent along row k by 1 changes slider k by 1 and no other
    prior.i.mean, .factor           (L,), (L, L): latents of the shapes trained on are mean + factor @ normal numbers;
                                    the mean's expression is the neutral one
    """

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        latent = config.latent
        self.family = nn.ModuleList(Family(config, i) for i in range(len(config.families)))
        self.faces, self.faces_uv, self.direction = Buffers(), Buffers(), Buffers()
        self.readout, self.prior = nn.ModuleList(), nn.ModuleList()
        for i, (faces, sliders) in enumerate(zip(config.faces, config.sliders)):
            self.faces.hold(str(i), torch.zeros(faces, 4, dtype=torch.int16))
            self.faces_uv.hold(str(i), torch.zeros(faces, 4, dtype=torch.int16))
            self.direction.hold(str(i), torch.zeros(sliders, latent))
            self.readout.append(Buffers(weight=torch.zeros(sliders, latent), bias=torch.zeros(sliders)))
            self.prior.append(Buffers(mean=torch.zeros(latent), factor=torch.eye(latent)))

    def encode(self, vertices: Tensor, family: Tensor) -> tuple[Tensor, Tensor]:
        """vertices (B, V, 3) metres, family (B,) all of one number -> mean and log variance (B, L)."""
        part = self.family[self.number(family)]
        return part.encode(part.coefficients(vertices))

    def decode(self, latent: Tensor, family: Tensor) -> Tensor:
        """latent (B, L), family (B,) all of one number -> vertices (B, V, 3) metres."""
        part = self.family[self.number(family)]
        return part.vertices(*part.decode(latent))

    @property
    def latents(self) -> Space:
        """Where nets.sampler looks for sliders and drawing."""
        return self

    def draw(self, family: int, sliders: list[Slider], generator: np.random.Generator, truncation: float) -> Tensor:
        """A latent (L,) of somebody with a neutral face: features hang together, so that they are drawn together."""
        return self.varied(self.prior[family].mean, family, generator, truncation)

    def varied(self, latent: Tensor, family: int, generator: np.random.Generator, amount: float) -> Tensor:
        """Somebody else, so much unlike, of the same expression."""
        noise = torch.from_numpy(generator.standard_normal(self.config.latent).astype(np.float32))
        noise[self.config.identity :] = 0
        return latent + amount * self.prior[family].factor @ noise

    def uv(self, family: int) -> Tensor:
        """(T, 2): places in the UV map; a whole number further right or up is another tile (UDIM)."""
        return self.family[family].uv * UV_STEP

    def quads(self, family: int) -> tuple[Tensor, Tensor]:
        """faces and faces_uv (F, 4) int64; -1 is no fourth corner. Counter-clockwise as seen from outside."""
        return getattr(self.faces, str(family)).long(), getattr(self.faces_uv, str(family)).long()

    def number(self, family: Tensor) -> int:
        """Raises ValueError where a batch mixes families: their meshes have different vertices."""
        numbers = family.unique().tolist()
        if len(numbers) != 1 or not 0 <= numbers[0] < len(self.family):
            raise ValueError(
                f"one family at a time can be decoded, of 0 to {len(self.family) - 1}; these are {numbers}"
            )
        return int(numbers[0])


class Family(nn.Module):
    """One topology: its mean and bases, and the networks between their coefficients and latents."""

    def __init__(self, config: Config, i: int):
        super().__init__()
        vertices, known = config.vertices[i], config.identities[i] + config.expressions[i]
        self.identities, self.split = config.identities[i], config.identity
        self.register_buffer("mean", torch.zeros(vertices, 3, dtype=torch.int16))
        coarse = config.coarse[i]
        self.register_buffer("coarse", torch.zeros(coarse, vertices * 3, dtype=torch.int16))
        self.register_buffer("fine", torch.zeros(known - coarse, vertices * 3, dtype=torch.int8))
        self.register_buffer("place", torch.zeros(known, dtype=torch.int16))
        self.register_buffer("step", torch.zeros(known, dtype=torch.int32))
        self.register_buffer("uv", torch.zeros(config.corners[i], 2, dtype=torch.int32))
        self.encoder = Residual(known, 2 * config.latent, config.hidden)
        self.identity = Residual(config.identity, config.identities[i], config.hidden)
        self.expression = Residual(config.latent, config.expressions[i], config.hidden)
        self.solver: Tensor | None = None
        self.begin_linear(config)

    @torch.no_grad()
    def begin_linear(self, config: Config) -> None:
        """At first the latent is the leading coefficients themselves, as in principal component analysis."""
        id_, both = config.identity, self.identities
        for part in (self.encoder, self.identity, self.expression):
            part.skip.weight.zero_()
            part.skip.bias.zero_()
        self.encoder.skip.weight[:id_, : min(id_, both)].fill_diagonal_(1)
        self.encoder.skip.weight[id_ : config.latent, both:].fill_diagonal_(1)
        self.encoder.skip.bias[config.latent :] = -3
        self.identity.skip.weight.fill_diagonal_(1)
        self.expression.skip.weight[:, id_:].fill_diagonal_(1)

    def offsets(self, only: Tensor | None = None) -> Tensor:
        """(K, V * 3) metres a unit of each coefficient, identities first; or of the vertices in `only` alone."""
        kept = [self.coarse, self.fine]
        if only is not None:
            kept = [rows.unflatten(1, (-1, 3))[:, only].flatten(1) for rows in kept]
        return torch.cat([rows.float() for rows in kept])[self.place.long()] * (self.step * OFFSET_STEP)[:, None]

    def coefficients(self, vertices: Tensor) -> Tensor:
        """vertices (B, V, 3) -> (B, K): the most likely, coefficients being normal and vertices a little off."""
        if self.solver is None or self.solver.device != vertices.device:
            self.solver = solver(self.offsets())
        away = vertices - self.mean.float() * MEAN_STEP
        return away.flatten(1) @ self.solver

    def encode(self, coefficients: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(coefficients).chunk(2, -1)
        return mean, log_variance.clamp(-12, 2)

    def decode(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """latent (B, L) -> coefficients of identity and of expression; an expression may depend on whose it is."""
        return self.identity(latent[:, : self.split]), self.expression(latent)

    def vertices(self, identity: Tensor, expression: Tensor, only: Tensor | None = None) -> Tensor:
        """Coefficients -> (B, V, 3) metres, or of the vertices numbered by `only` alone."""
        mean = self.mean if only is None else self.mean[only]
        away = torch.cat([identity, expression], 1) @ self.offsets(only)
        return mean.float() * MEAN_STEP + away.unflatten(1, (-1, 3))


def solver(offsets: Tensor) -> Tensor:
    """offsets (K, V * 3) -> (V * 3, K), which turns vertices' distances from the mean into coefficients."""
    gram = (offsets @ offsets.T).double() + NOISE**2 * torch.eye(len(offsets), device=offsets.device)
    return torch.linalg.solve(gram, offsets.double()).T.float()


class Residual(nn.Module):
    """A linear map and, beside it, what is not linear."""

    def __init__(self, inputs: int, outputs: int, hidden: int):
        super().__init__()
        self.skip = nn.Linear(inputs, outputs)
        self.bent = nn.Sequential(
            nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
        )
        nn.init.zeros_(self.bent[-1].weight)
        nn.init.zeros_(self.bent[-1].bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.skip(x) + self.bent(x)


class Buffers(nn.Module):
    """Tensors under names of their own choice."""

    def __init__(self, **tensors: Tensor):
        super().__init__()
        for name, tensor in tensors.items():
            self.hold(name, tensor)

    def hold(self, name: str, tensor: Tensor) -> None:
        self.register_buffer(name, tensor)

    def __getitem__(self, i: int) -> Tensor:
        return getattr(self, str(i))


def create(config: dict) -> HeadVAE:
    """From a card's config."""
    return HeadVAE(Config(**{key: tuple(value) if isinstance(value, list) else value for key, value in config.items()}))
