"""The loop trains, stops in time, resumes and exports; bad shards are named and passed over."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maquette.train import export, loop
from maquette.train.recipes import image_to_field as recipe
from maquette.train.recipes.base import parse
from maquette.train.shapes import pictures, shards, world


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Shards of one family: enough to fit a small network to."""
    root = tmp_path_factory.mktemp("shards")
    for split in ("train", "library", "validation"):
        (root / split).mkdir()
        shards.save(world.sample(1, 8, split, ["package"], background=False), root / split / "shard-00000.npz")
    return root


def settings(folder, run, **changes):
    base = dict(
        shards=str(folder),
        run=str(run),
        width=8,
        encoder=8,
        library=8,
        batch=4,
        minutes=0.06,
        validation=8,
        threads=1,
        cameras=4,
        device="cpu",
        precision="32-true",
    )
    return recipe.Recipe(**{**base, **changes})


def test_trains_resumes_and_exports(folder, tmp_path, capsys):
    last = loop.train(recipe, settings(folder, tmp_path / "run"))
    first = torch.load(last, weights_only=True)
    assert first["state"]["step"] > 0 and first["state"]["samples"] == 4 * first["state"]["step"]
    loop.train(recipe, settings(folder, tmp_path / "run", minutes=0.14))
    again = torch.load(last, weights_only=True)
    assert again["state"]["step"] > first["state"]["step"]
    assert "resumed" in capsys.readouterr().out
    places = ["--run", str(tmp_path / "run"), "--out", str(tmp_path / "out")]
    assert export.main(["image_to_field", *places, "--level", "0.52"]) == 0
    card = json.loads((tmp_path / "out" / "image_to_field.json").read_text())
    tensors = load_file(tmp_path / "out" / "image_to_field.safetensors")
    assert card["level"] == 0.52 and card["config"]["width"] == 8
    assert card["training"]["samples"] == again["state"]["samples"]
    assert all(t.dtype in (torch.float16, torch.uint8, torch.int64) for t in tensors.values())
    np.testing.assert_allclose(tensors["head.bias"].float(), again["averaged"]["head.bias"], atol=1e-3)


def test_two_processes_share_a_run(folder, tmp_path):
    """Both take the same steps with averaged gradients; the first alone writes."""
    recipe_of = {"width": 8, "encoder": 8, "library": 8, "batch": 4, "cameras": 4, "validation": 8, "minutes": 0.1}
    machine = {"devices": 2, "threads": 1, "device": "cpu", "shards": folder, "run": tmp_path}
    options = [f"--{name}={value}" for name, value in {**recipe_of, **machine}.items()]
    command = [sys.executable, "-m", "maquette.train", "image_to_field"]
    done = subprocess.run(command + options, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 x cpu" in done.stdout
    state = torch.load(tmp_path / "last.pt", weights_only=True)["state"]
    assert state["step"] > 0 and state["samples"] == 8 * state["step"]


def test_learns(folder):
    """A few steps on one batch bring the loss well down: gradients reach what they should."""
    torch.manual_seed(0)
    plan = settings(folder, "", library=8)
    network = recipe.make(plan)
    batch = next(iter(recipe.Batches(folder / "train", settings(folder, ""), np.random.default_rng(0))))
    prepared = recipe.prepare(batch, augment=False)
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(30):
        total, _ = recipe.loss(network, prepared, plan, progress=0.08)
        optimiser.zero_grad()
        total.backward()
        optimiser.step()
        losses.append(total.item())
    untouched = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])


def test_cameras_come_first(folder):
    """The first share of the budget moves the encoder and leaves the volumes alone."""
    plan = settings(folder, "")
    network = recipe.make(plan)
    batch = recipe.prepare(next(iter(recipe.Batches(folder / "train", plan, np.random.default_rng(0)))), augment=True)
    total, parts = recipe.loss(network, batch, plan, progress=0.0)
    total.backward()
    assert set(parts) == {"bins", "rest"}
    assert network.encoder.one[0][0].weight.grad.abs().sum() > 0 and network.head.weight.grad is None


def test_flips_move_picture_truth_and_camera_together(folder, monkeypatch):
    batch = next(iter(recipe.Batches(folder / "train", settings(folder, ""), np.random.default_rng(0))))
    plain = recipe.prepare(batch, augment=False)
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.zeros(*shape))
    monkeypatch.setattr(recipe, "disturb", lambda picture: picture)
    flipped = recipe.prepare(batch, augment=True)
    torch.testing.assert_close(flipped["picture"], plain["picture"].flip(3))
    torch.testing.assert_close(flipped["distance"], plain["distance"].flip(2))
    torch.testing.assert_close(flipped["camera"][:, 3], -plain["camera"][:, 3])


def test_without_shards_samples_are_drawn_as_needed(monkeypatch):
    plan = settings("none", "", library=8, batch=4, cameras=2)

    def packages(seed, n, split, device):
        return pictures.sample_batch(seed, n, split, device, ["package"])

    monkeypatch.setattr(recipe, "sample_batch", packages)
    network = recipe.make(plan)
    assert network.prior.masks.any(1).all()
    first = next(recipe.batches(plan, np.random.default_rng(0), "cpu"))
    total, _ = recipe.loss(network, recipe.prepare(first, augment=True), plan, progress=1.0)
    assert torch.isfinite(total) and len(first["other_picture"]) >= len(first["picture"]) > 0


def test_a_bad_shard_is_named_and_passed_over(folder, tmp_path, capsys):
    (tmp_path / "shard-00000.npz").write_bytes((folder / "train" / "shard-00000.npz").read_bytes())
    (tmp_path / "shard-00001.npz").write_bytes(b"PK not really")
    assert len(next(iter(recipe.Batches(tmp_path, settings(tmp_path, ""), np.random.default_rng(0))))["picture"]) == 4
    assert "shard-00001.npz is not a whole shard" in capsys.readouterr().out


def test_no_shards_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no readable shards"):
        next(iter(recipe.Batches(tmp_path, settings(tmp_path, ""), np.random.default_rng(0))))


def test_export_without_a_run_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="train first"):
        export.main(["image_to_field", "--run", str(tmp_path)])


def test_recipe_is_the_command_line():
    assert parse(recipe.Recipe, ["--minutes", "3", "--true-camera", "0.2"], "x").true_camera == 0.2
