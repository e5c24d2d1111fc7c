"""Colours are drawn out and spread alike however fine a field is."""

import numpy as np
import pytest
from scipy.ndimage import zoom

from maquette.geometry.paint import drawn_out, spread


def test_values_are_drawn_out_between_cells():
    values = np.random.default_rng(0).random((5, 4, 6, 2), np.float32)
    found = drawn_out(values, (20, 16, 6, 3))
    assert found.shape == (20, 16, 6, 2)
    for c in range(2):
        np.testing.assert_allclose(found[..., c], zoom(values[..., c], (4, 4, 1), order=1), atol=1e-5)


@pytest.mark.parametrize("n", [32, 64, 128])
def test_what_is_not_seen_follows_what_is_beside_it(n):
    """A red guess whose left half is seen to be orange: right of that it turns orange first, and fades to red."""
    guess = np.zeros((n, n, n, 3), np.float32)
    guess[..., 0] = 0.8
    seen = guess.copy()
    seen[..., 1] = 0.4
    weight = np.zeros((n, n, n), np.float32)
    weight[: n // 2] = 1
    found = spread(seen, weight, guess)
    green = found[:, n // 2, n // 2, 1]
    assert np.allclose(green[: n // 2], 0.4) and green[n // 2 + 1] > 0.3
    assert (np.diff(green) <= 1e-6).all() and np.allclose(found[..., 0], 0.8, atol=1e-5)
    assert np.array_equal(spread(seen, 0 * weight, guess), guess)


@pytest.mark.parametrize("n", [32, 64, 128])
def test_what_is_seen_between_the_cells_that_are_looked_at_stays_alone(n):
    """A few cells that every second, or fourth, passes over: they have their colour, all else the guess."""
    guess, seen = np.full((n, n, n, 3), 0.2, np.float32), np.full((n, n, n, 3), 0.9, np.float32)
    weight = np.zeros((n, n, n), np.float32)
    weight[5, 7, 9] = 1
    found = spread(seen, weight, guess)
    assert found[5, 7, 9] == pytest.approx([0.9] * 3)
    found[5, 7, 9] = 0.2
    assert np.allclose(found, 0.2, atol=1e-5)
