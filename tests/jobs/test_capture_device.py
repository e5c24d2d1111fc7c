"""Where a capture is fitted, and what happens when the graphics card cannot."""

import re

import pytest
import torch

from maquette.jobs import capture as job
from maquette.jobs.capturing import Capture
from maquette.nets import device, fit_radiance


def ask(ellipsoid, tmp_path, **more):
    request = Capture(ellipsoid.folder, steps=12, resolution=64, cache=str(tmp_path), **more)
    return job.capture(request, lambda *_: None, lambda: False).report


@pytest.mark.parametrize(
    "error, told",
    [
        (torch.OutOfMemoryError("CUDA out of memory"), "The graphics card ran out of memory: going on with the CPU"),
        (
            RuntimeError("CUDA error: no kernel image\nmore"),
            r"could not do it \(CUDA error: no kernel image\); the CPU did",
        ),
    ],
)
def test_the_cpu_goes_on_where_the_card_fails(ellipsoid, tmp_path, monkeypatch, error, told):
    plain, asked = fit_radiance.fit, []

    def fit(*args, device, **more):
        asked.append(device.type)
        if device.type == "cuda":
            raise error
        return plain(*args, device=device, **more)

    monkeypatch.setattr(fit_radiance, "fit", fit)
    monkeypatch.setattr(device, "pick", torch.device)
    report = ask(ellipsoid, tmp_path, device="cuda")
    assert asked == ["cuda", "cpu"] and report["device"] == "cpu"
    assert re.search(told, report["note"])


def test_what_the_cpu_cannot_is_told_as_it_is(ellipsoid, tmp_path, monkeypatch):
    def fit(*args, **more):
        raise RuntimeError("broken")

    monkeypatch.setattr(fit_radiance, "fit", fit)
    with pytest.raises(RuntimeError, match="^broken$"):
        ask(ellipsoid, tmp_path, device="cpu")


def test_apple_s_graphics_leave_it_to_the_cpu(monkeypatch):
    monkeypatch.setattr(device, "pick", lambda name: torch.device("mps" if name == "auto" else name))
    assert device.for_fields().type == "cpu" and device.for_fields("cuda").type == "cuda"


def test_no_such_device_is_a_sentence():
    with pytest.raises(ValueError, match="Device is 'abacus'; choose one of auto, cpu"):
        Capture("photos", device="abacus")
