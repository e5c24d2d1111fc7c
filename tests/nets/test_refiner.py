"""The refiner: what the camera sees of a shape, where there is anything to refine, and that nothing else changes."""

import math

import numpy as np
import pytest
import torch

from maquette.nets import estimate, refiner
from maquette.nets.camera import cell_centres
from maquette.nets.image_to_field import Prediction
from maquette.nets.look import Looker

CAMERA = torch.tensor([[math.radians(20), math.log(1.4), 0.3, 0.1, -0.05]])
RADIUS = 0.3
STILL = torch.tensor([[0.0, 1, 0, 0, 0]])


def ball(n=64, slope=40.0):
    """Logits (1, 1, n, n, n) of a ball in the cube's middle."""
    return (slope * (RADIUS - cell_centres(n).norm(dim=1))).reshape(1, 1, n, n, n)


def picture():
    return torch.rand(1, 4, 256, 256, generator=torch.Generator().manual_seed(0))


def untrained(bias=0.0):
    torch.manual_seed(0)
    network = refiner.Refiner(refiner.Config(4, 4, 8)).eval()
    torch.nn.init.constant_(network.decide[-1].bias, bias)
    return network


def refined(network, logits, level=0.0):
    return refiner.refined(network, logits, torch.zeros_like(logits), level, [Looker(picture(), CAMERA)])


def test_the_camera_sees_a_ball_where_it_is():
    highest, front = refiner.sight(ball(), CAMERA)[0]
    v, u = torch.meshgrid(*((torch.arange(128) + 0.5) / 64 - 1 for _ in range(2)), indexing="ij")
    shown = highest > 0
    # A sphere's outline in perspective, from its distance to the camera and its size (half crops) there
    far, scale = 1 / float(CAMERA[0, 2]), math.exp(float(CAMERA[0, 1]))
    edge = scale * far * math.tan(math.asin(RADIUS / far))
    true = (u - 0.1) ** 2 + (v + 0.05) ** 2 < edge**2
    assert (shown & true).sum() / (shown | true).sum() > 0.97
    assert float(front[true].min()) == pytest.approx(-RADIUS, abs=0.01), "its nearest place lies ahead of its middle"
    assert (front[~shown] == 1).all() and (highest[~shown] <= 0).all()
    low, _ = refiner.sight(ball() - 4.0, CAMERA)[0]
    assert (low > 0).sum() < 0.6 * shown.sum(), "at a higher level it is smaller"


def test_what_lies_outside_of_the_cube_is_not_seen():
    full = torch.full((1, 1, 8, 8, 8), 3.0)
    highest, _ = refiner.sight(full, CAMERA)[0]
    assert 0.2 < float((highest > 0).float().mean()) < 0.95


def test_it_begins_as_the_field_drawn_out():
    logits = ball(slope=7.0)
    found = refined(untrained(), logits)
    drawn = torch.nn.functional.interpolate(logits, scale_factor=2, mode="trilinear", align_corners=False)
    assert found.shape == (1, 1, 128, 128, 128) and torch.allclose(found, drawn, atol=1e-5)


@pytest.mark.parametrize("level", [0.0, -2.0])
def test_only_what_is_near_the_surface_is_refined(level):
    """With a network that adds 1 everywhere: 1 at the surface, wherever the level has that, and nothing far from it."""
    logits = ball()
    added = refined(untrained(1.0), logits, level) - refined(untrained(0.0), logits, level)
    away = (cell_centres(128).norm(dim=1).reshape(added.shape) - (RADIUS - level / 40)).abs() * 64
    assert added[away < 0.5].min() > 0.95
    assert added[away > 2 + refiner.REACH * 3**0.5].abs().max() == 0
    assert 0 < added.mean() < 0.3


def test_other_pictures_say_of_their_own_side_what_the_first_says_of_its():
    """A picture from behind tells of a shape what it tells, as a first one, of the shape turned; two count half."""
    network = untrained()
    torch.nn.init.normal_(network.decide[-1].weight)
    logits = ball() + 0.2 * torch.randn(1, 1, 64, 64, 64, generator=torch.Generator().manual_seed(1))
    half_turn = torch.tensor([[math.pi, 1.0, 0, 0, 0]])
    zeros = torch.zeros_like(logits)
    front, back = Looker(picture(), CAMERA), Looker(picture(), CAMERA, half_turn)
    drawn = refined(untrained(), logits)
    turned = refiner.refined(network, logits.flip(2, 3), zeros, 0.0, [front]).flip(2, 3)
    behind, first = (refiner.refined(network, logits, zeros, 0.0, [one]) for one in (back, front))
    assert (behind - turned).abs().max() < 0.01 < 0.1 < (behind - first).abs().max()
    both = refiner.refined(network, logits, zeros, 0.0, [front, back])
    assert torch.allclose(both - drawn, (first + behind) / 2 - drawn, atol=1e-3)


