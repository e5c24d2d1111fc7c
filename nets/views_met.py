"""Pictures of one object beside the first: as views of its cube, and brought to agree with each other."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

import torch

from . import sides, turns
from .answer import solid
from .image_to_field import ImageToField, Prediction
from .look import Looker
from .registration import STILL, centred, registered
from .several_views import OtherView
from .sides import Sides


@dataclass(frozen=True)
class Met:
    """Another picture and its mirror image as a view (2, ...), how sure its turn is, None where that was given, and
    whether that is enough for the picture to be used."""

    view: OtherView
    sure: float | None = None
    used: bool = True


def meeting(
    network: ImageToField, seen: dict, cameras: torch.Tensor, pictures: list, others, judge: Sides | None = None
) -> list[Met]:
    """The other pictures as views, their turns given or searched for, by the judge where there is one."""
    told = {k: -math.radians(other.turn) for k, other in enumerate(others, 1) if other.turn is not None}
    rows = [2 * k for k in range(len(others) + 1) if k not in told or judge]  # their mirror images lie between
    looked = {name: value[rows] for name, value in seen.items()}
    alone = network.decode(looked, cameras[rows], (slice(0, 1),) * 3).occupancy.float().sigmoid()[:, 0]
    found = {k: (turn, None, True) for k, turn in told.items()}
    if len(told) < len(others):
        shown = [pictures[r // 2] for r in rows]
        asked, enough = [r // 2 for r in rows[1:]], sides.ENOUGH if judge else turns.ENOUGH
        if judge:
            given = zip(alone, cameras[rows], shown, strict=True)
            sights = [sides.sight(one, camera[None], unmultiplied(picture)) for one, camera, picture in given]
            angles, sure = sides.find(judge, sights, told)
        else:
            one_by_one = [{name: values[[i]] for name, values in looked.items()} for i in range(len(rows))]
            alphas = torch.cat([picture[:, 3:] for picture in shown])
            angles, sure = turns.find(network, one_by_one, list(alone), cameras[rows], alphas)
        for k, turn, how in zip(asked, map(float, angles), map(float, sure), strict=True):
            if k not in told:
                found[k] = (turn, how, how >= enough)
    views = []
    for k in range(1, len(others) + 1):
        turn, sure, used = found[k]
        fit = turns.fit_of(alone[0], cameras.new_tensor([turn]))
        pair = slice(2 * k, 2 * k + 2)
        its = {name: value[pair] for name, value in seen.items()}
        view = OtherView(its, cameras[pair], torch.cat([fit, turns.mirrored_fit(fit)]))
        views.append(Met(view, sure, used))
    return views


def unmultiplied(picture: torch.Tensor) -> torch.Tensor:
    """What the network sees, (1, 4, H, W) sRGB times alpha, with straight alpha."""
    return torch.cat([picture[:, :3] / picture[:, 3:].clamp_min(1e-3), picture[:, 3:]], 1)


def together(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list[Met], pictures, told, chunks):
    """The cameras and views brought to agree with all masks, in cubes that the shape fills; -> cameras, beside.

    What is `told` of the first's scale holds its cube, too."""
    used = [0, *(k for k, met in enumerate(beside, 1) if met.used)]
    still = cameras.new_tensor([STILL])
    fits = torch.cat([still if k == 0 else beside[k - 1].view.fit[:1] for k in used])
    alphas = torch.cat([pictures[k][:, 3:] for k in used])
    own, fits = registered(cameras[[2 * k for k in used]], fits, alphas, [told[k] for k in used])
    moved, views = placed(cameras, beside, used, own, fits)
    if told[0][1]:
        return moved, views
    inside = solid(network, seen, moved, views, pictures, chunks)
    return placed(cameras, beside, used, *centred(own, fits, inside)[:2])


def placed(cameras: torch.Tensor, beside: list[Met], used: list[int], own: torch.Tensor, fits: torch.Tensor):
    """Cameras (2 V, 5) and views with those of the pictures `used`, and of their mirror images, in their places."""
    cameras, beside = cameras.clone(), list(beside)
    for k, camera, fit in zip(used, own, fits, strict=True):
        pair = slice(2 * k, 2 * k + 2)
        cameras[pair] = torch.stack([camera, turns.mirrored_camera(camera)])
        if k:
            both = torch.stack([fit, turns.mirrored_fit(fit)])
            view = dataclasses.replace(beside[k - 1].view, camera=cameras[pair], fit=both)
            beside[k - 1] = dataclasses.replace(beside[k - 1], view=view)
    return cameras, beside


def agreements(whole: Prediction, pictures: list, lookers: list[Looker]) -> list[float]:
    """How well the shape's silhouette fits each picture's mask."""
    shape = turns.small(whole.fine_occupancy.float().sigmoid()[0, 0])
    still = shape.new_tensor([[0.0, 1, 0, 0, 0]])
    return [
        float(turns.in_mask(shape, still if looker.fit is None else looker.fit, looker.camera[0], picture[0, 3:]))
        for picture, looker in zip(pictures, lookers, strict=True)
    ]
