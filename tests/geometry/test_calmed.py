"""Ripples of captured surfaces go, and what is thin stays."""

import numpy as np
import pytest

from maquette.geometry.calmed import calmed
from maquette.geometry.frames import cell_centres

SIDE = 64
PLACES = np.asarray(cell_centres(SIDE), np.float32).reshape((SIDE,) * 3 + (3,))


def noisy(distance, cells=0.1):
    noise = np.random.default_rng(0).standard_normal(distance.shape)
    return (distance + noise * cells / SIDE).astype(np.float32)


def ball(radius=0.3):
    return radius - np.linalg.norm(PLACES, axis=-1)


def off_normal(values):
    """Mean angle in degrees between the ball's true normals and the slopes where its surface is."""
    slope = np.stack(np.gradient(values), -1)
    near = np.abs(ball()) < 0.5 / SIDE
    slope, out = slope[near], PLACES[near]
    cosine = -(slope * out).sum(1) / np.linalg.norm(slope, axis=1) / np.linalg.norm(out, axis=1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean()


def test_a_rippled_ball_becomes_even():
    rough = noisy(ball())
    even = calmed(rough, 1 / SIDE)
    assert off_normal(even) < 0.6 * off_normal(rough)
    assert (even > 0).sum() == pytest.approx((ball() > 0).sum(), rel=0.01)
    assert even.dtype == np.float32 and rough is not even


def test_a_steeper_field_is_one_too():
    """A density rises faster than a distance."""
    rough = 2 * noisy(ball())
    assert off_normal(calmed(rough, 1 / SIDE)) < 0.8 * off_normal(rough)


@pytest.mark.parametrize("thick, middle", [(1.2, 0.5), (1.8, 0.0), (3.4, 0.5)])
def test_a_thin_plate_and_a_narrow_slot_stay(thick, middle):
    """Of one, two and three cells."""
    plate = thick / 2 / SIDE - np.abs(PLACES[..., 2] - middle / SIDE)
    plate = np.minimum(plate, 0.35 - np.abs(PLACES[..., :2]).max(-1))
    for values in (plate, np.minimum(0.4 - np.abs(PLACES).max(-1), -plate)):
        even = calmed(values.astype(np.float32), 1 / SIDE)
        core = np.abs(PLACES[..., :2]).max(-1) < 0.3
        assert np.array_equal(even[core] > 0, values[core] > 0)


def test_far_from_the_surface_nothing_changes():
    rough = noisy(ball())
    far = np.abs(ball()) > 8 / SIDE
    assert np.array_equal(calmed(rough, 1 / SIDE)[far], rough[far])
    empty = np.full((16,) * 3, -1, np.float32)
    assert np.array_equal(calmed(empty, 1 / 16), empty)
