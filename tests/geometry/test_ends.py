"""Shapes drawn out to the ends of the cube that they are supposed to fill, as far as masks let them."""

import numpy as np
import pytest

from maquette.geometry.ends import MOST, drawn_to_ends

EVERYWHERE = np.ones((64, 64, 64), bool)
AT = (np.arange(64) + 0.5) / 64 - 0.5


def block(low, high, axis=0, wide=0.2):
    """Soft occupancy of a block from `low` to `high` along an axis, 2 wide along the others."""
    inside = np.minimum.reduce(
        [
            np.minimum(at - low, high - at) if k == axis else wide - np.abs(at)
            for k, at in enumerate(np.meshgrid(AT, AT, AT, indexing="ij"))
        ]
    )
    return (1 / (1 + np.exp(-100 * inside))).astype(np.float32)


def span(occupancy, axis, level=0.5):
    """Where it begins and ends along an axis, in the cube's unit, between cells."""
    profile = occupancy.max(tuple({0, 1, 2} - {axis}))
    inside = np.flatnonzero(profile > level)
    ends = []
    for end, way in ((inside[0], -1), (inside[-1], 1)):
        if not 0 <= end + way < 64:
            ends.append(way * 0.5)
            continue
        fall = (profile[end] - level) / (profile[end] - min(profile[end + way], level))
        ends.append(AT[end] + way * fall / 64)
    return ends


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_both_ends_are_reached_and_the_middle_stays(axis):
    field = block(-0.46, 0.47, axis)
    drawn = drawn_to_ends(field, 0.5, EVERYWHERE)
    assert span(drawn, axis) == pytest.approx([-0.5, 0.5], abs=0.006)
    for across in {0, 1, 2} - {axis}:
        assert span(drawn, across) == pytest.approx(span(field, across), abs=1e-3)
    middle = (slice(None),) * axis + (slice(20, 44),)
    np.testing.assert_array_equal(drawn[middle], field[middle])
    assert drawn.dtype == np.float32 and (field == block(-0.46, 0.47, axis)).all(), "the field itself is not changed"


def test_no_spurs_the_last_part_is_stretched():
    """A cone cut off early: it is as thick at the new end as it was at the old, and thickens from there as it did."""
    x, y, z = np.meshgrid(AT, AT, AT, indexing="ij")
    radius = 0.06 + 0.24 * (0.46 - x) / 0.96
    field = (1 / (1 + np.exp(-200 * (radius - np.hypot(y, z))))).astype(np.float32)
    field[x > 0.46] = 0
    areas = [(drawn > 0.5).sum((1, 2)) for drawn in (field, drawn_to_ends(field, 0.5, EVERYWHERE))]
    assert areas[1][-1] > 0.6 * areas[0][60] > 0 and areas[0][-1] == 0
    assert (areas[1] >= areas[0]).all() and (np.diff(areas[1].astype(int)) <= 0).all()


def test_what_lacks_much_is_stretched_by_so_much_and_no_more():
    drawn = drawn_to_ends(block(-0.35, 0.5), 0.5, EVERYWHERE)
    assert span(drawn, 0) == pytest.approx([-0.35 - MOST, 0.5], abs=0.006)


def test_masks_say_where_it_ends():
    shown = EVERYWHERE.copy()
    shown[:2] = False
    drawn = drawn_to_ends(block(-0.45, 0.45), 0.5, shown)
    assert span(drawn, 0) == pytest.approx([-0.5 + 2 / 64, 0.5], abs=0.006)
    beside = np.zeros_like(shown)
    beside[:, :10] = True  # what is shown elsewhere does not count
    assert span(drawn_to_ends(block(-0.45, 0.45), 0.5, beside), 0) == pytest.approx([-0.45, 0.45], abs=0.006)


def test_what_fills_its_cube_or_is_empty_stays_itself():
    for field in (block(-0.6, 0.6), np.zeros((64, 64, 64), np.float32), np.ones((64, 64, 64), np.float32)):
        assert drawn_to_ends(field, 0.5, EVERYWHERE) is field


def test_a_speck_beyond_is_not_an_end():
    field = block(-0.45, 0.45)
    field[63, 2, 2] = field[0, 60, 60] = 0.9
    drawn = drawn_to_ends(field, 0.5, EVERYWHERE)
    assert (drawn[:3, 28:36, 28:36] > 0.5).any()
