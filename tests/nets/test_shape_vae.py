"""shape_vae: its sizes, its halves, its coarse answer."""

import pytest
import torch
import torch.nn.functional as F

from maquette.nets import shape_vae
from maquette.nets.shape_vae import Config, ShapeVAE, unfold

SMALL = {"families": ("box", "ball"), "latent": 8, "named": 2, "widths": (8, 16, 16), "blocks": (1, 1, 1)}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ShapeVAE(Config(**SMALL)).eval()


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
    config = {**SMALL, "families": list(SMALL["families"]), "sliders": [3, 2]}
    again = shape_vae.create(config)
    missing, unexpected = again.load_state_dict(network.state_dict(), strict=False)
    assert not unexpected and all(name.startswith("latents.") for name in missing)


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
