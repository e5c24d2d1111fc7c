"""Light from all round: what skies are made of, what they do to a picture, and what they leave alone."""

import numpy as np
import pytest

from maquette.train import __main__ as command
from maquette.train.shapes import fast, shards, skies, world
from maquette.train.shapes import program as P
from maquette.train.shapes.camera import draw_setting

BOUNDS = np.array([[[-0.5, -0.4, -0.3], [0.5, 0.4, 0.3]]] * 40)


def settings(sky):
    return draw_setting(np.random.default_rng(4), BOUNDS, sky)


def test_only_light_is_another():
    """The same seed gives the same objects from the same cameras with skies and without."""
    lamp, sky = settings(None), settings(skies.Skies(0.5))
    for name in ("camera", "floor", "elevation", "distance"):
        np.testing.assert_array_equal(getattr(lamp, name), getattr(sky, name))
    lit = sky.sky.any((1, 2))
    assert 8 < lit.sum() < 32
    np.testing.assert_array_equal(lamp.light[~lit], sky.light[~lit])
    assert not sky.light[lit, 3:9].any() and (sky.light[lit, 9:12] > 0).all()  # the lamp is out, the floor is there


@pytest.mark.parametrize("maps", [None, 0.2 + np.random.default_rng(1).random((16, 32, 3)) ** 6])
def test_skies_are_light_from_somewhere(maps):
    made = skies.Skies(1.0) if maps is None else skies.Skies(1.0, skies.cut(maps)[None])
    found = settings(made)
    lobes = found.sky
    there = lobes[..., skies.COLOUR].sum(-1) > 0
    assert lobes.dtype == np.float32 and there.any(1).all() and (lobes[..., skies.COLOUR] >= 0).all()
    np.testing.assert_allclose(np.linalg.norm(lobes[there][:, :3], axis=1), 1, atol=1e-5)
    assert (lobes[there][:, 6] >= 2.9).all() and (lobes[there][:, 6] <= 501).all()
    falls = (lobes[..., skies.COLOUR] * np.maximum(lobes[..., 2:3], 0)).sum(1).mean(1) * found.light[:, 12]
    assert (falls > 0.5).all() and (falls < 1.4).all()  # a white floor is neither black nor burnt out


def test_a_panorama_keeps_its_light_and_its_sun():
    panorama = np.full((64, 128, 3), 0.1)
    panorama[16, 96] = 4000, 3000, 2000  # 45 degrees up, a quarter to the right of +y
    lobes = skies.cut(panorama)
    assert lobes.shape == (skies.LOBES, skies.WIDTH)
    sun = lobes[np.argmax(lobes[:, 3])]
    assert sun[6] > 100 and sun[:3] @ [np.sqrt(0.5), 0, np.sqrt(0.5)] > 0.99
    assert sun[3] / sun[5] == pytest.approx(2, rel=0.05)
    up = np.pi / 2 - (np.arange(32) + 0.5) / 64 * np.pi
    whole = (panorama[:32] * (np.cos(up) * np.pi / 64 * 2 * np.pi / 128)[:, None, None]).sum((0, 1)) / np.pi
    np.testing.assert_allclose(lobes[:, 3:6].sum(0), whole, rtol=1e-6)


def test_an_even_sky_is_cut_into_wide_parts():
    lobes = skies.cut(np.ones((32, 64, 3)))
    assert (lobes[:, 6] < 40).all() and np.ptp(lobes[:, 3]) < 0.5 * lobes[:, 3].mean() + 0.2
    turned = skies.turned(lobes[None], np.array([np.pi / 2]))[0]
    np.testing.assert_allclose(turned[:, 0], -lobes[:, 1], atol=1e-9)
    np.testing.assert_array_equal(turned[:, 2:], lobes[:, 2:])


def test_a_black_panorama_breaks_nothing():
    lobes = skies.cut(np.zeros((16, 32, 3)))
    assert np.isfinite(lobes).all()
    assert np.isfinite(settings(skies.Skies(1.0, lobes[None])).light).all()


