"""Reconstruct's resolutions: 128 unless told otherwise, refined by the weights that are bundled."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from maquette.geometry.field import Field
from maquette.jobs import reconstruct as job
from maquette.jobs.requests import Reconstruct, View
from maquette.nets import catalog
from maquette.nets.symmetry import plane, reflected


@pytest.fixture(scope="module")
def jug(tmp_path_factory):
    """A cut-out jug with a thin handle."""
    path = tmp_path_factory.mktemp("pictures") / "jug.png"
    image = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((70, 110, 270, 350), fill=(180, 90, 60, 255))
    draw.rectangle((120, 60, 220, 140), fill=(170, 80, 60, 255))
    draw.arc((200, 120, 350, 280), -110, 110, fill=(120, 60, 40, 255), width=14)
    image.save(path)
    return str(path)


def made(jug, folder, **settings):
    field = folder / "field.npz"
    request = Reconstruct(images=(jug,), cache=str(folder / "cache"), save_field=str(field), device="cpu", **settings)
    return job.reconstruct(request, lambda *told: None, lambda: False), Field.load(field)


def test_128_is_what_one_gets(jug, tmp_path):
    shape, field = made(jug, tmp_path)
    assert field.values.shape == field.confidence.shape == (128,) * 3 and field.colour.shape == (128, 128, 128, 3)
    assert shape.report["watertight"] and shape.report["components"] == 1
    assert shape.provenance["refiner"] == catalog.card("refiner")["sha256"]
    coarse, _ = made(jug, tmp_path, resolution=64)
    assert "refiner" not in coarse.provenance and len(shape.faces) > 2 * len(coarse.faces)
    inside, before = field.values > field.level, coarse.report["bounds"]
    assert np.abs(np.subtract(before, shape.report["bounds"])).max() < 0.15, "it is the same jug"
    assert inside.any(axis=(1, 2)).sum() > 60


@pytest.mark.parametrize("resolution, last", [(64, "colours"), (128, "detail")])
def test_what_takes_long_is_told(jug, tmp_path, resolution, last):
    notes = []
    request = Reconstruct(images=(jug,), cache=str(tmp_path), resolution=resolution, device="cpu")
    job.reconstruct(request, lambda fraction, phase, note="": notes.append((phase, note)), lambda: False)
    assert [note for phase, note in notes if phase == "Network"][-1] == last


def test_symmetry_holds_at_128(jug, tmp_path):
    def crooked(view):
        _, field = made(jug, tmp_path, view=view)
        logits = torch.from_numpy(field.values).clamp(1e-4, 1 - 1e-4).logit()[None, None]
        return float((logits - reflected(logits, plane(logits))).abs().mean())

    assert crooked(View(symmetry=True)) < 0.25 * crooked(View())


def test_without_the_weights_it_is_64(jug, tmp_path, monkeypatch):
    bundled = catalog.bundled
    monkeypatch.setattr(catalog, "bundled", lambda name: name != "refiner" and bundled(name))
    shape, field = made(jug, tmp_path)
    assert field.values.shape == (64,) * 3 and "refiner" not in shape.provenance
