"""image_to_field's recipe: what its loss moves, its batches of one picture and of several, shards that are bad."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from maquette.train import export, loop
from maquette.train.recipes import disturb, field_samples
from maquette.train.recipes import image_to_field as recipe
from maquette.train.shapes import pictures, shards
from maquette.train.shapes.views import sample_views

from .runs import losses, same, settings


@pytest.fixture(scope="module")
def with_views(packages, tmp_path_factory):
    """The same shards, and some of several views."""
    root = tmp_path_factory.mktemp("views")
    for split in ("train", "library", "validation"):
        (root / split).symlink_to(packages / split)
    for split, views in (("train", 3), ("validation", 5)):
        path = root / f"{split}_views" / "shard-00000.npz"
        path.parent.mkdir()
        shards.save(sample_views(1, 6, views, split, ["package"]), path)
    return root


def test_learns(packages):
    """A few steps on one batch bring the loss well down: gradients reach what they should."""
    torch.manual_seed(0)
    plan = settings(packages, "", library=8)
    network = recipe.make(plan)
    batch = next(iter(recipe.Batches(packages / "train", settings(packages, ""), np.random.default_rng(0))))
    prepared = recipe.prepare(batch, augment=False)
    said = losses(recipe, network, prepared, plan, 30, 3e-3, progress=0.08)
    untouched = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched
    assert np.mean(said[-5:]) < 0.7 * np.mean(said[:3])


def test_cameras_come_first(packages):
    """The first share of the budget moves the encoder and leaves the volumes alone."""
    plan = settings(packages, "")
    network = recipe.make(plan)
    batch = recipe.prepare(next(iter(recipe.Batches(packages / "train", plan, np.random.default_rng(0)))), augment=True)
    total, parts = recipe.loss(network, batch, plan, progress=0.0)
    total.backward()
    assert set(parts) == {"bins", "rest"}
    assert network.encoder.one[0][0].weight.grad.abs().sum() > 0 and network.head.weight.grad is None


def test_depths_come_first_where_they_are_asked_for(packages):
    """Their share of the budget moves them alone; after it they learn with all else, and all else from them."""
    plan = settings(packages, "", relief=4, relief_share=0.5, camera_share=0.0)
    network = recipe.make(plan)
    batch = recipe.prepare(next(iter(recipe.Batches(packages / "train", plan, np.random.default_rng(0)))), augment=True)
    total, parts = recipe.loss(network, batch, plan, progress=0.1)
    total.backward()
    assert set(parts) == {"front", "back", "normal"}
    assert {n.split(".")[0] for n, p in network.named_parameters() if p.grad is not None} == {"relief"}
    said = losses(recipe, network, batch, plan, 30, 3e-3, progress=0.9)
    untouched = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert not untouched
    assert np.mean(said[-5:]) < 0.8 * np.mean(said[:3])
    assert {"front", "coarse"} <= set(recipe.loss(network, batch, plan, progress=0.9)[1])


def test_flips_move_picture_truth_and_camera_together(packages, monkeypatch):
    batch = next(iter(recipe.Batches(packages / "train", settings(packages, ""), np.random.default_rng(0))))
    plain = recipe.prepare(batch, augment=False)
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.zeros(*shape))
    monkeypatch.setattr(disturb, "disturb", lambda picture: picture)
    flipped = recipe.prepare(batch, augment=True)
    torch.testing.assert_close(flipped["picture"], plain["picture"].flip(3))
    torch.testing.assert_close(flipped["distance"], plain["distance"].flip(2))
    torch.testing.assert_close(flipped["camera"][:, 3], -plain["camera"][:, 3])


def test_validation_leaves_scalars_and_a_grid_of_pictures(packages, tmp_path):
    loop.train(recipe, settings(packages, tmp_path, steps=20))
    events = EventAccumulator(str(tmp_path / "log"))
    events.Reload()
    scalars = events.Tags()["scalars"]
    assert {"validation/iou_one", "loss/bins", "training/gradient_norm", "training/rate"} <= set(scalars)
    (image,) = events.Images("validation/picture_answer_truth")
    assert (image.width, image.height) == (7 * 130, 8 * 130)  # the picture, then answer and truth from three sides
    network = recipe.make(settings(packages, ""))
    grid = recipe.pictures(network, settings(packages, ""), "cpu", count=2)
    truth = grid[0, 1:129, 2 * 130 + 1 : 3 * 130 - 1]  # the first package from the front
    stored = shards.load(packages / "validation" / "shard-00000.npz").distance[0] < 0
    shadow = torch.from_numpy(stored.any(1).T[::-1].copy())[::2, ::2]
    assert ((truth[2::4, 2::4] < 0.5) == shadow).float().mean() > 0.95


def test_several_views_are_trained_on_and_validated(with_views, tmp_path, capsys):
    """Steps of one picture and of several; the layers where views meet start at nothing and learn."""
    run = tmp_path / "run"
    last = loop.train(recipe, settings(with_views, run, several=4, relief=4, steps=12, camera_share=0.0))
    weights = torch.load(last, weights_only=True)["network"]
    assert weights["meet_coarse.out.weight"].abs().max() > 0 and weights["meet_fine.out.weight"].abs().max() > 0
    line = (run / "validation.txt").read_text()
    assert all(f"{cameras}_{views} " in line for cameras in ("found", "true") for views in (1, 2, 3, 5))
    assert export.main(["image_to_field", "--run", str(run), "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "image_to_field.json").read_text())["config"]["several"] == 4


def test_without_shards_samples_are_drawn_as_needed(monkeypatch):
    plan = settings("none", "", library=8, batch=4, cameras=2)

    def packages(seed, n, split, device):
        return pictures.sample_batch(seed, n, split, device, ["package"])

    monkeypatch.setattr(field_samples, "sample_batch", packages)
    network = recipe.make(plan)
    assert network.prior.masks.any(1).all()
    first = next(recipe.batches(plan, np.random.default_rng(0), "cpu"))
    total, _ = recipe.loss(network, recipe.prepare(first, augment=True), plan, progress=1.0)
    assert torch.isfinite(total) and len(first["other_picture"]) >= len(first["picture"]) > 0


def test_batches_go_on_where_they_stood(packages, tmp_path):
    """Over the end of the shards in memory, through JSON, with a bad shard among them."""
    for number in range(5):
        (tmp_path / f"shard-{number}.npz").write_bytes((packages / "train" / "shard-00000.npz").read_bytes())
    (tmp_path / "shard-9.npz").write_bytes(b"PK no")
    plan = settings(tmp_path, "")
    one = recipe.Batches(tmp_path, plan, np.random.default_rng(0), pool=2)
    for _ in range(7):
        next(one)
    kept = json.loads(json.dumps(one.state()))
    rest = [next(one) for _ in range(9)]
    two = recipe.Batches(tmp_path, plan, np.random.default_rng(1), pool=2)
    two.restore(kept)
    assert all(same(batch, next(two)) for batch in rest)


def test_batches_of_both_kinds_go_on_where_they_were(with_views):
    def given(batches, count):
        return [next(batches) for _ in range(count)]

    asked = settings(with_views, "", several=4)
    batches = recipe.batches(asked, np.random.default_rng(3), "cpu")
    kinds = ["fit" in batch for batch in given(batches, 12)]
    assert True in kinds and False in kinds
    state = json.loads(json.dumps(batches.state()))
    later = given(batches, 6)
    again = recipe.batches(asked, np.random.default_rng(4), "cpu")
    again.restore(state)
    for one, other in zip(later, given(again, 6), strict=True):
        assert same(one, other)


def test_a_bad_shard_is_named_and_passed_over(packages, tmp_path, capsys):
    (tmp_path / "shard-00000.npz").write_bytes((packages / "train" / "shard-00000.npz").read_bytes())
    (tmp_path / "shard-00001.npz").write_bytes(b"PK not really")
    assert len(next(iter(recipe.Batches(tmp_path, settings(tmp_path, ""), np.random.default_rng(0))))["picture"]) == 4
    assert "shard-00001.npz is not a whole shard" in capsys.readouterr().out


def test_a_truncated_or_senseless_shard_is_named(packages, tmp_path):
    whole = (packages / "train" / "shard-00000.npz").read_bytes()
    (tmp_path / "shard-0.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="shard-0.npz is not a whole shard"):
        shards.load(tmp_path / "shard-0.npz")
    stored = shards.load(packages / "train" / "shard-00000.npz")
    stored.camera[0] = np.nan
    shards.save(stored, tmp_path / "shard-1.npz")
    with pytest.raises(ValueError, match="shard-1.npz .*not all its cameras are numbers"):
        shards.load(tmp_path / "shard-1.npz")


def test_no_shards_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="no readable shards"):
        next(iter(recipe.Batches(tmp_path, settings(tmp_path, ""), np.random.default_rng(0))))


def test_a_run_begins_with_weights_of_another(packages, with_views, tmp_path, capsys):
    first = tmp_path / "first"
    loop.train(recipe, settings(packages, first, steps=3))
    export.main(["image_to_field", "--run", str(first), "--out", str(first)])
    start = str(first / "image_to_field.safetensors")
    capsys.readouterr()
    asked = settings(with_views, tmp_path / "second", several=4, steps=1, rate=0.0, start=start)
    last = loop.train(recipe, asked)
    said = capsys.readouterr().out
    assert f"began with {start}" in said and "numbers start at random" in said
    before, after = load_file(start), torch.load(last, weights_only=True)["network"]
    np.testing.assert_allclose(after["head.weight"], before["head.weight"].float(), atol=1e-6)
    loop.train(recipe, replace(asked, steps=2))
    assert "resumed" in (said := capsys.readouterr().out) and "began with" not in said
    with pytest.raises(ValueError, match="holds weights of another network"):
        loop.train(recipe, settings(packages, tmp_path / "third", width=16, steps=1, start=start))
    with pytest.raises(ValueError, match="cannot be read as weights"):
        loop.train(recipe, settings(packages, tmp_path / "fourth", steps=1, start=str(tmp_path / "none.safetensors")))
