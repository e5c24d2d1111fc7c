"""shape_gan: what its generator and its discriminator promise, and that the sampler can use it."""

from dataclasses import asdict

import numpy as np
import pytest
import torch

from maquette.nets import sampler, shape_gan
from maquette.nets.shape_gan import Config, Discriminator, ShapeGAN, create
from maquette.nets.shape_vae import Config as VaeConfig
from maquette.nets.shape_vae import ShapeVAE

FAMILIES = ("chair", "vase", "car")
SMALL = Config(FAMILIES, latent=6, widths=(8, 16, 16), blocks=(1, 1, 1), embedding=4)


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ShapeGAN(SMALL).eval()


def test_fields_are_of_the_asked_size_and_mirrored(network):
    latent = torch.randn(2, 6)
    with torch.no_grad():
        field = network.decode(latent, torch.tensor([0, 2]))
        coarse = network.decode(latent, torch.tensor([0, 2]), coarse=True)
    assert field.shape == (2, 64, 64, 64) and coarse.shape == (2, 32, 32, 32)
    torch.testing.assert_close(field, field.flip(1), rtol=0, atol=0)
    pooled = torch.nn.functional.avg_pool3d(field[:, None], 2)[:, 0]
    torch.testing.assert_close(coarse, pooled, rtol=1e-4, atol=1e-5)


def test_a_share_of_one_family_is_that_family_and_latents_and_families_matter(network):
    torch.nn.init.normal_(network.spread.mean)
    latent = torch.randn(3, 6)
    with torch.no_grad():
        by_number = network.decode(latent, torch.tensor([0, 1, 2]))
        by_share = network.decode(latent, torch.eye(3))
        others = (
            network.decode(latent, torch.tensor([1, 2, 0])),
            network.decode(latent.flip(0), torch.tensor([0, 1, 2])),
        )
    torch.testing.assert_close(by_number, by_share, rtol=1e-4, atol=1e-5)
    assert all((by_number - other).abs().max() > 1e-3 for other in others)


def test_a_familys_spread_is_its_own_gaussian(network):
    """z -> mean + factor z of that family and of no other."""
    with torch.no_grad():
        network.spread.mean[1] = torch.arange(6.0)
        network.spread.factor[1] = 2 * torch.eye(6)
    moved = network.spread(torch.ones(2, 6), torch.tensor([0, 1]))
    torch.testing.assert_close(moved, torch.stack([torch.ones(6), torch.arange(6.0) + 2]))


def test_the_generator_is_the_decoder_of_shape_vae(network):
    """Its weights fit, and with the spread as it starts, both answer the same."""
    vae = ShapeVAE(VaeConfig(FAMILIES, latent=6, widths=(8, 16, 16), blocks=(1, 1, 1), embedding=4)).eval()
    network.decoder.load_state_dict(vae.decoder.state_dict())
    network.family.load_state_dict(vae.family.state_dict())
    latent, family = torch.randn(2, 6), torch.tensor([1, 0])
    with torch.no_grad():
        torch.testing.assert_close(network.decode(latent, family), vae.decode(latent, family))


def test_latents_are_standard_normal(network):
    again = create(asdict(SMALL) | {"sliders": [2, 1, 1]})
    for prior in (getattr(again.latents.prior, str(i)) for i in range(3)):
        assert not prior.mean.any() and torch.equal(prior.factor, torch.eye(6))


def test_spectral_norm_bounds_every_layers_largest_singular_value():
    """Also of weights that were made far too large."""
    torch.manual_seed(0)
    critic = Discriminator(SMALL, widths=(8, 16, 16), features=8)
    layers = [*critic.downs, *critic.blocks, critic.features, critic.real, critic.family]
    with torch.no_grad():
        for layer in layers:
            layer.parametrizations.weight.original.mul_(30).add_(0.3)
        for _ in range(40):
            critic(torch.zeros(1, 64, 64, 64), torch.tensor([0]))
    critic.eval()
    for layer in layers:
        values = torch.linalg.svdvals(layer.weight.detach().flatten(1))
        assert values[0] == pytest.approx(1.0, abs=0.02)
    free = Discriminator(SMALL, widths=(8, 16, 16), features=8, spectral=False)
    assert not hasattr(free.real, "parametrizations")


