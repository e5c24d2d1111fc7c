"""What a folder of photos holds, said before anything is captured; cameras that are found once are known."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maquette.jobs import known_cameras, poses
from maquette.jobs.capturing import Look, Looked
from maquette.jobs.look import look

_spec = importlib.util.spec_from_file_location("box", Path(__file__).resolve().parent / "box.py")
box = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(box)


def quiet(*_):
    pass


def never():
    return False


def test_photos_with_cameras_and_masks(ellipsoid):
    found = look(Look(str(ellipsoid.folder)), quiet, never)
    assert (found.photos, found.masks, found.held_out, found.size) == (20, 20, 4, (72, 72))
    assert found.source == "transforms_train.json" and not found.notes
    cameras = "Cameras from transforms_train.json"
    assert found.lines() == ["20 photos, 4 more for scores, 72 × 72", cameras, "All with masks"]
    np.testing.assert_allclose(found.report["box"]["centre"], ellipsoid.centre, atol=0.05)
    assert found.report["box"]["side"] == pytest.approx(2 * max(ellipsoid.radii), rel=0.25)
    assert len(found.report["cameras"]) == 24


def test_what_is_missing_is_told(ellipsoid, tmp_path):
    import shutil

    shutil.copytree(ellipsoid.folder, tmp_path / "torn")
    (tmp_path / "torn/train/r_3.png").unlink()
    (tmp_path / "torn/train/r_5.png").write_bytes(b"no picture")
    found = look(Look(str(tmp_path / "torn")), quiet, never)
    assert found.photos == 18 and len(found.notes) == 2
    assert "r_3" in found.notes[0] and "r_5" in found.notes[1]


@pytest.fixture(scope="module")
def shots(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shots")
    box.photographs(folder)
    return folder


def test_bare_photos_are_counted_at_once(shots):
    found = look(Look(str(shots)), quiet, never)
    width, height = Image.open(next(shots.glob("*.png"))).size
    assert found.photos == len(list(shots.glob("*.png"))) and found.size == (width, height)
    assert found.source == "" and not found.report and "found from the photos" in found.lines()[1]


def test_cameras_are_found_where_that_is_asked_and_then_known(shots, tmp_path, monkeypatch):
    pytest.importorskip("pycolmap")
    asked = Look(str(shots), find=True, cache=str(tmp_path))
    first = look(asked, quiet, never)
    assert first.source == "photos" and first.photos == len(list(shots.glob("*.png")))
    assert len(first.points) > 50 and first.report["box"]["side"] > 0
    monkeypatch.setattr(poses, "solve", None)  # would fail if it were asked again
    again = look(asked, quiet, never)
    np.testing.assert_allclose(again.points, first.points, atol=1e-4)
    for one, other in zip(first.report["cameras"], again.report["cameras"], strict=True):
        np.testing.assert_allclose(one["matrix"], other["matrix"], atol=1e-9)
        assert one["name"] == other["name"] and one["focal"] == other["focal"]


def test_a_changed_photo_asks_for_other_cameras(shots, tmp_path):
    paths = sorted(shots.glob("*.png"))
    known_cameras.keep(poses.Poses(), shots, paths, str(tmp_path))
    assert known_cameras.load(shots, paths, str(tmp_path)) is not None
    assert known_cameras.load(shots, paths[1:], str(tmp_path)) is None
    import os

    os.utime(paths[0], (1, 1))
    assert known_cameras.load(shots, paths, str(tmp_path)) is None


STRANGE = '{"format": "maquette cameras 1", "views": [{"photo": 99}]}'


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', STRANGE])
def test_damaged_cameras_are_found_again(shots, tmp_path, text):
    paths = sorted(shots.glob("*.png"))
    known_cameras.keep(poses.Poses(), shots, paths, str(tmp_path))
    (path,) = (tmp_path / "captures").glob("*.json")
    path.write_text(text)
    assert known_cameras.load(shots, paths, str(tmp_path)) is None


@pytest.mark.parametrize(
    "files, sentence",
    [
        ({}, "holds no photos"),
        ({"a.png": 40}, "it holds a single photo; Capture needs several"),
        ({"a.png": 40, "b.jpg": b"torn"}, "only 1 of its 2 pictures can be used .b.jpg"),
    ],
)
def test_what_cannot_be_captured_is_a_sentence(tmp_path, files, sentence):
    for name, what in files.items():
        if isinstance(what, bytes):
            (tmp_path / name).write_bytes(what)
        else:
            Image.new("RGB", (what, what)).save(tmp_path / name)
    with pytest.raises(ValueError, match=sentence):
        look(Look(str(tmp_path)), quiet, never)


def test_a_video_says_what_becomes_of_it(tmp_path):
    (tmp_path / "turn.mp4").write_bytes(b"")
    found = look(Look(str(tmp_path)), quiet, never)
    assert found.lines() == ["turn.mp4: its sharpest frames are taken"]


def test_some_masks_are_a_note():
    assert Looked(10, "COLMAP model", masks=4, size=(8, 6)).lines()[2] == "4 of them with masks"
