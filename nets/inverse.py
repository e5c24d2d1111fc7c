"""From a solid to the latent that decodes to what is most like it: a sampler run backwards.

Families, turns about z and sizes are searched by comparing with a few examples of each family; the encoder then says
a latent for the likeliest of them, and gradient steps through the decoder improve the best (after DeepSDF's auto-
decoding, Park et al. 2019, arXiv:1901.05103).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .camera import cell_centres
from .examples import SOFT, box, boxed, examples, foot, overlap
from .sampler import GROUND, Family, Place, Sampler
from .solid import Solid, about_z, solid_iou
from .whitened import STEP, priors, within

TURNS = 8
"""Evenly round the circle"""
SIDES = 3
"""Turns of each family that are encoded, the likeliest; twice as many where the family is known"""
SIZES = (0.86, 0.93, 1.08, 1.16)
"""Tried beside the examples' own"""
STANDING = (0.6, 0.8)
"""Of the cube, that the longest side of a solid on the floor is also tried at, whatever the examples are"""
RESIZED = 3
"""Candidates that are tried in these sizes"""
REFINED = 2
"""Candidates that are improved together"""
STEPS = 20
PRIOR = 0.004
"""How strongly latents are pulled towards their family's mean"""
WIDTH = 0.1
"""Of the truncation, over which inside becomes outside"""
AS_GOOD = 0.02
"""Intersection over union that the mesh's own size in metres may cost"""
BATCH = 8


@dataclass(frozen=True, eq=False)
class Poses:
    """How a solid stands in a family's cube: place in the cube = size * turned back by `turn` + shift."""

    turn: Tensor
    """(B,) radians about z, from the sampled shape to the solid"""
    size: Tensor
    """(B,) longest side of the solid, as a share of the cube's side"""
    shift: Tensor
    """(B, 3) where the solid's middle is"""

    def back(self, places: Tensor) -> Tensor:
        """places (P, 3) of the cube -> (B, P, 3) of the solid's own."""
        return about_z((places[None] - self.shift[:, None]) / self.size[:, None, None], self.turn)

    def take(self, index) -> Poses:
        return Poses(self.turn[index], self.size[index], self.shift[index])


@dataclass(frozen=True, eq=False)
class Candidates:
    """Guesses at family, pose and latent, B of each."""

    family: Tensor
    poses: Poses
    metric: Tensor
    """(B,) bool: the size is the mesh's own in metres"""
    latent: Tensor | None = None
    iou: Tensor | None = None

    def take(self, index) -> Candidates:
        parts = (self.metric[index], *(None if p is None else p[index] for p in (self.latent, self.iou)))
        return Candidates(self.family[index], self.poses.take(index), *parts)


@dataclass(frozen=True, eq=False)
class Found:
    """The best: place in latent space, IoU of solids at the network's resolution, and pose of the solid in the cube."""

    place: Place
    iou: float
    turn: float
    """Degrees, in (-180, 180]"""
    size: float
    shift: tuple[float, float, float]
    tried: list[tuple[str, float]]
    """Families, each with its best IoU before improvement, best first"""


def find(
    model: Sampler,
    solid: Solid,
    families: Sequence[Family],
    say: Callable[[float, str], None] = lambda fraction, note: None,
) -> Found:
    """The latent most like a solid among these families."""
    say(0.0, "looking round")
    guesses = likely(model, solid, families, say)
    guesses = encoded(model, solid, guesses, lambda share: say(0.3 + 0.2 * share, "encoding"))
    say(0.5, "sizes")
    more = resized(guesses.take(guesses.iou.argsort(descending=True)[:RESIZED]))
    guesses = joined(guesses, encoded(model, solid, more, lambda share: say(0.5 + 0.1 * share, "sizes")))
    best = [guesses.take(guesses.family == family.index) for family in families]
    tried = sorted(((f.name, float(b.iou.max())) for f, b in zip(families, best, strict=True)), key=lambda row: -row[1])
    start = guesses.take(guesses.iou.argsort(descending=True)[:REFINED])
    metric = guesses.take(guesses.metric & (guesses.family == start.family[0]))
    if len(metric.family) and not start.metric.any():
        start = joined(start, metric.take(metric.iou.argmax()[None]))
    better = refined(model, solid, start, lambda share: say(0.6 + 0.35 * share, "refining"))
    say(0.95, "checking")
    chosen = choose(joined(better, start))
    family = next(f for f in families if f.index == int(chosen.family[0]))
    turn = 180 - (180 - math.degrees(float(chosen.poses.turn[0]))) % 360
    place = Place(chosen.latent[0].cpu(), family)
    shift = tuple(chosen.poses.shift[0].tolist())
    return Found(place, float(chosen.iou[0]), turn, float(chosen.poses.size[0]), shift, tried)


