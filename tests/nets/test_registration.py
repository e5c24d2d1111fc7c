"""Cameras of several pictures are brought to agree with each other's masks."""

import math

import pytest
import torch
import torch.nn.functional as F

from maquette.nets import camera, registration, turns
from maquette.nets.several_views import fitted

SIDES = (0.0, 75.0, 160.0, -100.0)
CAMERAS = torch.tensor(
    [[0.3, 0.4, 0.3, 0, 0], [0.5, 0.45, 0.25, 0.05, 0], [0.1, 0.4, 0.3, 0, 0.05], [0.7, 0.5, 0.2, 0, 0]]
)


def seat(cells=64):
    """An L of two slabs with a pole on one corner: bool (N, N, N), its longest side 1."""
    x, y, z = camera.cell_centres(cells).unbind(-1)
    low = (x.abs() < 0.4) & (y.abs() < 0.35) & ((z + 0.15).abs() < 0.06)
    back = (x.abs() < 0.4) & ((y - 0.3).abs() < 0.05) & (z > -0.2) & (z < 0.25)
    pole = ((x - 0.33).abs() < 0.07) & ((y + 0.28).abs() < 0.07) & (z.abs() < 0.5)
    return (low | back | pole).reshape(cells, cells, cells)


@pytest.fixture(scope="module")
def views():
    """Cameras, fits and alphas of the seat from four sides."""
    inside = seat()
    fits = turns.fit_of(inside.float(), torch.tensor([math.radians(side) for side in SIDES]))
    fits[0] = torch.tensor(registration.STILL)
    uv, _ = camera.project(fitted(camera.cell_centres(64)[inside.flatten()], fits), CAMERAS)
    pixel = ((uv + 1) * 28).long().clamp(0, 55)
    alphas = torch.zeros(4, 1, 56, 56)
    for alpha, at in zip(alphas, pixel):
        alpha[0, at[:, 1], at[:, 0]] = 1
    return CAMERAS, fits, F.interpolate(alphas, size=128)


def wrong(cameras):
    off = torch.tensor(
        [[0.12, 0.04, 0.02, 0.02, 0], [-0.15, -0.05, 0, 0, 0.03], [0.2, 0, 0, -0.03, 0], [-0.1, 0.06, 0, 0, 0]]
    )
    return cameras + off


def missed(cameras, fits, alphas) -> float:
    """Share of the masks that their hull does not cover."""
    masks = F.adaptive_avg_pool2d(alphas, 48)
    uv, wanted = registration.rays(F.adaptive_avg_pool2d(masks, 24))
    lacking = (wanted - registration.covered(uv, cameras, fits, masks)).clamp_min(0)
    return float((lacking.sum(1) / wanted.sum(1)).mean())


def test_what_is_projected_comes_back():
    points = torch.rand(9, 3) - 0.5
    uv, depth = camera.project(points, CAMERAS)
    torch.testing.assert_close(camera.unproject(uv, depth, CAMERAS), points.expand(4, 9, 3))


def test_true_cameras_cover_their_masks_and_wrong_ones_do_not(views):
    cameras, fits, alphas = views
    assert missed(*views) < 0.02 < 0.06 < missed(wrong(cameras), fits, alphas)


@torch.inference_mode()
def test_wrong_cameras_are_moved_towards_the_true(views):
    cameras, fits, alphas = views
    found, lie = registration.registered(wrong(cameras), fits, alphas, [(False, False)] * 4)
    assert missed(found, lie, alphas) < missed(wrong(cameras), fits, alphas) / 3
    apart = (found - cameras).abs()[:, 0].mean() / (wrong(cameras) - cameras).abs()[:, 0].mean()
    assert apart < 0.5, f"{apart:.2f} of the elevations' error is left"
    assert torch.equal(lie[:, 0], fits[:, 0]) and torch.equal(lie[0], torch.tensor(registration.STILL))


def test_what_is_told_stays(views):
    cameras, fits, alphas = views
    told = [(True, True), (True, False), (False, False), (True, False)]
    found, _ = registration.registered(wrong(cameras), fits, alphas, told)
    stayed = found[:, :2] == wrong(cameras)[:, :2]
    assert stayed.tolist() == [list(one) for one in told]


def test_a_shape_fills_its_cubes_and_is_seen_where_it_was(views):
    """Cubes twice as large and shifted, as a wrong guess of the scale leaves them."""
    cameras, fits, _ = views
    small = torch.zeros(64, 64, 64, dtype=torch.bool)
    small[20:52, 8:40, 24:56] = seat(32)
    before = camera.cell_centres(64)[small.flatten()]
    new, lie, place = registration.centred(cameras, fits, small)
    low, high = before.amin(0), before.amax(0)
    after = (before - (low + high) / 2) / ((high - low).max() + 1 / 64)
    own = fitted(after, lie)
    assert own.abs().amax(1).amax(1).tolist() == pytest.approx([0.5] * 4, abs=0.02)
    there = camera.project(own, new)[0] - camera.project(fitted(before, fits), cameras)[0]
    assert there.abs().max() < 0.05, "a camera that looks past a cube's middle is not quite one that looks at it"


def test_where_there_is_no_shape_cubes_stay(views):
    cameras, fits, _ = views
    new, lie, _ = registration.centred(cameras, fits, torch.zeros(64, 64, 64, dtype=torch.bool))
    assert torch.equal(new, cameras) and torch.equal(lie, fits)


def test_true_cameras_say_how_far_a_shape_reaches_at_least(views):
    """No further than it does, and nearly as far; a cube twice as large says the same."""
    cameras, fits, alphas = views
    points = camera.cell_centres(64)[seat().flatten()]
    for side in (1.0, 2.0):
        own, lie = registration.moved(cameras, fits, torch.zeros(4, 3), torch.full((4,), side))
        low, high = registration.wanted(own, lie, alphas) * side
        assert (low > points.amin(0) - 0.05).all() and (high < points.amax(0) + 0.05).all()
        assert (high - low)[2] > 0.85, "a pole from top to bottom"


def test_lines_of_sight_cross_at_a_place(views):
    cameras, fits, _ = views
    place = torch.tensor([0.1, -0.2, 0.15])
    uv = camera.project(fitted(place[None], fits), cameras)[0][:, 0]
    torch.testing.assert_close(registration.crossing(cameras, fits, uv), place, atol=1e-4, rtol=0)


def test_what_a_cube_is_to_hold_besides_is_held(views):
    cameras, fits, _ = views
    small = torch.zeros(64, 64, 64, dtype=torch.bool)
    small[28:36, 28:36, 28:36] = True
    _, _, place = registration.centred(cameras, fits, small, torch.tensor([[-0.1, -0.1, -0.4], [0.1, 0.1, 0.2]]))
    assert place.tolist() == pytest.approx([0, 0, -0.1, 0.6 + 1 / 64], abs=1e-6)
