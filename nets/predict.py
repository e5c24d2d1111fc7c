"""A trained image_to_field on cropped pictures of an object: the field that everything after it is made from."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F

from ..geometry.bridge import bridged
from ..geometry.occupancy_level import promising_level
from ..geometry.paint import spread
from . import turns
from .camera import BINS, ELEVATIONS, SCALES, hypotheses, share
from .confidence import confidence, gaussian
from .image_to_field import FINE, MIDDLE, ImageToField, Prediction, blend
from .look import Looker, look_from_all
from .registration import STILL, centred, crossing, moved, registered, wanted
from .several_views import OtherView, fitted
from .silhouette import FIRST, KNOWN, OTHER, agreeing
from .symmetry import symmetrical

PROMISE = 1.3, -0.26
"""Slope and offset of the IoU at 32^3 against what the field promises, fitted on 128 validation shapes."""
FILLED = 1
"""Rounds in which cubes of known cameras are fitted to the shape"""
SOFTNESS = 0.6
"""Standard deviation, in cells of the fine grid, of what smooths its logits: doubt from cell to cell tears surfaces."""


@dataclass(frozen=True)
class Estimate:
    """What one picture gives: occupancy (N, N, N) in [0, 1], distance (N, N, N) inside > 0, colour (N, N, N, 3) sRGB,
    confidence (N, N, N) in [0, 1].

    Distances are in units of the cube.
    level: where the surface is; expected_iou: how well the shape there can be expected to fit the true one, in [0, 1].
    camera: elevation (degrees), scale (half crops a unit), distance, u0, v0 of the likeliest camera, and its weight.
    views: of each picture, the first too: `turn` (degrees that its camera stands round the object from the first's, to
    the right), `found` (how sure that is where it was searched for, in [0, 1]; None where it was given), `used` (False
    where the search was too unsure) and `agreement` of the shape with its mask, in [0, 1].
    """

    occupancy: np.ndarray
    distance: np.ndarray
    colour: np.ndarray
    confidence: np.ndarray
    camera: dict[str, float]
    level: float
    expected_iou: float
    views: list[dict] = field(default_factory=list)
    likeness: float = 1.0
    place: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 1.0)
    """Where the shape's cube lies in the one that known cameras were given for: shift x, y, z and scale."""


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
) -> Estimate:
    """The mean of what the network sees in the picture and in its mirror image, each with its likeliest camera.

    On validation shapes that is worth .01 IoU over one look, and a second and third camera add nothing to it.
    crop (128, 128, 4) and close, the same square with more pixels, sRGB straight alpha in [0, 1] -> Estimate.

    resolution 32 or 64. chunks: into how many slabs the refinement is cut when memory is short (1, 2, 4, 8 or 16).
    elevation (degrees) and depth (longest side over the larger side in the crop) are taken as given; symmetry mirrors
    the answer in the vertical plane that it fits best. camera: the first picture's five numbers where those of all are
    known, for a cube that holds the shape; it is then fitted to the shape (`Estimate.place`), and nothing is guessed.
    """
    device = next(network.parameters()).device
    pictures = [premultiplied(one, device) for one in (crop, *(other.crop for other in others))]
    say(0.1, "shape")
    seen = network.encode(torch.cat([turned for one in pictures for turned in (one, one.flip(3))]))
    given = [None if elevation is None else math.radians(elevation), None if depth is None else log_scale(depth, crop)]
    guesses, weights = likeliest(seen["bins"][:2].float(), *given)
    place = torch.tensor([0.0, 0, 0, 1])
    if camera:
        cameras, beside = known(seen, camera, others)
        say(0.3, "views")
        cameras, beside, place = filled(network, seen, cameras, beside, pictures, chunks)
    else:
        for k, other in enumerate(others, 1):
            given = None if other.elevation is None else math.radians(other.elevation)
            guesses = torch.cat([guesses, likeliest(seen["bins"][2 * k : 2 * k + 2].float(), given, None)[0]])
        cameras = network.camera(seen, guesses)
        beside = meeting(network, seen, cameras, pictures, others) if others else []
    if not camera and any(met.used for met in beside):
        say(0.3, "views")
        told = [(elevation is not None, depth is not None), *((one.elevation is not None, False) for one in others)]
        cameras, beside = together(network, seen, cameras, beside, pictures, told, chunks)
        say(0.5, "shape")
    whole = fused(network, seen, cameras, beside, chunks)
    say(0.8, "colours")
    if symmetry:
        whole = symmetrical(whole)
    lookers = [Looker(straight(close, device), cameras[:1])]
    for other, met in zip(others, beside, strict=True):
        lookers.append(Looker(straight(other.close, device), met.view.camera[:1], met.view.fit[:1]))
    certain = confidence(whole.fine_occupancy.float().sigmoid()[0, 0])  # before masks and smoothing have their say
    used = [True, *(met.used for met in beside)]
    whole = outlined(whole, pictures, lookers, used, bool(camera))
    found = estimate(whole, certain, [one for one, use in zip(lookers, used) if use], float(weights[0]), resolution)
    found.camera["depth"] = found.camera["scale"] / (2 * larger_side(crop))
    agreed = agreements(whole, pictures, lookers)
    for agreement, met in zip(agreed, (None, *beside), strict=True):
        sure = met.sure if met else None
        turn = round(-math.degrees(float(met.view.fit[0, 0])), 3) if met else 0.0
        entry = {"turn": 180 - (180 - turn) % 360, "found": sure, "used": met.used if met else True}
        found.views.append(entry | {"agreement": agreement})
    found = dataclasses.replace(found, place=tuple(place.tolist()))
    if network.prior is None:
        return found
    return dataclasses.replace(found, likeness=float(network.prior.likeness(pictures[0][:, 3:].float())))


