"""From which side of another picture of an object a picture was taken: a judge of turns.

What each picture alone gives, a shape with the colours that were seen, is laid over the other's at a turn. A small 3D
CNN says how much of the true shape would overlap itself if it was wrong by as much as that turn is: a ball is right at
every turn, a chair wrong at most. Several pictures are put together by what all pairs say.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import turns
from .camera import cell_centres
from .look import Looker, look, round_surface
from .several_views import fitted

CELLS = 16
"""Along each side of what is compared"""
SIGHT = 5
"""What a picture says of each: occupancy, how surely it saw the surface there, and that times its colour"""
ENOUGH = 0.7
"""Overlap from which a turn is believed"""
CLOSER = (-math.radians(7.5), -math.radians(3.75), math.radians(3.75), math.radians(7.5))
"""Turns beside the best of those round the circle that are tried as well"""
ANCHORS = 6
"""Pictures, the first ones, that every other one is laid over: all pairs of many would take minutes"""
BEAM = 64
"""Ways to put pictures together that are followed at once"""


@dataclass(frozen=True)
class Config:
    width: int = 16
    """Channels at 16^3; twice as many at 8^3, four times at 4^3"""


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv3d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm3d(outputs), nn.SiLU(inplace=True)
    )


class Sides(nn.Module):
    """Two sights laid over one another (B, SIGHT, 16, 16, 16) -> logits (B,) of the overlap that is expected."""

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config, w = config, config.width
        self.enter = conv(2 * SIGHT + 4, w)
        self.down = nn.ModuleList([conv(w, 2 * w, 2), conv(2 * w, 4 * w, 2)])
        self.more = nn.ModuleList([conv(2 * w, 2 * w), conv(4 * w, 4 * w)])
        self.out = nn.Sequential(nn.Linear(8 * w, 64), nn.SiLU(inplace=True), nn.Linear(64, 1))

    def forward(self, first: Tensor, other: Tensor) -> Tensor:
        both = first[:, 1:2] * other[:, 1:2]
        unlike = (first[:, 2:] * other[:, 1:2] - other[:, 2:] * first[:, 1:2]).abs()
        x = self.enter(torch.cat([first, other, both, unlike], 1))
        for down, more in zip(self.down, self.more):
            x = down(x)
            x = x + more(x)
        return self.out(torch.cat([x.mean((2, 3, 4)), x.amax((2, 3, 4))], 1))[:, 0]

    def settings(self) -> dict:
        return asdict(self.config)


def create(config: dict) -> Sides:
    """From a card's config."""
    return Sides(Config(**config))


def sight(occupancy: Tensor, camera: Tensor, pixels: Tensor) -> Tensor:
    """What a picture says of its own cube, (SIGHT, 16, 16, 16).

    occupancy (N, N, N) in [0, 1] that it alone gives, camera (1, 5), pixels (1, 4, H, W) straight alpha.
    """
    size = occupancy.shape[0] // CELLS
    seen, sure = look(occupancy, Looker(pixels, camera), round_surface(occupancy))
    whole = torch.cat([occupancy[None], sure[None], (seen * sure[..., None]).permute(3, 0, 1, 2)])
    return F.avg_pool3d(whole[None], size)[0]


def laid(other: Tensor, fit: Tensor) -> Tensor:
    """Sights other (B, SIGHT, N, N, N) brought into the cubes that `fit` (B, 5) leads from."""
    n = other.shape[-1]
    places = 2 * fitted(cell_centres(n, other.device), fit).flip(-1)
    return F.grid_sample(other, places.reshape(-1, n, n, n, 3), align_corners=False)


def judged(network: Sides, first: Tensor, other: Tensor, angles: Tensor) -> Tensor:
    """Logits (A,) of two sights (SIGHT, N, N, N), the object turned by angles (A,) from the first's picture to the
    other's: the mean of what is said in the cube of the one and in that of the other."""
    count = len(angles)
    forth, back = turns.fit_of(first[0], angles), turns.fit_of(other[0], -angles)
    here, there = first.expand(count, -1, -1, -1, -1), other.expand(count, -1, -1, -1, -1)
    logits = network(torch.cat([here, there]), torch.cat([laid(there, forth), laid(here, back)]))
    return logits.float().reshape(2, count).mean(0)


@torch.inference_mode()
def find(network: Sides, sights: list[Tensor], told: dict[int, float] | None = None) -> tuple[Tensor, Tensor]:
    """The turn (radians) from the first picture to each other, (V - 1,), and the overlap expected there in [0, 1].

    sights: of each picture (SIGHT, N, N, N). told: turns of some, in radians, that stay as they are. All pairs with
    one of the first pictures have their say.
    """
    device, told = sights[0].device, told or {}
    every, step = turns.candidates(), 2 * math.pi / turns.TURNS

    def expected(i: int, j: int, angles: Tensor) -> Tensor:
        return judged(network, sights[i], sights[j], angles.to(device)).sigmoid().cpu()

    count = len(sights)
    pairs = {(i, j): expected(i, j, every) for i in range(min(count, ANCHORS)) for j in range(i + 1, count)}
    held = {k: round(turn / step) % turns.TURNS for k, turn in told.items()}
    places = together({pair: overlaps.tolist() for pair, overlaps in pairs.items()}, count, held)
    found, sure = [], []
    for k in range(1, count):
        if k in told:
            found.append(told[k])
            sure.append(1.0)
            continue
        near = every[places[k]] + torch.tensor([0.0, *CLOSER])
        overlaps = expected(0, k, near)
        said = [float(overlaps.max())]
        for i in range(1, count):
            low, high = min(i, k), max(i, k)
            if (low, high) in pairs:
                said.append(float(pairs[low, high][(places[high] - places[low]) % turns.TURNS]))
        found.append(float(near[overlaps.argmax()]))
        sure.append(sum(said) / len(said))
    return torch.tensor(found), torch.tensor(sure)


def together(
    pairs: dict[tuple[int, int], list[float]], count: int, told: dict[int, int] | None = None
) -> list[int]:
    """The turns of `count` pictures, in bins from the first's, its own 0 too, at which pairs agree best in sum.

    pairs: of two pictures each, how well they fit where the second is turned by 0, 1, ... bins from the first; told:
    bins of some, that stay. A beam search, what is told first, then what fits the first picture best.
    """
    told = told or {}
    bins = len(next(iter(pairs.values())))
    order = sorted(range(1, count), key=lambda k: (k not in told, -max(pairs[0, k])))
    ways: list[tuple[float, dict[int, int]]] = [(0.0, {0: 0})]
    for k in order:
        more = []
        for total, way in ways:
            for place in [told[k]] if k in told else range(bins):
                fits = sum(
                    pairs[min(i, k), max(i, k)][((place - at) if i < k else (at - place)) % bins]
                    for i, at in way.items()
                    if (min(i, k), max(i, k)) in pairs
                )
                more.append((total + fits, way | {k: place}))
        ways = sorted(more, key=lambda one: -one[0])[:BEAM]
    return [ways[0][1][k] for k in range(count)]
