"""Each convention, pinned once."""

import numpy as np
import pytest

from maquette.geometry import frames


def test_up_and_front_in_gltf():
    np.testing.assert_array_equal(frames.z_up_to_y_up([0.0, 0, 1]), [0, 1, 0])
    np.testing.assert_array_equal(frames.z_up_to_y_up([0.0, -1, 0]), [0, 0, 1])  # the front looks along +z there
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(frames.y_up_to_z_up(frames.z_up_to_y_up(points)), points)
    np.testing.assert_allclose(points @ frames.Y_UP.T, frames.z_up_to_y_up(points))
    assert np.linalg.det(frames.Y_UP) == pytest.approx(1)


def test_cells_are_sampled_at_their_centres():
    centres = frames.cell_centres((2, 4, 5), np.array([[0, 0, 0], [2, 4, 10]]))
    np.testing.assert_allclose(centres[0, 0, 0], [0.5, 0.5, 1])
    np.testing.assert_allclose(centres[1, 3, 4], [1.5, 3.5, 9])
    assert frames.cell_centres(3).shape == (3, 3, 3, 3)
    np.testing.assert_allclose(frames.cell_centres(3)[1, 1, 1], 0, atol=1e-7)


def test_grid_and_world_are_inverse():
    bounds = np.array([[-1, 0, 2], [1, 3, 4.0]])
    points = np.random.default_rng(0).normal(size=(7, 3))
    there = frames.world_to_grid(points, (4, 5, 6), bounds)
    np.testing.assert_allclose(frames.grid_to_world(there, (4, 5, 6), bounds), points)
    np.testing.assert_allclose(frames.world_to_grid([-0.75, 0.3, 2 + 1 / 6], (4, 5, 6), bounds), 0, atol=1e-12)


def test_standing_and_unit():
    corners = np.array([[1, 2, 3], [3, 3, 7.0]])
    np.testing.assert_allclose(frames.standing(corners, 2.0), [[-0.5, -0.25, 0], [0.5, 0.25, 2]])
    np.testing.assert_allclose(frames.unit(corners), [[-0.25, -0.125, -0.5], [0.25, 0.125, 0.5]])
    with pytest.raises(ValueError, match="no size"):
        frames.unit(np.ones((3, 3)))


def test_a_camera_at_the_front_sees_right_to_the_right_and_up_upwards():
    camera = frames.orbit(0, 0, 2.0)
    np.testing.assert_allclose(camera[:3, 3], [0, -2, 0], atol=1e-12)
    pinhole = frames.intrinsics(90, 200, 100)
    pixels, depth = frames.project(np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0.5]]), camera, pinhole)
    np.testing.assert_allclose(pixels, [[100, 50], [150, 50], [100, 25]], atol=1e-9)
    np.testing.assert_allclose(depth, 2)


def test_azimuth_goes_to_the_right_and_elevation_up():
    eye = frames.orbit(90, 30, 2.0)[:3, 3]
    np.testing.assert_allclose(eye, [2 * np.cos(np.pi / 6), 0, 1], atol=1e-12)


@pytest.mark.parametrize("eye", [(1, -2, 3), (0, 0, 2), (0, 0, -2)])
def test_cameras_are_right_handed_and_look_at_the_target(eye):
    camera = frames.look_at(eye, (0, 0, 0.1))
    np.testing.assert_allclose(camera[:3, :3].T @ camera[:3, :3], np.eye(3), atol=1e-12)
    assert np.linalg.det(camera[:3, :3]) == pytest.approx(1)
    pixels, depth = frames.project(np.array([0, 0, 0.1]), camera, frames.intrinsics(40, 64, 64))
    np.testing.assert_allclose(pixels, 32)
    assert depth > 0


def test_rays_go_through_the_middle_of_their_pixels():
    camera, pinhole = frames.orbit(20, 30, 3), frames.intrinsics(50, 8, 6)
    eye, directions = frames.rays(camera, pinhole, 8, 6)
    pixels, depth = frames.project(eye + 2 * directions, camera, pinhole)
    column, row = np.meshgrid(np.arange(8) + 0.5, np.arange(6) + 0.5)
    np.testing.assert_allclose(pixels, np.stack([column, row], -1), atol=1e-9)
    assert (depth > 0).all()
