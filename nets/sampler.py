"""A bundled sampler ready to use: families, sliders, and fields from latents."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ..geometry.bridge import bridged_distance
from ..geometry.field import Field
from ..geometry.mesh import Mesh
from . import catalog, checkpoint, device
from .latents import Slider
from .shape_vae import narrowed

FLOOR = 1 / 32
"""Of the cube's side lies below z = 0: shapes stand on it."""
GROUND = FLOOR - 0.5
"""The same in the cube [-.5, .5]^3"""
THINNER = 0.03
"""What coarse fields lose, as a share of the truncation (a fifth of a fine cell)"""
STRANGE = 2.0
"""Standard deviations from the family's shapes beyond which a shape may fall apart"""


@dataclass(frozen=True)
class Family:
    """One kind of object, as the card describes it."""

    index: int
    name: str
    side: float
    """The cube, metres; 0 of families that are meshes from the start"""
    sliders: tuple[Slider, ...]

    def slider(self, name: str) -> int:
        """Number of a slider, by its name in any case, "_" for " ". Raises ValueError with the names that there are."""
        plain = [slider.name.lower() for slider in self.sliders]
        wanted = name.lower().replace("_", " ").strip()
        if wanted not in plain:
            raise ValueError(f"{self.name} has no slider {name!r}; it has {', '.join(plain)}")
        return plain.index(wanted)


@dataclass(frozen=True)
class Place:
    """A latent (L,) of a family."""

    latent: Tensor
    family: Family


class Sampler:
    """`network` has encode, decode and `latents`; see shape_vae."""

    def __init__(self, network: torch.nn.Module, card: dict, where: torch.device):
        self.network, self.card, self.where = network, card, where
        self.families = families(card)

    def family(self, name: str) -> Family:
        """By its name; "" is the first. Raises ValueError with the names that there are."""
        for family in self.families:
            if name.lower() in ("", family.name):
                return family
        names = ", ".join(family.name for family in self.families)
        raise ValueError(f"{self.card['name']} has no family {name!r}; it has {names}")

    def draw(self, family: Family, seed: int, truncation: float) -> Place:
        drawn = self.latents.draw(family.index, list(family.sliders), np.random.default_rng(seed), truncation)
        return Place(drawn, family)

    def given(self, family: Family, latent) -> Place:
        """Raises ValueError where the latent is not this network's."""
        length = self.network.config.latent
        if len(latent) != length:
            raise ValueError(f"The latent has {len(latent)} numbers; those of {self.card['name']} have {length}")
        return Place(torch.tensor(latent, dtype=torch.float32), family)

    def varied(self, place: Place, seed: int, amount: float) -> Place:
        latents, index = self.latents, place.family.index
        return Place(latents.varied(place.latent, index, np.random.default_rng([1, seed]), amount), place.family)

    def set(self, place: Place, values: dict[str, float]) -> Place:
        """The place with sliders moved to these values. Raises ValueError for a name or value that is not theirs."""
        family, change = place.family, torch.zeros(len(place.family.sliders))
        now = self.latents.values(place.latent, family.index)
        for name, value in values.items():
            index = family.slider(name)
            slider = family.sliders[index]
            room = 1e-6 * (slider.maximum - slider.minimum)  # a slider's end, as another program rounded it
            if not slider.minimum - room <= value <= slider.maximum + room:
                unit = f" {slider.unit}" if slider.unit else ""
                raise ValueError(
                    f"{slider.name} is {value:g}{unit}; it goes from {slider.minimum:g} to {slider.maximum:g}{unit}"
                )
            change[index] = value - now[index]
        return Place(self.latents.moved(place.latent, family.index, change), family)

    def values(self, place: Place) -> dict[str, float]:
        """What the sliders say of a place, by name."""
        read = self.latents.values(place.latent, place.family.index).tolist()
        return {slider.name: value for slider, value in zip(place.family.sliders, read, strict=True)}

    def strangeness(self, place: Place) -> float:
        """Standard deviations from the family's shapes; about 1 for themselves."""
        return float(self.latents.depth(place.latent, place.family.index))

    @torch.inference_mode()
    def field(
        self, place: Place, other: Place | None = None, factor: float = 0.0, coarse: bool = False, draft: bool = False
    ) -> Field:
        """Negated distances in metres, pieces joined. With `other`, of what lies between: the families melt too.

        coarse: half as many cells a side. draft: for the eye alone, in bfloat16 where that is sooner, nothing joined.
        """
        other = other or place
        latent = torch.lerp(place.latent, other.latent, factor)
        weights = torch.zeros(len(self.families))
        weights[place.family.index] += 1 - factor
        weights[other.family.index] += factor
        network = self.quick if draft else self.network
        values = network.decode(latent[None].to(self.where), weights[None].to(self.where))[0]
        if coarse:
            values = drafted(values)
        side = place.family.side * (1 - factor) + other.family.side * factor
        low = np.array([-side / 2, -side / 2, -side * FLOOR])
        values = values.float().cpu().numpy() * (self.network.TRUNCATION * side)
        if not draft:
            values = bridged_distance(values, side / len(values))
        return Field(values, 0.0, np.stack([low, low + side]))

    @torch.inference_mode()
    def mesh(self, place: Place, other: Place | None = None, factor: float = 0.0) -> Mesh:
        """Of a network that decodes vertices. Raises ValueError where the two families' meshes have other vertices."""
        other = other or place
        family = place.family
        if other.family != family:
            raise ValueError(f"There is nothing between a {family.name} and a {other.family.name}: their faces differ")
        latent = torch.lerp(place.latent, other.latent, factor)
        vertices = self.network.decode(latent[None].to(self.where), torch.tensor([family.index]))[0]
        quads, corners = (part.cpu().numpy() for part in self.network.quads(family.index))
        faces, polygons = triangles(quads)
        uvs = self.network.uv(family.index).cpu().numpy()[triangles(corners)[0]]
        return Mesh(vertices.float().cpu().numpy(), faces, uvs=uvs.astype(np.float32), polygons=polygons)

    @functools.cached_property
    def quick(self) -> torch.nn.Module:
        """The network that drafts come from."""
        narrow = self.where.type == "cpu" and device.narrow_convolutions()
        return narrowed(self.network) if narrow else self.network

    @property
    def has_fields(self) -> bool:
        """Whether it decodes fields; else it decodes meshes."""
        return not hasattr(self.network, "quads")

    @property
    def latents(self):
        return self.network.latents


