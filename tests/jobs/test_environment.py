"""Which Python runs the worker, and the sentence when none does."""

import os
import sys
import venv

import pytest

from maquette.jobs import environment
from maquette.jobs.environment import NoEnvironment, find_python


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A real Python without torch, in a folder with a space and an umlaut."""
    folder = tmp_path_factory.mktemp("ohne Torch ä")
    venv.create(folder, with_pip=False, symlinks=True)
    return folder


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
