"""A surface with colours in a cube, seen along rays: signed distance on active voxels, rendered with NeuS's weights.

Wang 2021 (arXiv:2106.10689) gives the weights; voxels in place of its networks follow Voxurf (arXiv:2208.12697) and
DVGO (arXiv:2111.11215). What depends on the direction of view is added once a ray, to the blended features, as in SNeRG
(arXiv:2103.14645): twelve times fewer evaluations than once a sample.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .surroundings import crossing
from .voxel_grid import VoxelGrid

FEATURES = 8
"""Channels beside the three colours that the network of the view's direction reads."""
HIDDEN = 32
SEEN = 1e-3
"""Samples with less weight than this in their ray's colour are not looked up."""


@dataclass
class Rendered:
    """What R rays meet: colour (R, 3) sRGB in front of nothing, opacity (R,) in [0, 1], depth (R,) along the ray."""

    colour: Tensor
    opacity: Tensor
    depth: Tensor


class Skip:
    """Where along rays samples are needed: near (R, R, R) bool, no further than the first cell of deep, bool."""

    BLOCK = 4

    def __init__(self, grid: VoxelGrid, near: Tensor, deep: Tensor):
        self.grid = grid
        self.cells = near.to(torch.uint8).masked_fill(deep & ~near, 2).flatten()
        """(R^3,): 1 where samples are taken, 2 where rays end"""
        close = F.max_pool3d(near[None, None].float(), self.BLOCK)
        self.near = F.max_pool3d(close, 3, 1, 1).flatten() > 0
        ends = F.avg_pool3d(deep[None, None].float(), self.BLOCK).flatten() > 0.999
        self.ends = ends & ~self.near

    @classmethod
    def in_fog(cls, grid: VoxelGrid, volume: Tensor, clear: float, opaque: float) -> Skip:
        """As below, of what is no distance: by each cell's thickest and thinnest corner; clear, opaque in cells."""
        depth = volume[None, None] * grid.resolution
        high, low = F.max_pool3d(depth, 2, 1)[0, 0], -F.max_pool3d(-depth, 2, 1)[0, 0]
        deep = low >= opaque
        return cls(grid, (high > clear) & ~deep & grid.active, deep)

    @classmethod
    def round_surface(cls, grid: VoxelGrid, volume: Tensor, before: float, behind: float) -> Skip:
        """volume (R + 1,)^3 of distances; before, behind: cells that matter on either side of its surface."""
        cell = F.avg_pool3d(volume[None, None], 2, 1)[0, 0] * grid.resolution
        return cls(grid, (cell > -before) & (cell < behind) & grid.active, cell >= behind)

    def samples(self, origins: Tensor, directions: Tensor, step: float, jitter: Tensor | None):
        """Rays (P,) and places along them (P,), in order, and the distance between two; step in cells."""
        grid, device = self.grid, origins.device
        width = step / grid.resolution
        inner = max(int(self.BLOCK / step), 1)
        start, end = crossing(origins, directions)
        length = end - start
        blocks = torch.arange(int(length.amax() / (width * inner)) + 1, device=device) * (width * inner)
        near = self.near_blocks(origins, directions, start, length, blocks, width * inner)
        ray, block = near.nonzero(as_tuple=True)
        first = start[ray] + blocks[block]
        if jitter is not None:
            first = first + jitter[ray] * width
        along = (first[:, None] + torch.arange(inner, device=device) * width).flatten()
        ray = ray.repeat_interleave(inner)
        points = origins[ray] + along[:, None] * directions[ray]
        kind = self.cells[grid.cells(points)] * (points.abs() < 0.5).all(1)
        end = torch.full((len(origins),), float("inf"), device=device)
        inside = kind == 2
        end = end.scatter_reduce(0, ray[inside], along[inside], "amin")
        kept = ((kind == 1) & (along < end[ray])).nonzero()[:, 0]
        return ray[kept], along[kept], points[kept], width

    def near_blocks(self, origins, directions, start: Tensor, length: Tensor, blocks: Tensor, size: float) -> Tensor:
        """(R, B) bool: which of the blocks that begin so far along, (B,), and are so long need samples."""
        places = origins[:, None] + (start[:, None] + blocks + size / 2)[..., None] * directions[:, None]
        number = self.grid.cells(places, self.BLOCK)
        stopped = torch.cummax(self.ends[number].to(torch.uint8), 1).values.bool()
        return self.near[number] & ~stopped & (blocks < length[:, None])

    def become(self, other: Skip) -> None:
        """As another of the same grid, in the same memory."""
        for mine, theirs in ((self.cells, other.cells), (self.near, other.near), (self.ends, other.ends)):
            mine.copy_(theirs)


