"""What pictures give in the end: a surface found in what the network answers, its pieces joined, its colours seen."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from ..geometry.bridge import bridged, largest
from ..geometry.ends import drawn_to_ends
from ..geometry.occupancy_level import promising_level
from ..geometry.paint import spread
from .image_to_field import MIDDLE, Prediction
from .look import Looker, look_from_all, within
from .refiner import REFINED, Refiner, refined, restored
from .symmetry import reflected

MOST = 2
"""Pictures that refine a shape together: on 16 validation objects by known cameras the refiner, which learned from one
picture, adds .007 IoU with one and .005 with two, nothing with three, and takes .005 with four."""
PROMISE = 1.3, -0.26
"""Slope and offset of the IoU at 32^3 against what the field promises, fitted on 128 validation shapes."""


@dataclass(frozen=True)
class Estimate:
    """What one picture gives: occupancy (N, N, N) in [0, 1], distance (N, N, N) inside > 0, colour (N, N, N, 3) sRGB,
    confidence (N, N, N) in [0, 1].

    Distances are in units of the cube.
    level: where the surface is; expected_iou: how well the shape there can be expected to fit the true one, in [0, 1].
    camera: elevation (degrees), scale (half crops a unit), distance, u0, v0 of the likeliest camera, and its weight.
    views: of each picture, the first too: `turn` (degrees that its camera stands round the object from the first's, to
    the right), `found` (how sure that is where it was searched for, in [0, 1]; None where it was given), `used` (False
    where the search was too unsure) and `agreement` of the shape with its mask, in [0, 1].
    """

    occupancy: np.ndarray
    distance: np.ndarray
    colour: np.ndarray
    confidence: np.ndarray
    camera: dict[str, float]
    level: float
    expected_iou: float
    views: list[dict] = field(default_factory=list)
    likeness: float = 1.0
    cameras: tuple[tuple[float, ...], ...] = ()
    """Of each picture: the five numbers of its camera (camera.py)"""
    fits: tuple[tuple[float, ...], ...] = ()
    """Of each picture: how its cube lies to the first's (several_views.py)"""
    place: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    """Where the shape's cube lies in the one that known cameras were given for: shift x, y, z and scale."""


@dataclass(frozen=True)
class Detail:
    """What refines a field to 128^3, and the mirror plane of a symmetrical shape (`symmetry.plane`)."""

    refiner: Refiner
    mirror: float | None = None


def estimate(
    whole: Prediction,
    certain: torch.Tensor,
    lookers: list[Looker],
    weight: float,
    resolution: int,
    detail: Detail | None = None,
    fills: bool = True,
) -> Estimate:
    """A Prediction with its surface found, its pieces joined, the pictures' colours; certain: the fine confidence.

    resolution 32, 64 or, with `detail`, 128. fills: whether the cube is as long as the shape is judged to be; then the
    surface reaches its ends.
    """
    logits = (whole.occupancy if resolution == MIDDLE else whole.fine_occupancy).float()[0, 0]
    occupancy = logits.sigmoid().cpu().numpy()
    level, promised = promising_level(occupancy)
    occupancy = bridged(occupancy, level)
    if detail:
        occupancy, level = detailed(detail, occupancy, level, whole.fine_distance, lookers)
    if fills:
        occupancy = drawn_to_ends(occupancy, level, within(lookers, len(occupancy), logits.device))
    where = logits.device
    colour = sized(whole.colour.float().sigmoid()[0], resolution).permute(1, 2, 3, 0)
    pixels, sure = look_from_all(torch.from_numpy(occupancy).to(where), lookers)
    painted = spread(pixels.cpu().numpy(), sure.cpu().numpy(), colour.cpu().numpy())
    numbers = lookers[0].camera[0].tolist()
    found = {
        "elevation": float(np.degrees(numbers[0])),
        "scale": float(np.exp(numbers[1])),
        "distance": 1 / max(numbers[2], 1e-3),
        "u0": numbers[3],
        "v0": numbers[4],
        "weight": weight,
    }
    expected = min(max(PROMISE[0] * promised + PROMISE[1], 0.0), 1.0)
    distance = (whole.distance if resolution == MIDDLE else whole.fine_distance).float()[0]
    distance, certain = (sized(values, resolution)[0].cpu().numpy() for values in (distance, certain[None]))
    return Estimate(occupancy, distance, painted, certain, found, level, expected)


def sized(values: torch.Tensor, resolution: int) -> torch.Tensor:
    """values (C, N, N, N) with this many cells along each side: means of cells, or drawn out between them."""
    if values.shape[-1] > resolution:
        return F.avg_pool3d(values, values.shape[-1] // resolution)
    if values.shape[-1] == resolution:
        return values
    return F.interpolate(values[None], (resolution,) * 3, mode="trilinear", align_corners=False)[0]


def detailed(
    detail: Detail, occupancy: np.ndarray, level: float, distance: torch.Tensor, lookers: list[Looker]
) -> tuple[np.ndarray, float]:
    """Occupancy (64, 64, 64), joined, and its level, at 128^3, refined by what one picture or two show.

    distance (1, 1, 64, 64, 64) as `Prediction` has it.
    """
    before, surface = _logits(occupancy, distance.device), float(np.log(level / (1 - level)))
    wide = sized(before[0], REFINED)[None]
    if len(lookers) > MOST:
        return _joined(wide)
    fine = refined(detail.refiner, before, distance, surface, lookers)
    if detail.mirror is not None:
        fine = (fine + reflected(fine, detail.mirror)) / 2
    occupancy, level = _joined(fine)
    cut = float(np.log(level / (1 - level)))
    kept = torch.from_numpy(largest(occupancy > level)).to(fine.device)
    above = _logits(occupancy, fine.device) - cut
    whole = restored(above, wide - surface, kept, lookers[0])
    if whole is above:
        return occupancy, level
    fine = whole + cut
    if detail.mirror is not None:
        fine = torch.maximum(fine, reflected(fine, detail.mirror))
    return bridged(fine[0, 0].sigmoid().cpu().numpy(), level), level


def _logits(occupancy: np.ndarray, device) -> torch.Tensor:
    return torch.from_numpy(occupancy).to(device).clamp(1e-4, 1 - 1e-4).logit()[None, None]


def _joined(logits: torch.Tensor) -> tuple[np.ndarray, float]:
    """Occupancy, its pieces joined, of logits (1, 1, N, N, N) and the level that promises most."""
    occupancy = logits[0, 0].sigmoid().cpu().numpy()
    level, _ = promising_level(occupancy)
    return bridged(occupancy, level), level
