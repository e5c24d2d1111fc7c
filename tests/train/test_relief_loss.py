"""The depths and normals that a ball and a thin sheet have by geometry, and the loss that wants them."""

import math

import pytest
import torch

from maquette.nets.camera import cell_centres, project
from maquette.nets.relief import SIDE
from maquette.train.recipes.relief_loss import SURFACE, relief_loss, surfaces

CELLS, RADIUS = 64, 0.3
CAMERA = torch.tensor([[math.radians(25), 0.5, 1e-6, 0.0, 0.0], [0.0, 0.5, 0.3, 0.1, -0.05]])
EVERY = torch.ones(2, SIDE * SIDE, dtype=torch.bool)


@pytest.fixture(scope="module")
def ball():
    at = cell_centres(CELLS).reshape(1, 1, CELLS, CELLS, CELLS, 3)
    return (RADIUS - at.norm(dim=-1)).clamp(-0.1, 0.1).expand(2, -1, -1, -1, -1)


def test_a_ball_is_entered_and_left_where_geometry_says(ball):
    which, pixel, truth = surfaces(EVERY, ball, CAMERA)
    straight = which == 0  # hardly any perspective: parallel rays
    pixel, truth = pixel[straight], truth[straight]
    scale = math.exp(0.5)
    u, v = ((index + 0.5) * 2 / SIDE - 1 for index in (pixel % SIDE, pixel // SIDE))
    square = (RADIUS - SURFACE) ** 2 * scale**2 - u**2 - v**2
    assert (square > -0.03).all()
    inner = square > 0.12  # grazing rays say little
    assert torch.allclose(truth[inner, 0], -square[inner].sqrt(), atol=0.02)
    assert torch.allclose(truth[inner, 1], square[inner].sqrt(), atol=0.02)
    normal = torch.stack([u, -v, square.clamp_min(0).sqrt()], 1)[inner]
    normal = normal / normal.norm(dim=1, keepdim=True)
    assert (torch.nn.functional.cosine_similarity(truth[inner, 2:], normal) > 0.98).all()


def test_pixels_that_hit_are_those_of_the_outline(ball):
    which, pixel, _ = surfaces(EVERY, ball, CAMERA)
    uv, _ = project(cell_centres(CELLS)[ball[0].flatten() > 0], CAMERA)
    for number in range(2):
        edge = uv[number].abs().amax(0)
        at = pixel[which == number]
        u = ((at % SIDE).float() + 0.5) * 2 / SIDE - 1
        assert abs(u.abs().max() - edge[0]) < 0.08


def test_a_sheet_thinner_than_a_step_is_hit():
    at = cell_centres(CELLS).reshape(1, 1, CELLS, CELLS, CELLS, 3)
    sheet = (0.008 - at[..., 1].abs()).clamp(-0.1, 0.1)
    _, pixel, truth = surfaces(EVERY[:1], sheet, torch.tensor([[0.0, 0.3, 1e-6, 0.0, 0.0]]))
    assert len(pixel) > 0.4 * SIDE * SIDE
    assert truth[:, 0].abs().max() < 0.06 and truth[:, 1].abs().max() < 0.06
    assert (truth[:, 4] > 0.99).float().mean() > 0.75  # it faces the camera, but for its rim


def test_what_is_seen_alone_counts(ball):
    nothing = torch.zeros(2, SIDE * SIDE, dtype=torch.bool)
    assert len(surfaces(nothing, ball, CAMERA)[0]) == 0
    picture = torch.zeros(2, 4, 128, 128)
    loss, _ = relief_loss(torch.zeros(2, 9, SIDE, SIDE), picture, ball, CAMERA)
    assert loss == 0


def test_the_true_maps_cost_nothing_and_others_more(ball):
    picture = torch.ones(2, 4, 128, 128)
    which, pixel, truth = surfaces(EVERY, ball, CAMERA)
    maps = torch.zeros(2, 9, SIDE * SIDE)
    maps[which, :5, pixel] = truth
    right, parts = relief_loss(maps.unflatten(2, (SIDE, SIDE)), picture, ball, CAMERA)
    wrong, _ = relief_loss(0.5 * maps.unflatten(2, (SIDE, SIDE)), picture, ball, CAMERA)
    assert right < 1e-4 and wrong > 0.1 and set(parts) == {"front", "back", "normal"}
