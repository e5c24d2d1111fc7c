"""`maquette capture`, interrupted."""

import json
import os
import re
import signal
import threading
import time

import pytest

from maquette.cli import main
from maquette.jobs import client

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent otherwise on Windows")


@pytest.fixture
def interrupted(monkeypatch, ellipsoid, tmp_path):
    """interrupted(times): the exit code of a capture that would take an hour, after so many Ctrl-C in its midst."""
    made = []
    monkeypatch.setattr(client, "_shared", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    # Shells start what runs in the background without Ctrl-C, and then the capture would take its hour
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(times):
        end = time.monotonic() + 120
        while not (client._shared and client._shared.current and "Fitting" in client._shared.current.phase):
            time.sleep(0.05)
            assert time.monotonic() < end
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.3)

    def run(times):
        made.append(threading.Thread(target=press, args=(times,), daemon=True))
        made[-1].start()
        asked = ["capture", str(ellipsoid.folder), "-o", str(tmp_path / "e.ply"), "--budget", "3600", "--faces", "500"]
        return main([*asked, "--resolution", "64", "--report", str(tmp_path / "e.json")])

    yield run
    made[-1].join()
    signal.signal(signal.SIGINT, before)
    if client._shared:
        client._shared.close()


def test_ctrl_c_keeps_what_there_is(interrupted, tmp_path, capsys):
    assert interrupted(1) == 0
    report = json.loads((tmp_path / "e.json").read_text())
    assert report["ended_early"] and report["watertight"] and 0 < report["faces"] <= 500
    assert "Ctrl-C once more cancels" in capsys.readouterr().err and (tmp_path / "e.ply").stat().st_size > 1000
    assert list((tmp_path / "maquette/captures").glob("*.safetensors")), "it can be resumed"


def test_ctrl_c_twice_cancels(interrupted, tmp_path, capsys):
    assert interrupted(2) == 1
    assert not (tmp_path / "e.ply").exists()
    assert capsys.readouterr().err.splitlines()[-1] == "maquette: cancelled"


@pytest.fixture
def quick(monkeypatch, ellipsoid, tmp_path):
    """quick(box): the exit code of a short capture of what is in a box."""
    monkeypatch.setattr(client, "_shared", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def run(box):
        asked = ["capture", str(ellipsoid.folder), "-o", str(tmp_path / "e.ply"), "--steps", "10", "--resolution", "64"]
        return main([*asked, "--box", box, "--report", str(tmp_path / "e.json")])

    yield run
    if client._shared:
        client._shared.close()


def test_a_box_cuts(quick, tmp_path):
    assert quick("3,-2,5.25,1.6,1.6,0.5") == 0
    report = json.loads((tmp_path / "e.json").read_text())
    assert report["bounds"][0][2] == pytest.approx(5, abs=0.02) and report["box"]["size"] == [1.6, 1.6, 0.5]


@pytest.mark.parametrize("box, sentence", [("1,2", "Box is .* six numbers"), ("a,b", "--box is 'a,b': six numbers")])
def test_a_wrong_box_is_wrong_usage(quick, capsys, box, sentence):
    assert quick(box) == 2
    assert re.search(sentence, capsys.readouterr().err)