class RadianceField(nn.Module):
    """distance (M,), inside > 0, in units of the cube, and colour (M, 3 + FEATURES) logits at the grid's corners."""

    METHOD = "surface"
    EIKONAL, SMOOTH = 0.02, 0.003
    """Weights of what is wanted besides the photos: slopes of 1, and no bends"""
    CALMER = 0.0
    """How much flatter the finer field begins that takes over, as a power of how many times finer it is"""
    narrow = False
    """Whether the network of the view's direction runs in bfloat16, as suits graphics cards"""

    def __init__(self, grid: VoxelGrid, distance: Tensor, colour: Tensor | None = None):
        super().__init__()
        self.grid = grid
        self.distance = nn.Parameter(distance)
        self.colour = nn.Parameter(distance.new_zeros(len(grid), 3 + FEATURES) if colour is None else colour)
        self.shine = nn.Sequential(
            nn.Linear(FEATURES + 9, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 3)
        )
        nn.init.zeros_(self.shine[-1].weight)
        nn.init.zeros_(self.shine[-1].bias)
        self.register_buffer("sharpness", torch.tensor(1.0))
        """Steepness of the logistic that makes distance opacity, in 1 / cells: a schedule's, not learned"""
        self.to(distance.device)

    def render(self, origins: Tensor, directions: Tensor, skip: Skip, step=0.8, jitter=None) -> Rendered:
        """origins (R, 3), unit directions (R, 3) in the cube's frame; step in cells; jitter (R,) in [0, 1] or None."""
        count = len(origins)
        ray, along, points, width = skip.samples(origins, directions, step, jitter)
        if not len(ray):
            nothing = origins.new_zeros(count)
            return Rendered(origins.new_zeros(count, 3), nothing, nothing)
        follows = (ray[1:] == ray[:-1]) & (along[1:] - along[:-1] < 1.5 * width)
        alpha = self.alpha(self.grid.at(self.distance, points), step) * follows
        weight, opacity = blended(alpha, ray[:-1], count)
        seen = (weight.detach() > SEEN).nonzero()[:, 0]
        kept, owner = weight[seen], ray[:-1][seen]
        middle = (points[seen] + points[seen + 1]) / 2
        inside = self.grid.holds(middle)
        middle = torch.where(inside[:, None], middle, points[seen])
        logits = self.grid.at(self.colour, middle)
        sums = logits.new_zeros(count, logits.shape[1]).index_add(0, owner, logits * kept[:, None])
        depth = along.new_zeros(count).index_add(0, owner, (kept * (along[seen] + width / 2)).detach())
        total = kept.new_zeros(count).index_add(0, owner, kept).clamp_min(1e-4)[:, None]
        colour = self.tint(sums / total, directions)
        return Rendered(colour * opacity[:, None], opacity, depth / total[:, 0])

    def alpha(self, distance: Tensor, step: float) -> Tensor:
        """Opacity (P - 1,) from each sample to the next, of distances (P,) at samples."""
        outside = torch.sigmoid(-distance * (self.sharpness * self.grid.resolution))
        return ((outside[:-1] - outside[1:]) / outside[:-1].clamp_min(1e-5)).clamp(0, 1)

    def skip(self, volume: Tensor, band: float) -> Skip:
        """Where samples are needed, from distances (R + 1,)^3: a margin on either side of the surface beyond which the
        logistic of this steepness is all or nothing, and what moves between; outside no more than `band` cells."""
        reach = 3.5 / float(self.sharpness)
        return Skip.round_surface(self.grid, volume, min(reach, band) + 1, reach + 1.5)

    @classmethod
    def begun(cls, volume: Tensor) -> Tensor:
        """What to begin with where an object is thought to be, of its distances (R + 1,)^3."""
        return volume

    def tint(self, logits: Tensor, directions: Tensor) -> Tensor:
        """Colour (R, 3) of blended logits (R, 3 + FEATURES) seen along directions (R, 3)."""
        seen = torch.cat([logits[:, 3:], harmonics(directions)], 1)
        if self.narrow:
            with torch.autocast(seen.device.type, torch.bfloat16, cache_enabled=False):
                more = self.shine(seen).float()
        else:
            more = self.shine(seen)
        return torch.sigmoid(logits[:, :3] + more)

    def groups(self, rate: float = 1.0) -> list[dict]:
        """Parameters with their learning rates, in Adam's sense: distances in cells."""
        return [
            {"params": [self.distance], "lr": rate * 0.2 / self.grid.resolution},
            {"params": [self.colour], "lr": rate * 0.1},
            {"params": self.shine.parameters(), "lr": rate * 3e-3},
        ]


