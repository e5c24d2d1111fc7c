"""How image_to_field is watched while it trains: scores on held-out procedural shapes, and pictures of them."""

from __future__ import annotations

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.camera import hypotheses
from ...nets.image_to_field import PICTURE, ImageToField
from ...nets.several_views import TURNS, OtherView
from ..shapes import shards
from .field_loss import occupancy
from .field_recipe import Recipe
from .field_samples import prepare, samples
from .relief_loss import relief_loss
from .shard_batches import ViewBatches


@torch.no_grad()
def validate(network: ImageToField, recipe: Recipe, device) -> dict[str, float]:
    """IoU at 32^3 on held-out procedural shapes: with the likeliest camera, the mean of three, and the true one."""
    network.eval()
    scores: dict[str, list[Tensor]] = {
        "iou_one": [],
        "iou_three": [],
        "iou_true_camera": [],
        "elevation_degrees": [],
        "log_scale": [],
    }
    have = 0
    for loaded in samples(recipe, "validation", device):
        if have >= recipe.validation:
            break
        for i in range(0, len(loaded["picture"]), 32):
            batch = prepare({name: value[i : i + 32].to(device) for name, value in loaded.items()}, augment=False)
            target = F.avg_pool3d(batch["distance"], 2) > 0
            small = (slice(0, 1),) * 3
            seen = network.encode(batch["picture"])
            found, weights = hypotheses(seen["bins"].float(), 3)
            views = [
                network.decode(seen, network.camera(seen, found[:, k]), small).occupancy.float().sigmoid()
                for k in range(3)
            ]
            mean = sum(w[:, None, None, None, None] * v for w, v in zip(weights.T, views))
            best = network.decode(seen, batch["camera"], small).occupancy.float().sigmoid()
            for name, guess in (("iou_one", views[0]), ("iou_three", mean), ("iou_true_camera", best)):
                scores[name].append(iou(guess > 0.5, target))
            error = (found[:, 0] - batch["camera"][:, :2]).abs()
            scores["elevation_degrees"].append(error[:, 0].rad2deg())
            scores["log_scale"].append(error[:, 1])
            if recipe.relief:
                truth = (batch["picture"], batch["distance"], batch["camera"])
                for name, value in relief_loss(seen["relief"], *truth)[1].items():
                    scores.setdefault(name, []).append(value.reshape(1))
        have += len(loaded["picture"])
    found = {name: float(torch.cat(values).mean()) for name, values in scores.items()}
    if recipe.several:
        found |= validate_views(network, recipe, device)
    network.train()
    return found


def validate_views(network: ImageToField, recipe: Recipe, device) -> dict[str, float]:
    """IoU at 32^3 of one and of more views with true turns, true and found cameras; share of turns within 22.5°."""
    scores: dict[str, list[Tensor]] = {}
    for path in sorted((Path(recipe.shards) / "validation_views").glob("shard-*.npz")):
        loaded = {n: torch.from_numpy(getattr(shards.load(path, shards.Views), n)) for n in ViewBatches.FIELDS}
        for i in range(0, len(loaded["camera"]), 16):
            batch = prepare({name: value[i : i + 16].to(device) for name, value in loaded.items()}, augment=False)
            target = F.avg_pool3d(batch["distance"], 2) > 0
            pictures = torch.cat([batch["picture"][:, None], batch["view_picture"]], 1)
            true = torch.cat([batch["camera"][:, None], batch["view_camera"]], 1)
            seen = [network.encode(pictures[:, k]) for k in range(pictures.shape[1])]
            found = [network.camera(s, hypotheses(s["bins"].float(), 1)[0][:, 0]) for s in seen]
            for word, cameras_ in (("found", found), ("true", list(true.unbind(1)))):
                others = [OtherView(seen[k], cameras_[k], batch["fit"][:, k - 1]) for k in range(1, len(seen))]
                for views in (1, 2, 3, len(seen)):
                    small = (slice(0, 1),) * 3
                    guess = network.decode(seen[0], cameras_[0], small, others[: views - 1]).occupancy > 0
                    scores.setdefault(f"{word}_{views}", []).append(iou(guess, target))
            for k in range(1, len(seen)):
                likely = network.turn(seen[0]["vector"], seen[k]["vector"]).argmax(1) * (2 * math.pi / TURNS)
                apart = (likely - batch["fit"][:, k - 1, 0] + math.pi) % (2 * math.pi) - math.pi
                scores.setdefault("turns", []).append((apart.abs() < math.pi / 8).float())
    return {name: float(torch.cat(values).mean()) for name, values in scores.items()}


@torch.no_grad()
def pictures(network: ImageToField, recipe: Recipe, device, count: int = 8) -> Tensor:
    """(3, H, W) in [0, 1]: a row a validation sample. The picture; then from the front, the side and above the

    silhouettes of the answer, with the likeliest camera, and beside each that of the truth.
    """
    network.eval()
    stored = next(iter(samples(recipe, "validation", device)))
    batch = prepare({name: value[:count].to(device) for name, value in stored.items()}, augment=False)
    seen = network.encode(batch["picture"])
    found, _ = hypotheses(seen["bins"].float(), 1)
    guess = network.decode(seen, network.camera(seen, found[:, 0]), (slice(0, 1),) * 3).occupancy.float().sigmoid()
    network.train()
    truth = occupancy(F.avg_pool3d(batch["distance"], 2))
    columns = [batch["picture"][:, :3] + 1 - batch["picture"][:, 3:]]
    for axis in (3, 2, 4):  # B C X Y Z: looking along y, x and down z
        for volume in (guess, truth):
            shadow = 1 - volume.amax(axis).transpose(2, 3).flip(2)  # rows from the top
            columns.append(F.interpolate(shadow, PICTURE).expand(-1, 3, -1, -1))
    rows = torch.cat([F.pad(column, (1, 1, 1, 1), value=0.5) for column in columns], 3)  # B C H W
    return torch.cat(list(rows), 1).clamp(0, 1).cpu()


def iou(a: Tensor, b: Tensor) -> Tensor:
    a, b = a.flatten(1), b.flatten(1)
    return (a & b).sum(1) / (a | b).sum(1).clamp_min(1)
