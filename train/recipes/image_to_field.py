"""image_to_field: batches from shards of procedural samples, and the loss."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...nets.camera import hypotheses, soft_bins
from ...nets.image_to_field import COARSE, MIDDLE, PICTURE, TRUNCATION, Config, ImageToField
from ...nets.several_views import TURNS, OtherView, turn_bins
from ..readers import MARK
from ..shapes import shards
from ..shapes.pictures import sample_batch
from .base import BaseRecipe
from .disturb import varied
from .shard_batches import Batches, Drawn, Mixed, ViewBatches

NAME = "image_to_field"
ASTRAY = (math.radians(7), 0.06, 0.04, 0.04, 0.03)
"""Standard deviations of a fit's turn, scale (logarithm) and shifts where cameras are not told"""
WRONG = 0.2
"""Share of the views whose turn is anything at all where cameras are not told"""
DATA = "Procedural shapes of this project (maquette.train.shapes), {others}; licence GPL-3.0-or-later"


@dataclass(frozen=True)
class Recipe(BaseRecipe):
    """Train image_to_field on shards made by `python -m maquette.train shards`."""

    shards: str = "runs/shards"
    """Folder with train/, library/ and validation/ shards; train/ may grow while training reads it. "none": every
    sample is drawn and traced on the training device as it is needed (GPUs)."""
    width: int = 24
    encoder: int = 48
    library: int = 9600
    """Shapes in the nearest-silhouette prior, from library/; 0 leaves the prior out."""
    region: int = 12
    """Side of the part of the 32^3 grid that is refined to 64^3 at each step."""
    true_camera: float = 0.5
    """Share of samples decoded with the true camera once the camera is learned; the rest use the predicted one."""
    cameras: int = 16
    """Pictures more a step that teach the encoder their cameras alone: cheap, and depth is the unknown."""
    camera_share: float = 0.07
    """First share of the budget that trains the cameras alone, before volumes hang on them; none with --start."""
    several: int = 0
    """Channels in which other views of an object meet; 0 trains on one picture alone, otherwise train_views/ and
    validation_views/ are wanted too, made by `shards --views 4`."""
    several_share: float = 0.5
    """Share of the steps that take several views."""
    validation: int = 256
    other_data: str = ""
    """What the shards hold besides procedural shapes, with its licence, for the card: "KayKit props, CC0"."""


def config(recipe: dict) -> dict:
    """The network's config for its card, from a recipe's fields."""
    names = ("width", "encoder", "library", "several")
    return asdict(Config(**{name: recipe[name] for name in names if name in recipe}))


def data(recipe: dict) -> str:
    """What a run was trained on, for its card, from a recipe's fields."""
    return DATA.format(others=f"and {recipe['other_data']}" if recipe.get("other_data") else "no other data")


def make(recipe: Recipe) -> ImageToField:
    """Raises ValueError where shards made of meshes would go unnamed on the card."""
    if not recipe.other_data and any(Path(recipe.shards).glob(f"*/shard-{MARK}-*.npz")):
        raise ValueError(
            f"{recipe.shards} holds shards made of meshes: say whose and under which licence with --other-data, "
            'such as --other-data "KayKit props, CC0", so that the card of the weights is true'
        )
    network = ImageToField(Config(**config(asdict(recipe))))
    if recipe.library:
        fill_library(network, recipe)
    return network


def fill_library(network: ImageToField, recipe: Recipe) -> None:
    """Fill the prior from the library split, which shares no seed with what is trained or scored on."""
    prior, have = network.prior, 0
    for stored in samples(recipe, "library"):
        alpha = stored["picture"][..., 3:].permute(0, 3, 1, 2).float() / 255
        masks = np.packbits(F.adaptive_avg_pool2d(alpha, 28).flatten(1).cpu().numpy() > 0.5, axis=1)
        distance = F.avg_pool3d(stored["distance"][:, None].float(), 4).flatten(1).cpu().numpy()
        volumes = np.packbits(distance < 0, axis=1)
        end = min(have + len(masks), len(prior.masks))
        prior.masks[have:end] = torch.from_numpy(masks[: end - have])
        prior.volumes[have:end] = torch.from_numpy(volumes[: end - have])
        prior.cameras[have:end] = cameras(stored["camera"].cpu())[: end - have]
        have = end
        if have == len(prior.masks):
            return
    raise ValueError(
        f"{recipe.shards}/library holds {have} shapes, the prior wants {len(prior.masks)}: make more library shards"
    )


