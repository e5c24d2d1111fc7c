"""A trained image_to_field on cropped pictures of an object: the field that everything after it is made from."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ..geometry.occupancy_level import promising_level
from .answer import outlined, steadied
from .camera import likeliest
from .confidence import confidence
from .estimate import Detail, Estimate, estimate
from .image_to_field import FINE, ImageToField, Prediction
from .look import Looker
from .refiner import Refiner
from .registration import STILL
from .sides import Sides
from .symmetry import plane, symmetrical
from .views_known import as_known, filled
from .views_met import Met, agreements, meeting, together


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
    closes = [straight(one, device) for one in (close, *(other.close for other in others))]

    def shaped(beside: list[Met]) -> Shaped:
        where = cameras
        if not camera and any(met.used for met in beside):
            told = [(elevation is not None, depth is not None), *((one.elevation is not None, False) for one in others)]
            where, beside = together(network, seen, cameras, beside, pictures, told, chunks)
        return shape_of(network, seen, where, beside, pictures, closes, symmetry, bool(camera), chunks)

    if not camera and any(met.used for met in beside):
        say(0.3, "views")
    shape = shaped(beside)
    if any(met.used and met.sure is not None for met in beside):
        say(0.6, "views")
        # A picture more must not hurt: what is found has to promise more than what is told does without it
        without = shaped([dataclasses.replace(met, used=met.used and met.sure is None) for met in beside])
        shape = without if without.promised >= shape.promised else shape
    say(0.8, "detail" if resolution > FINE else "colours")
    beside, lookers, whole = shape.beside, shape.lookers, shape.whole
    used = [True, *(met.used for met in beside)]
    seeing = [one for one, use in zip(lookers, used) if use]
    weight = 1.0 if camera else float(weights[0])
    detail = Detail(refiner, shape.mirror) if resolution > FINE else None
    found = estimate(whole, shape.certain, seeing, weight, resolution, detail, not camera)
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


@dataclass(frozen=True)
class Shaped:
    """What pictures give before it is refined and painted."""

    beside: list[Met]
    """The other pictures, brought to agree with the first where they are used"""
    lookers: list[Looker]
    whole: Prediction
    certain: torch.Tensor
    """Confidence of the fine cells"""
    mirror: float | None
    """Where the mirror plane of a symmetrical shape lies"""

    @functools.cached_property
    def promised(self) -> float:
        """The IoU that the field itself expects."""
        return promising_level(self.whole.fine_occupancy.float().sigmoid().cpu().numpy())[1]


def shape_of(
    network, seen: dict, cameras: torch.Tensor, beside: list[Met], pictures, closes, symmetry: bool, exact, chunks: int
) -> Shaped:
    """Of pictures whose cameras (2 V, 5) are found; exact: they were known."""
    whole = steadied(network, seen, cameras, beside, chunks)
    mirror = plane(whole.occupancy) if symmetry else None
    if symmetry:
        whole = symmetrical(whole, mirror)
    lookers = [Looker(closes[0], cameras[:1])]
    for close, met in zip(closes[1:], beside, strict=True):
        lookers.append(Looker(close, met.view.camera[:1], met.view.fit[:1]))
    certain = confidence(whole.fine_occupancy.float().sigmoid()[0, 0])  # before masks and smoothing have their say
    whole = outlined(whole, pictures, lookers, [True, *(met.used for met in beside)], exact)
    return Shaped(beside, lookers, whole, certain, mirror)


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
