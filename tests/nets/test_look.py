"""What pictures show of a surface, and which of several is believed where."""

import math

import pytest
import torch

from maquette.nets.camera import cell_centres
from maquette.nets.look import Looker, bled, grown, look_from_all, within

COLOURS = torch.tensor([[1.0, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0]])
WAYS = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 1, 0], [-1, 0, 0]])
"""Where cameras stand that are turned by 0, 90, 180 and 270 degrees, to the right"""


def ball(n=32, radius=0.3):
    return torch.sigmoid((radius - cell_centres(n).norm(dim=1)) * 2 * n).reshape(n, n, n)


def from_sides(colours=COLOURS) -> list[Looker]:
    camera = torch.tensor([[0.0, math.log(2.4), 0.3, 0, 0]])
    lookers = []
    for k, colour in enumerate(colours):
        pixels = torch.cat([colour, torch.ones(1)])[None, :, None, None].expand(1, 4, 64, 64)
        fit = torch.tensor([[-k * math.pi / 2, 1.0, 0, 0, 0]])
        lookers.append(Looker(pixels, camera, fit if k else None))
    return lookers


def test_a_place_has_the_colour_of_the_view_that_it_faces():
    pixels, sure = (values.reshape(32**3, -1) for values in look_from_all(ball(), from_sides()))
    points = cell_centres(32)
    shell = (points.norm(dim=1) - 0.3).abs() < 0.5 / 32
    for way, colour in zip(WAYS, COLOURS, strict=True):
        ahead = shell & (points @ way > 0.29)
        assert ahead.sum() > 10 and (sure[ahead] > 0.9).all()
        torch.testing.assert_close(pixels[ahead], colour.expand(int(ahead.sum()), 3), atol=0.02, rtol=0)
    between = shell & (points[:, 0] > 0.19) & (points[:, 1] < -0.19)  # half way from the front to the right
    assert pixels[between].mean(0).tolist() == pytest.approx([0.5, 0.5, 0], abs=0.1)


def test_one_view_colours_all_that_it_sees():
    pixels, sure = look_from_all(ball(), from_sides()[:1])
    seen = sure.flatten() > 0.5
    assert (pixels.reshape(-1, 3)[seen] == COLOURS[0]).all()
    points = cell_centres(32)
    inside = points.norm(dim=1) < 0.3
    assert seen.sum() > 500 and not (seen & inside & (points[:, 1] > 0.05)).any()


def test_a_finer_field_is_seen_as_a_coarse_one_is():
    """Rays through 128^3 are followed in 64^3: what faces the camera is sure, what lies behind or below is not."""
    pixels, sure = look_from_all(ball(128), from_sides(COLOURS[:1]))
    points = cell_centres(128).reshape(128, 128, 128, 3)
    shell = (points.norm(dim=-1) - 0.3).abs() < 0.5 / 128
    ahead, behind = shell & (points[..., 1] < -0.2), shell & (points[..., 1] > 0.1)
    assert sure[ahead].min() > 0.9 and sure[behind].max() < 0.1
    assert torch.allclose(pixels[ahead], COLOURS[0].expand(int(ahead.sum()), 3), atol=0.02)


def test_colours_bleed_beyond_the_edge_from_within():
    """What the edge is mixed with, background, colours nothing; far beyond there is nothing still."""
    pixels = torch.zeros(1, 4, 100, 100)
    pixels[:, 0, :, :50], pixels[:, 3, :, :50] = 1.0, 1.0
    pixels[:, :, :, 50] = torch.tensor([0.5, 0.5, 0.5, 0.5])[None, :, None]
    grown_ = bled(pixels)
    assert grown_[0, :, 5, 50].tolist() == pytest.approx([1, 0, 0, 1], abs=1e-5), "the mixed edge is red, too"
    assert grown_[0, :, 5, 51].tolist() == pytest.approx([1, 0, 0, 1], abs=1e-5)
    assert torch.equal(grown_[..., 60:], pixels[..., 60:]) and torch.equal(grown_[..., :50], pixels[..., :50])
    nothing = torch.zeros(1, 4, 20, 20)
    assert torch.equal(bled(nothing), nothing)


def test_cells_within_all_masks():
    left, low = torch.zeros(1, 4, 64, 64), torch.zeros(1, 4, 64, 64)
    left[:, 3, :, :32], low[:, 3, 32:] = 1.0, 1.0
    camera = torch.tensor([[0.0, math.log(1.8), 0.1, 0, 0]])
    found = within([Looker(left, camera), Looker(low, camera, torch.tensor([[0.0, 1, 0, 0, 0]]))], 128, "cpu")
    assert found.shape == (128, 128, 128)
    assert found[:60, :, :60].all() and not found[68:].any() and not found[:, :, 68:].any()


def test_cells_grow_along_axes_to_the_grid_s_end():
    where = torch.zeros(6, 6, 6, dtype=torch.bool)
    where[1, 3, 3] = True
    found = grown(where, 2)
    assert found.sum() == 4 * 5 * 5 and found[0, 1, 5] and not found[4].any() and not where[0].any()
    assert grown(where, 9).all()
