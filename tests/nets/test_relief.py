"""What a picture's depths say of places: nothing at first, then the same of a place however large its cube is."""

import torch

from maquette.nets.camera import cell_centres
from maquette.nets.image_to_field import Config, ImageToField
from maquette.nets.relief import SIDE, Placed

CAMERA = torch.tensor([[0.3, 0.6, 0.4, 0.05, -0.1]])


def test_a_network_with_new_depths_answers_as_before():
    """So that training goes on undisturbed from weights without them."""
    torch.manual_seed(0)
    without = ImageToField(Config(width=8, encoder=8, vector=16, detail=8)).eval()
    both = ImageToField(Config(width=8, encoder=8, vector=16, detail=8, relief=4)).eval()
    kept = both.load_state_dict(without.state_dict(), strict=False)
    assert not kept.unexpected_keys and all(name.startswith("relief") for name in kept.missing_keys)
    picture = torch.rand(1, 4, 128, 128)
    with torch.no_grad():
        plain, more = (net.decode(net.encode(picture), CAMERA) for net in (without, both))
    assert torch.equal(plain.fine_occupancy, more.fine_occupancy) and torch.equal(plain.colour, more.colour)


def test_maps_are_of_a_quarter_of_the_pixels_in_each_direction():
    network = ImageToField(Config(width=8, encoder=8, vector=16, detail=8, relief=4)).eval()
    with torch.no_grad():
        assert network.encode(torch.rand(2, 4, 128, 128))["relief"].shape == (2, 5 + 4, SIDE, SIDE)


def test_places_are_told_by_how_far_they_lie_behind_the_surface():
    """A flat front at depth -.25 of the cube: what is said of a place hangs on its depth alone, and changes there."""
    torch.manual_seed(0)
    told = Placed(0, 1)
    torch.nn.init.normal_(told.net[2].weight)
    level = torch.tensor([[0.0, 0.6, 1e-6, 0.0, 0.0]])
    maps = torch.zeros(1, 5, SIDE, SIDE)
    maps[:, 0], maps[:, 1] = -0.25 * level[0, 1].exp(), 0.25 * level[0, 1].exp()
    with torch.no_grad():
        said = told(maps, cell_centres(32), level).reshape(32, 32, 32)[4:28, :, 4:28]
    assert torch.allclose(said, said[:1, :, :1].expand_as(said), atol=1e-4)
    steps = said[0, :, 0].diff().abs()
    assert min(abs(int(steps.argmax()) - surface) for surface in (7, 23)) <= 1
