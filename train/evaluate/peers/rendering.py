"""What the peers share: samples where something may be, blended along rays, and steps until the time is over.

They begin with the visual hull, as Capture does, so that none of them spends its minute on finding empty space.
"""

import time

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....geometry.hull import visual_hull
from ....nets.pixels import Pixels, every_ray
from ....nets.radiance_field import blended
from ....nets.surroundings import crossing

RAYS = 1024
HULL = 64
"""Cells along the cube in which it is known what is empty"""
LOOKED = 32
"""Steps after which that is asked of the field anew, once it has learned enough"""
EMPTY = 1e-3
"""Opacity of a cell below which no samples are taken in it"""
SEEN = 1e-3
"""Weight in a ray below which samples are not asked for colour"""
LESS = 0.1
"""Learning rates at last, of those at first"""


class Peer(nn.Module):
    """A field with density and colour in the cube [-1, 1]^3."""

    resolution: int
    """Cells along the cube at present; a sample is taken in each"""

    def density(self, points: Tensor) -> Tensor:
        """points (P, 3) -> (P,) opacity of a cell's length is 1 - exp(-density)."""
        raise NotImplementedError

    def colour(self, points: Tensor, ways: Tensor) -> Tensor:
        """points, unit directions (P, 3) -> (P, 3) sRGB."""
        raise NotImplementedError

    def groups(self) -> list[dict]:
        """Parameters with learning rates."""
        raise NotImplementedError

    def grown(self, share: float) -> bool:
        """Finer after this share of the time; True where it has become so just now, with new parameters."""
        return False

    def regular(self) -> Tensor | float:
        return 0.0


class Space:
    """filled (N, N, N) bool: where there may be something."""

    def __init__(self, filled: Tensor):
        self.filled = F.max_pool3d(filled[None, None].float(), 3, 1, 1)[0, 0] > 0

    def holds(self, points: Tensor) -> Tensor:
        n = len(self.filled)
        at = ((points + 1) / 2 * n).long().clamp(0, n - 1)
        return self.filled[at[..., 0], at[..., 1], at[..., 2]]

    @torch.no_grad()
    def look(self, peer: Peer) -> None:
        """Leave out what is clear in the field; what it says of a cell counts for those beside it too."""
        thick = 1 - torch.exp(-volume(peer, len(self.filled)))
        self.filled &= F.max_pool3d(thick[None, None], 3, 1, 1)[0, 0] > EMPTY


def rendered(peer: Peer, space: Space, origins: Tensor, ways: Tensor, jitter: Tensor | float = 0.5):
    """Colour (R, 3) sRGB times opacity, and opacity (R,), of rays (R, 3) of the cube [-.5, .5]^3."""
    start, end = crossing(origins, ways)
    step = 1 / peer.resolution
    count = int(float((end - start).max()) / step) + 1
    along = start[:, None] + (torch.arange(count) + torch.as_tensor(jitter).reshape(-1, 1)) * step
    points = 2 * (origins[:, None] + along[..., None] * ways[:, None])
    ray, sample = (space.holds(points) & (along < end[:, None])).nonzero(as_tuple=True)
    points = points[ray, sample]
    weight, opacity = blended(1 - torch.exp(-peer.density(points)), ray, len(ways))
    seen = (weight.detach() > SEEN).nonzero()[:, 0]
    colour = peer.colour(points[seen], ways[ray[seen]])
    return colour.new_zeros(len(ways), 3).index_add(0, ray[seen], weight[seen, None] * colour), opacity


def fit_peer(peer: Peer, photos, box, seconds: float, now=time.monotonic, seed: int = 0) -> tuple[Space, int]:
    """Fit to photos with masks for so long; where there is something, and the steps."""
    pixels = Pixels(photos, box, "cpu", seed)
    space = Space(torch.from_numpy(visual_hull(photos, box, HULL, misses=len(photos) // 50)))
    optimiser, began, steps = torch.optim.Adam(peer.groups(), betas=(0.9, 0.99)), now(), 0
    rates = [group["lr"] for group in optimiser.param_groups]
    while (share := (now() - began) / seconds) < 1:
        if peer.grown(share):
            optimiser = torch.optim.Adam(peer.groups(), betas=(0.9, 0.99))
        for group, rate in zip(optimiser.param_groups, rates):
            group["lr"] = rate * LESS**share
        if share > 0.2 and steps % LOOKED == 0:
            space.look(peer)
        drawn = pixels.draw(RAYS)
        colour, opacity = rendered(peer, space, drawn.origins, drawn.ways, torch.rand(RAYS))
        behind = torch.rand_like(drawn.colours)
        missing = drawn.colours * drawn.alpha[:, None] - colour + behind * (opacity - drawn.alpha)[:, None]
        optimiser.zero_grad(set_to_none=True)
        (missing.square().mean() + peer.regular()).backward()
        optimiser.step()
        steps += 1
    return space, steps


@torch.no_grad()
def view_peer(peer: Peer, space: Space, photo, box, chunk: int = 8192) -> np.ndarray:
    """(H, W, 3) sRGB on white, as the photo was taken."""
    rows = []
    for origins, ways in zip(*(part.split(chunk) for part in every_ray(photo, box))):
        colour, opacity = rendered(peer, space, origins, ways)
        rows.append(colour + 1 - opacity[:, None])
    return torch.cat(rows).reshape(photo.image.shape).numpy()


@torch.no_grad()
def volume(peer: Peer, resolution: int, chunk: int = 1 << 16) -> Tensor:
    """(N, N, N) density at cell centres, in a cell's length of the peer."""
    at = (torch.arange(resolution) + 0.5) / resolution * 2 - 1
    points = torch.stack(torch.meshgrid(at, at, at, indexing="ij"), -1).reshape(-1, 3)
    return torch.cat([peer.density(part) for part in points.split(chunk)]).reshape((resolution,) * 3)


def shape_of(peer: Peer, space: Space, resolution: int) -> np.ndarray:
    """(N, N, N) opacity of a cell's length in [0, 1)."""
    thick = (1 - torch.exp(-volume(peer, resolution)))[None, None]
    there = F.interpolate(space.filled[None, None].float(), (resolution,) * 3)
    return (thick * there)[0, 0].numpy()