def samples(recipe: Recipe, split: str, device="cpu"):
    """All of a split, in order, as dicts of tensors: its shards, or without end drawn on the device."""
    if recipe.shards == "none":
        device = "cuda" if torch.cuda.is_available() else device
        for seed in count():
            yield sample_batch(seed, recipe.batch, split, device)
    for path in sorted((Path(recipe.shards) / split).glob("shard-*.npz")):
        loaded = shards.load(path)
        yield {name: torch.from_numpy(getattr(loaded, name)) for name in shards.Samples.__dataclass_fields__}


def batches(recipe: Recipe, rng: np.random.Generator, device):
    """Endless training batches as dicts of tensors; state() and restore(state) go on where they were."""
    if recipe.shards == "none":
        if recipe.several:
            raise ValueError("--several wants shards: several views are not drawn on the device yet")
        return Drawn(recipe, rng, device)
    if recipe.several:
        return Mixed(recipe, rng)
    return Batches(Path(recipe.shards) / "train", recipe, rng)


def cameras(stored: Tensor) -> Tensor:
    """Stored (elevation, scale, distance, u0, v0) -> the network's (elevation, log scale, 1 / distance, u0, v0)."""
    return torch.stack([stored[:, 0], stored[:, 1].log(), 1 / stored[:, 2], stored[:, 3], stored[:, 4]], 1)


