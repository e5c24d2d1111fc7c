"""The sampler's fields while a slider moves."""

import pytest
import torch

from maquette.geometry.field import Field
from maquette.geometry.isosurface import mesh_from_field
from maquette.nets.sampler import Family, Place, Sampler

FAMILY = Family(0, "board", 1.0, ())


def sampler(thickness, place):
    """One that always says a standing board: as thick, and with its middle at such a place, in cells of 64."""
    x = torch.arange(64) + 0.5
    sides = [(x - 32 - place, thickness / 2), (x - 32, 20.0), (x - 32, 20.0)]
    near = [half - at.abs() for at, half in sides]
    depth = torch.minimum(near[0][:, None, None], torch.minimum(near[1][:, None], near[2]))
    field = (depth / 6.4).clamp(-1, 1)
    network = torch.nn.Module()
    network.decode, network.TRUNCATION = lambda latent, family, coarse=False: field[None], 0.1
    card = {"name": "boards", "families": [{"name": "board", "side": 1.0, "sliders": []}]}
    return Sampler(network, card, torch.device("cpu"))


@pytest.mark.parametrize("place", [0.0, 0.5, 1.0, 1.3])
@pytest.mark.parametrize("thickness", [1.5, 4.0])
def test_what_is_thin_is_there_while_a_slider_moves(thickness, place):
    model = sampler(thickness, place)
    fine, coarse = (model.field(Place(torch.zeros(1), FAMILY), coarse=c, draft=c) for c in (False, True))
    assert isinstance(coarse, Field) and coarse.values.shape == (32, 32, 32)
    whole, draft = (mesh_from_field(field) for field in (fine, coarse))
    for end in ("min", "max"):
        off = getattr(draft.vertices, end)(0) - getattr(whole.vertices, end)(0)
        assert abs(off).max() < 1.2 / 64
