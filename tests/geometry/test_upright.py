"""Up, of cameras whose world was turned by a known rotation."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from maquette.geometry.frames import look_at, orbit
from maquette.geometry.scene import Photo
from maquette.geometry.upright import turned_up, up


def photos(cameras, world=None):
    world = np.eye(4) if world is None else world
    image = np.zeros((1, 1, 3), np.uint8)
    return [Photo(str(i), image, world @ camera, np.eye(3)) for i, camera in enumerate(cameras)]


def turned(seed):
    world = np.eye(4)
    world[:3, :3], world[:3, 3] = Rotation.random(random_state=seed).as_matrix(), (1, 2, 3)
    return world


@pytest.mark.parametrize("seed", range(5))
def test_an_orbit_that_looks_down_says_where_up_is(seed):
    world = turned(seed)
    round_it = photos([orbit(30 * i, 10 + 5 * i, 3) for i in range(10)], world)
    np.testing.assert_allclose(up(round_it), world[:3, 2], atol=1e-9)
    rotation = turned_up(round_it)
    np.testing.assert_allclose(rotation @ world[:3, 2], (0, 0, 1), atol=1e-9)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_cameras_in_a_row_give_their_own_up():
    row = photos([look_at((0.1 * i, -3, 0), (0.1 * i, 0, 0)) for i in range(5)])
    np.testing.assert_allclose(up(row), (0, 0, 1), atol=1e-9)


def test_a_world_that_is_upside_down_or_upright():
    cameras = [orbit(40 * i, 20, 3) for i in range(9)]
    np.testing.assert_allclose(turned_up(photos(cameras)), np.eye(3), atol=1e-9)
    over = np.diag([1.0, -1, -1, 1])
    np.testing.assert_allclose(turned_up(photos(cameras, over)) @ over[:3, 2], (0, 0, 1), atol=1e-9)


def test_cameras_that_contradict_each_other():
    here = orbit(0, 0, 3)
    with pytest.raises(ValueError, match="nothing says which way is up"):
        up(photos([here, here @ np.diag([-1.0, -1, 1, 1])]))
