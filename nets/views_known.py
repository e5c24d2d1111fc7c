"""Pictures of one object whose cameras are known: nothing is guessed but the cube that the shape fills."""

from __future__ import annotations

import torch

from . import turns
from .answer import solid
from .camera import likeliest
from .image_to_field import ImageToField
from .registration import STILL, centred, crossing, moved, wanted
from .several_views import OtherView, fitted
from .views_met import Met, placed

SPARE = 0.02
"""Of the cube that is given, what masks want is held with so much to spare on each side: they are looked at coarsely"""
FILLED = 1
"""Rounds in which cubes are fitted to the shape"""


def as_known(seen: dict, camera: tuple[float, ...], others) -> tuple[torch.Tensor, list[Met]]:
    """Cameras (2 V, 5), of pictures and of their mirror images, and views as they were given."""
    like = seen["picture"]
    cameras = like.new_tensor([camera, *(other.camera for other in others)])
    cameras = torch.stack([cameras, turns.mirrored_camera(cameras)], 1).flatten(0, 1)
    beside = []
    for k, other in enumerate(others, 1):
        pair, fit = slice(2 * k, 2 * k + 2), like.new_tensor([other.fit])
        view = OtherView(
            {name: value[pair] for name, value in seen.items()},
            cameras[pair],
            torch.cat([fit, turns.mirrored_fit(fit)]),
        )
        beside.append(Met(view))
    return cameras, beside


def filled(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list[Met], pictures, chunks):
    """Cameras and views of cubes that the shape fills, and where the first of them lies in the one given (4,)."""
    own, fits = cameras[::2], torch.cat([cameras.new_tensor([STILL]), *(met.view.fit[:1] for met in beside)])
    given = wanted(own, fits, torch.cat([picture[:, 3:] for picture in pictures]))
    given = given + given.new_tensor([[-SPARE], [SPARE]])
    own, fits, place = supposed(network, seen, own, fits, given)
    cameras, beside = placed(cameras, beside, range(len(own)), own, fits)
    for _ in range(FILLED):
        inside = solid(network, seen, cameras, beside, pictures, chunks, True)
        own, fits, further = centred(own, fits, inside, (given - place[:3]) / place[3])
        cameras, beside = placed(cameras, beside, range(len(own)), own, fits)
        place = torch.cat([place[:3] + place[3] * further[:3], place[3:] * further[3:]])
    return cameras, beside, place


def supposed(network: ImageToField, seen: dict, own: torch.Tensor, fits: torch.Tensor, least: torch.Tensor):
    """Known cameras (V, 5) and fits (V, 5) for cubes as large, and where, the pictures one by one suggest.

    Masks say how large the shape can be, that is the cube that was given, and what it reaches at least (2, 3)."""
    rows = {name: value[::2] for name, value in seen.items()}
    guess = torch.stack(
        [likeliest(bins[None].float(), float(camera[0]), None)[0][0] for bins, camera in zip(rows["bins"], own)]
    )
    judged = network.camera(rows, guess)
    side = (judged[:, 1] - own[:, 1]).mean().exp().clamp(0.4, 1.0)
    side = torch.maximum(side, (least[1] - least[0]).amax()).expand(len(own))
    middle = crossing(own, fits, judged[:, 3:])
    middle = torch.maximum(torch.minimum(middle, least[0] + side[0] / 2), least[1] - side[0] / 2).clamp(-0.5, 0.5)
    own, fits = moved(own, fits, fitted(middle[None], fits)[:, 0], side)
    return own, fits, torch.cat([middle, side[:1]])
