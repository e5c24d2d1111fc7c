"""A trained image_to_field on cropped pictures of an object: the field that everything after it is made from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from .answer import outlined, steadied
from .camera import likeliest
from .confidence import confidence
from .estimate import Detail, Estimate, estimate
from .image_to_field import FINE, ImageToField
from .look import Looker
from .refiner import Refiner
from .registration import STILL
from .sides import Sides
from .symmetry import plane, symmetrical
from .views_known import as_known, filled
from .views_met import agreements, meeting, together


@dataclass(frozen=True)
class Beside:
    """Another picture of the object: crop and close as the first's."""

    crop: np.ndarray
    close: np.ndarray
    turn: float | None = None
    """Degrees that its camera stands round the object from the first's, to the right; None is searched for."""
    elevation: float | None = None
    """Degrees from which its camera looks down; None is judged from the picture."""
    camera: tuple[float, ...] = ()
    """Its five numbers (camera.py) where they are known; then the first's are, too, and `fit`."""
    fit: tuple[float, ...] = ()
    """How its cube lies to the first's (several_views.py)"""


@torch.inference_mode()
def predict(
    network: ImageToField,
    crop: np.ndarray,
    close: np.ndarray,
    resolution: int = FINE,
    chunks: int = 1,
    say=lambda fraction, note: None,
    elevation: float | None = None,
    depth: float | None = None,
    symmetry: bool = False,
    others: Sequence[Beside] = (),
    camera: tuple[float, ...] = (),
    refiner: Refiner | None = None,
    judge: Sides | None = None,
) -> Estimate:
    """The mean of what the network sees in the picture and in its mirror image, each with its likeliest camera.

    On validation shapes that is worth .01 IoU over one look, and a second and third camera add nothing to it.
    crop (128, 128, 4) and close, the same square with more pixels, sRGB straight alpha in [0, 1] -> Estimate.

    resolution 32, 64 or, with a refiner and close of 256 pixels, 128. chunks: into how many slabs the refinement is
    cut when memory is short (1, 2, 4, 8 or 16). elevation (degrees) and depth (longest side over the larger side in
    the crop) are taken as given; symmetry mirrors the answer in the vertical plane that it fits best. camera: the
    first picture's five numbers where those of all are known, for a cube that holds the shape; it is then fitted to
    the shape (`Estimate.place`), and nothing is guessed. judge: says from which sides others were taken where that is
    not given; without one the shapes' outlines do, and know fewer.
    """
    if resolution > FINE and refiner is None:
        raise ValueError(f"a field of {resolution} cells a side wants a refiner")
    device = next(network.parameters()).device
    pictures = [premultiplied(one, device) for one in (crop, *(other.crop for other in others))]
    say(0.1, "shape")
    seen = network.encode(torch.cat([turned for one in pictures for turned in (one, one.flip(3))]))
    given = [None if elevation is None else math.radians(elevation), None if depth is None else log_scale(depth, crop)]
    guesses, weights = likeliest(seen["bins"][:2].float(), *given)
    place = torch.tensor([0.0, 0, 0, 1])
    if camera:
        cameras, beside = as_known(seen, camera, others)
        say(0.3, "views")
        cameras, beside, place = filled(network, seen, cameras, beside, pictures, chunks)
    else:
        for k, other in enumerate(others, 1):
            down = None if other.elevation is None else math.radians(other.elevation)
            guesses = torch.cat([guesses, likeliest(seen["bins"][2 * k : 2 * k + 2].float(), down, None)[0]])
        cameras = network.camera(seen, guesses)
        beside = meeting(network, seen, cameras, pictures, others, judge) if others else []
    if not camera and any(met.used for met in beside):
        say(0.3, "views")
        told = [(elevation is not None, depth is not None), *((one.elevation is not None, False) for one in others)]
        cameras, beside = together(network, seen, cameras, beside, pictures, told, chunks)
        say(0.5, "shape")
    whole = steadied(network, seen, cameras, beside, chunks)
    say(0.8, "detail" if resolution > FINE else "colours")
    mirror = plane(whole.occupancy) if symmetry else None
    if symmetry:
        whole = symmetrical(whole, mirror)
    lookers = [Looker(straight(close, device), cameras[:1])]
    for other, met in zip(others, beside, strict=True):
        lookers.append(Looker(straight(other.close, device), met.view.camera[:1], met.view.fit[:1]))
    certain = confidence(whole.fine_occupancy.float().sigmoid()[0, 0])  # before masks and smoothing have their say
    used = [True, *(met.used for met in beside)]
    whole = outlined(whole, pictures, lookers, used, bool(camera))
    weight = 1.0 if camera else float(weights[0])
    detail = Detail(refiner, mirror) if resolution > FINE else None
    seeing = [one for one, use in zip(lookers, used) if use]
    found = estimate(whole, certain, seeing, weight, resolution, detail, not camera)
    found.camera["depth"] = found.camera["scale"] / (2 * larger_side(crop))
    agreed = agreements(whole, pictures, lookers)
    for agreement, met in zip(agreed, (None, *beside), strict=True):
        sure = met.sure if met else None
        turn = round(-math.degrees(float(met.view.fit[0, 0])), 3) if met else 0.0
        entry = {"turn": 180 - (180 - turn) % 360, "found": sure, "used": met.used if met else True}
        found.views.append(entry | {"agreement": agreement})
    numbers = {
        "cameras": tuple(tuple(one.camera[0].tolist()) for one in lookers),
        "fits": tuple(STILL if one.fit is None else tuple(one.fit[0].tolist()) for one in lookers),
    }
    found = dataclasses.replace(found, place=tuple(place.tolist()), **numbers)
    if network.prior is None:
        return found
    return dataclasses.replace(found, likeness=float(network.prior.likeness(pictures[0][:, 3:].float())))


@torch.inference_mode()
def looks_down(network: ImageToField, crop: np.ndarray) -> float:
    """Degrees that the likeliest camera of crop (128, 128, 4) looks down by."""
    seen = network.encode(premultiplied(crop, next(network.parameters()).device))
    return math.degrees(float(likeliest(seen["bins"].float(), None, None)[0][0, 0]))


def larger_side(crop: np.ndarray) -> float:
    """The larger side of what crop (N, N, 4) shows, in crop sides."""
    seen = crop[..., 3] >= min(0.5, float(crop[..., 3].max()) / 2)
    return max(np.ptp(np.flatnonzero(seen.any(axis))) + 1 for axis in (0, 1)) / crop.shape[0]


def log_scale(depth: float, crop: np.ndarray) -> float:
    """The log scale (half crops a unit) of an object `depth` times as long as its larger side in the crop."""
    return math.log(2 * larger_side(crop) * depth)


def straight(crop: np.ndarray, device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(crop, np.float32)).to(device).permute(2, 0, 1)[None]


def premultiplied(crop: np.ndarray, device) -> torch.Tensor:
    """(H, W, 4) straight alpha -> (1, 4, H, W), what the network sees."""
    rgba = straight(crop, device)
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)