def test_the_family_counts_by_its_projection():
    """Between two families, logits differ by the product of features and the difference of their rows, nothing else."""
    torch.manual_seed(0)
    critic = Discriminator(SMALL, widths=(8, 16, 16), features=8, spectral=False).eval()
    field, seen = torch.randn(2, 64, 64, 64), []
    critic.features.register_forward_hook(lambda _, __, out: seen.append(torch.nn.functional.leaky_relu(out, 0.2)))
    with torch.no_grad():
        one, other = critic(field, torch.tensor([0, 0])), critic(field, torch.tensor([2, 2]))
    rows = critic.family.weight
    torch.testing.assert_close(other - one, seen[0] @ (rows[2] - rows[0]), rtol=1e-4, atol=1e-5)
    assert (other - one).abs().max() > 1e-3


def test_the_discriminator_sees_both_halves_as_one():
    """A shape and its mirror image look the same to it; of what lies far away it hardly sees how far."""
    torch.manual_seed(0)
    critic = Discriminator(SMALL, widths=(8, 16, 16), features=8).eval()
    field, family = torch.randn(1, 64, 64, 64), torch.tensor([1])
    with torch.no_grad():
        torch.testing.assert_close(critic(field, family), critic(field.flip(1), family))
        near, far = (critic(torch.full((1, 64, 64, 64), level), family) for level in (0.1, 1.0))
        further = critic(torch.full((1, 64, 64, 64), 1.2), family)
    assert abs(further - far) < 0.02 * abs(far - near)


def test_patches_are_moved_while_it_trains():
    """By -2 to 1 cells, so that patches have no pattern to it; smoothing keeps slopes and removes the finest waves."""
    ramp = torch.arange(64.0).expand(1, 1, 64, 64, 64)
    torch.manual_seed(0)
    shifts = [(shape_gan.moved(ramp) - ramp)[0, 0, 30, 30, 30].item() for _ in range(60)]
    assert set(shifts) == {-2, -1, 0, 1}
    inside = (0, 0, slice(1, -1), slice(1, -1), slice(1, -1))
    torch.testing.assert_close(shape_gan.smooth(ramp)[inside], ramp[inside])
    wave = torch.tensor([1.0, -1.0]).repeat(32).expand(1, 1, 64, 64, 64)
    assert not shape_gan.smooth(wave)[inside].any()


def test_the_sampler_draws_from_it(network):
    """As jobs.sample does, without an encoder."""
    slider = {"name": "Height", "unit": "cm", "minimum": 10, "maximum": 30, "default": 20, "r2": 0.9}
    families = [{"name": name, "side": 2.0, "sliders": [slider]} for name in FAMILIES]
    sliding = ShapeGAN(Config(**asdict(SMALL) | {"sliders": (1, 1, 1)})).eval()
    for i in range(3):
        getattr(sliding.latents.readout, str(i)).weight[0, 0] = 5.0
        getattr(sliding.latents.readout, str(i)).bias[0] = 20.0
        getattr(sliding.latents.direction, str(i))[0, 0] = 0.2
    model = sampler.Sampler(sliding, {"name": "shape_gan", "families": families}, torch.device("cpu"))
    place = model.set(model.draw(model.family("vase"), seed=3, truncation=0.7), {"height": 25})
    assert model.values(place)["Height"] == pytest.approx(25)
    field = model.field(place)
    assert field.values.shape == (64, 64, 64)
    np.testing.assert_allclose(field.bounds, [[-1, -1, -0.0625], [1, 1, 1.9375]])
