"""Designs: every number is used and stays in its range; every object is one closed piece, symmetric, on its floor."""

import numpy as np
import pytest

from maquette.geometry.field import Field
from maquette.geometry.isosurface import smooth_surface
from maquette.train.shapes import designs, drawn_designs

ALL = designs.designs()
CUBE = np.array([[-0.5] * 3, [0.5] * 3])


def field(table):
    return -drawn_designs.distances(table)


@pytest.mark.parametrize("name", ALL)
def test_it_is_one_closed_piece_in_its_cube(name):
    tables, _ = designs.tables(ALL[name], 6, np.random.default_rng(3))
    for table in tables:
        values = field(table)
        mesh = smooth_surface(Field(values, 0.0, CUBE), 0.0)
        assert mesh.is_watertight and mesh.components == 1
        assert max(values[0].max(), values[-1].max(), values[:, 0].max(), values[..., -1].max()) < 0  # nothing cut off
        assert np.allclose(values, values[::-1], atol=1e-3)
        if name != "aeroplane":
            assert mesh.bounds[0, 2] == pytest.approx(designs.FLOOR, abs=0.02)


@pytest.mark.parametrize("name", ALL)
def test_each_named_number_changes_the_shape(name):
    design = ALL[name]
    ranges = list(designs.ranges(design).values())
    middle = np.array([(r.low + r.high) / 2 for r in ranges])
    rows = np.tile(middle, (1 + len(ranges), 1))
    for i, r in enumerate(ranges):
        rows[i + 1, i] = r.high

    def shape(row):  # the same unnamed numbers each time
        return field(designs.tables(design, 1, np.random.default_rng(8), row[None])[0][0]) > 0

    first = shape(rows[0])
    for i, number in enumerate(designs.ranges(design)):
        assert (shape(rows[i + 1]) != first).sum() >= 16, number


def test_numbers_are_drawn_from_their_ranges_and_given_ones_are_used():
    design = ALL["chair"]
    _, numbers = designs.tables(design, 500, np.random.default_rng(0))
    for column, r in zip(numbers.T, designs.ranges(design).values(), strict=True):
        assert r.low <= column.min() < r.low + 0.05 * (r.high - r.low)
        assert r.high >= column.max() > r.high - 0.05 * (r.high - r.low)
    _, again = designs.tables(design, 3, np.random.default_rng(1), numbers[:3])
    assert np.array_equal(again, numbers[:3])


def test_a_seat_is_as_high_as_its_number_says():
    """Real units: the seat's top, found in the grid, is where its height in centimetres puts it."""
    design = ALL["chair"]
    heights = np.array([40.0, 45.0, 50.0, 56.0])
    middle = [(r.low + r.high) / 2 for r in designs.ranges(design).values()]
    rows = np.tile(middle, (len(heights), 1))
    rows[:, 2] = heights
    tables, _ = designs.tables(design, len(heights), np.random.default_rng(0), rows)
    for table, height in zip(tables, heights):
        column = field(table)[32, 26]  # through the seat, before the back
        top = np.flatnonzero(column > 0).max()
        edge = top + column[top] / (column[top] - column[top + 1])
        metres = ((edge + 0.5) / 64 - 0.5 - designs.FLOOR) * design.side
        assert metres * 100 == pytest.approx(height, abs=0.5)


def test_batches_go_on_where_they_stood():
    def fresh():
        return drawn_designs.Drawn(("bottle", "mug"), 4, 8, 2, np.random.default_rng(5))

    unbroken = fresh()
    drawn = [next(unbroken) for _ in range(7)]
    broken = fresh()
    for _ in range(5):
        next(broken)
    resumed = fresh()
    resumed.restore(broken.state())
    for expected in drawn[5:]:
        got = next(resumed)
        assert all((got[name].numpy() == expected[name].numpy()).all() for name in ("field", "family"))


def test_scaled_numbers_have_variance_one():
    drawn = drawn_designs.draw(("glass",), np.random.default_rng(0), 40)
    numbers = drawn["numbers"][:, :8]
    assert abs(numbers.mean()) < 0.2 and numbers.std() == pytest.approx(1, abs=0.15)
    assert np.isnan(drawn["numbers"][:, 8:]).all()
    assert drawn["field"].max() <= 127 and drawn["field"].min() == -127
