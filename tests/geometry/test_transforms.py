"""transforms.json in the three dialects: where a known place lands in the pictures, and every damaged file."""

import json
import math

import numpy as np
import pytest

from maquette.geometry.folder import read_scene

from .captures import FOCAL, HIGH, WIDE, cameras, expected_pixel, frames, picture, pictures, seen_at, write_transforms

FOV = 2 * math.atan(WIDE / 2 / FOCAL)
LENS = {"fl_x": FOCAL, "fl_y": 55.0, "cx": 30.0, "cy": 25.0, "w": WIDE, "h": HIGH}
BENT = {"k1": 0.1, "k2": -0.05, "p1": 0.01, "p2": -0.02}


def capture(folder, listed=None, **shared):
    pictures(folder / "images")
    write_transforms(folder / "transforms.json", listed or frames(), **shared)


def changed(number=1, **values):
    listed = frames()
    listed[number] |= values
    return listed


def check_pixels(scene, **lens):
    for photo, camera in zip(scene.photos, cameras(), strict=True):
        np.testing.assert_allclose(seen_at(photo), expected_pixel(camera, **lens), atol=1e-9)


# --- dialects -------------------------------------------------------------------------------------------------------


def test_nerf_synthetic(tmp_path):
    for split, count in ("train", 4), ("test", 3), ("val", 2):
        pictures(tmp_path / split, count)
        write_transforms(tmp_path / f"transforms_{split}.json", frames(f"./{split}", count, ""), camera_angle_x=FOV)
    scene = read_scene(tmp_path, holdout=2)
    assert [photo.name for photo in scene.photos] == ["train/0", "train/1", "train/2", "train/3"]
    assert [photo.name for photo in scene.held_out] == ["test/0", "test/1", "test/2"]
    assert scene.notes == ()
    check_pixels(scene)


def test_instant_ngp(tmp_path):
    capture(tmp_path, **LENS, **BENT, camera_angle_x=1.0, aabb_scale=16, scale=0.5, offset=[0.5, 0.5, 0.5])
    scene = read_scene(tmp_path)
    check_pixels(scene, focal=(FOCAL, 55), centre=(30, 25), distortion=(0.1, -0.05, 0.01, -0.02))
    np.testing.assert_array_equal(scene.photos[2].image, picture(tmp_path / "again.png", 2))
    assert scene.photos[0].mask is None and scene.held_out == ()


@pytest.mark.parametrize(
    "angles, focal",
    [
        ({"camera_angle_x": FOV, "camera_angle_y": 1.0}, (FOCAL, HIGH / 2 / math.tan(0.5))),
        ({"x_fov": math.degrees(FOV)}, (FOCAL, FOCAL)),
        ({"fl_x": 50}, (50, 50)),
    ],
)
def test_focal_lengths_by_any_name(tmp_path, angles, focal):
    capture(tmp_path, **angles)
    check_pixels(read_scene(tmp_path), focal=focal)


def test_nerfstudio_with_lenses_of_its_own_for_each_frame(tmp_path):
    listed = [frame | {"fl_x": 40 + i, "fl_y": 50 + i, "camera_model": "OPENCV"} for i, frame in enumerate(frames())]
    capture(tmp_path, listed, camera_angle_x=1.0)
    for i, (photo, camera) in enumerate(zip(read_scene(tmp_path).photos, cameras())):
        np.testing.assert_allclose(seen_at(photo), expected_pixel(camera, focal=(40 + i, 50 + i)), atol=1e-9)


def test_what_nerfstudio_applied_is_undone(tmp_path):
    applied = np.array([[1.0, 0, 0, 0.5], [0, 0, 1, -1], [0, -1, 0, 2]])
    scale = 0.25
    listed = frames()
    for frame, camera in zip(listed, cameras()):
        moved = np.vstack([applied, [0, 0, 0, 1]]) @ camera
        moved[:3, 3] *= scale
        frame["transform_matrix"] = moved.tolist()
    capture(tmp_path, listed, **LENS, applied_transform=applied.tolist(), applied_scale=scale)
    scene = read_scene(tmp_path)
    np.testing.assert_allclose([photo.camera for photo in scene.photos], cameras(), atol=1e-12)
    check_pixels(scene, focal=(FOCAL, 55), centre=(30, 25))


