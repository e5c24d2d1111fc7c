"""The command line: its grammar, and that it loads nothing heavy for it."""

import importlib
import shutil
import subprocess
import sys

import pytest

from maquette import cli

from .command import RUN


@pytest.mark.parametrize("command", [[], ["reconstruct"], ["remesh"], ["models"], ["doctor"]])
def test_help_loads_nothing_heavy(root, command):
    run = subprocess.run(
        [sys.executable, "-B", "-c", RUN, str(root), *command, "--help"], capture_output=True, text=True
    )
    assert run.returncode == 0 and "usage: maquette" in run.stdout
    assert run.stderr.strip() == "loaded:"


def test_python_m_maquette_is_the_same_command(root, tmp_path):
    """From a checkout that is called maquette, without installing anything."""
    copy = tmp_path / "maquette"
    copy.mkdir()
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(root / name, copy)
    for room in ("cli", "jobs"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for arguments, code in ((["--version"], 0), (["dance"], 2)):
        run = subprocess.run(
            [sys.executable, "-m", "maquette", *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert run.returncode == code, run.stderr
        assert not code or run.stderr.startswith("usage: maquette")


def test_version(maquette):
    code, out, _ = maquette("--version")
    assert code == 0 and out == f"maquette {importlib.import_module('maquette').__version__}\n"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice"),
        (["reconstruct", "a.png"], "-o"),
        (["reconstruct", "-o", "a.glb"], "IMAGE"),
        (["reconstruct", "a.png", "-o", "a.blend"], "a.blend ends in none of .glb, .ply, .obj, .stl"),
        (["reconstruct", "a.png", "-o", "a"], "a ends in none of"),
        (["reconstruct", "a.png", "-o", "a.glb", "--resolution", "48"], "--resolution"),
        (["reconstruct", "a.png", "-o", "a.glb", "--device", "tpu"], "--device"),
        (["reconstruct", "a.png", "-o", "a.glb", "--faces", "3"], "a closed mesh needs at least 4"),
        (["reconstruct", "a.png", "-o", "a.glb", "--size", "-1"], "must be above 0"),
        (["reconstruct", "a.png", "-o", "a.glb", "--level", "high"], "--level"),
        (["reconstruct", "a.png", "-o", "a.glb", "--format", "ply"], "--format goes with --each"),
        (["reconstruct", "a.png", "b.png", "-o", "a.glb", "--turns", "0,behind"], "--turns is '0,behind'"),
        (["reconstruct", "a.png", "b.png", "-o", "a.glb", "--turns", "0,90,180"], "Turns are 3 for 2 pictures"),
        (["reconstruct", "a", "b", "-o", "a.glb", "--turns", "0,90", "--cameras", "c.json"], "give one of them"),
        (["reconstruct", "a", "b", "-o", "out", "--each", "--turns", "0,90"], "they do not go with --each"),
        (["reconstruct", "a.png", "a.png", "-o", "a.glb"], "a.png was given twice"),
        (["reconstruct", "a.png", "b.png", "-o", "a.glb", "--mask", "m.png"], "Masks are 1 for 2 pictures"),
        (["remesh", "f.npz", "-o", "a.glb", "--smoothing", "-2"], "must be a whole number from 0"),
        (["remesh", "f.npz", "-o", "a.glb", "--level", "nan"], "Level is nan"),
    ],
)
def test_wrong_usage_exits_2_and_says_so(maquette, arguments, said):
    code, out, err = maquette(*arguments)
    assert code == 2 and said in err and not out


def test_every_picture_gets_a_name_of_its_own():
    assert cli.stems(["a/x.png", "b/x.jpg", "c/X.webp", "y.tar.png"]) == ["x", "x-2", "X-3", "y.tar"]
    assert cli.stems(["x-2.png", "x.png", "x.jpg"]) == ["x-2", "x", "x-3"]


def test_a_folder_means_its_pictures(tmp_path):
    for name in ("b.PNG", "a.jpg", "c.tga", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_text("")
    named = [str(tmp_path / name) for name in ("a.jpg", "b.PNG", "c.tga")]
    assert cli.pictures([str(tmp_path), "z.png"]) == [*named, "z.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(cli.Failed, match="holds no pictures"):
        cli.pictures([str(tmp_path / "empty")])
