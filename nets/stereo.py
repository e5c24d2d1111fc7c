"""How far away what photos show is, from their neighbours: a plane sweep (Collins 1996), kept where several agree.

Each photo is compared, in planes before its camera, with those taken from a little further round, by the normalised
cross-correlation of windows of 7 x 7, which knows nothing of exposure. The better half of the neighbours counts, since
what one of them shows may be hidden from another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.hull import Similarity
from ..geometry.scene import Photo
from .pixels import camera_of, every_ray, pixels_at, seen_by, small, through

COARSE, FINE = 120, 240
"""Pixels along the longer side of what is swept whole, and of what is looked at closer."""
PLANES, CLOSER = 64, 4
"""Planes of the whole sweep, even in inverse depth; planes on either side that are looked at closer, as many to one."""
NEIGHBOURS = 4
LEAST_TURN, BEST_TURN, FAR_TURN, FARTHER = 1.0, 12.0, 15.0, 0.4
"""Degrees between two views below which they tell no depth; that tell it best; how many more, and by what factor in
distance, make a bad pair."""
NEAREST = 0.12
"""Nothing is looked for nearer than this share of the way to the cube's middle."""
ALIKE, WITHIN, AGREE = 0.5, 0.01, 2
"""Least correlation; difference in depth, as a share of it, that two photos may have, and how many must agree."""


@dataclass
class Depths:
    """What one photo shows, with few pixels."""

    lens: Photo
    """Its camera with so many pixels; the picture is empty"""
    depth: Tensor
    """(H, W) along the camera's axis, in the cube"""
    sure: Tensor
    """(H, W) bool: other photos say the same"""


