"""What the network makes of pictures, and how that is brought to agree with them."""

from __future__ import annotations

import dataclasses

import torch

from ..geometry.bridge import bridged
from ..geometry.occupancy_level import promising_level
from .confidence import gaussian
from .image_to_field import MIDDLE, ImageToField, Prediction, blend
from .look import Looker
from .silhouette import FIRST, KNOWN, OTHER, agreeing

SOFTNESS = 0.6
"""Standard deviation, in cells of the fine grid, of what smooths its logits: doubt from cell to cell tears surfaces."""
ALONE = {1: 0.5, 2: 0.25}
"""Share of the first picture's own answer by how many others are used: where the cube of few pictures lies is in doubt,
and an answer to the first alone is wrong in other ways (docs/benchmarks.md)."""


def fused(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list, chunks: int) -> Prediction:
    """The mean of what the network makes of the pictures and of their mirror images."""
    first = {name: value[:2] for name, value in seen.items()}
    both = decode(network, first, cameras[:2], chunks, [met.view for met in beside if met.used])
    return blend([one_of(both, 0), mirrored(one_of(both, 1))], torch.full((1, 2), 0.5, device=cameras.device))


def steadied(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list, chunks: int) -> Prediction:
    """As `fused`; of few pictures, or of such whose sides are in doubt, with what the first says alone mixed in, in its
    probabilities."""
    whole = fused(network, seen, cameras, beside, chunks)
    doubts = [0.0 if met.sure is None else 1 - met.sure for met in beside if met.used]
    alone = max(ALONE.get(len(doubts), 0.0), sum(doubts) / max(len(doubts), 1))
    if not alone:
        return whole
    shares = torch.tensor([[1 - alone, alone]], device=cameras.device)
    return blend([whole, fused(network, seen, cameras[:2], [], chunks)], shares)


def outlined(
    whole: Prediction, pictures: list, lookers: list[Looker], used: list[bool], exact: bool = False
) -> Prediction:
    """Brought to agree with the masks of pictures that are used, then smoothed. exact: their cameras are known."""
    coarse, fine = whole.occupancy, whole.fine_occupancy
    for looker, picture, use in zip(lookers, pictures, used, strict=True):
        if use:
            how = KNOWN if exact else FIRST if looker.fit is None else OTHER
            coarse, fine = (agreeing(logits, picture[:, 3:], looker, how) for logits in (coarse, fine))
    return dataclasses.replace(whole, occupancy=coarse, fine_occupancy=softened(fine))


def solid(network: ImageToField, seen: dict, cameras: torch.Tensor, beside: list, pictures, chunks, exact=False):
    """(N, N, N) bool: the inside of the shape that these cameras give."""
    whole = fused(network, seen, cameras, beside, chunks)
    lookers = [Looker(pictures[0], cameras[:1])]
    lookers += [Looker(one, met.view.camera[:1], met.view.fit[:1]) for one, met in zip(pictures[1:], beside)]
    whole = outlined(whole, pictures, lookers, [True, *(met.used for met in beside)], exact)
    occupancy = whole.fine_occupancy.float()[0, 0].sigmoid().cpu().numpy()
    level, _ = promising_level(occupancy)
    return torch.from_numpy(bridged(occupancy, level) > level).to(cameras.device)


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


def one_of(many: Prediction, index: int) -> Prediction:
    return Prediction(*(getattr(many, f)[index : index + 1] for f in Prediction.__dataclass_fields__))


def mirrored(one: Prediction) -> Prediction:
    """What the mirrored picture shows, mirrored back."""
    return Prediction(*(getattr(one, f).flip(2) for f in Prediction.__dataclass_fields__))


def softened(logits: torch.Tensor) -> torch.Tensor:
    """Logits (1, 1, N, N, N) smoothed by a Gaussian of SOFTNESS cells."""
    return gaussian(logits[0, 0], SOFTNESS)[None, None]