def test_a_scale_of_the_axes_is_taken_out(tmp_path):
    listed = frames()
    for frame, camera in zip(listed, cameras()):
        frame["transform_matrix"] = (camera @ np.diag([7.0, 7, 7, 1])).tolist()
    capture(tmp_path, listed, camera_angle_x=FOV)
    check_pixels(read_scene(tmp_path))


def test_nerfstudio_says_what_is_scored(tmp_path):
    capture(tmp_path, fl_x=FOCAL, train_filenames=["images/0.png", "./images/3.png"], test_filenames=["images/1.png"])
    scene = read_scene(tmp_path, holdout=2)
    assert [photo.name for photo in scene.photos] == ["images/0", "images/3"]
    assert [photo.name for photo in scene.held_out] == ["images/1"]


def test_missing_pictures_are_listed_and_the_rest_is_read(tmp_path):
    capture(tmp_path, [*frames(), {"file_path": "images/9.png", "transform_matrix": np.eye(4).tolist()}], fl_x=FOCAL)
    scene = read_scene(tmp_path)
    assert len(scene.photos) == 4 and scene.notes == ("images/9.png is missing",)


# --- frames that cannot be used -------------------------------------------------------------------------------------

MIRRORED = np.diag([-1.0, 1, 1, 1]).tolist()
SHEARED = [[1, 0.2, 0, 0], [0, 1, 0, 0], [0, 0, 1, 3], [0, 0, 0, 1]]
TRANSPOSED = [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 3, 1]]


@pytest.mark.parametrize(
    "values, words",
    [
        ({"transform_matrix": [[math.nan] * 4] * 4}, "images/1: its camera holds numbers that are not finite"),
        ({"transform_matrix": [[math.inf] * 4] * 3}, "images/1: its camera holds numbers that are not finite"),
        ({"transform_matrix": MIRRORED}, "images/1: its camera is mirrored; write right-handed"),
        ({"transform_matrix": SHEARED}, "images/1: its camera's axes are not at right angles"),
        ({"transform_matrix": np.diag([1, 2, 1, 1]).tolist()}, "images/1: its camera's axes are not at right angles"),
        ({"transform_matrix": np.zeros((3, 4)).tolist()}, "images/1: its camera's matrix is flat"),
        ({"transform_matrix": TRANSPOSED}, "images/1: the last row .* is it transposed"),
        ({"transform_matrix": [[1, 2], [3]]}, "images/1: its camera is not a matrix of 4 x 4 numbers"),
        ({"transform_matrix": "eye"}, "images/1: its camera is not a matrix"),
        ({"transform_matrix": None}, "images/1: its camera is not a matrix"),
        ({"file_path": None}, "None is not the name of a file"),
        ({"file_path": "a\0b"}, "is not the name of a file"),
        ({"file_path": "images/0.png"}, "images/0 is listed twice"),
        ({"fl_x": "wide"}, "images/1: fl_x is 'wide', not a number"),
        ({"fl_x": -3}, "images/1: its focal length is -3 x"),
        ({"fl_x": None, "camera_angle_x": 4}, "field of view is 229"),
        ({"w": 100, "h": 100}, "images/1: it is 64 x 48 pixels, but its camera is given for 100 x 100"),
        ({"w": 0, "h": 100}, "images/1: its camera is given for 0 x 100 pixels"),
        ({"camera_model": "OPENCV_FISHEYE"}, "images/1: its camera is OPENCV_FISHEYE, which Capture does not read"),
        ({"is_fisheye": True}, "images/1: its camera is a fisheye"),
        ({"k3": 3.0}, "images/1: its distortion k3 moves the corners by 10.* pixels"),
        ({"mask_path": "masks/none.png"}, "masks/none.png is missing"),
    ],
)
def test_a_frame_that_cannot_be_used_is_listed(tmp_path, values, words):
    values = {"fl_x": FOCAL, "w": WIDE, "h": HIGH} | values
    capture(tmp_path, changed(**values))
    (tmp_path / "transforms.json").write_text(json.dumps({"frames": changed(**values), "fl_x": FOCAL}))
    scene = read_scene(tmp_path)
    assert [photo.name for photo in scene.photos] == ["images/0", "images/2", "images/3"]
    assert len(scene.notes) == 1
    with pytest.raises(ValueError, match=words):
        raise ValueError(scene.notes[0])


