"""`maquette reconstruct` from several pictures of one object."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from ..photographed import cameras, chest, overlap, photographed, written
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
    # Cameras are brought to agree in steps, and sums in another order round otherwise: .2 % of the volume by now
    np.testing.assert_allclose(one.volume, two.volume, rtol=5e-3)
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


def test_cameras_of_a_pose_file_say_where_the_mesh_is(maquette, tmp_path):
    """Rolled, looking past the object, through a bent lens: the mesh lies where each of them sees the object."""
    bent = (0.05, -0.01, 0.002, -0.001)
    photos = [photographed(camera, f"view{k}", distortion=bent) for k, camera in enumerate(cameras())]
    images, report = written(tmp_path, photos), tmp_path / "r.json"
    options = ["--cameras", tmp_path / "transforms.json", "--device", "cpu", "--report", report]
    assert maquette("reconstruct", *images, *options, "-o", tmp_path / "a.ply")[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert told["in_place"] and "note" not in told
    assert len(told["provenance"]["settings"]["cameras"]) == 4
    assert told["camera"]["elevation"] == pytest.approx(15, abs=2)
    assert [view["turn"] for view in told["views"]] == pytest.approx([0, 95, -170, -75], abs=3)
    mesh = trimesh.load(tmp_path / "a.ply")
    assert min(overlap(mesh, photo) for photo in photos) > 0.75
    assert np.abs(mesh.bounds - chest().bounds).max() < 0.35
    assert maquette("reconstruct", *images, *options, "--size", 1, "-o", tmp_path / "b.ply")[0] == 0
    small = trimesh.load(tmp_path / "b.ply")
    assert small.extents.max() == pytest.approx(1, abs=1e-3) and abs(small.bounds[0, 2]) < 1e-3
    assert "in_place" not in json.loads(report.read_text("utf-8"))


def test_cameras_that_contradict_the_masks_only_say_the_sides(maquette, tmp_path):
    photos = [photographed(camera, f"view{k}") for k, camera in enumerate(cameras(count=3))]
    photos[1].camera[2, 3] += 4
    images, report = written(tmp_path, photos), tmp_path / "r.json"
    options = ["--cameras", tmp_path / "transforms.json", "--resolution", 32, "--device", "cpu", "--report", report]
    assert maquette("reconstruct", *images, *options, "-o", tmp_path / "a.ply")[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert "the cameras only say from which side each picture was taken: masks and cameras contradict" in told["note"]
    assert "in_place" not in told and np.ptp(told["bounds"], axis=0).max() == pytest.approx(1, abs=1e-3)


def test_an_elevation_set_by_hand_goes_before_cameras_and_is_told(maquette, tmp_path):
    images = written(tmp_path, [photographed(camera, f"view{k}") for k, camera in enumerate(cameras(count=2))])
    report = tmp_path / "r.json"
    options = ["--cameras", tmp_path / "transforms.json", "--elevation", 30, "--resolution", 32, "--device", "cpu"]
    assert maquette("reconstruct", *images, *options, "--report", report, "-o", tmp_path / "a.ply")[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert "since elevation was set by hand" in told["note"] and "in_place" not in told
    assert told["camera"]["elevation"] == pytest.approx(30, abs=0.1)


def test_a_picture_without_a_camera_is_named(maquette, tmp_path):
    images = written(tmp_path, [photographed(camera, f"view{k}") for k, camera in enumerate(cameras(count=2))])
    stranger = vase(tmp_path / "stranger.png")
    code, _, err = maquette("reconstruct", images[0], stranger, "--cameras", tmp_path, "-o", tmp_path / "b.ply")
    assert code == 1 and "has no camera for" in one_line(err) and "stranger.png" in err
