"""What many photos' depths say together: which space is clear, and where surfaces are.

Truncated signed distances are averaged over the photos that have one (Curless and Levoy 1996).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.hull import Similarity
from .pixels import camera_of, pixels_at, seen_by
from .stereo import Depths

REACH = 2.5 / 96
"""Of the cube's side: how far behind a surface its photo says anything of distance"""
ABOUT = 1 / 40
"""Of the new cube's side: how far outside of what was found first the surface may be after all"""
TWICE = 2
"""Photos that must know a distance"""
COVERED = 0.25
"""Share of what photos show of an object whose depth must be known, or it is better found otherwise"""


@dataclass
class Said:
    """Of places (N,): by how many photos their distance is known, and its mean, inside > 0, from -1 to 1 in `reach`."""

    known: Tensor
    distance: Tensor

    @property
    def clear(self) -> Tensor:
        """(N,) bool"""
        return (self.known >= TWICE) & (self.distance < -0.5)

    @property
    def surface(self) -> Tensor:
        """(N,) bool"""
        return (self.known >= TWICE) & (self.distance.abs() < 0.6)


@torch.no_grad()
def said_of(places: Tensor, maps: list[Depths], similarity: Similarity, reach: float = REACH) -> Said:
    """places (N, 3) of the cube that the maps are in"""
    zero = torch.zeros(len(places), device=places.device)
    known, distance = zero, zero
    for one in maps:
        column, row, away = seen_by(places, *camera_of(one.lens, similarity, places.device))
        pixel, shown = pixels_at(column, row, away, one.depth.shape)
        deeper = (away - one.depth.flatten()[pixel]) / reach
        tells = one.sure.flatten()[pixel] & shown & (deeper < 1)
        known = known + tells
        distance = distance + torch.where(tells, deeper.clamp_min(-1), zero)
    return Said(known, distance / known.clamp_min(1))


def coverage(shown: list[np.ndarray], maps: list[Depths]) -> float:
    """Of an object that photos show at shown, (H, W) bool each, the share of what they show whose depth is sure."""
    sure = total = 0
    for where, one in zip(shown, maps):
        wide = torch.from_numpy(where)[None, None].float().to(one.sure.device)
        within = F.interpolate(wide, one.sure.shape, mode="area")[0, 0] > 0.5
        sure, total = sure + int((one.sure & within).sum()), total + int(within.sum())
    return sure / max(total, 1)


@torch.no_grad()
def surface_in(volume: Tensor, maps: list[Depths], old: Similarity, new: Similarity) -> Tensor:
    """A volume (R + 1,)^3 of distances in a new cube, with what the maps, of the old one, say of its surface."""
    side = torch.linspace(-0.5, 0.5, len(volume), device=volume.device)
    corners = torch.stack(torch.meshgrid(side, side, side, indexing="ij"), -1).reshape(-1, 3)
    scale = new.side / old.side
    places = corners * scale + torch.as_tensor(old.to_cube(new.centre), dtype=torch.float32).to(volume.device)
    reach = REACH * max(scale, 0.5)
    said = said_of(places, maps, old, reach)
    about = said.known.reshape(volume.shape) >= TWICE
    # What lies around the object is not its surface
    about &= volume > -ABOUT
    return torch.where(about, (said.distance * (reach / scale)).reshape(volume.shape), volume)
