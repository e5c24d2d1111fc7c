"""Photos as rays of the cube that a field is fitted in."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.hull import Similarity, widened
from ..geometry.scene import Photo

BORDER = 12
"""Pixels round a mask that are drawn as often as those in it."""
ELSEWHERE = 0.25
"""Share of the pixels that are drawn from all of the photos where they have no masks."""


class Drawn(NamedTuple):
    """N pixels of photos, as rays."""

    origins: Tensor
    """(N, 3) in the cube"""
    ways: Tensor
    """(N, 3) unit"""
    colours: Tensor
    """(N, 3) sRGB in [0, 1]"""
    alpha: Tensor
    """(N,) in [0, 1]; 1 where nobody said"""
    photo: Tensor
    """(N,) int64, the number of each one's photo"""
    along: Tensor | None = None
    """(N,) how far along its ray several photos see a surface, NaN where they see none; None where nobody looked"""


class Pixels:
    """Pixels of photos as rays of the cube, drawn at random from where the object may be."""

    def __init__(self, photos: list[Photo], similarity: Similarity, device, seed: int = 0, shown=None, depths=None):
        """shown: (H, W) bool of each photo, where the object may be in photos without masks; where those with masks
        can be trusted. depths: (H, W) of each photo along its camera's axis, in this cube, in as few pixels as there
        are, NaN where nobody knows."""
        self.device = device = torch.device(device)
        # Numbers are drawn where they are used on a graphics card; elsewhere by the processor
        self.chance = device if device.type == "cuda" else torch.device("cpu")
        self.random = torch.Generator(self.chance).manual_seed(seed)
        self.images = [torch.from_numpy(np.ascontiguousarray(p.image)) for p in photos]
        self.masks = [torch.from_numpy(np.ascontiguousarray(mask_of(p))) for p in photos]
        self.cameras = [camera_of(p, similarity) for p in photos]
        sizes = torch.tensor([m.numel() for m in self.masks])
        self.first = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)]).to(device)
        self.widths = torch.tensor([m.shape[1] for m in self.masks]).to(device)
        self.colours = torch.cat([i.reshape(-1, 3) for i in self.images]).to(device)
        self.alpha = torch.cat([m.flatten() for m in self.masks]).to(device)
        self.pool, self.elsewhere = None, 0.0
        near = [s.ravel() for s in shown or ()]
        if photos[0].mask is not None:
            round_it = [widened(m.numpy(), BORDER).ravel() for m in self.masks]
            near = [wide & trusted for wide, trusted in zip(round_it, near)] if near else round_it
        elif shown:
            self.elsewhere = ELSEWHERE
        if near:
            self.pool = torch.from_numpy(np.flatnonzero(np.concatenate(near)).astype(np.int32)).to(device)
        self.heights = torch.tensor([m.shape[0] for m in self.masks]).to(device)
        self.depths = torch.cat([depth.flatten() for depth in depths]).to(device) if depths else None
        if depths:
            self.fewer = torch.tensor([depth.shape for depth in depths]).to(device)
            self.first_depth = F.pad(self.fewer.prod(1).cumsum(0), (1, 0))
        self.rotations, self.origins, self.lenses = (torch.stack(part).to(device) for part in zip(*self.cameras))
        self.distorted = any(bool(lens[4:].any()) for _, _, lens in self.cameras)

    def draw(self, count: int) -> Drawn:
        """Random pixels."""
        pick = self.pick(count)
        photo = torch.searchsorted(self.first, pick, right=True) - 1
        place = pick - self.first[photo]
        row, column = place // self.widths[photo], place % self.widths[photo]
        ways = directions(row, column, self.lenses[photo], self.rotations[photo], self.distorted)
        return Drawn(
            self.origins[photo],
            ways,
            self.colours[pick].float() / 255,
            self.alpha[pick].float() / 255,
            photo,
            None if self.depths is None else self.along(photo, row, column, ways),
        )

    def along(self, photo: Tensor, row: Tensor, column: Tensor, ways: Tensor) -> Tensor:
        """(N,) distances to surfaces along rays, of pixels."""
        height, width = self.fewer[photo].unbind(1)
        row, column = row * height // self.heights[photo], column * width // self.widths[photo]
        found = self.depths[self.first_depth[photo] + row * width + column]
        return found / -(ways * self.rotations[photo, :, 2]).sum(1)

    def pick(self, count: int) -> Tensor:
        """Numbers of random pixels."""
        if self.pool is None:
            return self.any_of(len(self.alpha), count)
        pick = self.pool[self.any_of(len(self.pool), count)].long()
        away = int(count * self.elsewhere)
        if away:
            pick[:away] = self.any_of(len(self.alpha), away)
        return pick

    def any_of(self, number: int, count: int) -> Tensor:
        """(count,) whole numbers below `number`."""
        drawn = torch.randint(number, (count,), generator=self.random, device=self.chance)
        return drawn.to(self.device)


