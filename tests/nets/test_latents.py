"""Sliders and drawing in a latent space whose answers are known."""

import numpy as np
import pytest
import torch

from maquette.nets.latents import Latents, Slider
from maquette.train import fit_sliders


@pytest.fixture(scope="module")
def world():
    """Latents of 6 numbers, correlated, and two named numbers that are linear in them; decoded is what they are.

    -> (latents (N, 6), numbers (N, 2), the linear map (2, 6), decode)"""
    rng = np.random.default_rng(0)
    mixing = np.eye(6) + 0.4 * rng.normal(size=(6, 6))
    latents = torch.from_numpy(rng.normal(size=(4000, 6)) @ mixing.T).float()
    rows = torch.from_numpy(rng.normal(size=(2, 6))).float()
    weights = torch.tensor([0.1, 0.2, 0.3, 0.6, 0.05, 0.9])  # how much each of the six shows
    return latents, latents @ rows.T * 10 + 50, rows, lambda z: z * weights * 0.01


@pytest.fixture(scope="module")
def fitted(world):
    latents, numbers, _, decode = world
    return fit_sliders.fit(latents, torch.full_like(latents, 1e-4), numbers, decode, found=3)


@pytest.fixture
def space(fitted):
    latents = Latents(6, (5,))
    fit_sliders.into(latents, 0, fitted)
    return latents


SLIDERS = [Slider("A", "cm", 20, 80, 50, 0.9), Slider("B", "cm", 20, 80, 50, 0.9)]
SLIDERS += [Slider(f"Variation {i}", "", -2.5, 2.5, 0) for i in (1, 2, 3)]


def test_linear_numbers_are_read_exactly(world, fitted):
    latents, numbers, _, _ = world
    assert fitted.named == 2 and (fitted.read > 0.9999).all()
    assert torch.allclose(latents @ fitted.weight[:2].T + fitted.bias[:2], numbers, atol=0.5)


def test_each_direction_moves_its_own_value_and_no_other(fitted):
    assert torch.allclose(fitted.weight @ fitted.direction.T, torch.eye(5), atol=2e-3)


def test_a_direction_is_the_least_change_that_the_covariance_allows(world, fitted):
    """Any other step with the same effect is longer where the latents' covariance is a sphere."""
    white = torch.linalg.inv(fitted.factor)
    step = fitted.direction[0]
    null = torch.linalg.qr(fitted.weight[:2].T, mode="complete").Q[:, 2:]
    for way in null.T:
        for size in (-0.05, 0.05):
            assert (white @ (step + size * way)).norm() > (white @ step).norm()


def test_found_directions_come_in_the_order_of_what_they_change(world, fitted):
    decode = world[3]
    changes = [decode(direction).norm() for direction in fitted.direction[2:]]
    assert changes[0] > changes[1] > changes[2] > 0
    unit = torch.linalg.inv(fitted.factor) @ fitted.direction[2:].T
    assert torch.allclose(unit.T @ unit, torch.eye(3), atol=1e-3)  # one standard deviation each, at right angles


def test_moving_a_slider_shows_on_it_alone(space):
    start = space.draw(0, SLIDERS, np.random.default_rng(1), 0.7)
    before = space.values(start, 0)
    after = space.values(space.moved(start, 0, torch.tensor([7.0, 0, 0, 0, 0])), 0)
    assert torch.allclose(after - before, torch.tensor([7.0, 0, 0, 0, 0]), atol=0.02)


def test_drawn_values_fill_the_named_ranges_evenly_and_shrink_with_truncation(space):
    def values(truncation):
        drawn = [space.draw(0, SLIDERS, np.random.default_rng(seed), truncation) for seed in range(400)]
        return space.values(torch.stack(drawn), 0)[:, 0].numpy()

    whole, half = values(1.0), values(0.5)
    assert whole.min() > 20 - 0.1 and whole.max() < 80 + 0.1
    assert np.percentile(whole, [25, 50, 75]) == pytest.approx([35, 50, 65], abs=5)
    assert half.min() > 35 - 0.1 and half.max() < 65 + 0.1


def test_without_truncation_there_is_one_mean_shape(space, fitted):
    a, b = (space.draw(0, SLIDERS, np.random.default_rng(seed), 0.0) for seed in (1, 2))
    assert torch.equal(a, b)
    assert torch.allclose(space.values(a, 0)[:2], torch.tensor([50.0, 50.0]), atol=0.01)


def test_a_seed_is_a_shape(space):
    a, b, c = (space.draw(0, SLIDERS, np.random.default_rng(seed), 0.7) for seed in (1, 1, 2))
    assert torch.equal(a, b) and not torch.allclose(a, c, atol=0.1)


def test_strangeness_is_one_for_what_was_drawn_and_grows_outside(space, world, fitted):
    own = torch.stack([space.depth(z, 0) for z in world[0][:300]])
    assert float(own.mean()) == pytest.approx(1, abs=0.1)
    far = fitted.mean + 5 * (world[0][0] - fitted.mean)
    assert float(space.depth(far, 0)) == pytest.approx(5 * float(space.depth(world[0][0], 0)), rel=0.01)


def test_varied_goes_as_far_as_it_is_told(space, world):
    start = world[0][0]
    steps = torch.stack([space.varied(start, 0, np.random.default_rng(i), 0.3) - start for i in range(300)])
    white = torch.linalg.inv(fitted_factor(space)) @ steps.T
    assert float(white.square().mean().sqrt()) == pytest.approx(0.3, rel=0.05)
    assert torch.equal(space.varied(start, 0, np.random.default_rng(1), 0.0), start)


def fitted_factor(space):
    return getattr(space.prior, "0").factor


def test_tied_latents_are_the_numbers_and_nothing_else():
    """The first latents are what was named, whatever the others happen to be correlated with."""
    rng = np.random.default_rng(0)
    mean = torch.from_numpy(rng.normal(size=(300, 6))).float()
    mean[:, 3] += 0.5 * mean[:, 0]  # by chance
    mean[:, 2] = 0  # kept for a third number, which this family lacks
    tied = fit_sliders.Tied(torch.tensor([40.0, 0.0]), torch.tensor([60.0, 1.0]), 3)
    numbers = torch.tensor([50.0, 0.5]) + mean[:, :2] * torch.tensor([20.0, 1.0]) / 12**0.5
    fitted = fit_sliders.fit(mean, torch.zeros_like(mean), numbers, lambda z: z, found=3, tied=tied)
    assert (fitted.read > 0.999999).all()
    assert torch.allclose(fitted.direction[0], torch.tensor([12**0.5 / 20, 0, 0, 0, 0, 0]), atol=1e-3)
    assert torch.allclose(fitted.weight @ fitted.direction.T, torch.eye(5), atol=1e-3)
    assert fitted.direction[2:, :3].abs().max() < 1e-3
