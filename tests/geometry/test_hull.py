"""Masks of posed photographs: where the object can be, and the box round it."""

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.hull import (
    Similarity,
    box_from_masks,
    meeting_place,
    project,
    signed_distance,
    visual_hull,
)
from maquette.geometry.scene import Photo

CENTRE, RADIUS = np.array([3.0, -2.0, 5.0]), 0.7
PINHOLE = np.array([[90.0, 0, 40], [0, 90.0, 36], [0, 0, 1]])


def photo(camera, mask=True, distortion=(0.0, 0.0, 0.0, 0.0)):
    """A ball's mask, 80 x 72 pixels, from the angle between each pixel's ray and the ball's middle."""
    origin, ways = frames.rays(camera, PINHOLE, 80, 72)
    towards = CENTRE - origin
    away = np.linalg.norm(towards)
    inside = ways @ (towards / away) > np.sqrt(1 - (RADIUS / away) ** 2)
    alpha = np.uint8(inside) * 255
    return Photo("ball", np.zeros((72, 80, 3), np.uint8), camera, PINHOLE, alpha if mask else None, distortion)


def around(count=14):
    """From all sides, also from below."""
    places = [(360 * i / count, 55 * np.sin(2.4 * i)) for i in range(count)]
    return [photo(frames.orbit(a, e, 3.0, CENTRE)) for a, e in places]


def test_projects_as_the_frames_say():
    camera = frames.orbit(40, 20, 3, CENTRE)
    points = CENTRE + np.random.default_rng(0).normal(0, 0.3, (20, 3))
    pixels, depth = project(photo(camera), points)
    wanted, away = frames.project(points, camera, PINHOLE)
    np.testing.assert_allclose(pixels, wanted, atol=1e-9)
    np.testing.assert_allclose(depth, away)


def test_a_lens_bends_as_opencv_says():
    camera = np.eye(4)
    point = np.array([[0.3, 0.2, -1.0]])  # x = .3, y = -.2 downwards
    pixels, _ = project(photo(camera, distortion=(0.1, 0.02, 0.003, -0.004)), point)
    x, y, r = 0.3, -0.2, 0.13
    radial = 1 + 0.1 * r + 0.02 * r * r
    u = x * radial + 2 * 0.003 * x * y - 0.004 * (r + 2 * x * x)
    v = y * radial + 0.003 * (r + 2 * y * y) + 2 * -0.004 * x * y
    np.testing.assert_allclose(pixels[0], [90 * u + 40, 90 * v + 36])


def test_lines_of_sight_meet_in_the_middle():
    centre, side = meeting_place(around())
    np.testing.assert_allclose(centre, CENTRE, atol=0.02)
    assert side > 2 * RADIUS


def test_the_box_holds_the_object_and_not_much_more():
    box = box_from_masks(around())
    np.testing.assert_allclose(box.centre, CENTRE, atol=0.05)
    assert 2 * RADIUS < box.side < 2 * RADIUS * 1.4


def test_the_hull_of_a_ball_holds_it():
    box = Similarity(tuple(CENTRE), 2.0)
    hull = visual_hull(around(), box, 40)
    away = np.linalg.norm(box.to_world(frames.cell_centres(40)) - CENTRE, axis=-1)
    assert hull[away < RADIUS].all()
    assert not hull[away > RADIUS * 1.3].any()


def test_one_wrong_mask_can_be_outvoted():
    photos = around()
    wrong = Photo(**{**photos[0].__dict__, "mask": np.zeros((72, 80), np.uint8)})
    box = Similarity(tuple(CENTRE), 2.0)
    assert not visual_hull([wrong, *photos[1:]], box, 24).any()
    assert visual_hull([wrong, *photos[1:]], box, 24, misses=1).any()


def test_no_masks_is_a_sentence():
    with pytest.raises(ValueError, match="no photo has a mask"):
        box_from_masks([photo(frames.orbit(0, 0, 3, CENTRE), mask=False)])


def test_cameras_that_contradict_the_masks_are_a_sentence():
    corner = np.zeros((72, 80), np.uint8)
    corner[1:4, 1:4] = 255
    image = np.zeros((72, 80, 3), np.uint8)
    photos = [Photo("", image, frames.orbit(25 * i, 80 * (i % 2), 3.0), PINHOLE, corner) for i in range(14)]
    with pytest.raises(ValueError, match="contradict"):
        box_from_masks(photos)


def test_distance_of_a_slab():
    inside = np.zeros((8, 8, 8), bool)
    inside[:, :, 2:6] = True
    np.testing.assert_allclose(signed_distance(inside)[4, 4], [-1.5, -0.5, 0.5, 1.5, 1.5, 0.5, -0.5, -1.5])


def test_there_and_back():
    box = Similarity((1.0, 2.0, 3.0), 4.0)
    points = np.random.default_rng(1).normal(size=(5, 3))
    np.testing.assert_allclose(box.to_world(box.to_cube(points)), points)
    np.testing.assert_allclose(box.to_cube([3.0, 4.0, 5.0]), [0.5, 0.5, 0.5])
