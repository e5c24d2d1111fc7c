"""shape_vae: its sizes, its halves, its coarse answer."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from maquette.nets import shape_vae
from maquette.nets.factored import Factored
from maquette.nets.shape_vae import Config, ShapeVAE, narrowed, unfold

SMALL = {"families": ("box", "ball"), "latent": 8, "named": 2, "widths": (8, 16, 16), "blocks": (1, 1, 1)}


ALL = {"placed": 8, "profiles": 8, "factors": 4}


@pytest.fixture(scope="module", params=[{}, ALL], ids=["plain", "all"])
def network(request):
    torch.manual_seed(0)
    made = ShapeVAE(Config(**SMALL, **request.param)).eval()
    for name, weight in made.named_parameters():
        if "factored" in name or "profiles" in name:  # what begins by saying nothing says something
            torch.nn.init.normal_(weight, std=0.2)
    return made


@pytest.fixture(scope="module")
def latent():
    return torch.randn(2, 8, generator=torch.Generator().manual_seed(1))


def test_fields_go_in_and_come_out(network, latent):
    family = torch.tensor([0, 1])
    field = network.decode(latent, family)
    assert field.shape == (2, 64, 64, 64)
    mean, variance = network.encode(field, family)
    assert mean.shape == variance.shape == (2, 8)


def test_left_mirrors_right(network, latent):
    field = network.decode(latent, torch.tensor([0, 1]))
    assert torch.equal(field, field.flip(1))
    lopsided = field.clone()
    lopsided[:, :20] += 0.3
    assert torch.allclose(network.half(lopsided), network.half(lopsided.flip(1)))


def test_without_mirror_sides_differ(latent):
    whole = ShapeVAE(Config(**SMALL, mirrored=False)).eval()
    field = whole.decode(latent, torch.tensor([0, 1]))
    assert field.shape == (2, 64, 64, 64) and not torch.allclose(field, field.flip(1), atol=1e-4)


@torch.no_grad()
def test_the_coarse_answer_is_the_mean_of_the_fine_one(network, latent):
    family = torch.tensor([0, 1])
    fine, coarse = network.decode(latent, family), network.decode(latent, family, coarse=True)
    assert coarse.shape == (2, 32, 32, 32)
    assert torch.allclose(coarse, F.avg_pool3d(fine[:, None], 2)[:, 0], atol=1e-5)


def test_the_fast_convolution_is_the_same(network, latent):
    """Without gradients another kernel runs."""
    family = torch.tensor([0, 1])
    with torch.no_grad():
        fast = network.decode(latent, family)
    assert torch.allclose(fast, network.decode(latent, family), atol=1e-5)


@torch.no_grad()
def test_narrowed_is_nearly_the_same(network, latent):
    """Whether a processor has bfloat16 or not, where it only takes longer; what it is a copy of stays as it was."""
    family = torch.tensor([0, 1])
    before = network.decode(latent, family)
    narrow = narrowed(network).decode(latent, family).float()
    assert 0 < (narrow - before).abs().max() < 0.02
    assert torch.equal(network.decode(latent, family), before)


@torch.no_grad()
def test_shares_of_families_melt(network, latent):
    one = network.decode(latent[:1], torch.tensor([1]))
    assert torch.allclose(network.decode(latent[:1], torch.tensor([[0.0, 1.0]])), one, atol=1e-6)
    between = network.decode(latent[:1], torch.tensor([[0.5, 0.5]]))
    assert not torch.allclose(between, one, atol=1e-4)


def test_unfold_puts_a_place_s_features_into_its_cube():
    x = torch.arange(16.0).reshape(1, 8, 2, 1, 1)
    cube = unfold(x, 2)
    assert cube.shape == (1, 1, 4, 2, 2)
    assert cube[0, 0, :2].flatten().tolist() == x[0, :, 0, 0, 0].tolist()
    assert cube[0, 0, 2:].flatten().tolist() == x[0, :, 1, 0, 0].tolist()


def test_a_card_s_config_makes_it_again(network):
    config = {**dataclasses.asdict(network.config), "families": list(SMALL["families"]), "sliders": [3, 2]}
    again = shape_vae.create(config)
    missing, unexpected = again.load_state_dict(network.state_dict(), strict=False)
    assert not unexpected and all(name.startswith("latents.") for name in missing)


def test_what_is_new_begins_by_saying_nothing(latent):
    """So that a run goes on undisturbed from weights that had neither."""
    torch.manual_seed(0)
    old, new = ShapeVAE(Config(**SMALL)), ShapeVAE(Config(**SMALL, **ALL))
    missing, unexpected = new.load_state_dict(old.state_dict(), strict=False)
    assert missing and not unexpected
    family, field = torch.tensor([0, 1]), torch.rand(2, 64, 64, 64)
    assert torch.equal(old.decode(latent, family), new.decode(latent, family))
    assert torch.equal(old.encode(field, family)[0], new.encode(field, family)[0])


def test_profiles_are_of_each_axis():
    """A plate that moves along an axis moves what is said of that axis, and of no other."""
    torch.manual_seed(0)
    said = shape_vae.Profiles(Config(**SMALL, **ALL))
    heard = []
    said.first.register_forward_pre_hook(lambda _, given: heard.append(given[0]))
    field, moved = torch.full((1, 1, 32, 64, 64), -1.0), torch.full((1, 1, 32, 64, 64), -1.0)
    field[..., 20:22, :], moved[..., 24:26, :] = 1, 1
    for one in (field, moved):
        assert said(one, torch.zeros(1, 32)).shape == (1, 16)
    changed = (heard[0] != heard[1])[0]
    x, y, z, rest = changed.split((64, 128, 128, 32))
    assert y.sum() == 8 and not (x.any() or z.any() or rest.any())


@torch.no_grad()
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_planes_and_lines_lie_along_their_axes(axis):
    """A line that says its place, times planes of 1, is a ramp along its axis; planes that say theirs, across it."""
    torch.manual_seed(0)
    made = Factored((4, 8, 8), 1, 3)

    def line(_condition, where=made.lines[axis].places):
        return where[None]

    def plane(_condition, where=made.planes[axis].places):
        return where[None, :, 1:2]

    made.lines[axis].forward = line
    made.planes[axis].forward = lambda condition: torch.ones_like(plane(condition))
    field = made(torch.zeros(1, 3))[0, 0]
    for other in range(3):
        assert bool((field.diff(dim=other) == 0).all()) == (other != axis)
    made.lines[axis].forward, made.planes[axis].forward = lambda condition: torch.ones_like(line(condition)), plane
    field, across = made(torch.zeros(1, 3))[0, 0], [other for other in range(3) if other != axis][1]
    for other in range(3):
        assert bool((field.diff(dim=other) == 0).all()) == (other != across)
    assert torch.allclose(made(torch.zeros(1, 3), True)[0], F.avg_pool3d(field[None, None], 2)[0], atol=1e-6)


def test_gradients_in_bfloat16_are_whole_where_two_places_are_left():
    """oneDNN read memory that nobody had written there: no number in one of three steps of training, or 1e36."""
    torch.manual_seed(0)
    layer, x = shape_vae.Convolution(64, 64, 3, padding=1), torch.randn(4, 64, 2, 4, 4)
    layer(x).square().mean().backward()
    exact = layer.weight.grad.clone()
    for _ in range(12):
        dirt = [torch.full((100_000,), float("nan")) for _ in range(4)]
        del dirt
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16):
            y = layer(x)
        y.float().square().mean().backward()
        assert (layer.weight.grad - exact).norm() < 0.02 * exact.norm()
