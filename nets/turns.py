"""From which side each picture of one object was taken: how far the object is turned from the first picture's view."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .camera import cell_centres, project
from .several_views import TURNS, fitted

CELLS = 16
"""Cells along each side of the shapes that are compared"""
SPREAD = 1.7
"""Cells that a ray spans, so that none between cells finds nothing"""
WEIGHTS = (9.0, 4.0, 2.0, 0.45)
"""Of: the shapes' overlap; the first shape in the other's mask; the other's in the first's; the head's logarithm"""
ENOUGH = 0.5
"""Probability of the likeliest turn, its neighbours counted in, from which it is believed"""


def fit_of(occupancy: Tensor, turns: Tensor) -> Tensor:
    """How the cubes of views lie to which the object is turned by turns (A,) radians: (A, 5) as `OtherView.fit`.

    occupancy (N, N, N) in [0, 1] is the shape in the first view's cube; each view's cube holds it and is centred.
    """
    n = occupancy.shape[0]
    points = cell_centres(n, occupancy.device)[occupancy.flatten() > 0.5 * float(occupancy.max())]
    still = torch.stack([turns, *([torch.ones_like(turns)] + [torch.zeros_like(turns)] * 3)], 1)
    turned = fitted(points, still)
    low, high = turned.amin(1) - 0.5 / n, turned.amax(1) + 0.5 / n
    scale = 1 / (high - low).amax(1, keepdim=True)
    return torch.cat([turns[:, None], scale, -scale * (low + high) / 2], 1)


def inverse(fit: Tensor) -> Tensor:
    """The way back: from the other view's cube into the first's, (A, 5)."""
    turn, scale = fit[:, 0], fit[:, 1]
    c, s = turn.cos(), turn.sin()
    x, y, z = fit[:, 2:].T
    back = torch.stack([c * x + s * y, c * y - s * x, z], 1) / -scale[:, None]
    return torch.cat([-turn[:, None], 1 / scale[:, None], back], 1)


def mirrored_fit(fit: Tensor) -> Tensor:
    """The fit between the mirror images of two views."""
    return fit * fit.new_tensor([-1, 1, -1, 1, 1])


def mirrored_camera(camera: Tensor) -> Tensor:
    """The camera (..., 5) that sees the mirror image."""
    return camera * camera.new_tensor([1, 1, 1, -1, 1])


def scores(first: Tensor, other: Tensor, cameras: Tensor, alphas: Tensor, turns: Tensor) -> tuple[Tensor, ...]:
    """How well each of turns (A,) explains two pictures: overlap of shapes, each shape in the other's mask; all (A,).

    first and other (N, N, N): occupancy that each picture alone gives, in its own cube; cameras (2, 5) and alphas
    (2, 1, H, W) of both.
    """
    first, other = small(first), small(other)
    forth = fit_of(first, turns)
    back = fit_of(other, -turns)
    return (
        (overlap(first, other, forth) + overlap(other, first, back)) / 2,
        in_mask(first, forth, cameras[1], alphas[1]),
        in_mask(other, back, cameras[0], alphas[0]),
    )


def small(occupancy: Tensor) -> Tensor:
    return F.avg_pool3d(occupancy[None, None], occupancy.shape[0] // CELLS)[0, 0]


def overlap(first: Tensor, other: Tensor, fit: Tensor) -> Tensor:
    """Soft intersection over union (A,) of the first shape, carried over by fit (A, 5), and the other."""
    n = first.shape[0]
    values = first.flatten()
    places = fitted(cell_centres(n, first.device), fit)
    met = F.grid_sample(other[None, None], (2 * places).flip(-1)[None, :, :, None], align_corners=False)[0, 0, ..., 0]
    both = torch.minimum(met, values).sum(1)
    return both / (values.sum() + other.sum() / fit[:, 1] ** 3 - both).clamp_min(1e-6)


def in_mask(occupancy: Tensor, fit: Tensor, camera: Tensor, alpha: Tensor) -> Tensor:
    """Soft intersection over union (A,) of the shape's silhouettes, carried over by fit (A, 5), and alpha (1, H, W)."""
    n, count = occupancy.shape[0], len(fit)
    some = occupancy.flatten() > 0.15
    values = (1.6 * occupancy.flatten()[some]).clamp(0, 1)
    uv, _ = project(fitted(cell_centres(n, fit.device)[some], fit), camera[None].expand(count, -1))
    rays = max(8, min(40, int(2 * n / (SPREAD * float(camera[1].exp())))))
    pixel = ((uv + 1) / 2 * rays).long()
    inside = ((pixel >= 0) & (pixel < rays)).all(-1)
    row = torch.arange(count, device=fit.device)[:, None] * rays * rays
    index = (row + pixel[..., 1] * rays + pixel[..., 0])[inside]
    shown = values.new_zeros(count * rays * rays)
    shown = shown.scatter_reduce(0, index, values.expand(count, -1)[inside], "amax").reshape(count, -1)
    mask = F.adaptive_avg_pool2d(alpha[None].float(), rays).flatten(1)
    return torch.minimum(shown, mask).sum(1) / torch.maximum(shown, mask).sum(1).clamp_min(1e-6)


def candidates(device=None) -> Tensor:
    """Turns (TURNS,) in radians, evenly round the circle."""
    return torch.arange(TURNS, device=device) * (2 * math.pi / TURNS)


def find(network, seen: list[dict], shapes: list[Tensor], cameras: Tensor, alphas: Tensor) -> tuple[Tensor, Tensor]:
    """The turn (radians) from the first view to each other, (V - 1,), and how sure it is in [0, 1], (V - 1,).

    seen: what the encoder saw in each; shapes: occupancy that each alone gives; cameras (V, 5); alphas (V, 1, H, W).
    """
    turns, found, sure = candidates(cameras.device), [], []
    for k in range(1, len(seen)):
        pair = [0, k]
        parts = scores(shapes[0], shapes[k], cameras[pair], alphas[pair], turns)
        forth = network.turn(seen[0]["vector"], seen[k]["vector"])[0].float().log_softmax(0)
        back = network.turn(seen[k]["vector"], seen[0]["vector"])[0].float().log_softmax(0)
        guess = forth + back[-torch.arange(TURNS, device=forth.device) % TURNS]
        likely = sum(w * part for w, part in zip(WEIGHTS, (*parts, guess))).softmax(0)
        near = likely + likely.roll(1) + likely.roll(-1)
        found.append(turns[near.argmax()])
        sure.append(near.max())
    return torch.stack(found), torch.stack(sure)
