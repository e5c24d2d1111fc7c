"""A box that somebody wants: what it cuts out, which pixels it can trust; and the box round sparse points."""

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.box import Box, cut, nearest_of, sure
from maquette.geometry.field import Field
from maquette.geometry.hull import Similarity, box_from_cameras
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.looked_at import box_from_points, weighted
from maquette.geometry.mesh import report
from maquette.geometry.scene import Photo

PINHOLE = np.array([[90.0, 0, 40], [0, 90.0, 36], [0, 0, 1]])


def ball(centre=(1.0, 2.0, 3.0), radius=0.8, n=64, side=2.0):
    """A ball's distances and colours by direction, in a cube round it."""
    bounds = np.array([np.subtract(centre, side / 2), np.add(centre, side / 2)])
    places = frames.cell_centres(n, bounds) - np.asarray(centre)
    distance = radius - np.linalg.norm(places, axis=-1)
    near = (np.abs(distance) < 3 * side / n)[..., None]
    return Field(distance, 0.0, bounds, (0.2 + 0.6 * (places[..., :1] > 0)) * near * np.ones(3))


def test_half_a_ball_has_half_its_volume_and_is_closed():
    """Cut through the middle along x: 2/3 pi r^3, a flat face there, the round side as it was."""
    field = cut(ball(), Box((2.0, 2.0, 3.0), (2.0, 4.0, 4.0)))
    mesh = mesh_from_field(field)
    assert report(mesh)["watertight"] and report(mesh)["components"] == 1
    assert mesh.volume == pytest.approx(2 / 3 * np.pi * 0.8**3, rel=0.02)
    assert mesh.vertices[:, 0].min() == pytest.approx(1.0, abs=0.005)
    away = np.linalg.norm(mesh.vertices - [1, 2, 3], axis=1)
    flat = mesh.vertices[:, 0] < 1.02
    np.testing.assert_allclose(away[~flat], 0.8, atol=0.01)
    assert flat.sum() > 300


def test_a_slab_of_a_ball():
    """|z - 3| < .3 of a ball: pi (2 h r^2 - 2/3 h^3)."""
    mesh = mesh_from_field(cut(ball(), Box((1, 2, 3), (4.0, 4.0, 0.6))))
    assert mesh.volume == pytest.approx(np.pi * (2 * 0.3 * 0.8**2 - 2 / 3 * 0.3**3), rel=0.02)
    assert report(mesh)["watertight"]


def test_a_box_round_all_of_it_changes_nothing():
    field = ball()
    np.testing.assert_array_equal(cut(field, Box((1, 2, 3), (5, 5, 5))).values, field.values)


def test_where_it_is_cut_it_has_the_colour_of_what_is_near():
    mesh = mesh_from_field(cut(ball(), Box((1, 2, 3), (4.0, 4.0, 0.6))))
    left, right = (mesh.vertices[:, 0] < 0.85), (mesh.vertices[:, 0] > 1.15)
    assert left.sum() > 100 and right.sum() > 100
    np.testing.assert_allclose(mesh.colours[left], 0.2, atol=0.02)
    np.testing.assert_allclose(mesh.colours[right], 0.8, atol=0.02)


def test_nothing_in_the_box_is_a_sentence():
    with pytest.raises(ValueError, match="nothing was found in the box"):
        cut(ball(), Box((1.9, 2.9, 3.9), (0.1, 0.1, 0.1)))


def test_the_cube_round_a_box():
    box = Box((1, 2, 3), (1, 4, 2))
    assert box.cube == Similarity((1, 2, 3), 4)
    np.testing.assert_allclose(box.half, [0.125, 0.5, 0.25])


def test_distances_to_a_box():
    box = Box((0, 0, 0), (2, 4, 6))
    at = box.distance((5, 5, 5), np.array([[-2.5] * 3, [2.5] * 3]))  # samples at -2 ... 2
    assert at[2, 2, 2] == 1 and at[3, 2, 2] == 0 and at[4, 2, 2] == -1
    assert at[4, 4, 2] == -1 and at[2, 4, 4] == 0