def test_small_terms_beyond_opencv_are_let_be(tmp_path):
    capture(tmp_path, **LENS, k3=1e-4)
    assert len(read_scene(tmp_path).photos) == 4


def test_nothing_outside_the_folder_is_read(tmp_path):
    home = tmp_path / "home"
    picture(tmp_path / "secret.png", 9)
    pictures(home / "images")
    (home / "images" / "link.png").symlink_to(tmp_path / "secret.png")
    (home / "away").symlink_to(tmp_path)
    hidden = [
        "../secret.png",
        "images/../../secret",
        str(tmp_path / "secret.png"),
        "images/link.png",
        "away/secret.png",
    ]
    listed = [{"file_path": path, "transform_matrix": cameras()[0].tolist()} for path in hidden]
    write_transforms(home / "transforms.json", frames() + listed, fl_x=FOCAL)
    scene = read_scene(home)
    assert len(scene.photos) == 4
    assert scene.notes == tuple(f"{path} lies outside the folder home, so it is not read" for path in hidden)


def test_absolute_and_windows_paths_within_the_folder(tmp_path):
    listed = changed(1, file_path=str(tmp_path / "images" / "1.png"))
    listed[2]["file_path"] = ".\\images\\2.png"
    capture(tmp_path, listed, fl_x=FOCAL)
    scene = read_scene(tmp_path)
    assert [photo.name for photo in scene.photos] == [f"images/{i}" for i in range(4)]


# --- damaged files --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, words",
    [
        ("", "transforms.json is not JSON, or cut short"),
        ('{"frames": [', "transforms.json is not JSON, or cut short"),
        ("[" * 100_000, "transforms.json is not JSON, or cut short"),
        (b"\xff\xfe\x00", "transforms.json is not JSON"),
        ("[1, 2]", "transforms.json holds no cameras"),
        ("{}", "transforms.json lists no frames"),
        ('{"frames": {}}', "transforms.json lists no frames"),
        ('{"frames": []}', "transforms.json lists no frames"),
        ('{"frames": [3]}', "none of the photos can be used: frame 0 of transforms.json: it is not a frame"),
        ('{"frames": [{}], "applied_transform": 3}', "applied_transform of transforms.json is not a matrix"),
        ('{"frames": [{}], "applied_transform": [[0,0,0,0],[0,0,0,0],[0,0,0,0]]}', "cannot be undone"),
        ('{"frames": [{}], "applied_scale": 0}', "cannot be undone"),
    ],
)
def test_damaged_files_are_named_in_one_sentence(tmp_path, text, words):
    pictures(tmp_path / "images")
    (tmp_path / "transforms.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ValueError, match=words) as error:
        read_scene(tmp_path)
    assert "\n" not in str(error.value)


def test_mirrored_cameras_alone_are_an_error(tmp_path):
    listed = frames()
    for frame, camera in zip(listed, cameras()):
        frame["transform_matrix"] = (np.diag([1.0, 1, -1, 1]) @ camera).tolist()
    capture(tmp_path, listed, fl_x=FOCAL)
    with pytest.raises(ValueError, match="none of the photos can be used: images/0: its camera is mirrored"):
        read_scene(tmp_path)


def test_nothing_says_the_focal_length(tmp_path):
    capture(tmp_path)
    with pytest.raises(ValueError, match="nothing says its focal length"):
        read_scene(tmp_path)
