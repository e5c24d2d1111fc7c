"""The table of several views: a row for each number of pictures, sides told and searched for, beside the hull."""

import numpy as np
import pytest
import torch

from maquette.nets.image_to_field import Config, ImageToField
from maquette.train.evaluate import command, metrics, several


@pytest.fixture
def untrained(monkeypatch):
    torch.manual_seed(0)
    network = ImageToField(Config(width=8, encoder=8, vector=16, detail=8, several=4)).eval()
    monkeypatch.setattr(several, "read_network", lambda *_: (network, {"sha256": "0" * 64, "level": 0.5}))
    return network


def test_a_row_for_each_number_of_pictures(untrained, capsys):
    assert command.main(["several", "--procedural", "1", "--points", "500", "--device", "cpu"]) == 0
    said = capsys.readouterr().out
    told = [f"**{count} pictures, sides told**" for count in (2, 3, 5)]
    assert all(f"| {row} |" in said for row in ["**1 picture**", *told, "5 pictures, sides searched for"])
    assert "| visual hull of 5 true cameras |" in said


def test_the_hull_of_true_cameras_holds_the_shape():
    """Its masks show all of the shape, so the hull lacks nothing of it, but for a cell at its skin; of sheets of two
    cells that is all there is."""
    thick = 0
    for views in several.held_out(4, "validation"):
        hull = views.hull().values > 0.5
        inside = metrics.occupancy(views.case.truth, 64)
        deep = inside & np.roll(inside, 1, 0) & np.roll(inside, -1, 0) & np.roll(inside, 1, 2) & np.roll(inside, -1, 2)
        assert hull.sum() < 0.9 * hull.size
        if deep.sum() > 0.2 * inside.sum():
            assert (hull & deep).sum() > 0.97 * deep.sum()
            thick += 1
    assert thick >= 2


def test_weights_of_one_picture_are_a_sentence(monkeypatch, capsys):
    network = ImageToField(Config(width=8, encoder=8, vector=16, detail=8))
    monkeypatch.setattr(several, "read_network", lambda *_: (network, {"sha256": "0" * 64}))
    assert command.main(["several", "--procedural", "1"]) == 1
    assert "trained on one picture of an object alone" in capsys.readouterr().err


def test_objects_want_known_cameras(untrained, tmp_path, capsys):
    assert command.main(["several", "--objects", str(tmp_path / "none")]) == 1
    assert "is not a folder of objects" in capsys.readouterr().err
