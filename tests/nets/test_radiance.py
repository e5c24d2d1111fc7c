"""Voxels that hold a surface, and what rays see of it."""

import math

import numpy as np
import pytest
import torch

from maquette.nets.fit_radiance import COARSEST, plan
from maquette.nets.fit_stage import Fitted, skipper
from maquette.nets.pixels import directions
from maquette.nets.radiance_field import DensityField, RadianceField, blended, eikonal
from maquette.nets.surface_volume import at_corners, band, finer
from maquette.nets.voxel_grid import VoxelGrid

RADIUS = 0.3


def ball(resolution=48, cells=5.0):
    """Its exact distance on active voxels, in red, and a Fitted round it."""
    at = torch.linspace(-0.5, 0.5, resolution + 1)
    x, y, z = torch.meshgrid(at, at, at, indexing="ij")
    volume = RADIUS - (x * x + y * y + z * z).sqrt()
    grid = VoxelGrid(band(volume, cells))
    field = RadianceField(grid, at_corners(grid, volume))
    with torch.no_grad():
        field.colour[:, :3] = torch.tensor([4.0, -4.0, 0.0])
        field.sharpness.fill_(4.0)
    return Fitted(field, volume, None, COARSEST)


def test_values_are_trilinear():
    grid = VoxelGrid(torch.ones(4, 4, 4, dtype=torch.bool))
    table = grid.corners() @ torch.tensor([1.0, -2.0, 3.0]) + 0.5  # linear, so interpolation is exact
    points = torch.rand(50, 3) - 0.5
    exact = points @ torch.tensor([1.0, -2.0, 3.0]) + 0.5
    torch.testing.assert_close(grid.values(table, grid.mixture(points)), exact)
    both = grid.values(torch.stack([table, 2 * table], 1), grid.mixture(points))
    torch.testing.assert_close(both, torch.stack([exact, 2 * exact], 1))


def test_rows_are_only_there_for_active_cells():
    active = torch.zeros(4, 4, 4, dtype=torch.bool)
    active[1, 2, 3] = True
    grid = VoxelGrid(active)
    assert len(grid) == 8
    points = torch.tensor([[-0.1, 0.1, 0.4], [0.4, 0.1, 0.4], [0.0, 0.0, 0.7]])
    assert grid.holds(points).tolist() == [True, False, False]
    dense = grid.dense(torch.ones(8), fill=-1.0)
    assert dense.sum() == 8 - (125 - 8)


@pytest.mark.parametrize("elevation", [0.0, 0.4])
def test_a_ball_is_seen_where_it_is(elevation):
    fitted = ball()
    eye = torch.tensor([0.0, -2 * math.cos(elevation), 2 * math.sin(elevation)])
    aims = torch.tensor([[0.0, 0.0, 0.0], [0.1, 0.0, 0.05], [0.0, 0.0, 0.6], [5.0, 0.0, 0.0]])
    ways = torch.nn.functional.normalize(aims - eye, dim=1)
    seen = fitted.field.render(eye.expand(4, 3), ways, skipper(fitted), step=0.5)
    assert seen.opacity[:2].min() > 0.98 and seen.opacity[2:].max() < 0.02
    along = (ways[:2] * -eye).sum(1)
    exact = along - (RADIUS**2 - (4 - along**2)).sqrt()
    torch.testing.assert_close(seen.depth[:2], exact, atol=0.25 / 48, rtol=0)
    torch.testing.assert_close(seen.colour[0], torch.sigmoid(torch.tensor([4.0, -4.0, 0.0])), atol=0.02, rtol=0)


def test_fog_thickens_with_depth():
    """And a sample half as long takes the root of what is left."""
    volume = ball().volume
    grid = VoxelGrid(band(volume, 5.0))
    fog = DensityField(grid, at_corners(grid, volume))
    cells = torch.tensor([0.0, 0.0, -3.0, -3.0, 3.0, 3.0]) / grid.resolution
    whole, half = fog.alpha(cells, 1.0)[::2], fog.alpha(cells, 0.5)[::2]
    assert 0.08 < whole[0] < 0.1 and whole[1] < 1e-5 and whole[2] > 0.999
    torch.testing.assert_close((1 - half) ** 2, 1 - whole, atol=1e-6, rtol=0)