@pytest.mark.parametrize(
    "maps, said",
    [({}, "no panoramas"), ({"flat": np.zeros((9, 9))}, "flat"), ({"ints": np.zeros((9, 18, 3), np.uint8)}, "ints")],
)
def test_what_is_no_panorama_is_named(tmp_path, maps, said):
    np.savez(tmp_path / "maps.npz", **maps)
    with pytest.raises(ValueError, match=said):
        skies.read(tmp_path / "maps.npz")


def lit(normal, lobe, grid, base=(0.5, 0.5, 0.5), gloss=0.0, metal=0.0, way=(0.0, 0.0, -1.0)):
    out = np.zeros(3)
    sky = np.array([[*lobe, 1.0, 1.0, 1.0, 50.0]], np.float32)
    fast.skylight(grid, sky, 0.0, 0.0, 0.0, np.array(normal, float), *way, np.array(base), gloss, metal, out)
    return out


def test_what_stands_in_the_way_keeps_a_lobe_off():
    """A wall at x = .3: light from over there does not come, light from the other side does."""
    at = (np.arange(32) + 0.5) / 32 - 0.5
    wall = np.broadcast_to(np.abs(at - 0.3)[:, None, None] - 0.05, (32, 32, 32)).astype(np.float32)
    slant = np.sqrt(0.5)
    kept, free = (lit((0, 0, 1), (x, 0, slant), wall) for x in (slant, -slant))
    assert (free > 0.3).all() and (kept < 0.4 * free).all()


def test_metal_shines_in_its_own_colour():
    """Gold shows the lobe that it mirrors as gold; what is not bare mirrors it white beside its own colour."""
    empty = np.full((16, 16, 16), 1.0, np.float32)
    gold = (0.8, 0.5, 0.1)
    metal, paint = (lit((0, 0, 1), (0, 0, 1), empty, gold, 0.8, bare) for bare in (1.0, 0.0))
    away = lit((0, 0, 1), (1, 0, 0), empty, gold, 0.8, 1.0)
    assert metal[0] / metal[2] == pytest.approx(8, rel=0.05) and paint[0] / paint[2] < 4
    assert metal.sum() > 20 * away.sum()


def test_bare_metal_is_the_worlds():
    """Some parts are bare, only glossy ones, and no old column of a table is another by it."""
    shapes, _ = world.draw_shapes(np.random.default_rng(2), 30, ["vessel", "tool"])
    parts = shapes.table[shapes.table[..., P.KIND] != P.EMPTY]
    bare = parts[:, P.METAL] > 0
    assert 0 < bare.mean() < 0.8 and (parts[bare, P.GLOSS] > 0.5).all()


def test_shards_are_lit_as_asked(tmp_path, monkeypatch, capsys):
    """To train on, most by skies; what weights are chosen by, by lamps, as ever."""
    monkeypatch.setattr(shards, "SHARD", 6)
    np.savez(tmp_path / "maps.npz", one=np.random.default_rng(0).random((16, 32, 3)).astype(np.float16))
    make = ["shards", "--count", "1", "--folder"]
    for folder, more in (
        ("lamps", ["--sky-share", "0"]),
        ("skies", []),
        ("maps", ["--skies", f"{tmp_path}/maps.npz"]),
        ("judge", ["--split", "validation"]),
    ):
        assert command.main([*make, f"{tmp_path}/{folder}", *more]) == 0
    written = (tmp_path / name / "train" / "shard-00000.npz" for name in ("lamps", "skies", "maps"))
    lamps, sky, maps = map(shards.load, written)
    judge = shards.load(tmp_path / "judge" / "validation" / "shard-00000.npz")
    np.testing.assert_array_equal(judge.picture, world.sample(0, 6, "validation", background=False).picture)
    for one in (sky, maps):
        np.testing.assert_array_equal(lamps.distance, one.distance)
        np.testing.assert_array_equal(lamps.picture[..., 3], one.picture[..., 3])
        assert (lamps.picture != one.picture).any((1, 2, 3)).any()
    assert (sky.picture != maps.picture).any()
    assert command.main([*make, f"{tmp_path}/no", "--sky-share", "2"]) == 1
    assert "--sky-share" in capsys.readouterr().err
