"""Gains of photos that were made darker, brighter and tinted, found again."""

import numpy as np

from maquette.geometry.colour import to_linear, to_srgb
from maquette.geometry.exposure import gains

TRUE = np.array([[1.0, 1.0, 1.0], [0.7, 0.7, 0.7], [1.3, 1.2, 1.1], [0.9, 1.0, 1.2]])


def taken(share=0.6, odd=0.0, seed=0):
    """Colours (4, 600, 3) and weights of photos of the same places, a share of which each shows; odd ones are wrong."""
    random = np.random.default_rng(seed)
    light = to_linear(random.uniform(0.2, 0.75, (600, 3)))
    colours = to_srgb(np.clip(light[None] * TRUE[:, None], 0, 1))
    wrong = random.random((4, 600)) < odd
    colours[wrong] = random.random((wrong.sum(), 3))
    return colours, (random.random((4, 600)) < share).astype(float)


def apart(found):
    """Largest relative difference from what would undo the photos' own, up to one factor."""
    product = found * TRUE
    return np.abs(product / np.exp(np.log(product).mean(axis=0)) - 1).max()


def test_gains_undo_what_photos_differ_in():
    assert apart(gains(*taken())) < 0.03


def test_highlights_and_passers_by_do_not_matter():
    assert apart(gains(*taken(odd=0.15))) < 0.06


def test_photos_without_common_places_stay_as_they_are():
    colours, _ = taken()
    weights = np.zeros((4, 600))
    for number in range(4):
        weights[number, number * 150 : (number + 1) * 150] = 1
    np.testing.assert_allclose(gains(colours, weights), 1)
    np.testing.assert_allclose(gains(colours, np.zeros((4, 600))), 1)


def test_few_common_places_are_believed_by_less():
    colours, weights = taken()
    few = weights * (np.arange(600) < 12)
    assert 0 < np.abs(np.log(gains(colours, few))).max() < 0.6 * np.abs(np.log(gains(colours, weights))).max()
