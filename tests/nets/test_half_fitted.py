"""A fitting that is kept and goes on."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from maquette.geometry import frames
from maquette.geometry.hull import Similarity
from maquette.nets import fit_radiance, half_fitted
from maquette.nets.fit_radiance import plan, rest_of
from maquette.nets.fit_stage import Fitted
from maquette.nets.radiance_field import DensityField, RadianceField
from maquette.nets.surface_volume import at_corners, band
from maquette.nets.surroundings import Surroundings
from maquette.nets.voxel_grid import VoxelGrid


@pytest.fixture
def ball():
    """A ball at the second stage of three, before surroundings whose cube is another one."""
    stage = plan(192)[1]
    side = torch.linspace(-0.5, 0.5, stage.resolution + 1)
    x, y, z = torch.meshgrid(side, side, side, indexing="ij")
    volume = 0.3 - (x * x + y * y + z * z).sqrt()
    grid = VoxelGrid(band(volume, 2))
    around = Surroundings(16)
    around.close(torch.rand(16, 16, 16) > 0.5)
    around.move(Similarity((0, 0, 0), 2.0), Similarity((1, 2, 3), 1.0))
    field = RadianceField(grid, at_corners(grid, volume))
    field.sharpness.fill_(2.5)
    return Fitted(field, volume, Similarity((1.0, 2.0, 3.0), 1.0), stage, 70, [], around)


def test_what_comes_back_is_what_was_kept(ball, tmp_path):
    half_fitted.save(tmp_path / "f", ball, {"photos": "these"})
    again = half_fitted.load(tmp_path / "f", {"photos": "these"})
    assert (again.steps, again.stage, again.similarity) == (70, ball.stage, ball.similarity)
    assert torch.equal(again.volume, ball.volume) and torch.equal(again.field.distance, ball.field.distance)
    origins, ways = torch.rand(9, 3), torch.nn.functional.normalize(torch.randn(9, 3), dim=1)
    np.testing.assert_allclose(again.around(origins, ways).detach(), ball.around(origins, ways).detach(), atol=2e-3)


def test_fog_comes_back_as_fog(ball, tmp_path):
    ball.field = DensityField(ball.field.grid, ball.field.distance.detach())
    half_fitted.save(tmp_path / "f", ball, {})
    assert type(half_fitted.load(tmp_path / "f", {}).field) is DensityField


def test_depths_that_were_found_come_back(ball, tmp_path):
    """They hold the surface to the end, not until the first stop alone; where nobody was sure, nobody is."""
    ball.depths = [torch.tensor([[1.25, torch.nan, 2.5], [0.75, 1.5, torch.nan]]), torch.full((1, 1), torch.nan)]
    half_fitted.save(tmp_path / "f", ball, {})
    again = half_fitted.load(tmp_path / "f", {}).depths
    assert [one.shape for one in again] == [(2, 3), (1, 1)]
    assert all(torch.equal(a.nan_to_num(-1), b.nan_to_num(-1)) for a, b in zip(again, ball.depths))
    ball.depths = None
    half_fitted.save(tmp_path / "f", ball, {})
    assert half_fitted.load(tmp_path / "f", {}).depths is None


def test_what_goes_on_is_held_by_them(ball, monkeypatch):
    class Enough(Exception):
        pass

    def pixels(photos, similarity, device, seed, shown, depths):
        assert depths is ball.depths and similarity is ball.similarity
        raise Enough

    ball.depths, ball.around = [torch.ones(2, 2)], None
    monkeypatch.setattr(fit_radiance, "Pixels", pixels)
    photo = SimpleNamespace(mask=None)
    with pytest.raises(Enough):
        fit_radiance.fit([photo], ball.similarity, plan(192), begun=ball)


def test_it_goes_on_at_its_stage_as_sharp_as_it_was(ball):
    first, *later = rest_of(plan(192), ball)
    assert first.resolution == 128 and first.sharp == (2.5, 3.0) and [s.resolution for s in later] == [192]


def test_numbers_that_are_none_are_a_sentence(ball, tmp_path):
    ball.volume[0, 0, 0] = float("nan")
    half_fitted.save(tmp_path / "f", ball, {})
    with pytest.raises(ValueError, match="damaged on disk"):
        half_fitted.load(tmp_path / "f", {})


def test_a_cube_within_another_sees_the_same():
    """Rays given in a smaller cube look up what they did in the larger one."""
    old, new = Similarity((1.0, 2.0, 3.0), 2.0), Similarity((1.2, 2.1, 2.8), 0.5)
    around = Surroundings(16)
    torch.nn.init.normal_(around.table)
    world = torch.rand(20, 3).double().numpy() * 4
    ways = torch.nn.functional.normalize(torch.randn(20, 3), dim=1)
    places = [torch.as_tensor(box.to_cube(world), dtype=torch.float32) for box in (old, new)]
    before = around(places[0], ways)
    around.move(old, new)
    np.testing.assert_allclose(around(places[1], ways).detach(), before.detach(), atol=1e-4)


def test_nothing_lies_close_before_a_camera():
    from maquette.geometry.scene import Photo
    from maquette.nets.fog import NEAR, barred

    photo = Photo(
        "a", np.zeros((20, 20, 3), np.uint8), frames.orbit(0, 0, 1.5, np.zeros(3)), frames.intrinsics(40.0, 20, 20)
    )
    around = Surroundings()
    closed = barred(around, [photo, photo], Similarity((0, 0, 0), 1.0))
    at = torch.as_tensor(photo.camera[:3, 3] * 0.3, dtype=torch.float32)  # within the cube, past NEAR
    assert NEAR < 0.7 and not closed[tuple(((at + 1) / 2 * 95).round().long())]
    assert not closed[48, 48, 48] and closed.any()


def test_gains_and_the_wall_are_kept(ball, tmp_path):
    from maquette.geometry.wall import Plane
    from maquette.nets.exposure import Exposure

    ball.exposure, ball.plane, ball.smooth = Exposure(3), Plane((0.0, 0.0, 1.0), 2.5), 3.0
    ball.exposure.log[1, 2] = 0.25
    half_fitted.save(tmp_path / "f", ball, {})
    again = half_fitted.load(tmp_path / "f", {})
    assert torch.equal(again.exposure.log, ball.exposure.log) and again.plane == ball.plane and again.smooth == 3


def test_behind_a_wall_there_is_nothing(ball):
    """A ball at (1, 2, 3) of radius .3, cut off below z = 2.9: a plane there, and the same ball above it."""
    from maquette.geometry.wall import Plane
    from maquette.nets.surface_volume import cut_off

    cut = cut_off(ball.volume, Plane((0.0, 0.0, 1.0), 2.9), ball.similarity)
    n = len(cut)
    z = np.linspace(-0.5, 0.5, n)
    assert (cut[:, :, z < -0.1] <= 1e-6).all() and torch.equal(cut[:, :, z > 0.2], ball.volume[:, :, z > 0.2])
    assert cut_off(ball.volume, None, ball.similarity) is ball.volume
