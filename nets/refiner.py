"""Detail for which a field of 64^3 has no room: occupancy at any place near its surface, read off the picture itself.

A CNN sees the picture beside what the camera would see of the shape so far, outline and depth; another one sees the
shape's own cells; what both say of a place, an MLP turns into what is added to its logit. A local decoder after PIFu
(Saito et al. 2019, arXiv:1905.05172) and Convolutional Occupancy Networks (Peng et al. 2020, arXiv:2003.04618), for the
places round the surface alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import turns
from .camera import cell_centres, project, unproject
from .confidence import gaussian
from .image_to_field import FINE, TRUNCATION
from .look import Looker, grown
from .outline import pixels
from .several_views import fitted

PICTURE = 256
"""Side of the crop that detail is read from"""
REFINED = 128
"""Cells along each side of what comes out"""
SIGHT, SAMPLES = 128, 96
"""Pixels along each side of what the camera sees of the shape, and places along each of their rays"""
REACH = 3
"""Cells of the field, along each axis, within which a surface makes a place worth refining"""
LOST = 13
"""Pixels of SIGHT, odd, round a lost part that are given back with it"""
CHUNK = 1 << 14
"""Places that are decoded at once"""
DEEPEST = 3**0.5 / 2


@dataclass(frozen=True)
class Config:
    picture: int = 12
    """Channels of the picture's features at 256 x 256; twice as many at 128 x 128, three times at 32 x 32."""
    shape: int = 8
    """Channels of the shape's features at 64^3; three times as many at 32^3."""
    width: int = 64
    """Of the MLP"""


def _conv(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.ReLU(inplace=True))


class Refiner(nn.Module):
    """What to add to occupancy logits near a surface. Its last layer begins at nothing, and so does what it adds."""

    OWN = 8

    def __init__(self, config: Config = Config()):
        super().__init__()
        self.config = config
        c, d, w = config.picture, config.shape, config.width
        self.one = _conv(6, c)
        self.two = nn.Sequential(_conv(c, 2 * c, 2), _conv(2 * c, 2 * c))
        self.three = nn.Sequential(_conv(2 * c, 3 * c, 2), _conv(3 * c, 3 * c, 2), _conv(3 * c, 3 * c))
        self.near = nn.Sequential(nn.Conv3d(2, d, 3, padding=1), nn.ReLU(inplace=True))
        self.wide = nn.Sequential(
            nn.Conv3d(d, 3 * d, 2, stride=2), nn.ReLU(inplace=True), nn.Conv3d(3 * d, 3 * d, 3, padding=1)
        )
        inputs = 6 * c + 4 * d + self.OWN
        self.decide = nn.Sequential(nn.Linear(inputs, w), nn.SiLU(), nn.Linear(w, w), nn.SiLU(), nn.Linear(w, 1))
        nn.init.zeros_(self.decide[-1].weight)
        nn.init.zeros_(self.decide[-1].bias)

    def features(self, picture: Tensor, sight: Tensor, above: Tensor, distance: Tensor) -> dict[str, list[Tensor]]:
        """picture (B, 4, 256, 256), sRGB times alpha and alpha; sight (B, 2, 128, 128) as `sight` gives it; above
        (B, 1, 64, 64, 64), logits less that of the level; distance as `Prediction` has it -> maps to look up."""
        wide = F.interpolate(sight, picture.shape[-1], mode="bilinear", align_corners=False)
        at1 = self.one(torch.cat([picture - 0.5, wide], 1))
        at2 = self.two(at1)
        cells = self.near(torch.cat([above.clamp(-8, 8) / 4, distance / TRUNCATION], 1))
        return {"flat": [at1, at2, self.three(at2), sight], "solid": [cells, self.wide(cells), above, distance]}

    def forward(self, seen: dict[str, list[Tensor]], camera: Tensor, points: Tensor) -> Tensor:
        """What to add to the logits at points (B, P, 3) of the cube, (B, P); camera (B, 5)."""
        uv, depth = _project(points, camera)
        flat = [_at(values, uv[:, :, None]) for values in seen["flat"]]
        solid = [_at(values, 2 * points.flip(-1)[:, :, None, None]) for values in seen["solid"]]
        front, above, distance = flat.pop()[..., 1:], solid.pop(-2), solid.pop()
        tilt = camera[:, None, :1].expand(-1, points.shape[1], 1)
        behind = ((depth[..., None] - front) * 4).clamp(-1, 1)
        own = [behind, depth[..., None], above.clamp(-8, 8) / 4, distance / TRUNCATION, points[..., 2:], tilt, uv]
        return self.decide(torch.cat([*flat, *solid, *own], -1))[..., 0]

    def settings(self) -> dict:
        return asdict(self.config)


def _at(values: Tensor, grid: Tensor) -> Tensor:
    """Values (B, C, ...) at the places of a grid as grid_sample has it, (B, P, C)."""
    found = F.grid_sample(values.float(), grid, padding_mode="border", align_corners=False)
    return found.flatten(2).transpose(1, 2)


def _project(points: Tensor, camera: Tensor) -> tuple[Tensor, Tensor]:
    """`camera.project` where each camera has its own points (B, P, 3)."""
    both = [project(own, one[None]) for own, one in zip(points, camera)]
    return torch.cat([uv for uv, _ in both]), torch.cat([depth for _, depth in both])


