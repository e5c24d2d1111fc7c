"""Up is found by how cameras were held, and by what the object stands on."""

import numpy as np
import pytest

from maquette.geometry import frames, upright

TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
TURN = TURN * np.sign(np.linalg.det(TURN))
"""Some rotation: a frame whose z is not up"""
UP = TURN[:, 2]


def cameras(places, roll=0.0):
    """Of (azimuth, elevation) round the origin, in the turned frame; roll in degrees, of every camera in turn."""
    found = []
    for number, place in enumerate(places):
        camera = frames.orbit(*place, 3.0)
        angle = np.radians(roll * (-1) ** number)
        c, s = np.cos(angle), np.sin(angle)
        camera[:3, :2] = camera[:3, :2] @ np.array([[c, -s], [s, c]])
        way = np.eye(4)
        way[:3, :3] = TURN
        found.append(way @ camera)
    return np.array(found)


def off(one, other):
    """Degrees"""
    return np.degrees(np.arccos(np.clip(one @ other, -1, 1)))


@pytest.mark.parametrize("low, high", [(0, 0), (20, 50), (-10, 60), (70, 80)])
def test_cameras_all_round(low, high):
    places = [(12 * i, low + (high - low) * (i % 5) / 4) for i in range(30)]
    np.testing.assert_allclose(upright.from_cameras(cameras(places)), UP, atol=1e-9)


def test_cameras_in_front_that_look_down():
    """By their tops alone it would be 35 degrees off."""
    places = [(azimuth, 35) for azimuth in range(-40, 41, 10)]
    np.testing.assert_allclose(upright.from_cameras(cameras(places)), UP, atol=1e-9)


def test_cameras_in_a_row_or_nearly():
    """All right hands are alike, so that nothing but tops says more; a little round it, both do."""
    row = [frames.look_at((0.1 * i, -3, 0), (0.1 * i, 0, 0)) for i in range(5)]
    np.testing.assert_allclose(upright.from_cameras(row), (0, 0, 1), atol=1e-9)
    arc = [(azimuth, 35) for azimuth in range(-12, 13, 4)]
    assert off(upright.from_cameras(cameras(arc)), UP) < 25


def test_hands_that_shake():
    places = [(12 * i, 25) for i in range(30)]
    assert off(upright.from_cameras(cameras(places, roll=8)), UP) < 2


def test_one_camera_says_what_its_picture_says():
    one = cameras([(30, 0)])
    assert off(upright.from_cameras(one), UP) < 0.1


def test_cameras_that_contradict_each_other():
    places = [(12 * i, 25) for i in range(30)]
    both = cameras(places)
    both[::2, :3, :2] *= -1  # every second one is held upside down
    with pytest.raises(ValueError, match="do not tell what is up"):
        upright.from_cameras(both)
    with pytest.raises(ValueError, match="do not tell what is up"):
        upright.from_cameras([])


def stool(noise=0.0):
    """Four legs and a seat, standing on z = 0, as dense points."""
    random = np.random.default_rng(0)
    seat = random.uniform([-0.5, -0.5, 0.9], [0.5, 0.5, 1.0], (6000, 3))
    legs = [random.uniform([x - 0.05, y - 0.05, 0], [x + 0.05, y + 0.05, 0.9], (1500, 3)) for x in (-0.4, 0.4)
            for y in (-0.4, 0.4)]  # fmt: skip
    feet = [np.c_[random.uniform([x - 0.05, y - 0.05], [x + 0.05, y + 0.05], (80, 2)), np.zeros(80)]
            for x in (-0.4, 0.4) for y in (-0.4, 0.4)]  # fmt: skip
    points = np.concatenate([seat, *legs, *feet])
    return points + noise * random.normal(size=points.shape)


def tilted(degrees):
    axis = np.radians(degrees)
    return np.array([[1, 0, 0], [0, np.cos(axis), -np.sin(axis)], [0, np.sin(axis), np.cos(axis)]])


@pytest.mark.parametrize("tilt", [0, 4, 17, 30])
def test_it_stands_on_its_feet(tilt):
    """Cameras that were that much off are put right."""
    found = upright.from_floor(stool() @ TURN.T, TURN @ tilted(tilt) @ [0, 0, 1])
    assert off(found, UP) < 0.3


def test_a_rough_bottom():
    found = upright.from_floor(stool(0.002) @ TURN.T, TURN @ tilted(10) @ [0, 0, 1])
    assert off(found, UP) < 1


def test_a_ball_stands_on_nothing():
    points = np.random.default_rng(0).normal(size=(5000, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    with pytest.raises(ValueError, match="stands on nothing flat"):
        upright.from_floor(points, (0, 0, 1))
    with pytest.raises(ValueError, match="has no size"):
        upright.from_floor(np.ones((5, 3)), (0, 0, 1))


@pytest.mark.parametrize("up", [(0, 0, 1), (0, 0, -1), (1, 0, 0), UP])
def test_what_is_up_becomes_z_and_the_lowest_is_on_the_ground(up):
    points = stool() @ TURN.T + 5
    way = upright.way_to(np.array(up, float), points)
    np.testing.assert_allclose(way[:3, :3] @ up, (0, 0, 1), atol=1e-12)
    np.testing.assert_allclose(way[:3, :3] @ way[:3, :3].T, np.eye(3), atol=1e-12)
    assert np.linalg.det(way[:3, :3]) == pytest.approx(1)
    placed = frames.carried(points, way)
    assert placed[:, 2].min() == pytest.approx(0, abs=1e-9)
    middle = (points.min(0) + points.max(0)) / 2
    np.testing.assert_allclose(frames.carried(middle[None], way)[0, :2], middle[:2], atol=1e-9)


def test_what_stands_upright_stays():
    level = [frames.orbit(40 * i, 20, 3) for i in range(9)]
    np.testing.assert_allclose(upright.to_z(upright.from_cameras(level)), np.eye(3), atol=1e-9)
    assert np.array_equal(upright.to_z((0, 0, 1)), np.eye(3))
