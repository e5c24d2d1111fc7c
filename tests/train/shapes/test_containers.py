"""Containers: hollow ones in every proportion, drawn only where they are named."""

import numpy as np

from maquette.train import __main__ as command
from maquette.train.shapes import shards, world


def test_they_are_drawn_where_they_are_named_alone():
    """What the validation and the test pictures show stays the same; asked for, they come alone or beside others."""
    names = list(world.FAMILIES)
    _, drawn = world.draw_shapes(np.random.default_rng(0), 400)
    assert names.index("container") not in drawn
    _, drawn = world.draw_shapes(np.random.default_rng(0), 40, ["container"])
    assert set(drawn) == {names.index("container")}
    _, drawn = world.draw_shapes(np.random.default_rng(0), 100, ["container", "crockery"])
    assert set(drawn) == {names.index("container"), names.index("crockery")}


def test_most_are_hollow_and_the_rest_are_full():
    """Straight up from the middle of its floor stands nothing, but for contents or a lid."""
    samples = world.sample(1, 60, "validation", ["container"], background=False)
    side = samples.distance.shape[-1]
    # A bow, and what lies on its side, stand in the way: so by the share of the bounding box that is solid
    shares = []
    for grid in samples.distance < 0:
        spans = [np.flatnonzero(grid.any(tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        shares.append(grid.sum() / np.prod([s[-1] - s[0] + 1 for s in spans]))
    shares = np.array(shares)
    assert side == world.FINE and 0.7 < (shares < 0.4).mean() < 1 and (shares > 0.5).any()


def test_shards_of_the_families_that_are_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shards, "SHARD", 4)
    asked = ["shards", "--folder", str(tmp_path), "--count", "1", "--families", "container", "--sky-share", "0"]
    assert command.main(asked) == 0
    written = shards.load(tmp_path / "train" / "shard-00000.npz")
    expected = world.sample(0, 4, "train", ["container"], background=False)
    np.testing.assert_array_equal(written.picture, expected.picture)
    assert command.main([*asked, "--views", "2"]) == 0
    assert shards.load(tmp_path / "train_views" / "shard-00000.npz").picture.shape[1] == 2