@dataclass
class _Sight:
    """A photo with few pixels, in grey."""

    lens: Photo
    grey: Tensor
    rotation: Tensor
    origin: Tensor
    glass: Tensor
    """Its lens, (8,) as camera_of has it"""
    rays: Tensor
    """(H, W, 3): what reaches 1 along the axis"""

    @classmethod
    def of(cls, photo: Photo, similarity: Similarity, longest: int, device) -> _Sight:
        lens = small(photo, longest)
        height, width = lens.image.shape[:2]
        picture = torch.from_numpy(np.ascontiguousarray(photo.image)).to(device).permute(2, 0, 1)[None].float()
        luma = torch.tensor([0.299, 0.587, 0.114]).to(device) / 255
        grey = torch.einsum("bchw,c->hw", F.interpolate(picture, (height, width), mode="area"), luma)
        rotation, origin, glass = camera_of(lens, similarity, device)
        ways = every_ray(lens, similarity, device)[1].reshape(height, width, 3)
        return cls(lens, grey, rotation, origin, glass, ways / (ways @ -rotation[:, 2])[..., None])

    def at(self, points: Tensor, table: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of a table (H, W), what lies where points (..., 3) are shown; whether they are; their depths."""
        column, row, away = seen_by(points, self.rotation, self.origin, self.glass)
        pixel, shown = pixels_at(column, row, away, table.shape)
        return table.flatten()[pixel], shown, away


@torch.no_grad()
def depth_maps(photos: list[Photo], similarity: Similarity, device="cpu", enough=None) -> list[Depths] | None:
    """Of each photo, or None where enough(share) says that it takes too long: it is asked after each photo."""
    beside = neighbours(photos, similarity)
    levels = [[_Sight.of(photo, similarity, longest, device) for photo in photos] for longest in (COARSE, FINE)]
    swept = []
    for number, near in enumerate(beside):
        swept.append(_swept(number, near, *levels))
        if enough and enough((number + 1) / len(photos)):
            return None
    sights = levels[1]
    return [
        Depths(sight.lens, depth, (alike > ALIKE) & agreed(sight, depth, [(sights[n], swept[n][0]) for n in near]))
        for sight, (depth, alike), near in zip(sights, swept, beside)
    ]


def neighbours(photos: list[Photo], similarity: Similarity) -> list[list[int]]:
    """The numbers of the photos that each one is best compared with."""
    origins = similarity.to_cube([photo.camera[:3, 3] for photo in photos])
    away = np.linalg.norm(origins, axis=1).clip(1e-6)
    towards = origins / away[:, None]
    turn = np.degrees(np.arccos(np.clip(towards @ towards.T, -1, 1)))
    bad = np.where(turn < BEST_TURN, (turn / BEST_TURN - 1) ** 2, ((turn - BEST_TURN) / FAR_TURN) ** 2)
    bad += (np.log(away[:, None] / away) / FARTHER) ** 2
    bad[turn < LEAST_TURN] = np.inf
    return [[number for number in np.argsort(row)[:NEIGHBOURS] if np.isfinite(row[number])] for row in bad]


def _swept(number: int, near: list[int], coarse: list[_Sight], fine: list[_Sight]) -> tuple[Tensor, Tensor]:
    """(H, W) depth and how alike it is there, of one photo."""
    if not near:
        return torch.ones_like(fine[number].grey), -torch.ones_like(fine[number].grey)
    sight = coarse[number]
    middle = max(float(sight.origin.norm()), 0.1)
    first, last = 1 / max(middle - 0.87, NEAREST * middle), 1 / (middle + 0.87)
    inverse = torch.linspace(first, last, PLANES, device=sight.grey.device)[:, None, None]
    depth, _ = _best(sight, [coarse[n] for n in near], inverse.expand(-1, *sight.grey.shape))
    patches = F.unfold(F.pad(1 / depth[None, None], (1,) * 4, mode="replicate"), 3)[0]
    calm = patches.median(0).values.reshape(depth.shape)
    sight, step = fine[number], (first - last) / (PLANES - 1) / CLOSER
    about = F.interpolate(calm[None, None], sight.grey.shape, mode="nearest")[0]
    closer = torch.arange(-CLOSER, CLOSER + 1, device=calm.device)[:, None, None] * step
    return _best(sight, [fine[n] for n in near], (about + closer).clamp_min(1e-3))


def _best(sight: _Sight, others: list[_Sight], inverse: Tensor) -> tuple[Tensor, Tensor]:
    """Of inverse depths (D, H, W), which pixels' windows look most alike in: depth (H, W) between planes, and how."""
    scores = torch.stack([_correlation(sight.grey, *_shown(sight, inverse, other)) for other in others])
    score = scores.topk((len(others) + 1) // 2, 0).values.mean(0)
    best, index = score.max(0)
    middle = index.clamp(1, len(inverse) - 2)
    below, at, above = (score.gather(0, middle[None] + shift)[0] for shift in (-1, 0, 1))
    off = (below - above) / (2 * (below - 2 * at + above)).clamp(max=-1e-6)
    off = off.clamp(-0.5, 0.5) * (index == middle)
    here, there = (inverse.gather(0, number[None])[0] for number in (middle, middle + 1))
    exact = torch.where(index == middle, here + off * (there - here), inverse.gather(0, index[None])[0])
    return 1 / exact, best


def _shown(sight: _Sight, inverse: Tensor, other: _Sight) -> tuple[Tensor, Tensor]:
    """What another photo shows (D, H, W) at inverse depths (D, H, W) of a sight's pixels, and where it shows them."""
    start = ((sight.origin - other.origin) @ other.rotation).cpu().tolist()
    x, y, z = (first * inverse + way for first, way in zip(start, (sight.rays @ other.rotation).unbind(-1)))
    column, row = through(other.glass, x, y, -z)
    height, width = other.grey.shape
    places = torch.stack([column.mul_(2 / width).sub_(1), row.mul_(2 / height).sub_(1)], -1)
    planes, rows, columns = z.shape
    flat = places.reshape(1, planes * rows, columns, 2)
    looked = F.grid_sample(other.grey[None, None], flat, padding_mode="border", align_corners=False)
    return looked.reshape(z.shape), (z < -1e-4) & (column.abs() < 1) & (row.abs() < 1)


def _correlation(grey: Tensor, other: Tensor, shown: Tensor) -> Tensor:
    """Normalised cross-correlation (D, H, W) of the windows of grey (H, W) and other (D, H, W); -1 where not shown."""
    counts = _summed(torch.ones_like(grey))
    mean_one, mean_two = _summed(grey) / counts, _summed(other) / counts
    wide_one = _summed(grey * grey) / counts - mean_one.square()
    wide_two = (_summed(other.square()) / counts).addcmul_(mean_two, mean_two, value=-1)
    both = (_summed(other * grey) / counts).addcmul_(mean_two, mean_one, value=-1)
    found = both.div_((wide_two.clamp_min_(1e-6) * wide_one.clamp_min(1e-6)).sqrt_().add_(1e-5)).clamp_(-1, 1)
    return found.masked_fill_(~shown, -1.0)


def _summed(pictures: Tensor) -> Tensor:
    """Sums over windows of 7 x 7, of pictures (..., H, W) with nothing round them; four additions along each axis."""
    found = F.pad(pictures, (3,) * 4)
    for axis in (-2, -1):
        size = found.shape[axis] - 6
        two = found.narrow(axis, 0, size + 5) + found.narrow(axis, 1, size + 5)
        four = two.narrow(axis, 0, size + 3) + two.narrow(axis, 2, size + 3)
        last = two.narrow(axis, 4, size) + found.narrow(axis, 6, size)
        found = last.add_(four.narrow(axis, 0, size))
    return found


def agreed(sight: _Sight, depth: Tensor, others: list[tuple[_Sight, Tensor]]) -> Tensor:
    """(H, W) bool: where enough of the others, each with its depths, have the same surface."""
    points = sight.origin + depth[..., None] * sight.rays
    alike = torch.zeros_like(depth, dtype=torch.int32)
    for other, depths in others:
        there, shown, away = other.at(points, depths)
        alike += shown & ((there / away - 1).abs() < WITHIN)
    return alike >= AGREE
