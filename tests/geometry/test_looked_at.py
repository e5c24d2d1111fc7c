"""The part of space that photos without masks are of."""

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.hull import Similarity
from maquette.geometry.looked_at import best_parts, box_round, filled, looked_at
from maquette.geometry.scene import Photo

PLACES = frames.cell_centres(32)


def test_a_small_part_in_the_middle_beats_a_large_one_at_the_rim():
    middle = np.linalg.norm(PLACES, axis=-1) < 0.15
    rim = PLACES[..., 0] > 0.4
    worth = np.exp(-20 * np.linalg.norm(PLACES, axis=-1) ** 2)
    assert rim.sum() > 2 * middle.sum()
    assert np.array_equal(best_parts(middle | rim, worth), middle)
    assert not best_parts(middle & rim, worth).any()


def test_what_nobody_saw_within_a_shell_is_solid_and_what_is_behind_a_wall_is_not():
    """A bowl on a wall: its inside is hidden, and so is all behind the wall."""
    away = np.linalg.norm(PLACES - [0, 0, -0.2], axis=-1)
    above = PLACES[..., 2] > -0.2
    shell = (np.abs(away - 0.3) < 0.04) & above | (np.abs(PLACES[..., 2] + 0.2) < 0.04) & (away < 0.4)
    hidden = (away < 0.3) | ~above
    solid = filled(shell, ~hidden, np.ones_like(shell))
    assert solid[(away < 0.25) & above].all()
    assert not (solid & (PLACES[..., 2] < -0.26)).any()
    assert np.array_equal(filled(shell, np.ones_like(shell), np.ones_like(shell)), shell)


def test_the_middle_of_a_picture_counts_most():
    picture = np.zeros((40, 60, 3), np.uint8)
    photo = Photo("a", picture, frames.orbit(0, 0, 3.0, np.zeros(3)), frames.intrinsics(40.0, 60, 40))
    points = np.array([[0, 0, 0], [0, 0, 0.5], [0, 0, 5.0]])
    number, central = looked_at(points, [photo, photo], Similarity((0, 0, 0), 1.0))
    assert number.tolist() == [2, 2, 0]
    assert central[0] == pytest.approx(2, abs=0.05) and 0 < central[1] < 1.5 and central[2] == 0


def test_the_box_holds_what_was_found():
    inside = np.zeros((10, 10, 10), bool)
    inside[2:4, 5:9, 5] = True
    box = box_round(inside, Similarity((1, 2, 3), 10.0), margin=0.25)
    np.testing.assert_allclose(box.centre, [-1, 4, 3.5])
    assert box.side == pytest.approx(6)
