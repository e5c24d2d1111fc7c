"""Shards that several files train on."""

import pytest

from maquette.train.shapes import shards, world


@pytest.fixture(scope="session")
def packages(tmp_path_factory):
    """A folder with shards of one family: enough to fit a small image_to_field to."""
    root = tmp_path_factory.mktemp("shards")
    for split in ("train", "library", "validation"):
        (root / split).mkdir()
        shards.save(world.sample(1, 8, split, ["package"], background=False), root / split / "shard-00000.npz")
    return root
