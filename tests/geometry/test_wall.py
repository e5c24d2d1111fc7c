"""A ball before a wall."""

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.wall import MARGIN, Plane, wall_of

CELLS = 48


def places():
    return frames.cell_centres((CELLS,) * 3).reshape(-1, 3)


def eyes(normal, count=12):
    """Cameras at distance 2 in a cone round a direction."""
    random = np.random.default_rng(3)
    ways = normal + 0.35 * random.normal(size=(count, 3))
    return 2 * ways / np.linalg.norm(ways, axis=1, keepdims=True)


@pytest.mark.parametrize("normal, offset", [((0, 0, 1), -0.3), ((0.8, 0.6, 0), -0.2), ((-0.48, 0.6, 0.64), -0.25)])
def test_a_wall_is_found_where_it_is(normal, offset):
    normal = np.array(normal, float)
    points = places()
    slab = np.abs(points @ normal - offset) < 0.7 / CELLS
    ball = np.linalg.norm(points, axis=1) < 0.18
    found, at = wall_of((slab | ball).reshape((CELLS,) * 3), eyes(normal))
    assert found @ normal > 0.999 and at == pytest.approx(offset + MARGIN / CELLS, abs=0.4 / CELLS)


def test_a_ball_alone_and_a_box_seen_all_round_have_none():
    points = places()
    ball = (np.abs(np.linalg.norm(points, axis=1) - 0.4) < 0.02).reshape((CELLS,) * 3)
    assert wall_of(ball, eyes(np.array([0, 0, 1.0]))) is None
    box = (np.abs(np.abs(points).max(1) - 0.4) < 0.02).reshape((CELLS,) * 3)
    around = np.concatenate([eyes(np.array(way, float)) for way in ((1, 0, 0), (-1, 0, 0), (0, 1, 0), (0, -1, 0))])
    around = np.concatenate([around, eyes(np.array([0, 0, 1.0])), eyes(np.array([0, 0, -1.0]))])
    assert wall_of(box, around) is None
    assert wall_of(np.zeros((CELLS,) * 3, bool), around) is None


def test_distance_before_a_plane():
    plane = Plane((0.0, 0.6, 0.8), 2.0)
    np.testing.assert_allclose(plane.before([[0, 0.6 * 3, 0.8 * 3], [5, 0, 0]]), [1, -2], atol=1e-12)