@dataclass(frozen=True)
class Met:
    """Another picture and its mirror image as a view (2, ...), and how sure its turn is; None where that was given."""

    view: OtherView
    sure: float | None

    @property
    def used(self) -> bool:
        return self.sure is None or self.sure >= turns.ENOUGH


def meeting(network: ImageToField, seen: dict, cameras: torch.Tensor, pictures: list, others) -> list[Met]:
    """The other pictures as views, their turns given or searched for."""
    angle = {k: (-math.radians(other.turn), None) for k, other in enumerate(others, 1) if other.turn is not None}
    asked = [k for k in range(1, len(others) + 1) if k not in angle]
    rows = [0, *(2 * k for k in asked)]  # the pictures themselves; their mirror images lie between
    looked = {name: value[rows] for name, value in seen.items()}
    alone = network.decode(looked, cameras[rows], (slice(0, 1),) * 3).occupancy.float().sigmoid()[:, 0]
    if asked:
        one_by_one = [{name: value[i : i + 1] for name, value in looked.items()} for i in range(len(rows))]
        alphas = torch.cat([pictures[r // 2][:, 3:] for r in rows])
        found, sure = turns.find(network, one_by_one, list(alone), cameras[rows], alphas)
        angle |= {k: (float(turn), float(how)) for k, turn, how in zip(asked, found, sure, strict=True)}
    views = []
    for k in range(1, len(others) + 1):
        turn, sure = angle[k]
        fit = turns.fit_of(alone[0], cameras.new_tensor([turn]))
        pair = slice(2 * k, 2 * k + 2)
        both = torch.cat([fit, turns.mirrored_fit(fit)])
        views.append(Met(OtherView({name: value[pair] for name, value in seen.items()}, cameras[pair], both), sure))
    return views


def known(seen: dict, camera: tuple[float, ...], others) -> tuple[torch.Tensor, list[Met]]:
    """Cameras (2 V, 5), of pictures and of their mirror images, and views as they were given."""
    like = seen["picture"]
    cameras = like.new_tensor([camera, *(other.camera for other in others)])
    cameras = torch.stack([cameras, cameras * cameras.new_tensor([1, 1, 1, -1, 1])], 1).flatten(0, 1)
    beside = []
    for k, other in enumerate(others, 1):
        pair, fit = slice(2 * k, 2 * k + 2), like.new_tensor([other.fit])
        view = OtherView(
            {name: value[pair] for name, value in seen.items()},
            cameras[pair],
            torch.cat([fit, turns.mirrored_fit(fit)]),
        )
        beside.append(Met(view, None))
    return cameras, beside


def filled(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list[Met], pictures, chunks):
    """Cameras and views of cubes that the shape fills, and where the first of them lies in the one given (4,)."""
    own, fits = cameras[::2], torch.cat([cameras.new_tensor([STILL]), *(met.view.fit[:1] for met in beside)])
    given = wanted(own, fits, torch.cat([picture[:, 3:] for picture in pictures]))
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


def solid(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list[Met], pictures, chunks, known=False):
    """(N, N, N) bool: the inside of the shape that these cameras give."""
    whole = fused(network, seen, cameras, beside, chunks)
    lookers = [Looker(pictures[0], cameras[:1])]
    lookers += [Looker(one, met.view.camera[:1], met.view.fit[:1]) for one, met in zip(pictures[1:], beside)]
    whole = outlined(whole, pictures, lookers, [True, *(met.used for met in beside)], known)
    occupancy = whole.fine_occupancy.float()[0, 0].sigmoid().cpu().numpy()
    level, _ = promising_level(occupancy)
    return torch.from_numpy(bridged(occupancy, level) > level).to(cameras.device)


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
        cameras[pair] = torch.stack([camera, camera * camera.new_tensor([1, 1, 1, -1, 1])])
        if k:
            both = torch.stack([fit, turns.mirrored_fit(fit)])
            view = dataclasses.replace(beside[k - 1].view, camera=cameras[pair], fit=both)
            beside[k - 1] = dataclasses.replace(beside[k - 1], view=view)
    return cameras, beside


def fused(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list[Met], chunks: int) -> Prediction:
    """The mean of what the network makes of the pictures and of their mirror images."""
    first = {name: value[:2] for name, value in seen.items()}
    both = decode(network, first, cameras[:2], chunks, [met.view for met in beside if met.used])
    return blend([one_of(both, 0), mirrored(one_of(both, 1))], torch.full((1, 2), 0.5, device=cameras.device))


def outlined(
    whole: Prediction, pictures: list, lookers: list[Looker], used: list[bool], known: bool = False
) -> Prediction:
    """Brought to agree with the masks of pictures that are used, then smoothed. known: their cameras are."""
    coarse, fine = whole.occupancy, whole.fine_occupancy
    for looker, picture, use in zip(lookers, pictures, used, strict=True):
        if use:
            how = KNOWN if known else FIRST if looker.fit is None else OTHER
            coarse, fine = (agreeing(logits, picture[:, 3:], looker, how) for logits in (coarse, fine))
    return dataclasses.replace(whole, occupancy=coarse, fine_occupancy=softened(fine))


def agreements(whole: Prediction, pictures: list, lookers: list[Looker]) -> list[float]:
    """How well the shape's silhouette fits each picture's mask."""
    shape = turns.small(whole.fine_occupancy.float().sigmoid()[0, 0])
    still = shape.new_tensor([[0.0, 1, 0, 0, 0]])
    return [
        float(turns.in_mask(shape, still if looker.fit is None else looker.fit, looker.camera[0], picture[0, 3:]))
        for picture, looker in zip(pictures, lookers, strict=True)
    ]


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


def likeliest(
    logits: torch.Tensor, elevation: float | None, log_scale: float | None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The likeliest (elevation, log scale) (B, 2) and its share among the three likeliest (B,); what is given stays.

    logits (B, elevations * scales); elevation in radians.
    """
    mass = logits.softmax(-1).reshape(len(logits), *BINS)
    for value, centres, axis in ((elevation, ELEVATIONS, 1), (log_scale, SCALES, 2)):
        if value is not None:
            near = share(torch.tensor([value], device=logits.device), centres)[0]
            mass = mass * (near[:, None] if axis == 1 else near[None, :])
    guesses, weights = hypotheses(mass.flatten(1).clamp_min(1e-12).log(), 3)
    guess = guesses[:, 0]
    for index, value in enumerate((elevation, log_scale)):
        if value is not None:
            guess[:, index] = value
    return guess, weights[:, 0]


def softened(logits: torch.Tensor) -> torch.Tensor:
    """Logits (1, 1, N, N, N) smoothed by a Gaussian of SOFTNESS cells."""
    return gaussian(logits[0, 0], SOFTNESS)[None, None]


def one_of(many: Prediction, index: int) -> Prediction:
    return Prediction(*(getattr(many, f)[index : index + 1] for f in Prediction.__dataclass_fields__))


def mirrored(one: Prediction) -> Prediction:
    """What the mirrored picture shows, mirrored back."""
    return Prediction(*(getattr(one, f).flip(2) for f in Prediction.__dataclass_fields__))


def straight(crop: np.ndarray, device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(crop, np.float32)).to(device).permute(2, 0, 1)[None]


def premultiplied(crop: np.ndarray, device) -> torch.Tensor:
    """(H, W, 4) straight alpha -> (1, 4, H, W), what the network sees."""
    rgba = straight(crop, device)
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], 1)


def decode(network: ImageToField, seen, camera: torch.Tensor, chunks: int, others=()) -> Prediction:
    """The whole cube, refined slab by slab along x with a border of two cells that the convolutions see."""
    if chunks == 1:
        return network.decode(seen, camera, None, others)
    whole, step, slabs = (slice(0, MIDDLE),) * 2, MIDDLE // min(chunks, 16), []
    for start in range(0, MIDDLE, step):
        low, high = max(start - 2, 0), min(start + step + 2, MIDDLE)
        part = network.decode(seen, camera, (slice(low, high), *whole), others)
        keep, fine = slice(start - low, start - low + step), slice(2 * (start - low), 2 * (start - low + step))
        slabs.append((part, part.fine_occupancy[:, :, fine], part.fine_distance[:, :, fine], part.colour[:, :, keep]))
    joined = [torch.cat([slab[i] for slab in slabs], 2) for i in (1, 2, 3)]
    return Prediction(slabs[0][0].occupancy, slabs[0][0].distance, *joined)


def estimate(whole: Prediction, certain, lookers: list[Looker], weight: float, resolution: int) -> Estimate:
    """A Prediction with its surface found, its pieces joined, the pictures' colours; certain: the fine confidence."""
    fine = resolution == FINE
    certain = certain if fine else F.avg_pool3d(certain[None, None], 2)[0, 0]
    logits = (whole.fine_occupancy if fine else whole.occupancy).float()[0, 0]
    occupancy = logits.sigmoid().cpu().numpy()
    level, promised = promising_level(occupancy)
    occupancy = bridged(occupancy, level)
    distance = (whole.fine_distance if fine else whole.distance).float()[0, 0]
    colour = whole.colour.float().sigmoid()
    if fine:
        colour = F.interpolate(colour, scale_factor=2, mode="trilinear", align_corners=False)
    guess = colour[0].permute(1, 2, 3, 0)
    pixels, sure = look_from_all(torch.from_numpy(occupancy).to(logits.device), lookers)
    painted = spread(pixels.cpu().numpy(), sure.cpu().numpy(), guess.cpu().numpy())
    numbers = lookers[0].camera[0].tolist()
    found = {
        "elevation": float(np.degrees(numbers[0])),
        "scale": float(np.exp(numbers[1])),
        "distance": 1 / max(numbers[2], 1e-3),
        "u0": numbers[3],
        "v0": numbers[4],
        "weight": weight,
    }
    expected = min(max(PROMISE[0] * promised + PROMISE[1], 0.0), 1.0)
    return Estimate(occupancy, distance.cpu().numpy(), painted, certain.cpu().numpy(), found, level, expected)