def test_what_a_place_is_told_follows_the_picture():
    """Gradients reach the features of the pixel that shows a place, and no far one."""
    network = untrained()
    torch.nn.init.normal_(network.decide[-1].weight)
    rgba = picture().requires_grad_()
    seen = network.features(rgba, refiner.sight(ball(), CAMERA), ball(), ball())
    network(seen, CAMERA, torch.tensor([[[0.0, -RADIUS, 0.0]]])).sum().backward()
    told = rgba.grad.abs().sum((0, 1))
    y, x = np.argwhere(told.numpy() > 0).mean(0) / 128 - 1
    uv, _ = refiner.project(torch.tensor([[0.0, -RADIUS, 0.0]]), CAMERA)
    assert (x, y) == pytest.approx(tuple(uv[0, 0].tolist()), abs=0.1)
    assert (told > 0).float().mean() < 0.25


def test_an_estimate_is_refined_from_its_first_picture():
    """Fields and colours of 128^3; a mirror plane holds for the detail, too."""
    logits = ball()
    coarse = logits[:, :, ::2, ::2, ::2]
    whole = Prediction(coarse, coarse, logits, logits, torch.zeros(1, 3, 32, 32, 32))
    network = untrained()
    torch.nn.init.normal_(network.decide[-1].weight, std=2.0)
    lookers, certain = [Looker(picture(), CAMERA)], torch.ones(64, 64, 64)

    def detail(mirror):
        return estimate.Detail(network, mirror)

    plain, mirrored = (
        estimate.estimate(whole, certain, lookers, 1.0, 128, detail(mirror)) for mirror in (None, 0.0)
    )
    for name, shape in (("occupancy", ()), ("distance", ()), ("confidence", ()), ("colour", (3,))):
        assert getattr(plain, name).shape == (128, 128, 128, *shape), name
    crooked, fair = (np.abs(one.occupancy - one.occupancy[::-1]).mean() for one in (plain, mirrored))
    assert fair < 1e-4 < crooked
    assert estimate.estimate(whole, certain, lookers, 1.0, 64).occupancy.shape == (64, 64, 64)
    more = 2 * [Looker(picture(), CAMERA, STILL)]
    three = estimate.estimate(whole, certain, [*lookers, *more], 1.0, 128, detail(None))
    assert np.abs(three.occupancy - three.occupancy[::-1]).mean() < 1e-4, "of three the field is as it was"


@pytest.mark.parametrize("loose", [False, True], ids=["gone", "loose"])
def test_a_part_that_is_lost_is_given_back_and_a_sliver_is_not(loose):
    """A ball's ear, gone or no more joined to it, comes back as it was; what the outline lost all round does not."""
    x, y, z = cell_centres(64).T.reshape(3, 64, 64, 64)
    ear = ((x - 0.35).abs() < 0.06) & (y.abs() < 0.06) & (z.abs() < 0.06)
    before = torch.where(ear, 3.0, ball()[0, 0])[None, None]
    fine = ball() - 0.4  # a hundredth smaller
    if loose:
        fine = torch.where((ear & (x > 0.34))[None, None], 2.0, fine)
    kept = torch.from_numpy(estimate.largest((fine[0, 0] > 0).numpy()))
    pixels = torch.ones(1, 4, 256, 256)
    found = refiner.restored(fine, before, kept, Looker(pixels, CAMERA))[0, 0]
    assert (found[ear] > 0).all()
    away = (x < 0.2) & ((x**2 + y**2 + z**2).sqrt() > 0.292)
    assert (found[away] <= 0).all() and torch.equal(found[x < 0], fine[0, 0][x < 0])
    blind = refiner.restored(fine, before, kept, Looker(0 * pixels, CAMERA))
    assert torch.equal(blind, fine), "what the picture does not show stays lost"
