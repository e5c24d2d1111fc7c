"""What rays see of a field, in buffers of fixed size: as RadianceField.render says it, but nothing here has a shape
that depends on numbers, so that no step waits for a graphics card to tell them, and a CUDA graph can replay it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from .radiance_field import SEEN, RadianceField, Rendered, Skip
from .surroundings import crossing

SPARE = 1.3
"""Room is for so many times what was counted"""
WASTED = 2.5
"""Room for more than so many times the samples that there are is made anew, smaller"""
UNIT = 1024
"""Buffers are so many samples, or a multiple; those along a single ray a 32nd of that"""


@dataclass(frozen=True)
class Room:
    """For how many there is: blocks of cells that rays pass, samples, samples that are seen, samples on one ray."""

    blocks: int
    samples: int
    seen: int
    longest: int

    @classmethod
    def of(cls, counts: list[int]) -> Room:
        """Enough for these counts, and some more."""
        units = UNIT, UNIT, UNIT, UNIT // 32
        return cls(*(max(1, math.ceil(count * SPARE / unit)) * unit for count, unit in zip(counts, units)))

    @property
    def counts(self) -> tuple[int, ...]:
        return self.blocks, self.samples, self.seen, self.longest

    def holds(self, counts: list[int]) -> bool:
        return all(count <= room for count, room in zip(counts, self.counts))

    def wastes(self, counts: list[int]) -> bool:
        return max(counts[1] * WASTED, UNIT) < self.samples


class Buffered:
    """Renders a field's rays. Where there is too little room, what comes last is left out, and `most` says so."""

    def __init__(self, field: RadianceField, skip: Skip, room: Room, rays: int = 0):
        """rays: how many places there must be to spare, at least."""
        self.field, self.skip, self.room = field, skip, room
        device = field.distance.device
        self.most = torch.zeros(4, dtype=torch.int64, device=device)
        """Of each kind of Room, the most that were wanted at once"""
        cells = field.grid.active.nonzero()
        number = torch.arange(max(room.samples, room.seen, rays), device=device) % len(cells)
        self.spare = (cells[number] + 0.5) / field.grid.resolution - 0.5
        """Places in active cells, all about: where samples are said to be that are none"""

    def wanted(self) -> list[int]:
        """Counts as in Room, the most since they were last asked for; a graphics card is waited for."""
        counts = self.most.cpu().tolist()
        self.most.zero_()
        return counts

    def count(self, index: int, number: Tensor) -> None:
        torch.maximum(self.most[index], number, out=self.most[index])

    def chosen(self, mask: Tensor, kind: int) -> tuple[Tensor, Tensor]:
        """Numbers (S,) of what is true in mask (N,), in order, as many as there is room for; which of them are some."""
        size, number = self.room.counts[kind], mask.sum()
        with torch.no_grad():
            self.count(kind, number)
        found = torch.nonzero_static(mask, size=size, fill_value=0)[:, 0]
        return found, torch.arange(size, device=mask.device) < number

    def samples(self, origins: Tensor, directions: Tensor, step: float, jitter: Tensor):
        """As Skip.samples, of which those are none that belong to ray R, which is not there."""
        skip, device, rays = self.skip, origins.device, len(origins)
        cells = skip.grid.resolution
        width, inner = step / cells, max(int(skip.BLOCK / step), 1)
        start, leaves = crossing(origins, directions)
        count = int(math.sqrt(3) / (width * inner)) + 2
        blocks = torch.arange(count, device=device) * (width * inner)
        near = skip.near_blocks(origins, directions, start, leaves - start, blocks, width * inner)
        number, some = self.chosen(near.flatten(), 0)
        ray, block = number // count, number % count
        first = start[ray] + blocks[block] + jitter[ray] * width
        along = (first[:, None] + torch.arange(inner, device=device) * width).flatten()
        ray, some = ray.repeat_interleave(inner), some.repeat_interleave(inner)
        points = origins[ray] + along[:, None] * directions[ray]
        kind = skip.cells[skip.grid.cells(points)] * ((points.abs() < 0.5).all(1) & some)
        end = torch.full((rays,), float("inf"), device=device)
        end = end.scatter_reduce(0, ray, torch.where(kind == 2, along, float("inf")), "amin")
        number, some = self.chosen((kind == 1) & (along < end[ray]), 1)
        spare = self.spare[: len(number)]
        return (
            torch.where(some, ray[number], rays),
            torch.where(some, along[number], 0.0),
            torch.where(some[:, None], points[number], spare),
            width,
        )

    def render(self, origins: Tensor, directions: Tensor, jitter: Tensor, step: float = 0.8) -> Rendered:
        """As RadianceField.render."""
        field, rays = self.field, len(origins)
        ray, along, points, width = self.samples(origins, directions, step, jitter)
        follows = (ray[1:] == ray[:-1]) & (along[1:] - along[:-1] < 1.5 * width) & (ray[1:] < rays)
        alpha = field.alpha(field.grid.at(field.distance, points), step) * follows
        weight, opacity = self.blended(alpha, ray[:-1], rays)
        seen, some = self.chosen(weight.detach() > SEEN, 2)
        kept, owner = weight[seen] * some, torch.where(some, ray[seen], rays)
        middle = (points[seen] + points[seen + 1]) / 2
        middle = torch.where(field.grid.holds(middle)[:, None], middle, points[seen])
        middle = torch.where(some[:, None], middle, self.spare[: len(seen)])
        logits = field.grid.at(field.colour, middle)
        sums = logits.new_zeros(rays + 1, logits.shape[1]).index_add(0, owner, logits * kept[:, None])[:rays]
        far = (kept * (along[seen] + width / 2)).detach()
        depth = along.new_zeros(rays + 1).index_add(0, owner, far)[:rays]
        total = kept.new_zeros(rays + 1).index_add(0, owner, kept)[:rays].clamp_min(1e-4)[:, None]
        colour = field.tint(sums / total, directions)
        return Rendered(colour * opacity[:, None], opacity, depth / total[:, 0])

    def blended(self, alpha: Tensor, ray: Tensor, rays: int) -> tuple[Tensor, Tensor]:
        """As radiance_field.blended: light is summed up as logarithms, whose gradients ask for no numbers."""
        first = torch.searchsorted(ray, torch.arange(rays + 1, device=ray.device))
        number = torch.arange(len(ray), device=ray.device) - first[ray]
        with torch.no_grad():
            self.count(3, torch.where(ray < rays, number, -1).amax() + 1)
        longest = self.room.longest
        there = (ray < rays) & (number < longest)
        place = torch.where(there, ray * longest + number, rays * longest)
        table = alpha.new_zeros(rays * longest + 1).scatter(0, place, alpha * there)[:-1].reshape(rays, longest)
        left = torch.cumsum(torch.log(1 - table + 1e-7), 1)
        before = torch.exp(torch.cat([torch.zeros_like(left[:, :1]), left[:, :-1]], 1))
        weights = torch.cat([(table * before).flatten(), table.new_zeros(1)])
        return weights.gather(0, place), 1 - torch.exp(left[:, -1])


def enough(field: RadianceField, skip: Skip, origins: Tensor, directions: Tensor, jitter: Tensor) -> Buffered:
    """With room for such rays, and some more."""
    room = Room.of([0, 0, 0, 0])
    while True:
        tried = Buffered(field, skip, room)
        with torch.no_grad():
            tried.render(origins, directions, jitter)
        counts = tried.wanted()
        if room.holds(counts):
            return Buffered(field, skip, Room.of(counts), len(origins))
        # What was left out for lack of blocks was not counted among the samples
        room = Room.of([max(pair) for pair in zip(counts, room.counts)])