@torch.no_grad()
def sight(above: Tensor, camera: Tensor, size: int = SIGHT) -> Tensor:
    """What cameras (B, 5) see of shapes (B, 1, N, N, N), logits less the level's: (B, 2, size, size).

    The largest value along each pixel's ray, over 8 and within [-1, 1]; and how far ahead of the cube's centre the
    surface lies, 1 where there is none.
    """
    depths = torch.linspace(-DEEPEST, DEEPEST, SAMPLES, device=above.device)
    places = unproject(pixels(size, above.device)[None, :, None].expand(len(above), -1, -1, -1), depths, camera)
    values = F.grid_sample(above, 2 * places.flip(-1)[:, None], padding_mode="border", align_corners=False)[:, 0, 0]
    values = values.masked_fill(places.abs().amax(-1) > 0.5, -20.0)
    hit = values > 0
    first = hit.float().argmax(-1, keepdim=True)
    here, before = values.gather(-1, first), values.gather(-1, (first - 1).clamp_min(0))
    back = torch.where(first > 0, here / (here - before).clamp_min(1e-6), torch.zeros_like(here))
    front = depths[first] - back.clamp(0, 1) * (depths[1] - depths[0])
    front = torch.where(hit.any(-1, keepdim=True), front, torch.ones_like(front))
    highest = (values.amax(-1, keepdim=True) / 8).clamp(-1, 1)
    return torch.cat([highest, front], -1).transpose(1, 2).unflatten(2, (size, size))


def worth(above: Tensor) -> Tensor:
    """(N, N, N) bool: the cells of above (N, N, N) with a surface within REACH."""
    return grown(above > 0, REACH) & grown(above <= 0, REACH)


@torch.inference_mode()
def refined(network: Refiner, logits: Tensor, distance: Tensor, level: float, lookers: Sequence[Looker]) -> Tensor:
    """Occupancy logits (1, 1, 128, 128, 128) from those (1, 1, 64, 64, 64) whose surface lies at the logit `level`.

    distance as `Prediction` has it; lookers with pixels (1, 4, 256, 256), of whom the network sees each by itself, in
    the cube that he looks along: what it adds is the mean.
    """
    above = logits.float() - level
    band = worth(above[0, 0])
    out = F.interpolate(logits.float(), scale_factor=REFINED // FINE, mode="trilinear", align_corners=False)
    near, share = (_twice(values[None, None]).flatten() for values in (band.float(), gaussian(band.float(), 1.0)))
    index = (near > 0).nonzero()[:, 0]
    seen = [seen_by(network, looker, above, distance.float()) for looker in lookers]
    places, flat = cell_centres(REFINED, logits.device), out.flatten()
    for some in index.split(CHUNK):
        fade = (2 * share[some] - 1).clamp(0, 1)  # nothing at the band's own edge: what is beyond stays as it was
        for looker, maps in zip(lookers, seen, strict=True):
            points = places[some] if looker.fit is None else fitted(places[some], looker.fit)[0]
            flat[some] += fade / len(seen) * network(maps, looker.camera, points[None])[0]
    return flat.reshape(out.shape)


@torch.inference_mode()
def restored(fine: Tensor, before: Tensor, kept: Tensor, looker: Looker) -> Tensor:
    """What was refined, (1, 1, N, N, N) less its level, with the parts that it lost, as they were before.

    kept (N, N, N) bool: what will be left of it, without loose pieces.

    Where a thin part lies is doubtful, so what is most likely of each place may be that there is none of it. Where a
    broad piece of what the first picture shows was lost in that way, all that is seen there stays. fine itself where
    there is none.
    """
    whole = fine.masked_fill(~kept & (fine > 0), -1.0)
    seen, had = (sight(values, looker.camera)[:, :1] > 0 for values in (whole, before))
    shown = F.adaptive_avg_pool2d(looker.pixels[:, 3:], SIGHT) > 0.5
    lost = (shown & had & ~seen).float()
    broad = -F.max_pool2d(-lost, 3, 1, 1)  # no slivers along the outline
    if not broad.any():
        return fine
    near = F.avg_pool2d(F.max_pool2d(broad, LOST, 1, LOST // 2), 5, 1, 2)
    uv, _ = project(cell_centres(fine.shape[-1], fine.device), looker.camera)
    share = F.grid_sample(near, uv[:, :, None], align_corners=False).reshape(fine.shape)
    return fine + share * (before - fine).clamp_min(0)


def seen_by(network: Refiner, looker: Looker, above: Tensor, distance: Tensor) -> dict[str, list[Tensor]]:
    """`Refiner.features` of what one picture shows, the fields carried into the cube that it looks along."""
    if looker.fit is not None:
        own = fitted(cell_centres(FINE, above.device), turns.inverse(looker.fit))
        grid = 2 * own.flip(-1).reshape(1, FINE, FINE, FINE, 3)
        turned = F.grid_sample(torch.cat([above, distance], 1), grid, padding_mode="border", align_corners=False)
        above, distance = turned[:, :1], turned[:, 1:] * looker.fit[0, 1]
    picture = torch.cat([looker.pixels[:, :3] * looker.pixels[:, 3:], looker.pixels[:, 3:]], 1)
    return network.features(picture, sight(above, looker.camera), above, distance)


def _twice(values: Tensor) -> Tensor:
    return F.interpolate(values, scale_factor=REFINED // FINE, mode="nearest")


def create(config: dict) -> Refiner:
    """From a card's config; unknown keys raise TypeError."""
    return Refiner(Config(**config))
