"""A field seen by a camera: its silhouette and depth, differentiable in the field and in the camera.

Each pixel's ray is sampled through the cube; density there grows smoothly with the field, and what light still passes
after all of it says how much of the pixel the object covers (volume rendering as in NeRF, Mildenhall et al. 2020,
arXiv:2003.08934, with a density that follows signed distance, as in NeuS and VolSDF, arXiv:2106.12052).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SHARPNESS = 0.008
"""Distance, in shares of the cube, over which inside becomes outside"""
INSET = 0.007
"""How far inside the surface half of that lies: rays that graze a surface run along it for long"""
THICKNESS = 0.05
"""Shares of the cube that a ray runs through half dense matter until e^-.7 of it is left"""


@dataclass(frozen=True, eq=False)
class Cameras:
    """B upright cameras that look at the cube [-.5, .5]^3, as `nets.camera` has them, from any side.

    A place that lies `ahead` of the middle is seen at scale / (1 + near * ahead) half pictures a unit.
    """

    azimuth: Tensor
    """(B,) radians; 0 looks from the front (-y), growing towards +x"""
    elevation: Tensor
    """(B,) radians above"""
    scale: Tensor
    """(B,) half pictures a unit of the cube, at its middle"""
    shift: Tensor
    """(B, 2) where the cube's middle is seen, u right and v down in [-1, 1]"""
    near: Tensor
    """(B,) one over the distance to the cube's middle; 0 is parallel"""

    def take(self, index) -> Cameras:
        return Cameras(*(getattr(self, name)[index] for name in self.__dataclass_fields__))

    def axes(self) -> tuple[Tensor, Tensor, Tensor]:
        """To the right, up in the picture, and ahead: (B, 3) each."""
        ca, sa, ce, se = self.azimuth.cos(), self.azimuth.sin(), self.elevation.cos(), self.elevation.sin()
        right = torch.stack([ca, sa, torch.zeros_like(ca)], -1)
        up = torch.stack([-sa * se, ca * se, ce], -1)
        ahead = torch.stack([-sa * ce, ca * ce, -se], -1)
        return right, up, ahead

    def project(self, places: Tensor) -> Tensor:
        """places (P, 3) or (B, P, 3) -> uv (B, P, 2), v down, of the picture [-1, 1]^2."""
        right, up, ahead = ((places * axis[:, None]).sum(-1) for axis in self.axes())
        k = self.scale[:, None] / (1 + self.near[:, None] * ahead).clamp_min(0.1)
        return torch.stack([k * right, -k * up], -1) + self.shift[:, None]

    def along(self, uv: Tensor, depths: Tensor) -> Tensor:
        """Places (B, P, S, 3) at depths (S,) ahead of the cube's middle on the rays through uv (P, 2)."""
        right, up, ahead = (axis[:, None, None] for axis in self.axes())
        off = (uv[None] - self.shift[:, None]) / self.scale[:, None, None]  # at the middle's depth
        wide = (1 + self.near[:, None] * depths).clamp_min(0.1)[:, None, :, None]
        u, v = off[..., None, :1] * wide, off[..., None, 1:] * wide
        return u * right - v * up + depths[None, None, :, None] * ahead


def pixels(size: int, device=None) -> Tensor:
    """Middles (size^2, 2) of a picture's pixels, u right and v down in [-1, 1], row by row."""
    at = (torch.arange(size, device=device) + 0.5) * (2 / size) - 1
    v, u = torch.meshgrid(at, at, indexing="ij")
    return torch.stack([u, v], -1).reshape(-1, 2)


def sampled(fields: Tensor, cameras: Cameras, size: int, samples: int) -> tuple[Tensor, Tensor]:
    """Values (B, size^2, S) of fields (B, N, N, N) along the pixels' rays, far below 0 outside; depths (S,)."""
    reach = 3**0.5 / 2
    step = 2 * reach / samples
    depths = (torch.arange(samples, device=fields.device) + 0.5) * step - reach
    places = cameras.along(pixels(size, fields.device), depths)
    values = F.grid_sample(
        fields[:, None], (2 * places).flip(-1)[..., None, :], padding_mode="border", align_corners=False
    )[:, 0, ..., 0]
    outside = (places.abs().amax(-1) > 0.5).detach()
    return values.masked_fill(outside, -1e3), depths


def render(fields: Tensor, cameras: Cameras, size: int, truncation: float, samples: int = 48) -> tuple[Tensor, Tensor]:
    """Silhouettes (B, size, size) in [0, 1], and depths (B, size, size) ahead of the cube's middle in its shares.

    fields (B, N, N, N): negated distances over the truncation, inside > 0. Depths mean little where nothing is seen.
    """
    values, depths = sampled(fields, cameras, size, samples)
    # One less the occupancy of a sigmoid is e^-softplus: the sum is the logarithm of what light passes
    step = depths[1] - depths[0]
    optical = F.softplus((values * truncation - INSET) / SHARPNESS) * step / THICKNESS
    passed = torch.exp(-optical.cumsum(-1))
    before = torch.cat([torch.ones_like(passed[..., :1]), passed[..., :-1]], -1)
    weight = before - passed
    covered = weight.sum(-1)
    depth = (weight * depths).sum(-1) / covered.clamp_min(1e-6)
    return covered.unflatten(1, (size, size)), depth.unflatten(1, (size, size))


@torch.no_grad()
def silhouettes(fields: Tensor, cameras: Cameras, size: int, samples: int = 96) -> Tensor:
    """(B, size, size) bool: whether the ray of a pixel's middle meets what is inside."""
    return (sampled(fields, cameras, size, samples)[0].amax(-1) > 0).unflatten(1, (size, size))


def outline_iou(some: Tensor, other: Tensor) -> Tensor:
    """Intersection over union (B,) of silhouettes (B, H, W) in [0, 1]; the usual one for bool."""
    some, other = some.float().flatten(1), other.float().flatten(1)
    both = torch.minimum(some, other).sum(1)
    return both / torch.maximum(some, other).sum(1).clamp_min(1e-6)
