"""`maquette look`: what is said of a folder of photos."""

import json

import pytest
from PIL import Image

from .command import one_line


def test_photos_cameras_and_masks(maquette, ellipsoid, tmp_path):
    report = tmp_path / "r.json"
    code, said, err = maquette("look", ellipsoid.folder, "--report", report)
    assert (code, err) == (0, "")
    assert said.splitlines()[0].startswith("20 photos, 4 more for scores") and "All with masks" in said
    told = json.loads(report.read_text("utf-8"))
    assert told["photos"] == 20 and told["source"] == "transforms_train.json" and len(told["cameras"]) == 24
    assert told["box"]["side"] > 0 and told["seconds"] > 0 and told["notes"] == []
    code, said, _ = maquette("look", ellipsoid.folder, "--json")
    assert json.loads(said)["cameras"] == told["cameras"]


@pytest.mark.parametrize("find", [(), ("--find",)])
def test_nothing_to_capture_is_one_line(maquette, tmp_path, find):
    Image.new("RGB", (40, 40)).save(tmp_path / "alone.png")
    code, said, err = maquette("look", tmp_path, *find)
    assert (code, said) == (1, "") and "Capture needs several" in one_line(err)