def test_fog_is_seen_where_it_is_and_skipping_changes_nothing():
    volume = ball().volume
    grid = VoxelGrid(band(volume, 5.0))
    fog = Fitted(DensityField(grid, at_corners(grid, volume)), volume, None, COARSEST)
    eye = torch.tensor([0.3, -1.7, 0.4])
    ways = torch.nn.functional.normalize(torch.rand(200, 3) * 0.6 - 0.3 - eye, dim=1)
    quick = fog.field.render(eye.expand(200, 3), ways, skipper(fog), step=0.5)
    along = (ways * -eye).sum(1)
    aside = (eye.square().sum() - along**2).clamp_min(0).sqrt()
    assert quick.opacity[aside < RADIUS - 0.03].min() > 0.98 and quick.opacity[aside > RADIUS + 0.05].max() < 0.05
    fog.field.CLEAR_TO_OPAQUE = -9.0, 9.0  # all active cells
    slow = fog.field.render(eye.expand(200, 3), ways, skipper(fog), step=0.5)
    torch.testing.assert_close(quick.opacity, slow.opacity, atol=0.03, rtol=0)


@pytest.mark.parametrize(("kind", "kept"), [(RadianceField, 1), (DensityField, math.sqrt(48 / 64))])
def test_a_finer_field_begins_where_the_surface_is(kind, kept):
    """A distance stays one; fog grows flatter, or it would be so much steeper from cell to finer cell."""
    volume = ball().volume
    grid = VoxelGrid(band(volume, 5.0))
    coarse = kind(grid, at_corners(grid, volume))
    with torch.no_grad():
        coarse.colour[:] = grid.corners()[:, :1]
    fine, volume = finer(coarse, volume, 64, 3.0)
    exact = RADIUS - fine.grid.corners().norm(dim=1)
    torch.testing.assert_close(fine.distance.data / kept, exact, atol=1e-3, rtol=0)
    assert torch.equal(at_corners(fine.grid, volume), fine.distance.data)
    inner = exact.abs() < 2 / 64
    torch.testing.assert_close(fine.colour[inner, 0], fine.grid.corners()[inner, 0], atol=1e-3, rtol=0)


def test_what_is_skipped_changes_nothing():
    fitted = ball()
    eye = torch.tensor([0.3, -1.7, 0.4])
    ways = torch.nn.functional.normalize(torch.rand(200, 3) * 0.6 - 0.3 - eye, dim=1)
    quick = fitted.field.render(eye.expand(200, 3), ways, skipper(fitted))
    fitted.field.sharpness.fill_(0.5)
    wide = skipper(fitted)  # all active cells
    fitted.field.sharpness.fill_(4.0)
    slow = fitted.field.render(eye.expand(200, 3), ways, wide)
    torch.testing.assert_close(quick.opacity, slow.opacity, atol=0.03, rtol=0)


def test_weights_are_what_light_is_left():
    weight, opacity = blended(torch.tensor([0.5, 0.5, 0.25, 1.0]), torch.tensor([0, 0, 2, 2]), 3)
    torch.testing.assert_close(weight, torch.tensor([0.5, 0.25, 0.25, 0.75]))
    torch.testing.assert_close(opacity, torch.tensor([0.75, 0.0, 1.0]), atol=1e-5, rtol=0)


def test_gradients_reach_distance_and_colour():
    fitted = ball()
    ways = torch.nn.functional.normalize(torch.rand(64, 3) * 0.5 - 0.25 - torch.tensor([0.0, -2.0, 0.0]), dim=1)
    seen = fitted.field.render(torch.tensor([0.0, -2.0, 0.0]).expand(64, 3), ways, skipper(fitted))
    (seen.colour.sum() + seen.opacity.sum()).backward()
    for parameter in (fitted.field.distance, fitted.field.colour, fitted.field.shine[-1].weight):
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0


def test_a_true_distance_has_slope_one():
    fitted = ball()
    length, bend = eikonal(fitted.field, fitted.field.grid.neighbours())
    assert length < 1e-3 and bend < 0.05


def test_a_lens_is_undone():
    """Rays through distorted pixels hit what projects there."""
    from maquette.geometry.hull import distorted

    lens = torch.tensor([300.0, 310.0, 200.0, 150.0, 0.1, -0.03, 0.002, -0.001])
    row, column = torch.tensor([10, 149, 280]), torch.tensor([20, 200, 390])
    ways = directions(row, column, lens, torch.eye(3)).numpy().astype(np.float64)
    x, y = distorted(ways[:, 0] / -ways[:, 2], -ways[:, 1] / -ways[:, 2], lens[4:].tolist())
    np.testing.assert_allclose(x * 300 + 200, column + 0.5, atol=0.02)
    np.testing.assert_allclose(y * 310 + 150, row + 0.5, atol=0.02)


@pytest.mark.parametrize("resolution", [64, 96, 128, 192, 256])
def test_plans_fill_the_budget(resolution):
    stages = plan(resolution)
    assert stages[-1].resolution == resolution and sum(s.share for s in stages) == pytest.approx(1)


def test_an_unknown_resolution_is_a_sentence():
    with pytest.raises(ValueError, match="choose one of 64"):
        plan(100)
