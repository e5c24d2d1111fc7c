"""Samples of image_to_field, as they are stored and as its network and its loss take them."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import torch
from torch import Tensor

from ...nets.image_to_field import TRUNCATION
from ..shapes import shards
from ..shapes.pictures import sample_batch
from .disturb import varied
from .field_recipe import Recipe
from .loosened import loosened

KNOWN = 0.5
"""Shares of the objects seen from several sides whose cameras are known, and of those that lie in another cube"""
LOOSE = 0.7


def samples(recipe: Recipe, split: str, device="cpu"):
    """All of a split, in order, as dicts of tensors: its shards, or without end drawn on the device."""
    if recipe.shards == "none":
        device = "cuda" if torch.cuda.is_available() else device
        for seed in count():
            yield sample_batch(seed, recipe.batch, split, device)
    for path in sorted((Path(recipe.shards) / split).glob("shard-*.npz")):
        loaded = shards.load(path)
        yield {name: torch.from_numpy(getattr(loaded, name)) for name in shards.Samples.__dataclass_fields__}


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """Stored arrays -> what the network and the loss take, all float32 on the batch's device.

    picture (B, 4, 128, 128) sRGB times alpha; distance (B, 1, 64, 64, 64) inside > 0; colour (B, 3, 32, 32, 32) and
    painted, where there is one, (B, 1, 32, 32, 32); camera (B, 5). Of several views these are the first's, beside
    view_picture (B, V - 1, 4, 128, 128), view_camera (B, V - 1, 5) and fit (B, V - 1, 5); in training V is drawn, and
    so are the objects whose cameras are `known` (B,), most of them in cubes that they do not quite fill (`loosened`).
    """
    if "fit" in batch:
        return prepare_views(batch, augment)
    picture, camera = view(batch["picture"], batch["camera"])
    ready, flip = {}, None
    if augment:
        flip = torch.rand(len(picture), device=picture.device) < 0.5
        picture, camera = varied(picture, camera, flip)
        if "other_picture" in batch:
            other, numbers = view(batch["other_picture"], batch["other_camera"])
            other, numbers = varied(other, numbers, torch.rand(len(other), device=other.device) < 0.5)
            ready = {"other_picture": premultiplied(other), "other_camera": numbers}
    return ready | truth(batch, flip) | {"picture": premultiplied(picture), "camera": camera}


def prepare_views(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    count, views = batch["camera"].shape[:2]
    if augment:
        views = int(torch.randint(2, views + 1, ()))
    picture, camera = view(batch["picture"][:, :views].flatten(0, 1), batch["camera"][:, :views].flatten(0, 1))
    fit, flip = batch["fit"][:, 1:views].float(), None
    if augment:
        flip = torch.rand(count, device=picture.device) < 0.5
        mirror = fit.new_tensor([-1, 1, -1, 1, 1])
        fit = torch.where(flip[:, None, None], fit * mirror, fit)
        picture, camera = varied(picture, camera, flip.repeat_interleave(views))
    picture, camera = premultiplied(picture).unflatten(0, (count, views)), camera.unflatten(0, (count, views))
    ready = truth(batch, flip) | {
        "picture": picture[:, 0],
        "camera": camera[:, 0],
        "view_picture": picture[:, 1:],
        "view_camera": camera[:, 1:],
        "fit": fit,
    }
    if not augment:
        return ready
    known = torch.rand(count, device=picture.device) < KNOWN
    return loosened(ready, known & (torch.rand(count, device=picture.device) < LOOSE)) | {"known": known}


def truth(batch: dict[str, Tensor], flip: Tensor | None) -> dict[str, Tensor]:
    """distance, colour and painted as `prepare` has them, mirrored where flip (B,) says so."""
    distance = -batch["distance"][:, None].float() * (TRUNCATION / 127)
    colour = batch["colour"].permute(0, 4, 1, 2, 3).float() / 255
    if flip is not None:
        side = flip[:, None, None, None, None]
        distance = torch.where(side, distance.flip(2), distance)
        colour = torch.where(side, colour.flip(2), colour)
    return {"distance": distance, "colour": colour, "painted": (colour.sum(1, keepdim=True) > 0).float()}


def view(picture: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    return picture.permute(0, 3, 1, 2).float() / 255, cameras(camera.float())


def premultiplied(picture: Tensor) -> Tensor:
    return torch.cat([picture[:, :3] * picture[:, 3:], picture[:, 3:]], 1)


def cameras(stored: Tensor) -> Tensor:
    """Stored (elevation, scale, distance, u0, v0) -> the network's (elevation, log scale, 1 / distance, u0, v0)."""
    return torch.stack([stored[:, 0], stored[:, 1].log(), 1 / stored[:, 2], stored[:, 3], stored[:, 4]], 1)
