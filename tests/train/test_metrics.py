"""Metrics against values worked out by hand."""

import numpy as np
import pytest
import trimesh

from maquette.geometry.mesh import Mesh
from maquette.train.evaluate import metrics


def of(shape):
    return Mesh(shape.vertices.astype(np.float32), shape.faces.astype(np.int32), None)


def box(*sides, at=(0, 0, 0)):
    shape = trimesh.creation.box(sides)
    shape.apply_translation(at)
    return of(shape)


def ball(radius):
    return of(trimesh.creation.icosphere(subdivisions=5, radius=radius))


def test_a_shape_agrees_with_itself_whatever_its_size_and_place():
    scores = metrics.score(box(2, 4, 6, at=(3, 1, -7)), box(0.1, 0.2, 0.3), points=20_000)
    assert scores.iou == 1
    assert scores.chamfer < 0.01  # two drawings of one surface
    assert scores.f2 > 0.99
    assert scores.normals > 0.97


def test_half_a_cube_overlaps_a_cube_by_half():
    assert metrics.score(box(1, 1, 0.5), box(1, 1, 1), points=1000).iou == 0.5


def test_nothing_is_aligned():
    """A slab across and a slab along share their crossing: .25 of .75."""
    assert metrics.score(box(1, 0.5, 1), box(0.5, 1, 1), points=1000).iou == pytest.approx(1 / 3)


def test_a_ball_fills_its_share_of_the_cube():
    filled = metrics.occupancy(metrics.normalise(ball(3)), 64)
    assert filled.mean() == pytest.approx(np.pi / 6, rel=0.01)


def test_occupancy_is_indexed_x_y_z():
    """A post up z on a long foot along x."""
    foot, post = trimesh.creation.box((1, 0.5, 0.25)), trimesh.creation.box((0.25, 0.25, 0.5))
    foot.apply_translation((0, 0, -0.25))
    post.apply_translation((0.375, 0, 0.125))
    filled = metrics.occupancy(of(trimesh.util.concatenate([foot, post])), 16)
    assert filled[0, 8, 4] and filled[15, 8, 4]  # the foot's two ends
    assert filled[14, 8, 9] and not filled[1, 8, 9]  # the post stands at +x
    assert not filled[8, 0, 4]  # and nothing reaches y = -.5


def test_iou_of_grids():
    a, b = np.zeros((2, 4, 4, 4), bool)
    a[:2], b[1:3] = True, True
    assert metrics.iou(a, b) == pytest.approx(1 / 3)
    assert metrics.iou(a & False, b & False) == 1
    with pytest.raises(ValueError, match="cannot be compared"):
        metrics.iou(a, np.zeros((2, 2, 2), bool))


def test_balls_one_inside_the_other_are_their_radii_apart():
    inner, outer = (metrics.sample(ball(r), 50_000, seed) for seed, r in enumerate((0.45, 0.5)))
    chamfer, f1, f6, normals = metrics.surface_scores(*inner, *outer, tolerances=(0.01, 0.06))
    assert chamfer == pytest.approx(0.05, rel=0.02)
    assert f1 == 0 and f6 == 1
    assert normals > 0.99


def test_f_score_weighs_what_is_missing():
    """One of two parallel squares: every point of it is right, half of the truth is missed: 2 * 1 * .5 / 1.5."""
    plane = np.random.default_rng(0).random((20_000, 3)) * [1, 1, 0]
    up = np.broadcast_to([0.0, 0, 1], plane.shape)
    both = np.concatenate([plane, plane + [0, 0, 0.5]])
    chamfer, f2, normals = metrics.surface_scores(plane, up, both, np.tile(up, (2, 1))[: len(both)], tolerances=(0.02,))
    assert f2 == pytest.approx(2 / 3)
    assert chamfer == pytest.approx(0.5 * 0.5 / 2, rel=0.01)
    assert normals == pytest.approx(1)


def test_perpendicular_normals_do_not_agree():
    points = np.random.default_rng(0).random((500, 3))
    x, z = np.broadcast_to([1.0, 0, 0], points.shape), np.broadcast_to([0.0, 0, 1], points.shape)
    assert metrics.surface_scores(points, x, points, z)[-1] == 0
    assert metrics.surface_scores(points, x, points, -x)[-1] == 1  # inside out counts as agreeing


def test_points_fall_by_area_and_come_again_from_their_seed():
    points, normals = metrics.sample(box(1, 1, 3), 14_000, seed=5)
    ends = np.abs(np.abs(points[:, 2]) - 1.5) < 1e-6
    assert ends.sum() == pytest.approx(14_000 * 2 / 14, abs=4)
    assert np.allclose(np.abs(normals[ends]), [0, 0, 1])
    again, _ = metrics.sample(box(1, 1, 3), 14_000, seed=5)
    assert np.array_equal(points, again)


def test_a_quarter_turn_brings_x_to_y():
    turned = metrics.turn(box(0.2, 0.2, 0.2, at=(1, 0, 2)), 90)
    assert np.allclose(turned.vertices.mean(0), [0, 1, 2], atol=1e-6)


def test_what_has_no_size_is_refused():
    flat = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32), None)
    with pytest.raises(ValueError, match="no size"):
        metrics.normalise(flat)
    with pytest.raises(ValueError, match="without faces"):
        metrics.normalise(Mesh(np.zeros((3, 3), np.float32), np.zeros((0, 3), np.int32), None))
