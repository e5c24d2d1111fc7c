"""Sliders fitted to what a network draws: scored on shapes of their own, tied where they are hardly obeyed."""

import pytest
import torch

from maquette.nets import shape_gan
from maquette.train import fit_sliders
from maquette.train.shapes import designs


def test_sliders_are_scored_on_other_shapes_than_they_were_fitted_to():
    """What follows the latent scores 1 and what is noise scores nothing, though a fit to few shapes flatters it."""
    torch.manual_seed(0)
    network = shape_gan.ShapeGAN(shape_gan.Config(("stool",), latent=6, widths=(8, 16, 16), blocks=(1, 1, 1))).eval()
    noise = torch.Generator().manual_seed(99)

    def measure(field, family):
        latent = drawn.pop(0)
        return torch.stack([latent[:, 0], torch.randn(len(latent), generator=noise)], 1)

    drawn = []
    decode = network.decode

    def seen(latent, family, coarse=False):
        if not coarse:
            drawn.append(latent)
        return decode(latent, family, coarse)

    network.decode = seen
    with torch.no_grad():
        ranges = [designs.Range(0, 12**0.5, "cm"), designs.Range(0, 1, "")]
        none = torch.zeros(network.config.latent), torch.eye(network.config.latent)
        found = fit_sliders.of_decoded(network, 0, ranges, measure, *none, 32, 16)
    assert found.read[0] == pytest.approx(1, abs=1e-3) and found.read[1] < 0.3
    torch.testing.assert_close(found.weight[0], torch.eye(6)[0], rtol=0, atol=5e-3)
    torch.testing.assert_close(found.weight[:2] @ found.direction[:2].T, torch.eye(2), rtol=0, atol=1e-4)


def test_a_slider_that_is_hardly_obeyed_stays_tied():
    """Of two numbers the first is twice what its latent says, the second is of nothing that a latent says."""

    class Plain:
        def decode(self, latent, family, coarse=False):
            return latent[:, :4]

    def measure(field, family):
        noise = torch.randn(len(field), generator=torch.Generator().manual_seed(int(1e6 * abs(field[0, 0]))))
        return torch.stack([2 * field[:, 0], noise], 1)

    ranges, spread = [designs.Range(0, 12**0.5, "cm"), designs.Range(0, 12**0.5, "cm")], (torch.zeros(4), torch.eye(4))
    known = torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    low, high = (torch.tensor([getattr(r, end) for r in ranges]) for end in ("low", "high"))
    tied = fit_sliders.fit(known, torch.zeros(64, 4), known[:, :2], None, 0, fit_sliders.Tied(low, high, 2))
    found = fit_sliders.of_decoded(Plain(), 0, ranges, measure, *spread, 64, 32, tied)
    assert found.read[0] > 0.99 and found.read[1] < fit_sliders.OBEYED
    torch.testing.assert_close(found.weight[:2, :2], torch.tensor([[2.0, 0], [0, 1]]), rtol=0, atol=1e-2)
    torch.testing.assert_close(found.weight[:2] @ found.direction[:2].T, torch.eye(2), rtol=0, atol=1e-3)
    assert len(tied.weight) == 2 and len(found.weight) > 2


def test_standardised_latents_have_mean_0_and_covariance_1():
    latent = fit_sliders.standardised(3 + torch.randn(50, 6) @ torch.randn(6, 6))
    torch.testing.assert_close(latent.mean(0), torch.zeros(6), rtol=0, atol=1e-5)
    torch.testing.assert_close(torch.cov(latent.T), torch.eye(6), rtol=0, atol=1e-5)
