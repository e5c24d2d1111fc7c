"""Pictures with known cameras, turned straight at what they show."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from maquette.geometry import frames
from maquette.geometry.hull import project
from maquette.geometry.rectified import rectified, straight, undistorted
from maquette.nets import camera as upright
from maquette.nets.several_views import fitted

from ..photographed import MIDDLE, cameras, chest, photographed, rolled

BENT = (0.08, -0.02, 0.003, -0.002)


@pytest.fixture(scope="module", params=[(0.0, 0.0, 0.0, 0.0), BENT], ids=["pinhole", "bent lens"])
def photos(request):
    return [photographed(camera, f"view {k}", distortion=request.param) for k, camera in enumerate(cameras())]


@pytest.fixture(scope="module")
def found(photos):
    return rectified(photos)


def in_cube(found, view: int, points):
    """World points (P, 3) in the cube of a view."""
    turn = found.views[view].azimuth + np.pi / 2
    return frames.turned((np.asarray(points) - found.middle) / found.side, -turn)


def test_the_cube_holds_the_object_and_little_more(found):
    low, high = chest().bounds
    corners = np.array(np.meshgrid(*np.stack([low, high], 1))).reshape(3, -1).T
    inside = in_cube(found, 0, corners)
    assert np.abs(inside).max() < 0.56
    assert np.linalg.norm(found.middle - (low + high) / 2) < 0.2 and 1.6 < found.side < 2.4


def test_the_first_camera_stands_before_the_cube(found):
    place = in_cube(found, 0, found.views[0].photo.camera[None, :3, 3])[0]
    assert abs(place[0]) < 1e-6 and place[1] < 0
    assert found.turn == pytest.approx(found.views[0].azimuth + np.pi / 2)


def test_five_numbers_say_where_the_square_shows_a_place(found):
    """Where a dot of the picture lies in the square is where the network's own camera puts it."""
    points = MIDDLE + np.array([[0.5, 0.3, 0.2], [-0.6, -0.4, -0.3], [0.7, -0.2, 0.6], [0, 0, 0.0]])
    for k, view in enumerate(found.views):
        window = replace(view.window, size=128)
        numbers = torch.tensor(view.numbers(found.side), dtype=torch.float64)[None]
        uv, depth = upright.project(torch.tensor(in_cube(found, k, points)), numbers)
        pixels, away = project(view.photo, points)
        for at, (row, column) in zip(uv[0].numpy(), pixels[:, ::-1]):
            dot = replace(view.photo, image=0 * view.photo.image, mask=np.zeros_like(view.photo.mask))
            r, c = int(row), int(column)
            dot.mask[r - 1 : r + 2, c - 1 : c + 2] = 255
            seen = replace(view, photo=dot)._cut(dot, window)[..., 3]
            rows, columns = np.nonzero(seen > 0.3)
            there = (np.array([columns.mean(), rows.mean()]) + 0.5) / 64 - 1
            assert np.abs(there - at).max() < 0.04, f"view {k}"
        np.testing.assert_allclose((depth[0].numpy() * found.side + view.away), _ahead(view, points), rtol=1e-6)


def _ahead(view, points):
    return -(np.asarray(points) - view.photo.camera[:3, 3]) @ view.axes[:, 2]


def test_fits_carry_the_first_cube_into_the_others(found):
    points = np.random.default_rng(1).uniform(-0.5, 0.5, (5, 3)) * found.side + found.middle
    own = fitted(torch.tensor(in_cube(found, 0, points)), torch.tensor(found.fits()))
    for k in range(len(found.views)):
        np.testing.assert_allclose(own[k], in_cube(found, k, points), atol=1e-9)


def test_the_square_shows_the_object_upright_whichever_way_the_camera_was_rolled():
    flat, tilted = (straight(photographed(rolled(cameras()[0], angle)), MIDDLE).square(96) for angle in (0, 25))
    assert flat.shape == (96, 96, 4)
    assert np.abs(flat[..., 3] - tilted[..., 3]).mean() < 0.02
    rows = np.flatnonzero((flat[..., 3] > 0.5).any(1))
    columns = np.flatnonzero((flat[..., 3] > 0.5).any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(96 * 0.875, abs=2), "margins as everywhere"


def test_a_camera_above_looks_down_with_the_pictures_bottom_in_front():
    eye = MIDDLE + [0, 0, 5.0]
    view = straight(photographed(frames.look_at(eye, MIDDLE)), MIDDLE)
    assert np.degrees(view.elevation) == pytest.approx(89) and view.azimuth == pytest.approx(-np.pi / 2)


def test_the_way_back_through_a_lens():
    from maquette.geometry.hull import distorted

    x, y = np.random.default_rng(0).uniform(-0.6, 0.6, (2, 50))
    np.testing.assert_allclose(undistorted(*distorted(x, y, BENT), BENT), (x, y), atol=1e-6)


def test_what_cannot_be_is_told(photos):
    with pytest.raises(ValueError, match="all cameras look the same way"):
        rectified([photos[0], replace(photos[0], name="again")])
    with pytest.raises(ValueError, match="no point in space is inside all masks"):
        moved = photos[1].camera.copy()
        moved[2, 3] += 4
        rectified([photos[0], replace(photos[1], camera=moved), photos[2]])
    with pytest.raises(ValueError, match="looks away"):
        behind = photos[0].camera @ np.diag([1.0, -1, -1, 1])
        straight(replace(photos[0], camera=behind), MIDDLE).square(64)
