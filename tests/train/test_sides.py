"""sides: how a shape is like itself turned, pairs that say the truth, and a tiny run that trains and exports."""

import json
import math

import numpy as np
import pytest
import torch

from maquette.nets import checkpoint, turns
from maquette.train import export, loop
from maquette.train.__main__ import main
from maquette.train.recipes import sides as recipe
from maquette.train.recipes.pool import pooled
from maquette.train.shapes import shards
from maquette.train.shapes.views import sample_views

from .runs import losses


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("sides")
    for split in ("train", "validation"):
        (root / f"{split}_views").mkdir()
        shards.save(sample_views(1, 4, 3, "validation", ["seat", "car"]), root / f"{split}_views" / "shard-00000.npz")
    return root


def settings(folder, run, **changes):
    base = {"shards": str(folder), "run": str(run), "width": 4, "batch": 3, "steps": 2, "candidates": 4, "pool": 4}
    return recipe.Recipe(**base | {"validation": 2, "threads": 1, "device": "cpu", "precision": "32-true"} | changes)


@pytest.fixture(scope="module")
def batch(folder):
    return next(recipe.batches(settings(folder, ""), np.random.default_rng(0), "cpu"))


def distances(half):
    """(64, 64, 64) int8 of a box with these half sides."""
    at = np.abs(np.stack(np.meshgrid(*[(np.arange(64) + 0.5) / 64 - 0.5] * 3, indexing="ij")))
    away = (at - np.reshape(half, (3, 1, 1, 1))).max(0)
    return np.clip(np.round(away * 1270), -127, 127).astype(np.int8)


def test_how_a_shape_is_like_itself():
    """A board turned by a right angle overlaps itself by little, by half a circle wholly; a square post by all."""
    quarter, half = recipe.ANGLES // 4, recipe.ANGLES // 2
    board, post = (recipe.alike(distances(sides)) for sides in ((0.48, 0.1, 0.2), (0.15, 0.15, 0.48)))
    assert board.shape == (recipe.ANGLES,) and board[0] == 1
    assert board[half] > 0.95 and board[quarter] < 0.3 and 0.3 < board[1] < 0.99
    assert post[quarter] > 0.95 and post[half] > 0.95 and post[quarter // 2] < 0.9


def test_what_lies_between_two_angles_is_between_them():
    row = torch.linspace(0, 1, recipe.ANGLES)[None]
    step = 2 * math.pi / recipe.ANGLES
    found = recipe.overlap_of(row, torch.tensor([[0.0, step, 1.5 * step, -step, 2 * math.pi]]))
    unit = 1 / (recipe.ANGLES - 1)
    torch.testing.assert_close(found, torch.tensor([[0.0, unit, 1.5 * unit, 1.0, 0.0]]), atol=1e-4, rtol=0)


def test_pairs_say_how_the_object_is_turned(batch, folder):
    stored = shards.load(folder / "train_views" / "shard-00000.npz", shards.Views)
    angles = stored.fit[:, :, 0]
    apart = {round(float(b - a), 4) for row in angles for a in row for b in row if a != b}
    assert batch["first"].shape == (3, 5, 16, 16, 16) and batch["alike"].shape == (3, recipe.ANGLES)
    assert all(round(float(turn), 4) in apart for turn in batch["turn"])


def test_mirrored_pairs_are_turned_the_other_way(batch, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *size, **more: torch.zeros(*size))
    plain, turned = recipe.prepare(batch, False), recipe.prepare(batch, True)
    assert torch.equal(turned["turn"], -plain["turn"])
    assert torch.equal(turned["first"], plain["first"].flip(2)) and torch.equal(turned["other"], plain["other"].flip(2))


def test_it_learns_the_pairs_it_is_shown(batch):
    torch.manual_seed(0)
    plan = settings("", "", width=8)
    network, ready = recipe.make(plan).train(), recipe.prepare(batch, False)
    found = losses(recipe, network, ready, plan, 40, 3e-3)
    assert np.mean(found[-8:]) < 0.9 * np.mean(found[:4])


def test_a_pool_is_drawn_from_several_times():
    drawn = iter(range(1000))
    pool = pooled(drawn, np.random.default_rng(0), 4, 6, 2)
    rows = [next(pool) for _ in range(10)]
    assert all(len(set(row)) == 4 for row in rows)
    assert next(drawn) == 4 + 9 * 2, "four to begin with, then two for every four that are given out"


def test_a_tiny_run_trains_and_exports(folder, tmp_path, capsys):
    plan = settings(folder, tmp_path / "run")
    loop.train(recipe, plan)
    told = (tmp_path / "run" / "validation.txt").read_text()
    assert "pairs" in told and "chance" in told
    assert main(["export", "sides", "--run", str(tmp_path / "run"), "--out", str(tmp_path)]) == 0
    card = json.loads((tmp_path / "sides.json").read_text())
    assert card["config"] == {"width": 4} and card["kind"] == "sides" and "Procedural" in card["data"]
    made = checkpoint.build("sides", card["config"])
    assert sum(p.numel() for p in made.parameters()) == card["parameters"]
    assert export.LARGEST > card["bytes"]


def test_searches_are_measured(folder, tmp_path, capsys):
    """A row for each way to search, with what is believed; chance believes nothing."""
    loop.train(recipe, settings(folder, tmp_path / "run", steps=1))
    asked = ["evaluate", "sides", "--procedural", "2", "--split", "validation", "--device", "cpu", "--enough", "0"]
    assert main([*asked, "--weights", str(tmp_path / "run" / "last.pt")]) == 0
    rows = [row.split("|")[1:-1] for row in capsys.readouterr().out.splitlines() if row.startswith("|")][2:]
    named = {row[0].strip(): row[4].strip() for row in rows}
    assert list(named) == ["any turn", "outlines and the head", *(f"**sides**, {n} pictures" for n in (2, 3, 5))]
    assert named["any turn"] == "0%" and named["**sides**, 5 pictures"] == "100%"
    assert all(0 < float(row[1].split("±")[0]) <= 1 for row in rows)
    assert main([*asked, "--weights", str(tmp_path / "none.pt")]) == 1
    assert "no checkpoint of sides" in capsys.readouterr().err


def test_missing_shards_are_named(tmp_path):
    with pytest.raises(ValueError, match="train_views has no shards"):
        next(recipe.batches(settings(tmp_path, ""), np.random.default_rng(0), "cpu"))


def test_candidates_are_judged_by_the_shape_turned(batch):
    """A judge that knows the answer has next to no loss beyond what an answer between 0 and 1 costs."""
    ready = recipe.prepare(batch, False)
    wrong = turns.candidates()[None].expand(3, -1)
    truth = recipe.overlap_of(ready["alike"], wrong)
    assert (truth[:, 0] > 0.99).all() and (truth.mean(1) < 0.95).all()