def drafted(field: Tensor) -> Tensor:
    """(N, N, N) over the truncation -> half as many cells a side.

    The mean over cells, which a network says sooner, would lose what is thin: a chair its back."""
    for axis in range(3):  # a tenth of max_pool3d's time
        even, odd = field.unflatten(axis, (-1, 2)).unbind(axis + 1)
        field = torch.maximum(even, odd)
    return field - THINNER


def triangles(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """quads (F, 4), -1 for no fourth corner -> triangles (T, 3) int32, those of one quad beside each other, and of
    each the number (T,) int32 of its quad."""
    both = np.stack([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]], 1).reshape(-1, 3)
    whole = (both >= 0).all(1)
    return both[whole].astype(np.int32), np.repeat(np.arange(len(quads), dtype=np.int32), 2)[whole]


def families(card: dict) -> tuple[Family, ...]:
    """As a card lists them."""
    return tuple(
        Family(i, row["name"], row.get("side", 0.0), tuple(Slider(**slider) for slider in row["sliders"]))
        for i, row in enumerate(card["families"])
    )


@functools.lru_cache(maxsize=3)
def load(name: str, where: str) -> Sampler:
    """The bundled sampler on a device, kept warm. Raises ValueError where there is none of this name."""
    samplers = [row.name for row in catalog.CATALOG.values() if row.kind == "sampler" and catalog.bundled(row.name)]
    if name not in samplers:
        raise ValueError(f"There is no sampler {name!r}; there is {', '.join(samplers) or 'none'}")
    network = checkpoint.load(name, where)
    network.latents.to("cpu")  # its sums are small, and the same on every machine
    return Sampler(network, catalog.card(name), torch.device(where))
