"""Which Python runs the worker, and the sentence when none does."""

import os
import sys
import venv

import numpy as np
import pytest
from PIL import Image, ImageDraw

from maquette.jobs import environment
from maquette.jobs.client import JobError, Worker
from maquette.jobs.environment import NoEnvironment, find_python
from maquette.jobs.requests import Doctor, Reconstruct


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A real Python without torch, in a folder with a space and an umlaut."""
    folder = tmp_path_factory.mktemp("ohne Torch ä")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


@pytest.fixture(scope="module")
def torchless(tmp_path_factory):
    """A real Python that has all that this one has, but torch."""
    folder = tmp_path_factory.mktemp("without torch")
    venv.create(folder, with_pip=False, symlinks=True)
    place = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages"
    for entry in os.scandir(os.path.dirname(os.path.dirname(np.__file__))):
        target = folder / place / entry.name
        if not entry.name.startswith(("torch", "functorch")) and not target.exists():
            target.symlink_to(entry.path)
    return str(folder / "bin" / "python")


def script(folder, text: str) -> str:
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def test_the_python_of_preferences_comes_first():
    found = find_python(sys.executable)
    assert (found.python, found.source) == (sys.executable, "preferences")
    assert found.torch and not found.missing


def test_the_folder_of_an_environment_means_its_python():
    assert find_python(sys.prefix).python == os.path.join(sys.prefix, "bin", "python")


def test_then_the_managed_one_then_the_running_one(tmp_path):
    assert find_python(user_folder=str(tmp_path)).source == "running"
    managed = environment.managed_python(str(tmp_path))
    os.makedirs(os.path.dirname(managed))
    with open(managed, "w") as stream:
        stream.write(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    os.chmod(managed, 0o755)
    assert (find_python(user_folder=str(tmp_path)).python, find_python("", str(tmp_path)).source) == (
        managed,
        "managed",
    )
    assert find_python(sys.executable, str(tmp_path)).source == "preferences"


def test_a_python_without_torch_is_named_with_the_place_to_click(bare):
    with pytest.raises(NoEnvironment, match="has no torch; install it there, or open Edit > Preferences > Add-ons"):
        find_python(str(bare / "bin" / "python"))


def test_no_python_at_all_says_where_to_click(monkeypatch, bare):
    for running in ("/usr/bin/blender", "", str(bare / "bin" / "python")):
        monkeypatch.setattr(sys, "executable", running)
        with pytest.raises(
            NoEnvironment, match="found no Python with torch: open Edit > Preferences > Add-ons > Maquette"
        ):
            find_python()


@pytest.mark.parametrize(
    "text, said",
    [
        ("echo broken library >&2; exit 1", "broken library"),
        ("exit 3", "exit code 3"),
        ("echo hello", "exit code 0"),
        ("""echo 'maquette-probe {"version": [3, 9, 2], "missing": [], "torch": "2"}'""", "is Python 3.9.2"),
    ],
)
def test_what_does_not_serve_is_said(tmp_path, text, said):
    with pytest.raises(NoEnvironment, match=said) as error:
        find_python(script(tmp_path, text))
    assert environment.WHERE_TO_SET_IT in str(error.value) and "\n" not in str(error.value)


def test_a_file_that_is_no_program_and_a_missing_one(tmp_path):
    (tmp_path / "text").write_text("hello")
    with pytest.raises(NoEnvironment, match="did not run as a Python"):
        find_python(str(tmp_path / "text"))
    with pytest.raises(NoEnvironment, match="does not exist"):
        find_python(str(tmp_path / "nowhere"))


def test_a_python_that_was_mended_is_asked_again(tmp_path):
    path = script(tmp_path, "exit 3")
    with pytest.raises(NoEnvironment):
        find_python(path)
    stamp = os.stat(path)
    script(tmp_path, f'exec "{sys.executable}" "$@"')
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert find_python(path).torch


def test_chatter_of_the_environment_is_ignored(tmp_path):
    assert find_python(script(tmp_path, f'echo Welcome; echo "[1]"; exec "{sys.executable}" "$@"')).torch


def test_what_the_worker_inherits(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/blender")
    monkeypatch.setenv("PYTHONHOME", "/blender")
    monkeypatch.setenv("OTHER", "kept")
    inherited = environment.child_environment()
    assert "PYTHONPATH" not in inherited and "PYTHONHOME" not in inherited
    assert inherited["OTHER"] == "kept" and inherited["PYTHONDONTWRITEBYTECODE"] == "1"


def test_threads_of_a_child_hardly_spin_unless_told_to(monkeypatch):
    for name in environment.PATIENCE:
        monkeypatch.delenv(name, raising=False)
    assert environment.PATIENCE.items() <= environment.child_environment().items()
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    found = environment.child_environment()
    assert found["OMP_WAIT_POLICY"] == "ACTIVE" and "GOMP_SPINCOUNT" not in found


def test_a_worker_whose_torch_was_removed_says_where_to_click(torchless, tmp_path):
    """find_python would refuse it; but an environment can lose its torch while a worker is warm."""
    with pytest.raises(NoEnvironment, match="has no torch"):
        find_python(torchless)
    worker = Worker(torchless)
    picture = Image.new("RGB", (64, 64), (255, 255, 255))
    ImageDraw.Draw(picture).ellipse((16, 16, 48, 48), fill=(200, 30, 30))
    picture.save(tmp_path / "ball.png")
    try:
        diagnosis = worker.run(Doctor())
        assert not diagnosis.ok and diagnosis.device == "none"
        assert any("torch does not load" in trouble for trouble in diagnosis.trouble())
        with pytest.raises(JobError, match="cannot load torch; install it there, or open Edit > Preferences"):
            worker.run(Reconstruct(tmp_path / "ball.png"))
    finally:
        worker.close()
