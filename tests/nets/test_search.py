"""Where the object is in photos without masks: a ball whose surface they see, or a plain one that a fog has to find."""

import numpy as np
import pytest
import torch

from maquette.geometry.frames import cell_centres
from maquette.nets import fit_radiance, search, stereo
from maquette.nets.fit_stage import Clock
from maquette.nets.fog import FINE

from .ball import AZIMUTHS, CUBE, RADIUS, photo


@pytest.fixture(scope="module")
def turned():
    """As on a turntable: what lies behind the ball is another room in each photo."""
    return [photo(azimuth, room=9.0 + azimuth)[0] for azimuth in AZIMUTHS]


@pytest.fixture(scope="module")
def maps(turned):
    return stereo.depth_maps(turned, CUBE)


def test_it_is_found_by_its_surface(turned, maps):
    inside, plane = search.stood_out(maps, turned, CUBE)
    radii = np.linalg.norm(cell_centres(FINE), axis=-1)
    assert plane is None and inside[radii < RADIUS - 0.05].mean() > 0.95
    assert not inside[radii > RADIUS + 0.08].any()


def test_a_plain_one_is_left_to_the_fog():
    plain = [photo(azimuth, strength=0.0)[0] for azimuth in AZIMUTHS[::2]]
    assert search.stood_out(stereo.depth_maps(plain, CUBE), plain, CUBE) is None


def test_a_turned_ball_is_fitted_although_its_room_says_otherwise(turned):
    fitted = fit_radiance.fit(turned, CUBE, fit_radiance.plan(64), steps=60)
    n = len(fitted.volume) - 1
    places = (np.argwhere((fitted.volume > 0).numpy()) / n - 0.5) * (fitted.similarity.side / CUBE.side)
    places += CUBE.to_cube(fitted.similarity.centre)
    far = np.linalg.norm(places, axis=1)
    assert 0.9 * RADIUS < far.max() < 1.25 * RADIUS
    solid = 4 / 3 * np.pi * RADIUS**3 * (CUBE.side / fitted.similarity.side) ** 3
    assert abs(len(places) / n**3 / solid - 1) < 0.15


def clock(*, each, seconds=10.0, first=0.0):
    """A clock that goes on by `first` once, and then by `each` with every photo."""
    now = [0.0]
    made = Clock(seconds, now=lambda: now[0])

    def depth_maps(photos, similarity, device, enough):
        now[0] += first
        for number in range(len(photos)):
            now[0] += each
            if enough((number + 1) / len(photos)):
                return None
        return photos

    return made, depth_maps


@pytest.mark.parametrize(
    ("each", "first", "all_of_them"), [(0.1, 0.0, True), (0.1, 0.5, True), (0.2, 0.0, False), (0.1, 1.0, False)]
)
def test_it_may_take_three_tenths_of_the_time(turned, monkeypatch, each, first, all_of_them):
    """What is done once, before the first, counts once."""
    told, depth_maps = clock(each=each, first=first)
    monkeypatch.setattr(search, "depth_maps", depth_maps)
    found = search.swept(turned, CUBE, told, None, None, "cpu")
    assert (found == turned) if all_of_them else found is None
    if not all_of_them:
        assert told.passed() < 3.0


def test_cancelling_ends_it(turned):
    assert search.swept(turned, CUBE, Clock(1000.0), None, lambda: True, "cpu") is None


def test_whoever_watches_hears_of_it(turned, monkeypatch):
    told, depth_maps = clock(each=0.1)
    monkeypatch.setattr(search, "depth_maps", depth_maps)
    said = []
    search.swept(turned[:4], CUBE, told, lambda *word: said.append(word), None, "cpu")
    assert [note for _, note in said] == [f"comparing photos, {share}%" for share in (25, 50, 75, 100)]
    assert np.allclose([share for share, _ in said], [0.01, 0.02, 0.03, 0.04])


def test_of_many_photos_some_are_compared(turned, monkeypatch):
    monkeypatch.setattr(search, "MOST", 12)
    told, depth_maps = clock(each=0.0)
    monkeypatch.setattr(search, "depth_maps", depth_maps)
    assert search.swept(turned, CUBE, told, None, None, "cpu") == turned[::2]


def test_photos_that_were_not_compared_say_nothing(turned, maps):
    first, second = search.depths_in(maps[:1], turned[:2], 2.0)
    assert torch.equal(first.isfinite(), maps[0].sure) and not second.isfinite().any()
    assert torch.equal(first[maps[0].sure], 2 * maps[0].depth[maps[0].sure])
