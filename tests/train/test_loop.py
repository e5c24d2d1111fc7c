"""The loop trains, stops in time, resumes and exports, in one process and in several."""

import json
import os
import shutil
import socket
import subprocess

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from maquette.train import export, loop
from maquette.train.optimiser import optimisers
from maquette.train.recipes import image_to_field as recipe
from maquette.train.recipes.base import parse

from .runs import alike, command, killed, same, settings


def test_trains_resumes_and_exports(packages, tmp_path, capsys):
    last = loop.train(recipe, settings(packages, tmp_path / "run"))
    first = torch.load(last, weights_only=True)
    assert first["state"]["step"] > 0 and first["state"]["samples"] == 4 * first["state"]["step"]
    loop.train(recipe, settings(packages, tmp_path / "run", minutes=0.14))
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


def test_two_processes_share_a_run(packages, tmp_path):
    """Both take the same steps with averaged gradients; the first alone writes."""
    asked = command(packages, tmp_path, "--minutes=0.1", "--devices=2")
    done = subprocess.run(asked, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 x cpu" in done.stdout
    state = torch.load(tmp_path / "last.pt", weights_only=True)["state"]
    assert state["step"] > 0 and state["samples"] == 8 * state["step"]


@pytest.mark.parametrize("optimiser", ["adamw", "muon"])
def test_a_killed_run_goes_on_as_if_unbroken(packages, tmp_path, optimiser):
    """SIGKILL somewhere in the middle; weights, average, optimisers, random states and data end up bit for bit."""
    options = ("--steps=14", "--save-minutes=0", f"--optimiser={optimiser}", "--camera-share=0.3")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    loop.train(recipe, settings(packages, whole, steps=14, optimiser=optimiser, camera_share=0.3))
    killed(command(packages, broken, *options), broken, 14)
    (broken / "last.1.part").write_bytes(b"what a kill in the midst of writing leaves")
    loop.train(recipe, settings(packages, broken, steps=14, optimiser=optimiser, camera_share=0.3))
    state = alike(whole, broken)
    assert state["step"] == 14 and state["samples"] == 56
    assert not list(broken.glob("*.part"))


@pytest.mark.parametrize("manner", ["torchrun", "srun"])
def test_processes_started_from_outside_share_a_run(packages, tmp_path, manner):
    """torchrun on this machine; and what srun sets for two tasks, without SLURM itself."""
    options = ("--steps=3",)
    if manner == "torchrun":
        start = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2")
        runs = [command(packages, tmp_path, *options, before=start)]
        places = [{}]
    else:
        runs = [command(packages, tmp_path, "--devices=2", *options)] * 2
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
def test_what_is_no_number_stops_the_run_and_keeps_the_last_good_checkpoint(packages, tmp_path, monkeypatch, where):
    plain = recipe.loss
    last = loop.train(recipe, settings(packages, tmp_path, steps=2))
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
        loop.train(recipe, settings(packages, tmp_path, steps=9))
    assert last.read_bytes() == kept
    assert all(v.isfinite().all() for v in torch.load(last, weights_only=True)["network"].values())


def test_gradients_of_all_optimisers_are_clipped_together(packages, tmp_path, monkeypatch):
    norms = []
    monkeypatch.setattr(loop, "sound", lambda total, norm, fabric: norms.append(whole_norm()) or True)
    kept = {}
    monkeypatch.setattr(loop, "optimisers", lambda network, plan: kept.update(n=network) or optimisers(network, plan))

    def whole_norm():
        return torch.stack([p.grad.norm() for p in kept["n"].parameters() if p.grad is not None]).norm().item()

    loop.train(recipe, settings(packages, tmp_path, steps=3, optimiser="muon", clip=0.01))
    assert norms == pytest.approx([0.01] * 3, rel=1e-3)


def test_a_checkpoint_from_before_goes_on_and_exports(packages, tmp_path):
    """Without the processes' states, and with one optimiser by its old name."""
    last = loop.train(recipe, settings(packages, tmp_path, steps=2))
    stored = torch.load(last, weights_only=True)
    del stored["processes"]
    torch.save(stored, last)
    loop.train(recipe, settings(packages, tmp_path, steps=3))
    stored["optimiser"] = stored.pop("optimisers")[0]
    for name in ("steps", "nodes", "other_data"):
        del stored["recipe"][name]
    torch.save(stored, last)
    assert export.main(["image_to_field", "--run", str(tmp_path), "--out", str(tmp_path / "out")]) == 0
    loop.train(recipe, settings(packages, tmp_path, steps=4))
    assert torch.load(last, weights_only=True)["state"]["step"] == 4


def test_a_checkpoint_that_does_not_fit_is_a_sentence(packages, tmp_path):
    last = loop.train(recipe, settings(packages, tmp_path, steps=1))
    with pytest.raises(ValueError, match=r"other optimisers \(adamw, not muon\)"):
        loop.train(recipe, settings(packages, tmp_path, steps=2, optimiser="muon"))
    with pytest.raises(ValueError, match="another network, --width 8, not 12"):
        loop.train(recipe, settings(packages, tmp_path, steps=2, width=12))
    last.write_bytes(last.read_bytes()[:5000])
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        loop.train(recipe, settings(packages, tmp_path, steps=2))


def test_export_without_a_run_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match="train first"):
        export.main(["image_to_field", "--run", str(tmp_path)])


def test_the_mean_of_two_runs_is_exported(packages, tmp_path):
    """Both go on from one checkpoint with other data; a run of another network is refused."""
    first, second, other = (tmp_path / name for name in ("first", "second", "other"))
    loop.train(recipe, settings(packages, first, steps=1))
    shutil.copytree(first, second)
    stored = torch.load(second / "last.pt", weights_only=True)
    torch.save(stored | {"processes": []}, second / "last.pt")
    states = []
    for run, seed in ((first, 0), (second, 5)):
        states.append(torch.load(loop.train(recipe, settings(packages, run, steps=3, seed=seed)), weights_only=True))
    bias = [state["averaged"]["head.bias"] for state in states]
    assert not torch.equal(*bias)
    places = ["--run", str(first), "--out", str(tmp_path / "out")]
    assert export.main(["image_to_field", *places, "--with", str(second)]) == 0
    tensors = load_file(tmp_path / "out" / "image_to_field.safetensors")
    np.testing.assert_allclose(tensors["head.bias"].float(), sum(bias) / 2, atol=1e-3)
    card = json.loads((tmp_path / "out" / "image_to_field.json").read_text())
    assert card["training"]["samples"] == sum(state["state"]["samples"] for state in states)
    loop.train(recipe, settings(packages, other, steps=1, width=12))
    with pytest.raises(ValueError, match="of one network"):
        export.main(["image_to_field", *places, "--with", str(other)])


def test_recipe_is_the_command_line():
    assert parse(recipe.Recipe, ["--minutes", "3", "--true-camera", "0.2"], "x").true_camera == 0.2
