"""From which side cameras look."""

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.sides import looked_at, sides

CENTRE = np.array([3.0, -2.0, 5.0])


def test_turns_count_from_the_first_to_the_right():
    """frames.orbit counts azimuths against the clock seen from above, which is to the right of who looks."""
    cameras = [frames.orbit(a, e, 2.0 + a / 200, CENTRE) for a, e in ((30, 10), (120, -5), (-60, 40))]
    turns, elevations = sides(cameras)
    assert turns == pytest.approx((0, 90, -90)) and elevations == pytest.approx((10, -5, 40))
    np.testing.assert_allclose(looked_at(cameras), CENTRE, atol=1e-9)


def test_what_stands_to_the_right_is_seen_from_there():
    """The second camera stands on the side of what the first sees on its right."""
    first, second = (frames.orbit(a, 0, 2.0, CENTRE) for a in (0, 90))
    assert sides([first, second])[0][1] == pytest.approx(90)
    assert (second[:3, 3] - CENTRE) @ first[:3, 0] > 1.9


def test_one_camera_has_an_elevation():
    assert sides([frames.orbit(77, 25, 2.0, CENTRE)]) == ((0.0,), pytest.approx((25,)))


def test_parallel_cameras_are_a_sentence():
    camera = frames.orbit(0, 0, 2.0, CENTRE)
    moved = camera.copy()
    moved[:3, 3] += 1
    with pytest.raises(ValueError, match="look the same way"):
        sides([camera, moved])
