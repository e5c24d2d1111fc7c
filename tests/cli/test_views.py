"""`maquette reconstruct` from several pictures of one object."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from .command import one_line
from .pictures import four_sides, vase


def test_pictures_of_one_object_make_one_mesh(maquette, tmp_path):
    """With known sides each colours its own; the order of the others says nothing."""
    images, report = four_sides(tmp_path), tmp_path / "r.json"
    common = ["--resolution", 32, "--device", "cpu", "--report", report]
    assert maquette("reconstruct", *images, "--turns", "right", *common, "-o", tmp_path / "a.ply")[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert [view["turn"] for view in told["views"]] == pytest.approx([0, 90, 180, -90], abs=1e-3)
    assert [view["image"] for view in told["views"]] == [image.name for image in images] and told["watertight"]
    assert len(told["provenance"]["images"]) == 4 and told["provenance"]["settings"]["turns"] == [0, 90, 180, -90]
    other = [images[0], images[2], images[3], images[1]]
    turns = ["--turns", "0,180,270,90"]
    assert maquette("reconstruct", *other, *turns, *common, "-o", tmp_path / "b.ply")[0] == 0
    one, two = (trimesh.load(tmp_path / name) for name in ("a.ply", "b.ply"))
    np.testing.assert_allclose(one.volume, two.volume, rtol=1e-3)
    red, green, blue = np.asarray(one.visual.vertex_colors)[:, :3].T.astype(float)
    lime, yellow = (green > red + 60) & (green > blue), (red > 150) & (green > 150)
    dots = {"right": lime, "back": blue > red + 150, "left": yellow}
    ways = {"right": [1, 0], "back": [0, 1], "left": [-1, 0]}
    for side, dot in dots.items():  # each where its picture was taken
        at = one.vertices[dot].mean(0)[:2]
        assert at @ ways[side] > 0.1 and np.linalg.norm(at - at @ ways[side] * np.array(ways[side])) < 0.05, side


def test_pictures_without_sides_are_searched_or_left_out(maquette, tmp_path):
    images, report = four_sides(tmp_path)[:2], tmp_path / "r.json"
    options = ["--resolution", 32, "--device", "cpu", "--report", report, "-o", tmp_path / "a.ply"]
    assert maquette("reconstruct", *images, *options)[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert 0 <= told["views"][1]["found"] <= 1
    assert told["views"][1]["used"] or "right.png was left out" in told["note"]


def test_the_same_picture_under_two_names_is_told(maquette, tmp_path):
    image = vase(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(image.read_bytes())
    code, _, err = maquette("reconstruct", image, tmp_path / "b.png", "-o", tmp_path / "a.glb", "--device", "cpu")
    assert code == 1 and "a.png and b.png are the same picture" in one_line(err)
    assert not (tmp_path / "a.glb").exists()


def test_a_view_that_shows_nothing_is_named(maquette, tmp_path):
    image = vase(tmp_path / "a.png")
    Image.new("RGB", (90, 90), "grey").save(tmp_path / "b.png")
    code, _, err = maquette("reconstruct", image, tmp_path / "b.png", "-o", tmp_path / "a.glb", "--device", "cpu")
    assert code == 1 and "b.png" in one_line(err)


def test_cameras_of_a_pose_file_are_used(maquette, tmp_path):
    from maquette.geometry import frames

    images = four_sides(tmp_path)[:2]
    rows = [
        {"file_path": name, "transform_matrix": frames.orbit(azimuth, elevation, 3).tolist()}
        for name, azimuth, elevation in (("front.png", 20, 10), ("right.png", 95, 30))
    ]
    (tmp_path / "transforms.json").write_text(json.dumps({"camera_angle_x": 0.8, "frames": rows}))
    report = tmp_path / "r.json"
    options = ["--resolution", 32, "--device", "cpu", "--report", report, "-o", tmp_path / "a.ply"]
    assert maquette("reconstruct", *images, "--cameras", tmp_path / "transforms.json", *options)[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert told["views"][1]["turn"] == pytest.approx(75, abs=1e-3)
    assert told["camera"]["elevation"] == pytest.approx(10, abs=1e-3)
    assert told["provenance"]["settings"]["elevations"] == pytest.approx([10, 30])
    stranger = vase(tmp_path / "stranger.png")
    code, _, err = maquette("reconstruct", images[0], stranger, "--cameras", tmp_path, "-o", tmp_path / "b.ply")
    assert code == 1 and "has no camera for" in one_line(err) and "stranger.png" in err
