"""The loss of image_to_field: volumes and colours of a region, cameras, and the turns between views."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.camera import hypotheses, soft_bins
from ...nets.image_to_field import MIDDLE, TRUNCATION, ImageToField
from ...nets.several_views import OtherView, turn_bins
from .field_recipe import Recipe
from .relief_loss import relief_loss

ASTRAY = (math.radians(7), 0.06, 0.04, 0.04, 0.03)
"""Standard deviations of a fit's turn, scale (logarithm) and shifts where cameras are not told"""
WRONG = 0.08
"""Share of the views whose turn is anything at all where cameras are not told"""
LEAST = 0.25
"""How far cameras that masks were brought to agree by are still astray, of how far one picture's answer is, at least"""


def loss(
    network: ImageToField, batch: dict[str, Tensor], recipe: Recipe, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """-> total loss and its parts; progress in [0, 1] through the budget."""
    truth, count = batch["camera"], len(batch["camera"])
    if progress < recipe.relief_share:
        return relieved(network.relief(batch["picture"]), batch)
    pictures, every_camera = batch["picture"], truth
    for name in ("other", "view"):
        if f"{name}_picture" in batch:  # all views of an object, then those of the next
            more, numbers = batch[f"{name}_picture"], batch[f"{name}_camera"]
            pictures = torch.cat([pictures, more.reshape(-1, *pictures.shape[1:])])
            every_camera = torch.cat([every_camera, numbers.reshape(-1, 5)])
    seen = network.encode(pictures, None if "fit" in batch else count) if recipe.relief else network.encode(pictures)
    bins, rest = camera_loss(network, seen, every_camera)
    alone = 0.0 if recipe.start else recipe.camera_share
    if progress < alone:
        return bins + 2 * rest, {"bins": bins.detach(), "rest": rest.detach()}
    share = 1.0 if progress < alone + 0.04 else recipe.true_camera
    standing = every_camera
    if "known" in batch:
        cubes = batch["known_camera"]
        standing = torch.cat([cubes[:, 0], cubes[:, 1:].reshape(-1, 5)])
        doubt = 1 - (1 - LEAST) * torch.rand(count, 1, device=truth.device)
        doubt = torch.where(batch["known"][:, None], 0.0, doubt)
    else:
        doubt = (torch.rand(count, 1, device=truth.device) >= share).float()
    given = believed(network, seen, standing, doubt)
    first = {name: value[:count] for name, value in seen.items()}
    camera, others, turn = given[:count], [], None
    if "fit" in batch:
        turn = turn_loss(network, seen["vector"], batch["fit"])
        others = other_views(seen, given, batch["fit"], doubt)
    n, room = recipe.region, MIDDLE - recipe.region
    start = ((torch.rand(3) + torch.rand(3)) / 2 * (room + 1)).long().clamp(0, room).tolist()
    region = tuple(slice(s, s + n) for s in start)
    fine = tuple(slice(2 * s, 2 * s + 2 * n) for s in start)
    out = network.decode(first, camera, region, others)
    target = batch["distance"]
    every = (slice(None), slice(None))
    parts = {
        "coarse": volume_loss(out.occupancy, out.distance, F.avg_pool3d(target, 2)),
        "fine": volume_loss(out.fine_occupancy, out.fine_distance, target[(*every, *fine)]),
        "bins": bins,
        "rest": rest,
    }
    painted = batch["painted"][(*every, *region)]
    wrong = (out.colour.float().sigmoid() - batch["colour"][(*every, *region)]).abs() * painted
    parts["colour"] = wrong.sum() / (3 * painted.sum() + 1)
    total = parts["coarse"] + 0.5 * parts["fine"] + 0.6 * parts["bins"] + 2 * parts["rest"] + 0.5 * parts["colour"]
    if recipe.relief:
        relief, more = relieved(first["relief"], batch)
        total, parts = total + 0.5 * relief, parts | more
    if turn is not None:
        parts = {f"{name}_views": value for name, value in parts.items()} | {"turn": turn}
        total = total + 0.2 * turn
    return total, {name: value.detach() for name, value in parts.items()}


def relieved(maps: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """`relief_loss` of the first pictures' maps, where their shapes fill their cubes: depths count from the middle."""
    picture, distance, camera = batch["picture"], batch["distance"], batch["camera"]
    if "known_camera" in batch:
        still = (batch["known_camera"][:, 0] == camera).all(1)
        maps, picture, distance, camera = maps[still], picture[still], distance[still], camera[still]
    return relief_loss(maps, picture, distance, camera)


def believed(network: ImageToField, seen: dict, truth: Tensor, doubt: Tensor) -> Tensor:
    """Cameras (M, 5): as far from the true ones as doubt (B, 1) in [0, 1] says towards what the network itself finds.

    M = B (+ others that are no views) or B V with all first views before the others, object by object.
    """
    if not doubt.any():
        return truth
    likely, _ = hypotheses(seen["bins"].detach().float(), 1)
    found = network.camera(seen, likely[:, 0]).detach()
    count = len(doubt)
    more = (len(truth) - count) // count
    how = torch.cat([doubt, doubt.repeat_interleave(more, 0)])
    how = F.pad(how, (0, 0, 0, len(truth) - len(how)))
    return truth + how * (found - truth)


def other_views(seen: dict, given: Tensor, fit: Tensor, doubt: Tensor) -> list[OtherView]:
    """The views beside the first, of what the encoder saw in all.

    Where doubt (B, 1) is 1, fits are as far off as those that are made from one picture's answer, and where it is more
    than nothing some turns are quite wrong: the network is to find that such a view does not agree.
    """
    count, more = fit.shape[:2]
    off = torch.randn_like(fit) * fit.new_tensor(ASTRAY) * doubt[:, None]
    wrong = (torch.rand(count, more, device=fit.device) < WRONG) & (doubt > 0)
    off[..., 0] += wrong * (torch.rand(count, more, device=fit.device) * 2 * math.pi)
    fit = torch.cat([fit[..., :1] + off[..., :1], fit[..., 1:2] * off[..., 1:2].exp(), fit[..., 2:] + off[..., 2:]], -1)
    rows = [torch.arange(count, device=fit.device) * more + count + k for k in range(more)]
    return [OtherView({n: v[row] for n, v in seen.items()}, given[row], fit[:, k]) for k, row in enumerate(rows)]


def turn_loss(network: ImageToField, vector: Tensor, fit: Tensor) -> Tensor:
    """Cross entropy of the turns between the first view and each other, both ways."""
    count, more = fit.shape[:2]
    first, other = vector[:count].repeat_interleave(more, 0), vector[count:]
    turn = fit[..., 0].flatten()
    forth = turn_bins(turn) * network.turn(first, other).float().log_softmax(1)
    back = turn_bins(-turn) * network.turn(other, first).float().log_softmax(1)
    return -(forth + back).sum(1).mean() / 2


def camera_loss(network: ImageToField, seen: dict[str, Tensor], truth: Tensor) -> tuple[Tensor, Tensor]:
    """Cross entropy of the joint bins; error of distance and centre, given the true elevation and scale."""
    target = soft_bins(truth[:, 0], truth[:, 1])
    bins = -(target * seen["bins"].float().log_softmax(1)).sum(1).mean()
    return bins, (network.camera(seen, truth[:, :2])[:, 2:] - truth[:, 2:]).abs().mean()


def volume_loss(logits: Tensor, distance: Tensor, target: Tensor) -> Tensor:
    filled = occupancy(target)
    cells = F.binary_cross_entropy_with_logits(logits.float(), filled)
    apart = (distance.float() - target).abs().mean() / TRUNCATION
    return 3 * cells + (1 - soft_iou(logits, filled)).mean() + 0.5 * apart


def soft_iou(logits: Tensor, target: Tensor) -> Tensor:
    p = logits.float().sigmoid().flatten(1)
    t = target.flatten(1)
    both = (p * t).sum(1)
    return both / (p.sum(1) + t.sum(1) - both).clamp_min(1e-3)


def occupancy(distance: Tensor) -> Tensor:
    """Soft occupancy of cells from distances at their centres (B, 1, N, N, N), inside > 0."""
    return (0.5 + distance * distance.shape[-1]).clamp(0, 1)
