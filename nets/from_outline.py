"""From the outline of an object in a picture to the latent whose shape has it: a sampler and a camera fitted together.

Outlines of a few examples of each family, from all sides, are kept at a small size and compared first; the likeliest
then improve by gradient steps through the decoder and the renderer of `outline`, fewer and fewer of them for longer and
longer, with a weak pull towards their family (analysis by synthesis; after DIST, Liu et al. 2020, arXiv:1911.13225).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .camera import cell_centres
from .examples import examples
from .outline import Cameras, outline_iou, pixels, render, silhouettes
from .sampler import Family, Place, Sampler
from .whitened import STEP, priors, within

SIDES = 16
"""Azimuths that are compared, evenly round the circle"""
ELEVATIONS = tuple(math.radians(degrees) for degrees in (2, 14, 28, 45))
SMALL = 24
"""Pixels along each side of the outlines that are compared"""
SEEN = 48
"""Pixels of the outline that is fitted"""
JUDGED = 96
"""Pixels of the outline that the answer is scored by"""
NEAR = math.tan(math.radians(18))
"""Half the width of the square round the object over the camera's distance: an ordinary lens, an object that fills much
of its picture. It cannot be read off an outline and hardly changes it."""
FILLED = 0.875
"""Share of the picture that the object's longer side spans, as in geometry.crop"""
STAGES = ((6, 8, True), (3, 14, True), (2, 16, False))
"""How many candidates go on, for how many gradient steps, and whether on half the cells"""
FAMILIES = 3
"""That are refined at most"""
STEP_CAMERA = 0.02
"""Adam's, of the camera in radians, half pictures and log scale"""
PRIOR = 0.006
"""How strongly latents are pulled towards their family's mean"""
LEANING = 0.3
"""What a radian off the elevation that was read off the picture costs"""


@dataclass(frozen=True, eq=False)
class Guesses:
    """B families, latents (B, L) and cameras, with how alike their outlines are (B,)."""

    family: Tensor
    latent: Tensor
    cameras: Cameras
    iou: Tensor

    def take(self, index) -> Guesses:
        return Guesses(self.family[index], self.latent[index], self.cameras.take(index), self.iou[index])


@dataclass(frozen=True, eq=False)
class Fitted:
    """Place in latent space, IoU of outlines, camera in degrees: azimuth in (-180, 180] and elevation."""

    place: Place
    iou: float
    azimuth: float
    elevation: float
    camera: Cameras
    tried: list[tuple[str, float]]
    """Families, each with its best IoU before improvement, best first"""


def fit(
    model: Sampler,
    mask: Tensor | np.ndarray,
    families: Sequence[Family],
    say: Callable[[float, str], None] = lambda fraction, note: None,
    elevation: float | None = None,
) -> Fitted:
    """The latent and the camera whose outline is most like mask (M, M) in [0, 1], a square round the object.

    elevation: degrees that the camera is thought to look down by."""
    mask = torch.as_tensor(mask).to(model.where)
    say(0.0, "looking round")
    leaning = None if elevation is None else math.radians(elevation)
    starts = [
        likely(model, mask, family, leaning, say_part(say, i, len(families), family.name))
        for i, family in enumerate(families)
    ]
    tried = sorted(
        ((f.name, float(s.iou.max())) for f, s in zip(families, starts, strict=True)), key=lambda row: -row[1]
    )
    best = sorted(starts, key=lambda s: -float(s.iou.max()))[:FAMILIES]
    guesses = spread(best, STAGES[0][0])
    done, total = 0, sum(count for _, count, _ in STAGES)
    for keep, steps, coarse in STAGES:
        guesses = guesses.take(guesses.iou.argsort(descending=True)[:keep])
        share = lambda step, done=done: say(0.25 + 0.7 * (done + step) / total, "fitting")  # noqa: E731
        guesses = refined(model, mask, guesses, steps, share, coarse)
        done += steps
    say(0.97, "checking")
    best = judged(model, mask, guesses)
    best = best.take(best.iou.argmax()[None])
    family = next(f for f in families if f.index == int(best.family[0]))
    turn = 180 - (180 - math.degrees(float(best.cameras.azimuth[0]))) % 360
    looking_down = math.degrees(float(best.cameras.elevation[0]))
    return Fitted(Place(best.latent[0].cpu(), family), float(best.iou[0]), turn, looking_down, best.cameras, tried)