class DensityField(RadianceField):
    """Fog that is the thicker the deeper inside: for views of what is thin, frayed or see-through, not for surfaces.

    What the other calls distance is then a density's logit (Sun 2022, arXiv:2111.11215) and need not be a distance. At
    0, where meshes are cut, fog is so thin that what the photos left as it was at first is inside.
    """

    METHOD = "density"
    EIKONAL, SMOOTH = 0.0, 0.0003
    CALMER = 0.5
    """As deep as before, fog would be so many times steeper at once, and what was long fitted then stuck; with 1 it
    stays as it was, but cells are twice to three times as many and few steps worth less."""
    STEEP, AT_SURFACE = 4.0, -2.4
    """What a cell's depth adds to the logit, and that of level 0: a cell takes .09 of the light there"""
    CLEAR_TO_OPAQUE = -1.5, 4.0
    """Cells deep, between which samples matter"""
    FIRST = 0.2
    """Cells deep that all seems at first: light comes back from behind six cells, or nothing would be carved there"""

    def alpha(self, distance: Tensor, step: float) -> Tensor:
        middle = (distance[:-1] + distance[1:]) / 2
        return 1 - torch.exp(-step * F.softplus(self.AT_SURFACE + middle * (self.STEEP * self.grid.resolution)))

    def skip(self, volume: Tensor, band: float) -> Skip:
        return Skip.in_fog(self.grid, volume, *self.CLEAR_TO_OPAQUE)

    @classmethod
    def begun(cls, volume: Tensor) -> Tensor:
        return volume.clamp(max=cls.FIRST / (len(volume) - 1))


FIELDS = {kind.METHOD: kind for kind in (RadianceField, DensityField)}


def blended(alpha: Tensor, ray: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """alpha (P,) of samples in order along their rays (P,) -> weights (P,) and opacity (count,)."""
    first = torch.searchsorted(ray, torch.arange(count, device=ray.device))
    number = torch.arange(len(ray), device=ray.device) - first[ray]
    longest = int(number.max()) + 1 if len(ray) else 1
    table = alpha.new_zeros(count, longest).index_put((ray, number), alpha)
    light = torch.cumprod(torch.cat([torch.ones_like(table[:, :1]), 1 - table + 1e-7], 1), 1)
    return (table * light[:, :-1])[ray, number], 1 - light[:, -1]


def harmonics(directions: Tensor) -> Tensor:
    """Real spherical harmonics to degree 2 of unit directions (R, 3): (R, 9), without their constant factors."""
    x, y, z = directions.unbind(-1)
    one = torch.ones_like(x)
    return torch.stack([one, x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], -1)


def eikonal(field: RadianceField, neighbours: Tensor) -> tuple[Tensor, Tensor]:
    """How far gradients are from length 1 (Gropp 2020, arXiv:2002.10099), and how far the distance bends.

    Over neighbours (K, 7) of the grid's corners; the bend is its Laplacian in cells.
    """
    values = field.distance[neighbours] * field.grid.resolution
    slope = (values[:, 1:4] - values[:, 4:]) / 2
    bend = values[:, 1:].sum(1) - 6 * values[:, 0]
    return ((slope.square().sum(1) + 1e-8).sqrt() - 1).square().mean(), bend.square().mean()


__all__ = ["FEATURES", "FIELDS", "DensityField", "RadianceField", "Rendered", "Skip", "eikonal", "harmonics"]
