"""The loop trains, stops in time, resumes and exports; bad shards are named and passed over."""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from maquette.train import export, loop
from maquette.train.optimiser import optimisers
from maquette.train.recipes import disturb
from maquette.train.recipes import image_to_field as recipe
from maquette.train.recipes.base import parse
from maquette.train.shapes import pictures, shards, world
from maquette.train.shapes.views import sample_views


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
    monkeypatch.setattr(disturb, "disturb", lambda picture: picture)
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


def command(folder, run, *options, before=()):
    """A run of its own process, small, on the CPU."""
    plan = {"width": 8, "encoder": 8, "library": 8, "batch": 4, "cameras": 4, "validation": 8, "threads": 1}
    places = {"device": "cpu", "precision": "32-true", "shards": folder, "run": run}
    named = [f"--{name}={value}" for name, value in {**plan, **places}.items()]
    start = [*before, "-m", "--"] if before else ["-m"]  # torchrun would take --run for its own without the --
    return [sys.executable, *start, "maquette.train", "image_to_field", *named, *options]


def same(a, b):
    """Bit for bit, whatever is nested in what."""
    if torch.is_tensor(a):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_a_killed_run_goes_on_as_if_unbroken(folder, tmp_path, optimiser):
    """SIGKILL somewhere in the middle; weights, average, optimisers, random states and data end up bit for bit."""
    options = ("--steps=14", "--save-minutes=0", f"--optimiser={optimiser}", "--camera-share=0.3")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    loop.train(recipe, settings(folder, whole, steps=14, optimiser=optimiser, camera_share=0.3))
    running = subprocess.Popen(command(folder, broken, *options), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        until = time.monotonic() + 120
        while not (broken / "last.pt").exists() and time.monotonic() < until and running.poll() is None:
            time.sleep(0.005)
    finally:
        running.kill()
        running.wait()
    halfway = torch.load(broken / "last.pt", weights_only=True)["state"]["step"]
    assert 0 < halfway < 14, "killed too late to say anything"
    (broken / "last.1.part").write_bytes(b"what a kill in the midst of writing leaves")
    loop.train(recipe, settings(folder, broken, steps=14, optimiser=optimiser, camera_share=0.3))
    first, again = (torch.load(run / "last.pt", weights_only=True) for run in (whole, broken))
    for name in ("network", "averaged", "optimisers", "processes", "random"):
        assert same(first[name], again[name]), name
    assert again["state"]["step"] == 14 and again["state"]["samples"] == 56
    assert not list(broken.glob("*.part"))


@pytest.mark.parametrize("manner", ["torchrun", "srun"])
def test_processes_started_from_outside_share_a_run(folder, tmp_path, manner):
    """torchrun on this machine; and what srun sets for two tasks, without SLURM itself."""
    options = ("--steps=3",)
    if manner == "torchrun":
        start = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
        runs = [command(folder, tmp_path, *options, before=start)]
        places = [{}]
    else:
        runs = [command(folder, tmp_path, "--devices=2", *options)] * 2
        task = {"SLURM_JOB_ID": "4711", "SLURM_JOB_NAME": "train", "SLURM_NODELIST": "127.0.0.1", "SLURM_NODEID": "0"}
        task |= {"SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_NNODES": "1", "MASTER_PORT": free_port()}
        places = [task | {"SLURM_PROCID": str(i), "SLURM_LOCALID": str(i)} for i in range(2)]
    started = [
        subprocess.Popen(run, env=os.environ | place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for run, place in zip(runs, places)
    ]
    told = [process.communicate(timeout=300) for process in started]
    assert all(process.returncode == 0 for process in started), told[0][1][-2000:]
    assert "2 x cpu" in "".join(out for out, _ in told)
    stored = torch.load(tmp_path / "last.pt", weights_only=True)
    assert stored["state"]["step"] == 3 and stored["state"]["samples"] == 24
    assert len(stored["processes"]) == 2 and not same(*stored["processes"])


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_what_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(folder, tmp_path, monkeypatch, where):
    plain = recipe.loss
    last = loop.train(recipe, settings(folder, tmp_path, steps=2))
    kept = last.read_bytes()
    calls = []

    def broken(network, batch, plan, progress):
        total, parts = plain(network, batch, plan, progress)
        calls.append(1)
        if len(calls) == 3:
            # sqrt at 0 has no slope: the loss stays as it is and its gradient is nan
            total = total * float("nan") if where == "loss" else total + (total - total.detach()).abs().sqrt()
        return total, parts

    monkeypatch.setattr(recipe, "loss", broken)
    with pytest.raises(RuntimeError, match=r"at step 4; the last good checkpoint is .*last\.pt"):
        loop.train(recipe, settings(folder, tmp_path, steps=9))
    assert last.read_bytes() == kept
    assert all(v.isfinite().all() for v in torch.load(last, weights_only=True)["network"].values())


def test_validation_leaves_scalars_and_a_grid_of_pictures(folder, tmp_path):
    loop.train(recipe, settings(folder, tmp_path, steps=20))
    events = EventAccumulator(str(tmp_path / "log"))
    events.Reload()
    scalars = events.Tags()["scalars"]
    assert {"validation/iou_one", "loss/bins", "training/gradient_norm", "training/rate"} <= set(scalars)
    (image,) = events.Images("validation/picture_answer_truth")
    assert (image.width, image.height) == (7 * 130, 8 * 130)  # the picture, then answer and truth from three sides
    network = recipe.make(settings(folder, ""))
    grid = recipe.pictures(network, settings(folder, ""), "cpu", count=2)
    truth = grid[0, 1:129, 2 * 130 + 1 : 3 * 130 - 1]  # the first package from the front
    stored = shards.load(folder / "validation" / "shard-00000.npz").distance[0] < 0
    shadow = torch.from_numpy(stored.any(1).T[::-1].copy())[::2, ::2]
    assert ((truth[2::4, 2::4] < 0.5) == shadow).float().mean() > 0.95


def test_a_checkpoint_from_before_goes_on_and_exports(folder, tmp_path):
    """Without the processes' states, and with one optimiser by its old name."""
    last = loop.train(recipe, settings(folder, tmp_path, steps=2))
    stored = torch.load(last, weights_only=True)
    del stored["processes"]
    torch.save(stored, last)
    loop.train(recipe, settings(folder, tmp_path, steps=3))
    stored["optimiser"] = stored.pop("optimisers")[0]
    for name in ("steps", "nodes", "other_data"):
        del stored["recipe"][name]
    torch.save(stored, last)
    assert export.main(["image_to_field", "--run", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    loop.train(recipe, settings(folder, tmp_path, steps=4))
    assert torch.load(last, weights_only=True)["state"]["step"] == 4


def test_a_checkpoint_that_does_not_fit_is_a_sentence(folder, tmp_path):
    last = loop.train(recipe, settings(folder, tmp_path, steps=1))
    with pytest.raises(ValueError, match=r"other optimisers \(adamw, not muon\)"):
        loop.train(recipe, settings(folder, tmp_path, steps=2, optimiser="muon"))
    with pytest.raises(ValueError, match="another network, --width 8, not 12"):
        loop.train(recipe, settings(folder, tmp_path, steps=2, width=12))
    last.write_bytes(last.read_bytes()[:5000])
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        loop.train(recipe, settings(folder, tmp_path, steps=2))


def test_gradients_of_all_optimisers_are_clipped_together(folder, tmp_path, monkeypatch):
    norms = []
    monkeypatch.setattr(loop, "sound", lambda total, norm, fabric: norms.append(whole_norm()) or True)
    kept = {}
    monkeypatch.setattr(loop, "optimisers", lambda network, plan: kept.update(n=network) or optimisers(network, plan))

    def whole_norm():
        return torch.stack([p.grad.norm() for p in kept["n"].parameters() if p.grad is not None]).norm().item()

    loop.train(recipe, settings(folder, tmp_path, steps=3, optimiser="muon", clip=0.01))
    assert norms == pytest.approx([0.01] * 3, rel=1e-3)


def test_batches_go_on_where_they_stood(folder, tmp_path):
    """Over the end of the shards in memory, through JSON, with a bad shard among them."""
    for number in range(5):
        (tmp_path / f"shard-{number}.npz").write_bytes((folder / "train" / "shard-00000.npz").read_bytes())
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


def test_a_truncated_or_senseless_shard_is_named(folder, tmp_path):
    whole = (folder / "train" / "shard-00000.npz").read_bytes()
    (tmp_path / "shard-0.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="shard-0.npz is not a whole shard"):
        shards.load(tmp_path / "shard-0.npz")
    stored = shards.load(folder / "train" / "shard-00000.npz")
    stored.camera[0] = np.nan
    shards.save(stored, tmp_path / "shard-1.npz")
    with pytest.raises(ValueError, match="shard-1.npz .*not all its cameras are numbers"):
        shards.load(tmp_path / "shard-1.npz")


# --- several views ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def with_views(folder, tmp_path_factory):
    """The same shards, and some of several views."""
    root = tmp_path_factory.mktemp("views")
    for split in ("train", "library", "validation"):
        (root / split).symlink_to(folder / split)
    for split, views in (("train", 3), ("validation", 5)):
        path = root / f"{split}_views" / "shard-00000.npz"
        path.parent.mkdir()
        shards.save(sample_views(1, 6, views, split, ["package"]), path)
    return root


def test_several_views_are_trained_on_and_validated(with_views, tmp_path, capsys):
    """Steps of one picture and of several; the layers where views meet start at nothing and learn."""
    run = tmp_path / "run"
    last = loop.train(recipe, settings(with_views, run, several=4, steps=12, camera_share=0.0))
    weights = torch.load(last, weights_only=True)["network"]
    assert weights["meet_coarse.out.weight"].abs().max() > 0 and weights["meet_fine.out.weight"].abs().max() > 0
    line = (run / "validation.txt").read_text()
    assert all(f"{cameras}_{views} " in line for cameras in ("found", "true") for views in (1, 2, 3, 5))
    assert export.main(["image_to_field", "--run", str(run), "--out", str(tmp_path / "out")]) == 0
    assert json.loads((tmp_path / "out" / "image_to_field.json").read_text())["config"]["several"] == 4


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
        assert one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_run_begins_with_weights_of_another(folder, with_views, tmp_path, capsys):
    first = tmp_path / "first"
    loop.train(recipe, settings(folder, first, steps=3))
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
        loop.train(recipe, settings(folder, tmp_path / "third", width=16, steps=1, start=start))
    with pytest.raises(ValueError, match="cannot be read as weights"):
        loop.train(recipe, settings(folder, tmp_path / "fourth", steps=1, start=str(tmp_path / "none.safetensors")))