def say_part(say, number: int, count: int, name: str):
    return lambda: say(0.25 * number / count, name)


def spread(starts: list[Guesses], count: int) -> Guesses:
    """The best `count` of several families' guesses, each family's best among them."""
    each = max(count // len(starts), 1)
    parts = [start.take(start.iou.argsort(descending=True)[:each]) for start in starts]
    cameras = Cameras(*(torch.cat([getattr(p.cameras, n) for p in parts]) for n in Cameras.__dataclass_fields__))
    return Guesses(
        *(torch.cat([getattr(p, n) for p in parts]) for n in ("family", "latent")),
        cameras,
        torch.cat([p.iou for p in parts]),
    )


@dataclass(frozen=True, eq=False)
class Looks:
    """Outlines of a family's examples: (K, E, A, SMALL^2) bool, each in the square round it; and their cameras."""

    outlines: Tensor
    scale: Tensor
    """(K, E, A) half pictures a unit of the cube"""
    shift: Tensor
    """(K, E, A, 2)"""
    near: Tensor
    """(K,)"""


@functools.lru_cache(maxsize=64)
@torch.inference_mode()
def looks(model: Sampler, family: Family) -> Looks:
    """From SIDES azimuths and ELEVATIONS; the filled cells are marked in the picture, which needs no rays."""
    fields, device = examples(model, family).fields, model.where
    azimuth = torch.arange(SIDES, device=device) * (2 * math.pi / SIDES)
    elevation = torch.tensor(ELEVATIONS, device=device)
    e, a = (part.flatten() for part in torch.meshgrid(elevation, azimuth, indexing="ij"))
    count, n = len(a), fields.shape[-1]
    nears = NEAR * 2 * FILLED / examples(model, family).longest
    outlines, scales, shifts = [], [], []
    for field, near in zip(fields, nears, strict=True):
        plain = Cameras(a, e, torch.ones_like(a), a.new_zeros(count, 2), near.expand(count))
        values = field.flatten()
        some = values > min(0.0, float(values.max()) - 1e-6)
        uv = plain.project(cell_centres(n, device)[some])  # C P 2
        half = 0.5 / n
        low, high = uv.amin(1) - half, uv.amax(1) + half
        scale = 2 * FILLED / (high - low).amax(1)
        shift = -scale[:, None] * (low + high) / 2
        placed = uv * scale[:, None, None] + shift[:, None]
        outlines.append(marked(placed, scale / n))
        scales.append(scale)
        shifts.append(shift)
    shape = (len(fields), len(ELEVATIONS), SIDES)
    scale, shift = torch.stack(scales).reshape(shape), torch.stack(shifts).reshape(*shape, 2)
    return Looks(torch.stack(outlines).reshape(*shape, -1), scale, shift, nears)


def marked(uv: Tensor, cell: Tensor) -> Tensor:
    """(C, SMALL^2) of pixels that cells at uv (C, P, 2), `cell` (C,) half pictures wide, cover: their corners mark."""
    found = torch.zeros(len(uv), SMALL * SMALL, device=uv.device)
    for du in (-0.45, 0.45):
        for dv in (-0.45, 0.45):
            at = uv + cell[:, None, None] * uv.new_tensor([du, dv])
            pixel = ((at + 1) * (SMALL / 2)).long().clamp(0, SMALL - 1)
            found.scatter_(1, pixel[..., 1] * SMALL + pixel[..., 0], 1.0)
    return found


@torch.inference_mode()
def likely(model: Sampler, mask: Tensor, family: Family, elevation: float | None, say, count: int = 6) -> Guesses:
    """The family's examples and sides whose outlines are most like the mask; no two of the same example and side."""
    say()
    known, seen = looks(model, family), examples(model, family)
    small = F.adaptive_avg_pool2d(mask[None, None].float(), SMALL).flatten()
    both = torch.minimum(known.outlines, small).sum(-1)
    iou = both / torch.maximum(known.outlines, small).sum(-1).clamp_min(1e-6)
    worth = iou.clone()
    if elevation is not None:
        off = (torch.tensor(ELEVATIONS, device=iou.device) - elevation).abs()
        worth = worth - LEANING * off[None, :, None]
    rows = []
    for _ in range(count):
        k, e, a = (int(i) for i in torch.unravel_index(worth.argmax(), worth.shape))
        rows.append((k, e, a))
        worth[k, :, a] = -1
    k, e, a = torch.tensor(rows, device=iou.device).T
    azimuth, radians = a * (2 * math.pi / SIDES), torch.tensor(ELEVATIONS, device=iou.device)[e]
    cameras = Cameras(azimuth, radians, known.scale[k, e, a], known.shift[k, e, a], known.near[k])
    return Guesses(torch.full_like(k, family.index), seen.latents[k.cpu()].to(model.where), cameras, iou[k, e, a])


def refined(model: Sampler, mask: Tensor, start: Guesses, steps: int, say, coarse: bool = True) -> Guesses:
    """After gradient steps of latents and cameras on the difference of outlines."""
    prior = priors(model, start.family)
    white = prior.white(start.latent).clone().requires_grad_()
    base = Cameras(*(getattr(start.cameras, n).clone() for n in Cameras.__dataclass_fields__))
    change = torch.zeros(len(white), 5, device=model.where, requires_grad=True)
    optimiser = torch.optim.Adam(
        [{"params": [white], "lr": STEP}, {"params": [change], "lr": STEP_CAMERA}], betas=(0.9, 0.95)
    )
    wanted = F.adaptive_avg_pool2d(mask[None, None].float(), SEEN)[0]
    family = start.family.clone()
    for step in range(steps):
        say(step)
        for group, rate in zip(optimiser.param_groups, (STEP, STEP_CAMERA), strict=True):
            group["lr"] = rate * (1 - 0.7 * step / steps)
        with torch.enable_grad():
            fields = model.network.decode(prior.latent(white), family, coarse=coarse).float()
            covered, _ = render(fields, moved(base, change), SEEN, model.network.TRUNCATION)
            total = (outline_error(covered, wanted) + PRIOR * white.square().mean(1)).sum()
            white.grad, change.grad = torch.autograd.grad(total, (white, change))
        optimiser.step()
        with torch.no_grad():
            white.copy_(within(white))
    with torch.no_grad():
        latent, cameras = prior.latent(white), moved(base, change)
        seen = silhouettes(model.network.decode(latent, family, coarse=coarse).float(), cameras, SEEN, 64)
    return Guesses(family, latent.detach(), cameras, outline_iou(seen, wanted.expand_as(seen)))


def moved(cameras: Cameras, change: Tensor) -> Cameras:
    """change (B, 5): azimuth, elevation, log scale, u, v; the picture stays as wide an angle."""
    elevation = (cameras.elevation + change[:, 1]).clamp(-0.3, 1.4)
    closer, shift = change[:, 2].exp(), cameras.shift + change[:, 3:]
    return Cameras(cameras.azimuth + 2 * change[:, 0], elevation, cameras.scale * closer, shift, cameras.near * closer)


def outline_error(covered: Tensor, wanted: Tensor) -> Tensor:
    """(B,): 1 less the soft intersection over union, at two sizes: the smaller one pulls from farther away."""
    total = 0.0
    for size in (SEEN, SEEN // 4):
        some, other = (F.adaptive_avg_pool2d(p, size).flatten(1) for p in (covered, wanted.expand_as(covered)))
        both = (some * other).sum(1)
        total = total + 1 - both / (some.square().sum(1) + other.square().sum(1) - both).clamp_min(1e-6)
    return total


@torch.no_grad()
def judged(model: Sampler, mask: Tensor, guesses: Guesses) -> Guesses:
    """With the IoU of hard outlines at the network's full resolution."""
    seen = silhouettes(model.network.decode(guesses.latent, guesses.family).float(), guesses.cameras, JUDGED)
    wanted = F.adaptive_avg_pool2d(mask[None, None].float(), JUDGED)[0] >= 0.5
    return Guesses(guesses.family, guesses.latent, guesses.cameras, outline_iou(seen, wanted.expand_as(seen)))


def square(mask: Tensor) -> Tensor:
    """mask (H, W) -> (JUDGED, JUDGED) in [0, 1]: the square round what it shows, as geometry.crop cuts it."""
    rows, columns = ((mask >= 0.5).any(axis).nonzero()[:, 0] for axis in (1, 0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    side = max(bottom - top, right - left) / FILLED
    middle = torch.stack([(left + right) / 2, (top + bottom) / 2])
    at = (pixels(JUDGED) * side / 2 + middle) / torch.tensor([mask.shape[1], mask.shape[0]]) * 2 - 1
    found = F.grid_sample(mask[None, None].float(), at[None, None], align_corners=False)
    return found.reshape(JUDGED, JUDGED)
