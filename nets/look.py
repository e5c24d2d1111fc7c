"""What the pictures of an object show of its surface: which cells a camera sees, and in which colour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F

from . import turns
from .camera import cell_centres, project
from .confidence import gaussian
from .several_views import fitted

RAY_STEPS = 28
FINEST = 64
"""Cells along each side of the finest field that rays are followed through: they step over what is finer"""
FAVOUR = 4
"""The power by which a view that sees a place more squarely than another outdoes it."""
BLEED, WHOLE = 0.02, 0.9
"""By how much of its side a picture is grown beyond the object's edge, and the alpha that is all of the object"""
GRAZING = 0.1
"""The least cosine that counts, for normals of a soft field are no more than a hint."""
SQUARE = 0.25
"""The cosine from which on a pixel is all that colours a place: what is seen more flatly would show it drawn out"""


@dataclass(frozen=True)
class Looker:
    """Pixels (1, 4, H, W) straight alpha, and where they were taken from: camera (1, 5), and fit (1, 5) of all views
    but the first."""

    pixels: torch.Tensor
    camera: torch.Tensor
    fit: torch.Tensor | None = None

    def uv(self, points: torch.Tensor) -> torch.Tensor:
        """Where points (N, 3) of the first cube lie in the picture, (1, N, 2)."""
        return self.project(points)[0]

    def project(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """uv (1, N, 2) of points (N, 3) of the first cube, and their depth from the middle of the view's own (1, N)."""
        return project(points if self.fit is None else fitted(points, self.fit), self.camera)

    def eye(self) -> torch.Tensor:
        """The camera's place in the first cube, (3,)."""
        elevation, far = self.camera[0, 0], 1 / self.camera[0, 2].clamp_min(1e-3)
        own = torch.stack([0 * far, -far * elevation.cos(), far * elevation.sin()])
        return own if self.fit is None else fitted(own[None], turns.inverse(self.fit))[0, 0]


def look_from_all(occupancy: torch.Tensor, lookers: list[Looker]) -> tuple[torch.Tensor, torch.Tensor]:
    """What all see of the cells round the surface; where several see a cell, the one that it faces counts most."""
    near = round_surface(occupancy)
    seen = [look(occupancy, looker, near) for looker in lookers]
    at = near.nonzero(as_tuple=True)
    points = cell_centres(len(occupancy), occupancy.device)[near.flatten()]
    faces, total, weight, most = normals(occupancy, at), 0.0, 0.0, occupancy.new_zeros(len(points))
    for looker, (pixels, sure) in zip(lookers, seen, strict=True):
        square = squareness(points, faces, looker)
        share = (sure[at] * square) ** FAVOUR
        total, weight = total + pixels[at] * share[:, None], weight + share
        most = torch.maximum(most, sure[at] * ((square - GRAZING) / (SQUARE - GRAZING)).clamp(0, 1))
    mixed, surest = torch.zeros_like(seen[0][0]), torch.zeros_like(seen[0][1])
    mixed[at] = total / weight[:, None].clamp_min(1e-9)
    surest[at] = most
    return mixed, surest


def within(lookers: list[Looker], resolution: int, device) -> np.ndarray:
    """(N, N, N) bool: cells that lie behind what all masks show, or a hundredth of the picture beside that."""
    cells = min(resolution, FINEST)
    points = cell_centres(cells, device)
    seen = torch.ones(len(points), dtype=torch.bool, device=device)
    for looker in lookers:
        at = looker.uv(points)[:, :, None]
        wide = 1 + 2 * round(looker.pixels.shape[-1] / 100)
        mask = F.max_pool2d(looker.pixels[:, 3:].float(), wide, 1, wide // 2)
        seen &= F.grid_sample(mask, at, align_corners=False).flatten() > 0.5
    twice = resolution // cells
    return seen.reshape(cells, cells, cells).cpu().numpy().repeat(twice, 0).repeat(twice, 1).repeat(twice, 2)


def round_surface(occupancy: torch.Tensor) -> torch.Tensor:
    """(N, N, N) bool: cells with some that are inside, and some that are not, within two cells along each axis."""
    return grown(occupancy > 0.3, 2) & grown(occupancy < 0.7, 2)


def grown(where: torch.Tensor, reach: int) -> torch.Tensor:
    """where (N, N, N) bool, and all cells within `reach` of those along each axis."""
    for axis in range(3):
        size = where.shape[axis]
        wide = where.clone()
        for step in range(1, min(reach, size - 1) + 1):
            wide.narrow(axis, 0, size - step).logical_or_(where.narrow(axis, step, size - step))
            wide.narrow(axis, step, size - step).logical_or_(where.narrow(axis, 0, size - step))
        where = wide
    return where


def look(occupancy: torch.Tensor, looker: Looker, near: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What a camera sees of the cells `near` the surface of occupancy (N, N, N).

    Returns pixels (N, N, N, 3) and how surely each is the cell's own, (N, N, N) in [0, 1].
    """
    n = occupancy.shape[0]
    volume = occupancy[None, None]
    index = near.flatten().nonzero()[:, 0]
    pixels, sure = occupancy.new_zeros(n**3, 3), occupancy.new_zeros(n**3)
    if len(index):
        points = cell_centres(n, occupancy.device)[index]
        if n > FINEST:
            coarse = F.avg_pool3d(volume, n // FINEST)
            cells = (F.max_pool3d(near.float()[None, None], n // FINEST) > 0).flatten()
            there = torch.zeros_like(coarse)
            there.view(-1)[cells] = opened(coarse, cell_centres(FINEST, points.device)[cells], looker)
            known = torch.cat([there, cells.reshape(coarse.shape).float()], 1)
            free, share = F.grid_sample(known, 2 * points.flip(-1)[None, None, None], align_corners=False)[0].flatten(1)
            open_ = free / share.clamp_min(1e-3)
        else:
            open_ = opened(volume, points, looker)
        here = F.grid_sample(bled(looker.pixels), looker.uv(points)[:, :, None], align_corners=False)[0, :, :, 0]
        colour = here[:3] / here[3:].clamp_min(1e-3)
        pixels[index] = colour.T.clamp(0, 1)
        sure[index] = open_ * ((here[3] - 0.6) / 0.35).clamp(0, 1)
    return pixels.reshape(n, n, n, 3), sure.reshape(n, n, n)


def bled(pixels: torch.Tensor) -> torch.Tensor:
    """pixels (1, 4, H, W), straight alpha, beyond the object's edge as they are within it: shapes do not keep to the
    pixel, and an edge is mixed with what was behind it."""
    reach = max(1, round(BLEED * pixels.shape[-1]))
    known = (pixels[:, 3:] >= WHOLE).to(pixels)
    colour = pixels[:, :3] * known
    for _ in range(reach):
        near = [F.avg_pool2d(one, 3, 1, 1) for one in (colour, known)]
        colour = torch.where(known > 0, colour, near[0] / near[1].clamp_min(1e-6))
        known = (near[1] > 0).to(pixels)
    return torch.where(known > 0, torch.cat([colour, known], 1), pixels)


def opened(volume: torch.Tensor, points: torch.Tensor, looker: Looker) -> torch.Tensor:
    """How free the way is from points (P, 3) to a camera, through occupancy (1, 1, N, N, N): (P,) in [0, 1]."""
    way = F.normalize(looker.eye() - points, dim=1)
    steps = torch.linspace(2.6 / volume.shape[-1], 0.9, RAY_STEPS, device=points.device)
    along = (points[:, None] + way[:, None] * steps[None, :, None]) * 2
    passed = F.grid_sample(volume, along.flip(-1)[None, None], align_corners=False)[0, 0, 0]  # it wants z y x
    return (1 - 2 * (passed.amax(1) - 0.25)).clamp(0, 1)


def normals(occupancy: torch.Tensor, at: tuple[torch.Tensor, ...]) -> torch.Tensor:
    """Where the surface of occupancy (N, N, N) faces in the cells `at` x, y, z, (M,) each: unit vectors (M, 3)."""
    soft, slopes = gaussian(occupancy, 1.0), []
    for axis in range(3):
        ahead, behind = list(at), list(at)
        ahead[axis] = (at[axis] + 1).clamp(max=len(occupancy) - 1)
        behind[axis] = (at[axis] - 1).clamp(min=0)
        slopes.append((soft[tuple(behind)] - soft[tuple(ahead)]) / (ahead[axis] - behind[axis]))
    return F.normalize(torch.stack(slopes, -1), dim=-1)


def squareness(points: torch.Tensor, faces: torch.Tensor, looker: Looker) -> torch.Tensor:
    """Cosine (M,) between where points (M, 3) face, (M, 3), and the way to the camera; at least GRAZING."""
    return (faces * F.normalize(looker.eye() - points, dim=-1)).sum(-1).clamp_min(GRAZING)