def with_fields(model: Sampler) -> Sampler:
    """The model itself. Raises ValueError where it makes meshes: only fields are compared with solids."""
    if not model.has_fields:
        raise ValueError(f"{model.card['name']} makes meshes without a field; Encode and Fit need a model that has one")
    return model


@torch.inference_mode()
def likely(model: Sampler, solid: Solid, families: Sequence[Family], say) -> Candidates:
    """Turns and sizes at which the solid resembles an example of a family, the likeliest of each."""
    turns = torch.arange(TURNS, device=model.where) * (2 * math.pi / TURNS)
    low, high = solid.turned_bounds(turns)
    longest, feet = (high - low).amax(1), foot(low, high)
    inside = about_z(box(model.where) * longest[:, None, None] + feet[:, None], turns)
    seen = (solid.at(inside) / longest[:, None] / SOFT).sigmoid()
    rows = []
    for number, family in enumerate(families):
        say(0.3 * number / len(families), family.name)
        known, alike = examples(model, family), overlap(seen, boxed(model, family))  # turns, examples
        count = SIDES if len(families) > 1 else 2 * SIDES
        best = int(alike.amax(1).argmax())
        for t in alike.amax(1).argsort(descending=True)[:count].tolist():
            k = int(alike[t].argmax())
            own = solid.longest / family.side
            sizes = [(float(known.longest[k] / longest[t]), False)]
            span = known.longest / longest[t]
            if 0.8 * span.min() <= own <= 1.1 * span.max() and own * high[t, 2].sub(low[t, 2]) < 0.95:
                sizes.append((own, True))
            for size, metric in sizes:
                shift = known.foot[k] - size * feet[t]
                rows.append((family.index, float(turns[t]), size, shift, metric, known.latents[k]))
            if t == best or len(families) == 1:
                ground = known.foot.new_tensor([0, 0, GROUND])
                for size in (share / float(longest[t]) for share in STANDING):
                    rows.append((family.index, float(turns[t]), size, ground - size * feet[t], False, known.latents[k]))
    index, turn, size, shift, metric, latent = zip(*rows, strict=True)
    poses = Poses(turns.new_tensor(turn), turns.new_tensor(size), torch.stack(shift))
    index, metric = (torch.tensor(values, device=model.where) for values in (index, metric))
    return Candidates(index, poses, metric, torch.stack(latent).to(model.where))


def target(model: Sampler, solid: Solid, poses: Poses, resolution: int) -> Tensor:
    """(B, N, N, N) in [-1, 1]: the solid as the network would have it in its cube."""
    places = cell_centres(resolution, model.where)
    found = solid.at(poses.back(places)) * poses.size[:, None] / model.network.TRUNCATION
    return found.clamp(-1, 1).unflatten(1, (resolution,) * 3)


@torch.inference_mode()
def encoded(model: Sampler, solid: Solid, guesses: Candidates, say) -> Candidates:
    """With how alike their shapes are; with the encoder's latents, if there is one, where those shapes are more so."""
    latents, ious, n = [], [], model.network.config.resolution
    for part in torch.arange(len(guesses.family)).split(BATCH):
        say(float(part[0]) / len(guesses.family))
        some = guesses.take(part.to(model.where))
        wanted = target(model, solid, some.poses, n)
        best, iou = some.latent, solid_iou(model.network.decode(some.latent, some.family) > 0, wanted > 0)
        if hasattr(model.network, "encode"):
            # Of solids unlike all that it was trained on, the encoder may say less than an example does
            said = priors(model, some.family).held(model.network.encode(wanted, some.family)[0].float())
            alike = solid_iou(model.network.decode(said, some.family) > 0, wanted > 0)
            best, iou = torch.where((alike >= iou)[:, None], said, best), torch.maximum(alike, iou)
        latents.append(best)
        ious.append(iou)
    return Candidates(guesses.family, guesses.poses, guesses.metric, torch.cat(latents), torch.cat(ious))


