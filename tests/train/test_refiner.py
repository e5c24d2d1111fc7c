"""refiner: closer samples agree with themselves, batches say the truth, a tiny run trains, exports and is measured."""

import json

import numpy as np
import pytest
import torch

from maquette.nets import checkpoint
from maquette.nets.camera import cell_centres, project
from maquette.train import export, loop
from maquette.train.__main__ import main
from maquette.train.evaluate import command
from maquette.train.recipes import refiner as recipe
from maquette.train.recipes.field_samples import cameras
from maquette.train.shapes import closer, shards

from .runs import losses


@pytest.fixture(scope="module")
def samples():
    return closer.sample_closer(1, 6, "validation", ["car", "seat", "package"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory, samples):
    root = tmp_path_factory.mktemp("closer")
    for split in ("train", "validation"):
        (root / f"{split}_closer").mkdir()
        shards.save(samples, root / f"{split}_closer" / "shard-00000.npz")
    return root


def settings(folder, run, **changes):
    base = {"shards": str(folder), "run": str(run), "picture": 4, "shape": 4, "width": 8, "batch": 3, "steps": 3}
    base |= {"points": 256, "pool": 6, "validation": 1, "threads": 1, "device": "cpu", "precision": "32-true"}
    return recipe.Recipe(**base | changes)


@pytest.fixture(scope="module")
def batch(folder):
    plan = settings(folder, "", points=4096)
    torch.manual_seed(0)
    return next(recipe.batches(plan, np.random.default_rng(0), "cpu"))


def test_pictures_show_what_is_inside(samples):
    assert samples.picture.shape == (6, 256, 256, 4) and samples.inside.shape == (6, 128, 128, 16)
    points = cell_centres(128)
    for picture, packed, camera in zip(samples.picture, samples.inside, cameras(torch.from_numpy(samples.camera))):
        inside = np.unpackbits(packed, axis=-1).astype(bool)
        assert np.ptp(np.argwhere(inside), axis=0).max() > 120, "the longest side fills the cube"
        uv, _ = project(points[torch.from_numpy(inside).flatten()], camera[None])
        column, row = ((uv[0] + 1) * 32).long().clamp(0, 63).T
        shown = np.zeros((64, 64), bool)
        shown[row, column] = True
        alpha = picture[..., 3].reshape(64, 4, 64, 4).mean((1, 3)) > 127
        assert alpha[row, column].mean() > 0.97
        assert (alpha & shown).sum() > 0.95 * alpha.sum()


def test_the_same_seed_draws_the_same_and_shards_keep_it(samples, tmp_path):
    again = closer.sample_closer(1, 6, "validation", ["car", "seat", "package"])
    shards.save(again, tmp_path / "shard-00000.npz")
    kept = shards.load(tmp_path / "shard-00000.npz", shards.Closer)
    assert all(np.array_equal(getattr(kept, n), getattr(samples, n)) for n in ("picture", "inside", "camera", "family"))


def test_shards_are_made_by_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shards, "SHARD", 2)
    assert main(["shards", "--closer", "--count", "1", "--folder", str(tmp_path)]) == 0
    assert len(shards.load(tmp_path / "train_closer" / "shard-00000.npz", shards.Closer)) == 2
    assert main(["shards", "--closer", "--views", "2", "--folder", str(tmp_path)]) == 1
    assert "--closer wants one picture" in capsys.readouterr().err


def test_batches_hold_the_truth_round_the_surface(batch, samples):
    """Of what was drawn, some is inside and some is not; and what is inside is where some sample has it."""
    assert batch["places"].shape == (3, 4096, 3) and 0.1 < batch["truth"].float().mean() < 0.9
    solids = np.unpackbits(samples.inside, axis=-1)
    for places, truth in zip(batch["places"].numpy(), batch["truth"].numpy()):
        assert any(np.array_equal(solid[tuple(places.T)], truth) for solid in solids)


def test_mirrored_shapes_are_seen_where_their_pictures_show_them(batch, monkeypatch):
    monkeypatch.setattr(torch, "rand", lambda *size, **more: torch.zeros(*size))
    plain, turned = recipe.prepare(batch, augment=False), recipe.prepare(batch, augment=True)
    assert torch.allclose(turned["points"], plain["points"] * torch.tensor([-1.0, 1, 1]))
    for one in (plain, turned):
        alpha = one["picture"][:, 3:]
        for k in range(3):
            inside = one["points"][k][one["truth"][k] > 0.5]
            uv, _ = project(inside, one["camera"][k : k + 1])
            shown = torch.nn.functional.grid_sample(alpha[k : k + 1], uv[:, :, None], align_corners=False)
            assert shown.mean() > 0.8
            at = 2 * inside.flip(-1)[None, None, None]
            own = torch.nn.functional.grid_sample(one["logits"][k : k + 1], at, align_corners=False)
            assert own.mean() > one["logits"][k].mean() + 1


def test_learns(batch, folder):
    torch.manual_seed(0)
    plan = settings(folder, "")
    found = losses(recipe, recipe.make(plan), recipe.prepare(batch, augment=False), plan, 25, 1e-2)
    assert found[-1] < 0.93 * found[0]


def test_bad_shards_are_named(folder, tmp_path, samples, capsys):
    with pytest.raises(ValueError, match="has no shards: run .*--closer"):
        next(recipe.batches(settings(tmp_path, ""), np.random.default_rng(0), "cpu"))
    (tmp_path / "train_closer").mkdir()
    whole = (folder / "train_closer" / "shard-00000.npz").read_bytes()
    (tmp_path / "train_closer" / "shard-00000.npz").write_bytes(whole[:9000])
    with pytest.raises(ValueError, match="no readable shards"):
        next(recipe.batches(settings(tmp_path, ""), np.random.default_rng(0), "cpu"))
    assert "shard-00000.npz is not a whole shard" in capsys.readouterr().out


def test_a_tiny_run_exports_weights_that_are_measured(folder, tmp_path, capsys):
    run = tmp_path / "run"
    loop.train(recipe, settings(folder, run))
    export.main(["refiner", "--run", str(run), "--out", str(tmp_path)])
    card = json.loads((tmp_path / "refiner.json").read_text())
    assert card["kind"] == "detail" and card["config"] == {"picture": 4, "shape": 4, "width": 8}
    assert "shards" not in card["training"]["recipe"]
    checkpoint.build("refiner", card["config"])
    capsys.readouterr()
    options = ["--procedural", "2", "--split", "validation", "--points", "500", "--told", "--mask", "128"]
    said = tmp_path / "scores.json"
    weights = str(tmp_path / "refiner.safetensors")
    assert command.main(["refiner", "--weights", weights, "--card", str(said), *options]) == 0
    text = capsys.readouterr().out
    assert "| **refined to 128³** | " in text and "camera told" in text and "masks of 128 pixels" in text
    (means,) = json.loads(said.read_text()).values()
    assert 0 < means["iou"] < 1 and 0 < means["outline"] < 1
