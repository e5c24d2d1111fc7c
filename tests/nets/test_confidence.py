"""Confidence is the steepness of occupancy at a surface."""

import numpy as np
import pytest
import torch

from maquette.nets.confidence import ROUND, STEEP, confidence, gaussian


def slope(width: float, n: int = 64):
    """Occupancy that rises from 0 to 1 over `width` cells in the middle of x."""
    x = torch.arange(n, dtype=torch.float32)
    return ((x - n / 2) / width + 0.5).clamp(0, 1)[:, None, None].expand(n, 24, 24)


@pytest.mark.parametrize("width", [16.0, 24.0, 40.0])
def test_doubt_twice_as_wide_is_half_as_sure(width):
    """In the middle of a slope wider than what is looked at, occupancy changes by 1 / width a cell."""
    assert float(confidence(slope(width))[32, 12, 12]) == pytest.approx(1 / width / STEEP, abs=1 / 255)


def test_a_sharp_surface_is_sure_and_far_from_it_nothing_is():
    sure = confidence(slope(1.0))
    assert float(sure[32, 12, 12]) > 0.95
    assert float(sure[:20].max()) == float(sure[-20:].max()) == 0
    assert float(sure.min()) >= 0 and float(sure.max()) <= 1


def test_a_gaussian_keeps_the_sum_and_has_its_width():
    spike = torch.zeros(32, 32, 32)
    spike[16, 16, 16] = 1
    smooth = gaussian(spike, ROUND)
    assert float(smooth.sum()) == pytest.approx(1, abs=1e-4)
    at = np.arange(32) - 16
    variance = (smooth.sum((1, 2)).numpy() * at**2).sum()
    assert variance == pytest.approx(ROUND**2, rel=0.03)


@pytest.mark.parametrize("resolution", [32, 64])
def test_an_estimate_says_how_steep_the_network_s_own_answer_is(monkeypatch, resolution):
    """Of the mean of picture and mirror image, before masks have their say; at 32 the mean of eight fine cells."""
    from maquette.nets import predict
    from maquette.nets.image_to_field import Config, ImageToField

    torch.manual_seed(0)
    network = ImageToField(Config(width=8, encoder=8, vector=16, detail=8)).eval()
    crop, seen = np.random.default_rng(0).random((128, 128, 4)).astype(np.float32), []

    def spy(occupancy):
        seen.append(confidence(occupancy))
        return seen[-1]

    monkeypatch.setattr(predict, "confidence", spy)
    answer = predict.predict(network, crop, crop, resolution)
    (fine,) = seen
    expected = fine if resolution == 64 else fine.reshape(32, 2, 32, 2, 32, 2).mean((1, 3, 5))
    np.testing.assert_allclose(answer.confidence, expected, atol=1e-6)
    assert np.ptp(answer.confidence) > 0
