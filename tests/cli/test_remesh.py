"""`maquette remesh`: what it writes, where it can, and its one line where it cannot."""

import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
import trimesh

from maquette.jobs import client

from .command import RUN, one_line


def test_remesh_writes_mesh_report_and_preview(maquette, field, tmp_path):
    out, report, preview = tmp_path / "kugel ä.glb", tmp_path / "r.json", tmp_path / "p.png"
    code, said, err = maquette("remesh", field, "-o", out, "--faces", 400, "--report", report, "--preview", preview)
    assert (code, err) == (0, "") and str(out) in said
    told = json.loads(report.read_text("utf-8"))
    assert {"seconds", "device", "vertices", "faces", "watertight", "components", "bounds"} <= set(told)
    assert told["watertight"] and told["faces"] <= 400 and told["output"] == str(out)
    mesh = trimesh.load(out, force="mesh")
    assert len(mesh.faces) == told["faces"] and np.allclose(mesh.extents, 1, atol=0.05)
    assert preview.read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob("*.part"))


def test_the_ending_decides_the_axes(maquette, field, tmp_path):
    for name in ("a.ply", "a.glb"):
        assert maquette("remesh", field, "-o", tmp_path / name, "--size", 2)[0] == 0
    z_up, y_up = (trimesh.load(tmp_path / name, force="mesh").bounds for name in ("a.ply", "a.glb"))
    assert np.allclose(z_up[0], [-1, -1, 0], atol=0.05) and np.allclose(y_up[0], [-1, 0, -1], atol=0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no text")
def test_a_name_of_raw_bytes_works_too(maquette, field, tmp_path):
    folder = os.path.join(str(tmp_path), os.fsdecode(b"caf\xe9"))
    os.mkdir(folder)
    report = os.path.join(folder, "r.json")
    code, said, err = maquette("remesh", field, "-o", os.path.join(folder, "a.ply"), "--report", report)
    assert (code, err) == (0, "") and os.path.isfile(os.path.join(folder, "a.ply")) and "a.ply" in said
    with open(report, encoding="utf-8") as stream:
        assert os.path.isfile(json.load(stream)["output"])


@pytest.mark.parametrize(
    "name, said",
    [
        ("gone.npz", "There is no field at"),
        ("text.npz", "is not a field that Maquette wrote"),
        ("a" * 64, "Regenerate"),
    ],
)
def test_a_field_that_is_none_exits_1_with_one_line(maquette, tmp_path, monkeypatch, name, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    code, out, err = maquette("remesh", name, "-o", tmp_path / "a.ply")
    assert code == 1 and said in one_line(err) and not out
    assert not (tmp_path / "a.ply").exists()


@pytest.mark.parametrize("option", ["-o", "--report", "--preview"])
def test_a_missing_folder_is_told_before_any_work(maquette, field, tmp_path, monkeypatch, option):
    monkeypatch.setattr(client, "worker", lambda **_: pytest.fail("the worker was asked"))
    paths = {"-o": tmp_path / "a.ply", "--report": tmp_path / "r.json", "--preview": tmp_path / "p.png"}
    paths[option] = tmp_path / "missing" / paths[option].name
    code, _, err = maquette("remesh", field, *(part for pair in paths.items() for part in pair))
    assert code == 1 and "missing does not exist" in one_line(err)
    assert not (tmp_path / "missing").exists()


def test_an_output_that_is_a_folder_is_told(maquette, field, tmp_path):
    (tmp_path / "a.ply").mkdir()
    code, _, err = maquette("remesh", field, "-o", tmp_path / "a.ply")
    assert code == 1 and "is a folder" in one_line(err)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_told(maquette, field, tmp_path):
    (tmp_path / "locked").mkdir(0o500)
    code, _, err = maquette("remesh", field, "-o", tmp_path / "locked" / "a.ply")
    assert code == 1 and "cannot be written" in one_line(err)


def test_an_unwritable_folder_is_told_even_when_the_system_only_says_so_late(maquette, field):
    """/proc takes no files, from root neither."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("needs Linux")
    code, _, err = maquette("remesh", field, "-o", "/proc/self/a.ply")
    assert code == 1 and "/proc/self" in one_line(err)


def test_blender_hands_on_what_its_preferences_say(maquette, field, tmp_path, monkeypatch):
    asked = {}
    real = client.worker

    def watched(**settings):
        asked.update(settings)
        return real()

    monkeypatch.setattr(client, "worker", watched)
    assert maquette("remesh", field, "-o", tmp_path / "a.ply", python=sys.executable, device="cpu")[0] == 0
    assert asked["python"] == sys.executable
    _, out, _ = maquette("doctor", "--json", python=sys.executable, device="cpu")
    assert [row["name"] for row in json.loads(out)["devices"]] == ["cpu"]


def test_ctrl_c_is_one_line_and_leaves_no_file(root, field, tmp_path):
    """A terminal's interrupt reaches the whole group, the worker too."""
    script = RUN.replace("code = main()", "import _thread\ntimer()\ncode = main()").replace(
        "from maquette.cli import main",
        "from maquette.cli import main\nimport threading, _thread\n"
        "def timer(): threading.Timer(0.4, _thread.interrupt_main).start()",
    )
    command = [sys.executable, "-B", "-c", script, str(root), "remesh", str(field), "-o", str(tmp_path / "a.ply")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if run.returncode == 0:
        pytest.skip("this machine was done before the interrupt")
    assert run.returncode == 1 and run.stderr.splitlines()[0] == "maquette: cancelled"
    assert not list(tmp_path.glob("a.*")) and threading.active_count() < 50
