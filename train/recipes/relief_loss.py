"""What teaches nets/relief.py: where each pixel's ray enters and leaves the true shape, and its normal there."""

from __future__ import annotations

from itertools import product

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.camera import unproject
from ...nets.relief import SIDE

STEPS, REACH = 65, 0.9
"""Places along each ray, and how far they lie before and behind the cube's centre"""
SURFACE = -0.006
"""Distance (inside > 0) that counts as the surface: sheets thinner than a step are not passed through"""
OUTSIDE = -0.02
"""Distance beyond the cube: about what a shape that touches its side has a cell further"""
NORMALS = 0.2


def relief_loss(maps: Tensor, picture: Tensor, distance: Tensor, camera: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
    """-> the loss of maps (B, 5 + F, 32, 32) and its parts.

    picture (B, 4, 128, 128), distance (B, 1, N, N, N) inside > 0, true camera (B, 5).
    """
    seen = F.adaptive_avg_pool2d(picture[:, 3:].float(), SIDE).flatten(1) > 0.5
    which, pixel, truth = surfaces(seen, distance, camera)
    answered = maps.flatten(2).transpose(1, 2)[which, pixel].float()
    front, back = (answered[:, :2] - truth[:, :2]).abs().sum(0) / (len(which) + 1)
    unlike = 1 - F.cosine_similarity(answered[:, 2:5], truth[:, 2:], dim=1, eps=1e-4)
    turned = unlike.sum() / (len(which) + 1)
    parts = {"front": front.detach(), "back": back.detach(), "normal": turned.detach()}
    return front + back + NORMALS * turned, parts


@torch.no_grad()
def surfaces(seen: Tensor, distance: Tensor, camera: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the pixels seen (B, 1024) whose rays hit the shape: picture (M,), pixel (M,), and (M, 5).

    Those are the depths at which the ray enters and last leaves, in half crops, and the normal where it enters, in the
    camera's axes.
    """
    which, pixel = seen.nonzero(as_tuple=True)
    padded = F.pad(distance[:, 0].float(), (1,) * 6, value=OUTSIDE)
    at = (torch.stack([pixel % SIDE, pixel // SIDE], -1) + 0.5) * (2 / SIDE) - 1
    depths = torch.linspace(-REACH, REACH, STEPS, device=at.device)
    inside = nearest(padded, which, unproject(at[:, None], depths, camera[which])) > SURFACE
    hit = inside.any(1)
    which, pixel, at, inside = which[hit], pixel[hit], at[hit], inside[hit].byte()
    camera = camera[which]
    first, last = inside.argmax(1), STEPS - 1 - inside.flip(1).argmax(1)
    step = depths[1] - depths[0]

    def value(depth: Tensor) -> Tensor:
        return between(padded, which, unproject(at, depth, camera))

    def crossed(inner: Tensor, way: float) -> Tensor:
        """The depth of the surface between a place inside and the one a step further"""
        deep, out = value(inner), value(inner + way * step)
        return inner + way * step * ((deep - SURFACE) / (deep - out).clamp_min(1e-6)).clamp(0, 1)

    enters, leaves = crossed(depths[first], -1), crossed(depths[last], 1)
    struck, offset = unproject(at, enters, camera), 1.5 / distance.shape[-1]
    ways = offset * torch.eye(3, device=at.device)
    slopes = [between(padded, which, struck - way) - between(padded, which, struck + way) for way in ways]
    x, y, z = F.normalize(torch.stack(slopes, 1), dim=1).unbind(1)
    c, s = camera[:, 0].cos(), camera[:, 0].sin()
    scale = camera[:, 1].exp()
    return which, pixel, torch.stack([enters * scale, leaves * scale, x, y * s + z * c, z * s - y * c], 1)


def nearest(padded: Tensor, which: Tensor, points: Tensor) -> Tensor:
    """Distances (M, K) of the cells that hold points (M, K, 3), in padded grids (B, N + 2, ...) of the M's `which`."""
    side = padded.shape[-1]
    i, j, k = ((points + 0.5) * (side - 2) + 1).long().clamp_(0, side - 1).unbind(-1)
    return padded.flatten()[((which[:, None] * side + i) * side + j) * side + k]


def between(padded: Tensor, which: Tensor, points: Tensor) -> Tensor:
    """Trilinear distances (M,) at points (M, 3), as `nearest` has them."""
    side = padded.shape[-1]
    at = ((points + 0.5) * (side - 2) + 0.5).clamp(0, side - 1.001)
    low = at.long()
    part, total = at - low, torch.zeros_like(at[:, 0])
    for corner in product((0, 1), repeat=3):
        i, j, k = (low + low.new_tensor(corner)).unbind(-1)
        weight = torch.where(low.new_tensor(corner) > 0, part, 1 - part).prod(-1)
        total = total + weight * padded.flatten()[((which * side + i) * side + j) * side + k]
    return total