# --- photos ---------------------------------------------------------------------------------------------------------


def photo(camera, balls, mask=True):
    """80 x 72 pixels of balls (centre, radius), from the angle between each pixel's ray and their middles."""
    origin, ways = frames.rays(camera, PINHOLE, 80, 72)
    shown = np.zeros((72, 80), bool)
    for centre, radius in balls:
        towards = np.subtract(centre, origin)
        away = np.linalg.norm(towards)
        shown |= ways @ (towards / away) > np.sqrt(1 - (radius / away) ** 2)
    return Photo("", np.zeros((72, 80, 3), np.uint8), camera, PINHOLE, np.uint8(shown) * 255 if mask else None)


def around(balls, count=14, mask=True):
    return [photo(frames.orbit(360 * i / count, 40 * np.sin(2.4 * i), 4.0), balls, mask) for i in range(count)]


def test_pixels_of_what_lies_outside_the_cube_are_not_trusted():
    """Two balls, a cube round the right one: the left one's pixels say nothing of it, the right one's do."""
    left, right = ((-0.8, 0, 0), 0.3), ((0.8, 0, 0), 0.3)
    photos = around([left, right])
    trusted = sure(photos, Similarity((0.8, 0, 0), 0.8))
    for shot, kept in zip(photos, trusted):
        alone = [photo(shot.camera, [ball]).mask > 0 for ball in (left, right)]
        only_left, only_right = alone[0] & ~alone[1], alone[1] & ~alone[0]
        assert kept[only_left].mean() < 0.15, "they would be explained by walls of the cube"
        assert kept[shot.mask == 0].all(), "what is empty is empty"
        eye = shot.camera[:3, 3]
        if np.linalg.norm(eye - right[0]) < np.linalg.norm(eye - left[0]) or not (alone[0] & alone[1]).any():
            assert kept[only_right].mean() > 0.7


def test_all_of_the_object_in_the_cube_needs_no_care():
    photos = around([((0, 0, 0), 0.5)])
    assert sure(photos, Similarity((0, 0, 0), 2.0)) is None


def test_masks_that_show_nothing_in_the_box_are_a_sentence():
    with pytest.raises(ValueError, match="the masks show nothing in the box"):
        sure(around([((0, 0, 0), 0.5)]), Similarity((3, 0, 0), 0.5))


def test_the_nearest_of_points_covers():
    shot = photo(frames.look_at((0, -4, 0)), [], mask=False)
    depths = nearest_of(shot, np.array([[0, 0, 0], [0, -1.0, 0], [0, 9, 0]]))
    assert depths[36, 40] == pytest.approx(3) and np.isinf(depths[0, 0])


# --- sparse points --------------------------------------------------------------------------------------------------


def sphere(count, radius, seed=0):
    ways = np.random.default_rng(seed).normal(size=(count, 3))
    return radius * ways / np.linalg.norm(ways, axis=1, keepdims=True)


def test_the_box_round_points_is_that_of_what_is_looked_at():
    """A ball in a room: its points, the room's walls, and points that are plainly wrong."""
    photos = around([], mask=False)
    widest = box_from_cameras(photos)
    points = np.concatenate([sphere(600, 0.5), sphere(600, 9.0, 1), sphere(20, 300.0, 2)])
    box = box_from_points(points, photos, widest)
    np.testing.assert_allclose(box.centre, 0, atol=0.05)
    assert 1.0 < box.side < 1.55 < widest.side


def test_few_points_leave_the_box_of_the_cameras():
    photos = around([], mask=False)
    widest = box_from_cameras(photos)
    for points in (sphere(20, 0.5), sphere(300, 5.0), np.zeros((100, 3))):
        assert box_from_points(points, photos, widest) is widest


def test_the_weighted_value():
    values = np.array([5.0, 1, 3, 2])
    assert weighted(values, np.ones(4), 0.5) == 2
    assert weighted(values, np.array([10.0, 1, 1, 1]), 0.5) == 5