def mask_of(photo: Photo) -> np.ndarray:
    return np.full(photo.image.shape[:2], 255, np.uint8) if photo.mask is None else photo.mask


def camera_of(photo: Photo, similarity: Similarity, device="cpu") -> tuple[Tensor, Tensor, Tensor]:
    """Rotation (3, 3), origin (3,) in the cube and lens (8,): fx, fy, cx, cy, k1, k2, p1, p2."""
    k = photo.pinhole
    lens = [k[0, 0], k[1, 1], k[0, 2], k[1, 2], *photo.distortion]
    origin = similarity.to_cube(photo.camera[:3, 3])
    parts = photo.camera[:3, :3], origin, lens
    return tuple(torch.tensor(np.asarray(part), dtype=torch.float32).to(device) for part in parts)


def directions(row: Tensor, column: Tensor, lens: Tensor, rotation: Tensor, distorted: bool | None = None) -> Tensor:
    """Unit directions (N, 3) through the middles of pixels (N,); lens (N, 8) or (8,), rotation (N, 3, 3) or (3, 3).

    distorted: whether any lens is, where that is known.
    """
    fx, fy, cx, cy, k1, k2, p1, p2 = lens.unbind(-1)
    u, v = (column + 0.5 - cx) / fx, (row + 0.5 - cy) / fy
    x, y = u, v
    if bool((lens[..., 4:] != 0).any()) if distorted is None else distorted:
        for _ in range(6):  # the distortion's inverse, by fixed-point steps
            r = x * x + y * y
            radial = 1 + r * (k1 + r * k2)
            x, y = (
                (u - 2 * p1 * x * y - p2 * (r + 2 * x * x)) / radial,
                (v - p1 * (r + 2 * y * y) - 2 * p2 * x * y) / radial,
            )
    local = F.normalize(torch.stack([x, -y, -torch.ones_like(x)], -1), dim=-1)
    return (rotation @ local[..., None])[..., 0]


def seen_by(points: Tensor, rotation: Tensor, origin: Tensor, lens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Columns, rows and depths (...) at which a camera shows points (..., 3) of the cube; depths > 0 before it."""
    x, y, z = ((points - origin) @ rotation).unbind(-1)
    return *through(lens, x, y, -z), -z


def pixels_at(column: Tensor, row: Tensor, away: Tensor, shape) -> tuple[Tensor, Tensor]:
    """Numbers (...) of the pixels of a picture (H, W) at columns and rows so far away, and whether it shows them: where
    not, 0."""
    height, width = shape
    shown = (away > 1e-4) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return torch.where(shown, row.long() * width + column.long(), 0), shown


def through(lens: Tensor, x: Tensor, y: Tensor, away: Tensor) -> tuple[Tensor, Tensor]:
    """Columns and rows (...) at which a lens (8,) shows what lies at x, y (up) and so far before it, in any unit."""
    fx, fy, cx, cy, k1, k2, p1, p2 = lens.cpu().tolist()
    near = 1 / away.clamp_min(1e-4)
    x, y = x * near, -y * near
    if k1 or k2 or p1 or p2:
        r = (x * x + y * y).clamp_max(4.0)  # the polynomial folds back far outside the picture
        radial = 1 + r * (k1 + r * k2)
        x, y = (
            x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x),
            y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y,
        )
    return fx * x + cx, fy * y + cy


def every_ray(photo: Photo, similarity: Similarity, device="cpu") -> tuple[Tensor, Tensor]:
    """origins, directions (H * W, 3) in the cube through a photo's pixels, row after row."""
    rotation, origin, lens = camera_of(photo, similarity, device)
    height, width = photo.image.shape[:2]
    place = torch.arange(height * width, device=device)
    ways = directions(place // width, place % width, lens, rotation)
    return origin.expand(len(ways), 3), ways


def small(photo: Photo, longest: int) -> Photo:
    """The photo's camera with fewer pixels; its picture is empty."""
    height, width = photo.image.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    stretch = np.diag([size[1] / width, size[0] / height, 1.0])
    return replace(photo, image=np.zeros((*size, 3), np.uint8), pinhole=stretch @ photo.pinhole, mask=None)
