"""Distances between sets of shapes, where they are known in closed form."""

import numpy as np
import pytest

from maquette.train.evaluate import sets
from maquette.train.evaluate.metrics import Mesh


def scores(generated, references):
    return sets.set_scores(
        sets.chamfer_within(generated), sets.chamfer_between(generated, references), sets.chamfer_within(references)
    )


def points(count, seed, at=0.0):
    """Clouds round places that are drawn at random, so that no two are the same."""
    random = np.random.default_rng(seed)
    return (random.normal(size=(count, 1, 3)) + 0.1 * random.normal(size=(count, 64, 3)) + at).astype(np.float32)


def test_chamfer_is_the_mean_squared_distance_both_ways():
    left, right = points(3, 0)[:, :50], points(2, 1)
    found = sets.chamfer_between(left, right)
    assert found.shape == (3, 2)
    for i, a in enumerate(left):
        for j, b in enumerate(right):
            squared = np.square(a[:, None] - b[None]).sum(2)
            assert found[i, j] == pytest.approx(squared.min(1).mean() + squared.min(0).mean(), rel=1e-4)
    within = sets.chamfer_within(left)
    assert np.allclose(within, sets.chamfer_between(left, left), atol=1e-6)


def test_two_points_have_a_distance_that_is_known():
    left, right = np.zeros((1, 1, 3), np.float32), np.array([[[3, 4, 0]]], np.float32)
    assert sets.chamfer_between(left, right)[0, 0] == pytest.approx(50)


def test_the_same_set_twice_is_covered_without_distance():
    one = points(20, 0)
    found = scores(one, one)
    # Each shape's twin is in the other set, so none has a neighbour of its own.
    assert (found.nna, found.coverage, found.mmd) == (0, 1, pytest.approx(0, abs=1e-6))


def test_two_sets_from_one_source_cannot_be_told_apart():
    assert scores(points(200, 0), points(200, 1)).nna == pytest.approx(0.5, abs=0.08)


def test_far_apart_sets_are_told_apart_always():
    found = scores(points(20, 0), points(30, 1, at=100.0))
    assert found.nna == 1
    assert found.coverage <= 4 / 30
    assert found.mmd > 2 * 3 * 95**2


def test_one_shape_over_and_over_covers_one_reference():
    references = points(10, 0)
    found = scores(np.repeat(references[:1], 10, 0), references)
    assert found.coverage == 0.1
    assert found.mmd > 0.1


def test_the_frechet_distance_of_two_gaussians():
    random = np.random.default_rng(0)
    one = random.normal(size=(4000, 3))
    one = (one - one.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(one, rowvar=False))).T  # covariance 1 exactly
    other = one * [2.0, 1.0, 3.0] + [1.0, 0.0, -2.0]
    # Of diagonal covariances: the squared distances of means and of deviations.
    assert sets.frechet(one, other) == pytest.approx(1 + 4 + (2 - 1) ** 2 + (3 - 1) ** 2, rel=1e-6)
    assert sets.frechet(one, one) == pytest.approx(0, abs=1e-9)
    turn = np.linalg.qr(random.normal(size=(3, 3)))[0]
    assert sets.frechet(one @ turn, other @ turn) == pytest.approx(10, rel=1e-6)


def test_clouds_lie_on_the_surface_and_another_seed_draws_others():
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32)
    mesh = Mesh(corners, np.array([[0, 1, 2]], np.int32))
    one = sets.clouds([mesh, mesh], 100)
    assert one.shape == (2, 100, 3)
    assert np.abs(one[..., 2]).max() == 0
    assert not np.array_equal(one[0], one[1])
    assert not np.array_equal(one, sets.clouds([mesh, mesh], 100, seed=1))