def resized(guesses: Candidates) -> Candidates:
    """Each in SIZES, about where its middle is over the floor."""
    factor = guesses.poses.size.new_tensor(SIZES)
    index = torch.arange(len(guesses.family), device=factor.device).repeat_interleave(len(SIZES))
    size, shift = guesses.poses.size[index] * factor.repeat(len(guesses.family)), guesses.poses.shift[index].clone()
    shift[:, 2] = GROUND + (shift[:, 2] - GROUND) * factor.repeat(len(guesses.family))
    keep = (size < 1).nonzero()[:, 0]
    poses = Poses(guesses.poses.turn[index], size, shift).take(keep)
    return Candidates(
        guesses.family[index][keep], poses, torch.zeros_like(guesses.metric[index][keep]), guesses.latent[index][keep]
    )


def refined(model: Sampler, solid: Solid, start: Candidates, say, steps: int = STEPS) -> Candidates:
    """With latents after gradient steps on the field's error."""
    prior = priors(model, start.family)
    family, n = start.family.clone(), model.network.config.resolution
    with torch.no_grad():
        wanted = target(model, solid, start.poses, n).clone()
    white = improved(
        lambda white: model.network.decode(prior.latent(white), family), prior.white(start.latent), wanted, steps, say
    )
    with torch.no_grad():
        latent = prior.latent(white)
        iou = solid_iou(model.network.decode(latent, family) > 0, wanted > 0)
    return Candidates(family, start.poses, start.metric, latent, iou)


def improved(decode: Callable[[Tensor], Tensor], start: Tensor, wanted: Tensor, steps: int, say=lambda share: None):
    """Whitened latents (B, L) after Adam's steps from start: they decode to what is nearer to wanted (B, N, N, N)."""
    # A clone, for what was made in inference mode cannot be differentiated
    white = start.clone().requires_grad_()
    optimiser = torch.optim.Adam([white], lr=STEP, betas=(0.9, 0.95))
    for step in range(steps):
        say(step / steps)
        optimiser.param_groups[0]["lr"] = STEP * (1 - 0.8 * step / steps)
        with torch.enable_grad():
            error = field_error(decode(white).float(), wanted)
            (white.grad,) = torch.autograd.grad((error + PRIOR * white.square().mean(1)).sum(), white)
        optimiser.step()
        with torch.no_grad():
            white.copy_(within(white))
    return white.detach()


def field_error(decoded: Tensor, wanted: Tensor) -> Tensor:
    """(B,): 1 less the soft intersection over union, and the mean error near either surface; both whatever the size."""
    some, other = ((values / WIDTH / 2).sigmoid().flatten(1) for values in (decoded, wanted))
    both = (some * other).sum(1)
    union = (some + other - some * other).sum(1)
    near = ((decoded.abs() < 0.6) | (wanted.abs() < 0.6)).flatten(1).float()
    off = ((decoded.clamp(-1, 1) - wanted).abs().flatten(1) * near).sum(1) / near.sum(1).clamp_min(1)
    return 1 - both / union.clamp_min(1e-6) + off


def joined(some: Candidates, other: Candidates) -> Candidates:
    """One set after the other; both are scored."""
    poses = Poses(*(torch.cat([getattr(some.poses, n), getattr(other.poses, n)]) for n in ("turn", "size", "shift")))
    return Candidates(
        torch.cat([some.family, other.family]),
        poses,
        *(torch.cat([getattr(some, n), getattr(other, n)]) for n in ("metric", "latent", "iou")),
    )


def choose(guesses: Candidates) -> Candidates:
    """The best (1,); one in the mesh's own size where that costs next to nothing."""
    worth = guesses.iou + AS_GOOD * guesses.metric
    return guesses.take(worth.argmax()[None])
