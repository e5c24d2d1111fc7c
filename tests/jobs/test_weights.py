"""Weights that are missing, cut short or not the right ones: one sentence, from a worker that lives on."""

import json
import shutil
import sys

import pytest
from PIL import Image, ImageDraw

from maquette.jobs.client import JobError, Worker
from maquette.jobs.requests import Doctor, Reconstruct
from maquette.nets import catalog, checkpoint

NAME = "image_to_field"


@pytest.fixture(scope="module")
def installed(root, tmp_path_factory):
    """A copy of the extension, as an artist has it, and its worker."""
    copy = tmp_path_factory.mktemp("extensions") / "maquette 0.1"
    copy.mkdir()
    for part in ("__init__.py", "blender_manifest.toml"):
        shutil.copy(root / part, copy)
    for room in ("jobs", "nets", "geometry"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    worker = Worker(sys.executable, launch=str(copy / "jobs" / "launch.py"))
    yield copy / "nets" / "weights", worker
    worker.close()


@pytest.fixture(scope="module")
def picture(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("pictures") / "ball.png"
    canvas = Image.new("RGB", (128, 128), (255, 255, 255))
    ImageDraw.Draw(canvas).ellipse((32, 32, 96, 96), fill=(200, 30, 30))
    canvas.save(path)
    return str(path)


def damage(folder, how: str):
    weights, card = folder / f"{NAME}.safetensors", folder / f"{NAME}.json"
    stored = weights.read_bytes()
    if how == "missing":
        weights.unlink()
    elif how == "truncated":
        weights.write_bytes(stored[: len(stored) // 2])
    elif how == "empty":
        weights.write_bytes(b"")
    elif how == "other hash":
        weights.write_bytes(stored[:-1] + bytes([stored[-1] ^ 1]))
    elif how == "no card":
        card.unlink()
    elif how == "card is text":
        card.write_text("hello")
    elif how == "card of nothing":
        card.write_text(json.dumps({"name": NAME}))


FAULTS = [
    ("missing", "safetensors is missing"),
    ("truncated", "is cut short"),
    ("empty", "is cut short"),
    ("other hash", "is not the file that its card describes"),
    ("no card", "json is missing"),
    ("card is text", "cannot be read"),
    ("card of nothing", "is not a model card"),
]


@pytest.mark.parametrize("how, said", FAULTS)
def test_damaged_weights_are_one_sentence_with_the_way_out(root, tmp_path, monkeypatch, how, said):
    folder = tmp_path / "weights"
    shutil.copytree(root / "nets" / "weights", folder)
    monkeypatch.setattr(catalog, "WEIGHTS", folder)
    checkpoint.load(NAME)
    damage(folder, how)
    with pytest.raises(ValueError, match=f"{NAME}.*{said}.*install the extension again") as error:
        checkpoint.load(NAME)
    assert "\n" not in str(error.value)


def test_the_sentence_reaches_the_artist_and_mended_weights_work_at_once(installed, picture, root):
    folder, worker = installed
    for how, said in (("truncated", "is cut short"), ("missing", "is missing")):
        damage(folder, how)
        with pytest.raises(JobError, match=f"^{NAME}.*{said}.*install the extension again$"):
            worker.run(Reconstruct(picture, 32, device="cpu"))
        diagnosis = worker.run(Doctor("cpu"))
        assert not diagnosis.ok and any(said in trouble for trouble in diagnosis.trouble())
    pid = worker.pid
    shutil.copytree(root / "nets" / "weights", folder, dirs_exist_ok=True)
    assert len(worker.run(Reconstruct(picture, 32, device="cpu")).faces) and worker.pid == pid
