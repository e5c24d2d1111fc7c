"""A sampler whose shapes are closed forms: benches, with a back that says where the front is, and pillars."""

import functools
from types import SimpleNamespace

import torch
from torch import nn

from maquette.nets.camera import cell_centres
from maquette.nets.latents import Latents
from maquette.nets.sampler import GROUND, Sampler

RESOLUTION = 32
TRUNCATION = 0.1
SPREAD = 0.15
"""Of a side's logarithm, a standard deviation of the latent"""
SIDES = {"bench": 2.0, "pillar": 3.0}


class Analytic(nn.Module):
    """Three numbers: width, depth and height, as logarithms."""

    TRUNCATION = TRUNCATION
    config = SimpleNamespace(resolution=RESOLUTION, latent=3)

    def __init__(self):
        super().__init__()
        self.latents = Latents(3, (0, 0))

    def encode(self, field, family):
        """It knows nothing: the family's mean."""
        return torch.zeros(len(field), 3), torch.zeros(len(field), 3)

    def decode(self, latent, family, coarse=False):
        n = RESOLUTION // (2 if coarse else 1)
        places, grow = cell_centres(n), (SPREAD * latent).exp()
        distance = torch.where((family == 0)[:, None], bench(places, grow), pillar(places, grow))
        return (-distance / TRUNCATION).clamp(-1, 1).unflatten(1, (n, n, n))


def bench(places, grow):
    one = torch.ones(len(grow))
    seat = box(places, (0 * one, 0 * one, GROUND + 0.08 * one), (0.3 * grow[:, 0], 0.15 * grow[:, 1], 0.08 * one))
    height = 0.22 * grow[:, 2]
    back = box(places, (0 * one, 0.15 * grow[:, 1] - 0.04, GROUND + height), (0.3 * grow[:, 0], 0.04 * one, height))
    return torch.minimum(seat, back)


def pillar(places, grow):
    one = torch.ones(len(grow))
    height = 0.3 * grow[:, 2]
    return box(places, (0 * one, 0 * one, GROUND + height), (0.1 * grow[:, 0], 0.1 * grow[:, 1], height))


def box(places, centre, half):
    """Signed distances (B, P) to boxes: centre and half sides as three (B,) each."""
    q = (places[None] - torch.stack(centre, -1)[:, None]).abs() - torch.stack(half, -1)[:, None]
    return q.clamp_min(0).square().sum(-1).clamp_min(1e-12).sqrt() + q.amax(-1).clamp_max(0)


@functools.cache
def model() -> Sampler:
    families = [{"name": name, "side": side, "sliders": []} for name, side in SIDES.items()]
    return Sampler(Analytic().eval(), {"name": "analytic", "families": families}, torch.device("cpu"))


def field(family: str, latent):
    """(N, N, N) of one shape."""
    index = torch.tensor([list(SIDES).index(family)])
    return model().network.decode(torch.tensor([latent]), index)[0]


def mesh(family: str, latent, turn=0.0, scale=1.0, move=(0.0, 0.0, 0.0)):
    """Its surface as trimesh has it, in metres, turned by degrees about z, scaled and moved: standing on z = 0."""
    import numpy as np
    import trimesh

    w, d, h = np.exp(SPREAD * np.array(latent))
    side = SIDES[family] * scale
    if family == "pillar":
        boxes = [((0.2 * w, 0.2 * d, 0.6 * h), (0, 0, 0.3 * h))]
    else:
        boxes = [((0.6 * w, 0.3 * d, 0.16), (0, 0, 0.08)), ((0.6 * w, 0.08, 0.44 * h), (0, 0.15 * d - 0.04, 0.22 * h))]
    parts = [trimesh.creation.box(size).apply_translation(centre).apply_scale(side) for size, centre in boxes]
    whole = trimesh.util.concatenate(parts)
    whole.apply_transform(trimesh.transformations.rotation_matrix(np.radians(turn), [0, 0, 1]))
    return whole.apply_translation(move)
