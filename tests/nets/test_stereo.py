"""Depth from neighbouring photos, of a ball whose depth is known, and what many photos' depths say together."""

import numpy as np
import pytest
import torch

from maquette.geometry import frames
from maquette.geometry.hull import Similarity
from maquette.geometry.scene import Photo
from maquette.nets import fused, stereo
from maquette.nets.pixels import Pixels

from .ball import AZIMUTHS, CUBE, RADIUS, SIDE, photo


@pytest.fixture(scope="module")
def seen():
    """Photos all round, what is swept from them, and true depths."""
    photos, truth = zip(*(photo(azimuth) for azimuth in AZIMUTHS))
    return list(photos), stereo.depth_maps(list(photos), CUBE), truth


def errors(maps, truth):
    """Relative errors of sure depths of the ball, and the share of it that is sure."""
    off, sure, total = [], 0, 0
    for one, depth in zip(maps, truth):
        true = torch.from_numpy(depth).float()
        ball = true.isfinite()
        off.append(((one.depth - true) / true)[ball & one.sure])
        sure, total = sure + int((ball & one.sure).sum()), total + int(ball.sum())
    return torch.cat(off).abs(), sure / total


def test_depths_are_true_where_photos_agree(seen):
    _, maps, truth = seen
    off, sure = errors(maps, truth)
    assert maps[0].depth.shape == (SIDE, SIDE) and sure > 0.7
    assert off.median() < 0.003 and off.quantile(0.95) < 0.015


def test_nobody_is_sure_of_a_far_wall(seen):
    """It lies beyond where anything is looked for."""
    _, maps, truth = seen
    wall = [one.sure[torch.from_numpy(np.isnan(depth))].float().mean() for one, depth in zip(maps, truth)]
    assert np.mean(wall) < 0.06


def test_without_texture_nobody_is_sure():
    photos, truth = zip(*(photo(azimuth, strength=0.0) for azimuth in AZIMUTHS[:6]))
    assert errors(stereo.depth_maps(list(photos), CUBE), truth)[1] < 0.1


def test_a_lens_that_bends_lines_is_no_matter():
    photos, truth = zip(*(photo(azimuth, distortion=(-0.2, 0.05, 0.003, -0.002)) for azimuth in AZIMUTHS[:6]))
    off, sure = errors(stereo.depth_maps(list(photos), CUBE), truth)
    assert sure > 0.6 and off.median() < 0.004


def test_exposure_is_no_matter():
    """Each photo darker than the one before."""
    dim = []
    for number, azimuth in enumerate(AZIMUTHS[:6]):
        one, depth = photo(azimuth)
        dim.append((Photo(one.name, (one.image * 0.85**number).astype(np.uint8), one.camera, one.pinhole), depth))
    photos, truth = zip(*dim)
    off, sure = errors(stereo.depth_maps(list(photos), CUBE), truth)
    assert sure > 0.6 and off.median() < 0.004


def test_neighbours_are_those_a_little_further_round(seen):
    photos, _, _ = seen
    for number, near in enumerate(stereo.neighbours(photos, CUBE)):
        apart = [min((number - other) % 24, (other - number) % 24) for other in near]
        assert sorted(apart) == [1, 1, 2, 2]


@pytest.mark.parametrize("apart", [0.0, 0.4])
def test_photos_from_one_place_say_nothing(apart):
    """Whatever depth one thinks of, they look alike."""
    maps = stereo.depth_maps([photo(number * apart)[0] for number in range(3)], CUBE)
    assert not any(one.sure.any() for one in maps) and all(one.depth.isfinite().all() for one in maps)


def test_a_camera_in_the_middle_is_no_matter(seen):
    """As where somebody only turned round."""
    camera = frames.look_at(np.array(CUBE.centre) + 1e-9, (9, 2, 3))
    inside = Photo("inside", seen[0][0].image, camera, seen[0][0].pinhole)
    maps = stereo.depth_maps([inside, *seen[0][:5]], CUBE)
    assert all(one.depth.isfinite().all() for one in maps)


def test_whoever_has_no_time_gets_nothing(seen):
    told = []
    assert stereo.depth_maps(seen[0], CUBE, enough=lambda share: told.append(share) or share > 0.1) is None
    assert np.allclose(told, np.arange(1, 4) / 24)


def test_together_they_make_the_surface(seen):
    """In a smaller cube of its own, from a ball that is a tenth too large."""
    _, maps, _ = seen
    new = Similarity((1.1, 2.0, 2.9), 1.6)
    n = 64
    side = np.linspace(-0.5, 0.5, n + 1)
    corners = np.stack(np.meshgrid(side, side, side, indexing="ij"), -1)
    from_middle = np.linalg.norm(CUBE.to_cube(new.to_world(corners.reshape(-1, 3))), axis=1).reshape((n + 1,) * 3)
    first, truth = (torch.from_numpy((r - from_middle) * CUBE.side / new.side).float() for r in (0.31, RADIUS))
    found = fused.surface_in(first, maps, CUBE, new)
    # The cameras look down: below it nobody saw it
    lit = torch.from_numpy(CUBE.to_cube(new.to_world(corners.reshape(-1, 3)))[:, 2].reshape(truth.shape) > -0.1)
    near = (truth.abs() < 1 / n) & lit
    assert (found - truth)[near].abs().median() < 0.25 / n < (first - truth)[near].abs().median()


def test_what_is_seen_through_is_clear(seen):
    _, maps, _ = seen
    places = torch.tensor([[0.0, -0.4, 0.1], [0.0, 0.0, 0.0], [0.0, 0.0, RADIUS]])
    said = fused.said_of(places, maps, CUBE)
    assert said.clear.tolist() == [True, False, False] and said.surface.tolist() == [False, False, True]
    assert said.known[1] == 0


def test_coverage_is_the_share_that_is_sure(seen):
    photos, maps, truth = seen
    ball = [np.isfinite(depth) for depth in truth]
    assert abs(fused.coverage(ball, maps) - errors(maps, truth)[1]) < 0.02
    assert fused.coverage([np.zeros_like(b) for b in ball], maps) == 0


def test_pixels_know_how_far_along_their_rays_that_is(seen):
    """In another cube: depth is along the axis, and in the first cube's unit."""
    photos, maps, _ = seen
    new = Similarity((1.1, 2.0, 2.9), 1.6)
    scale = CUBE.side / new.side
    depths = [torch.where(one.sure, one.depth * scale, torch.nan) for one in maps]
    drawn = Pixels(photos, new, "cpu", depths=depths).draw(4000)
    places = drawn.origins + drawn.along[:, None] * drawn.ways
    middle = torch.from_numpy(new.to_cube(CUBE.centre)).float()
    away = (places - middle).norm(dim=1) / scale
    ball = drawn.along.isfinite() & (away < 0.4)
    assert ball.sum() > 300 and (away[ball] - RADIUS).abs().median() < 0.005