def prepare(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    """Stored arrays -> what the network and the loss take, all float32 on the batch's device.

    picture (B, 4, 128, 128) sRGB times alpha; distance (B, 1, 64, 64, 64) inside > 0; colour (B, 3, 32, 32, 32) and
    painted, where there is one, (B, 1, 32, 32, 32); camera (B, 5). Of several views these are the first's, beside
    view_picture (B, V - 1, 4, 128, 128), view_camera (B, V - 1, 5) and fit (B, V - 1, 5); in training V is drawn.
    """
    if "fit" in batch:
        return prepare_views(batch, augment)
    picture, camera = view(batch["picture"], batch["camera"])
    distance = -batch["distance"][:, None].float() * (TRUNCATION / 127)
    colour = batch["colour"].permute(0, 4, 1, 2, 3).float() / 255
    ready = {}
    if augment:
        flip = torch.rand(len(picture), device=picture.device) < 0.5
        side = flip[:, None, None, None, None]
        distance = torch.where(side, distance.flip(2), distance)
        colour = torch.where(side, colour.flip(2), colour)
        picture, camera = varied(picture, camera, flip)
        if "other_picture" in batch:
            other, numbers = view(batch["other_picture"], batch["other_camera"])
            other, numbers = varied(other, numbers, torch.rand(len(other), device=other.device) < 0.5)
            ready = {"other_picture": premultiplied(other), "other_camera": numbers}
    return ready | {
        "picture": premultiplied(picture),
        "distance": distance,
        "colour": colour,
        "painted": (colour.sum(1, keepdim=True) > 0).float(),
        "camera": camera,
    }


def prepare_views(batch: dict[str, Tensor], augment: bool) -> dict[str, Tensor]:
    count, views = batch["camera"].shape[:2]
    if augment:
        views = int(torch.randint(2, views + 1, ()))
    picture, camera = view(batch["picture"][:, :views].flatten(0, 1), batch["camera"][:, :views].flatten(0, 1))
    distance = -batch["distance"][:, None].float() * (TRUNCATION / 127)
    colour = batch["colour"].permute(0, 4, 1, 2, 3).float() / 255
    fit = batch["fit"][:, 1:views].float()
    if augment:
        flip = torch.rand(count, device=picture.device) < 0.5
        side = flip[:, None, None, None, None]
        distance = torch.where(side, distance.flip(2), distance)
        colour = torch.where(side, colour.flip(2), colour)
        mirror = fit.new_tensor([-1, 1, -1, 1, 1])
        fit = torch.where(flip[:, None, None], fit * mirror, fit)
        picture, camera = varied(picture, camera, flip.repeat_interleave(views))
    picture, camera = premultiplied(picture).unflatten(0, (count, views)), camera.unflatten(0, (count, views))
    return {
        "picture": picture[:, 0],
        "distance": distance,
        "colour": colour,
        "painted": (colour.sum(1, keepdim=True) > 0).float(),
        "camera": camera[:, 0],
        "view_picture": picture[:, 1:],
        "view_camera": camera[:, 1:],
        "fit": fit,
    }


def view(picture: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    return picture.permute(0, 3, 1, 2).float() / 255, cameras(camera.float())


def premultiplied(picture: Tensor) -> Tensor:
    return torch.cat([picture[:, :3] * picture[:, 3:], picture[:, 3:]], 1)


def occupancy(distance: Tensor) -> Tensor:
    """Soft occupancy of cells from distances at their centres (B, 1, N, N, N), inside > 0."""
    return (0.5 + distance * distance.shape[-1]).clamp(0, 1)


def soft_iou(logits: Tensor, target: Tensor) -> Tensor:
    p = logits.float().sigmoid().flatten(1)
    t = target.flatten(1)
    both = (p * t).sum(1)
    return both / (p.sum(1) + t.sum(1) - both).clamp_min(1e-3)


def volume_loss(logits: Tensor, distance: Tensor, target: Tensor) -> Tensor:
    filled = occupancy(target)
    cells = F.binary_cross_entropy_with_logits(logits.float(), filled)
    apart = (distance.float() - target).abs().mean() / TRUNCATION
    return 3 * cells + (1 - soft_iou(logits, filled)).mean() + 0.5 * apart


def loss(
    network: ImageToField, batch: dict[str, Tensor], recipe: Recipe, progress: float
) -> tuple[Tensor, dict[str, Tensor]]:
    """-> total loss and its parts; progress in [0, 1] through the budget."""
    truth, count = batch["camera"], len(batch["camera"])
    pictures, every_camera = batch["picture"], truth
    for name in ("other", "view"):
        if f"{name}_picture" in batch:  # all views of an object, then those of the next
            more, numbers = batch[f"{name}_picture"], batch[f"{name}_camera"]
            pictures = torch.cat([pictures, more.reshape(-1, *pictures.shape[1:])])
            every_camera = torch.cat([every_camera, numbers.reshape(-1, 5)])
    seen = network.encode(pictures)
    bins, rest = camera_loss(network, seen, every_camera)
    alone = 0.0 if recipe.start else recipe.camera_share
    if progress < alone:
        return bins + 2 * rest, {"bins": bins.detach(), "rest": rest.detach()}
    share = 1.0 if progress < alone + 0.04 else recipe.true_camera
    told = torch.rand(count, 1, device=truth.device) < share
    given = believed(network, seen, every_camera, told, share)
    first = {name: value[:count] for name, value in seen.items()}
    camera, others, turn = given[:count], [], None
    if "fit" in batch:
        turn = turn_loss(network, seen["vector"], batch["fit"])
        others = other_views(seen, given, batch["fit"], told)
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
    if turn is not None:
        parts = {f"{name}_views": value for name, value in parts.items()} | {"turn": turn}
        total = total + 0.2 * turn
    return total, {name: value.detach() for name, value in parts.items()}


def believed(network: ImageToField, seen: dict, truth: Tensor, told: Tensor, share: float) -> Tensor:
    """Cameras (M, 5): the true ones of objects that are `told` (B, 1), the rest as the network itself finds them.

    M = B (+ others that are no views) or B V with all first views before the others, object by object.
    """
    likely, _ = hypotheses(seen["bins"].detach().float(), 1)
    found = network.camera(seen, likely[:, 0]).detach() if share < 1 else truth
    count = len(told)
    more = (len(truth) - count) // count
    which = torch.cat([told, told.repeat_interleave(more, 0)])
    which = F.pad(which, (0, 0, 0, len(truth) - len(which)))
    return torch.where(which, truth, found)


def other_views(seen: dict, given: Tensor, fit: Tensor, told: Tensor) -> list[OtherView]:
    """The views beside the first, of what the encoder saw in all.

    Where cameras are not told, fits are as far off as those that are made from one picture's answer, and some turns are
    quite wrong: the network is to find that such a view does not agree.
    """
    count, more = fit.shape[:2]
    off = torch.randn_like(fit) * fit.new_tensor(ASTRAY) * ~told[:, None]
    wrong = (torch.rand(count, more, device=fit.device) < WRONG) & ~told
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


__all__ = ["NAME", "Recipe", "make", "Batches", "prepare", "loss", "validate", "COARSE"]
