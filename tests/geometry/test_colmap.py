"""COLMAP models in both forms: where a known place lands, and every way in which the files can be cut."""

import numpy as np
import pytest

from maquette.geometry.colmap import read_model
from maquette.geometry.folder import read_scene

from .captures import (
    FOCAL,
    HIGH,
    POINT,
    WIDE,
    cameras,
    expected_pixel,
    pictures,
    poses,
    seen_at,
    write_binary,
    write_text,
)

WRITERS = {"bin": write_binary, "txt": write_text}
LENSES = [
    (0, (FOCAL, 30, 25), (FOCAL, FOCAL), (0, 0, 0, 0)),
    (1, (FOCAL, 55, 30, 25), (FOCAL, 55), (0, 0, 0, 0)),
    (2, (FOCAL, 30, 25, 0.1), (FOCAL, FOCAL), (0.1, 0, 0, 0)),
    (3, (FOCAL, 30, 25, 0.1, -0.05), (FOCAL, FOCAL), (0.1, -0.05, 0, 0)),
    (4, (FOCAL, 55, 30, 25, 0.1, -0.05, 0.01, -0.02), (FOCAL, 55), (0.1, -0.05, 0.01, -0.02)),
]
PLAIN = [(7, 1, WIDE, HIGH, (FOCAL, FOCAL, WIDE / 2, HIGH / 2))]


def listed(camera=7):
    return [(f"{i}.png", *pose, camera) for i, pose in enumerate(poses())]


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("model, values, focal, distortion", LENSES)
def test_every_model_that_is_followed(tmp_path, form, model, values, focal, distortion):
    pictures(tmp_path / "images")
    WRITERS[form](tmp_path / "sparse" / "0", listed(), [(7, model, WIDE, HIGH, values)], [POINT, POINT + 1])
    scene = read_scene(tmp_path)
    assert [photo.name for photo in scene.photos] == [f"images/{i}" for i in range(4)]
    np.testing.assert_array_equal(scene.points, [POINT, POINT + 1])
    for photo, camera in zip(scene.photos, cameras()):
        np.testing.assert_allclose(photo.camera, camera, atol=1e-12)
        expected = expected_pixel(camera, focal=focal, centre=(30, 25), distortion=distortion)
        np.testing.assert_allclose(seen_at(photo), expected, atol=1e-9)


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("place", ["sparse/0", "sparse", "colmap/sparse/0", "."])
@pytest.mark.parametrize("pictures_in", ["images", "input", "."])
def test_where_models_and_photos_lie(tmp_path, form, place, pictures_in):
    pictures(tmp_path / pictures_in)
    WRITERS[form](tmp_path / place, listed(), PLAIN)
    assert len(read_scene(tmp_path).photos) == 4


def test_reduced_copies_serve_where_the_photos_are_away(tmp_path):
    pictures(tmp_path / "images_2", size=(WIDE, HIGH))
    lens = (7, 1, 2 * WIDE, 2 * HIGH, (2 * FOCAL, 2 * FOCAL, WIDE, HIGH))
    write_binary(tmp_path / "sparse", listed(), [lens])
    for photo, camera in zip(read_scene(tmp_path).photos, cameras(), strict=True):
        np.testing.assert_allclose(seen_at(photo), expected_pixel(camera), atol=1e-9)


@pytest.mark.parametrize("form", WRITERS)
def test_names_with_blanks_and_folders(tmp_path, form):
    pictures(tmp_path / "images" / "left side")
    rows = [(f"left side/{name}", *rest) for name, *rest in listed()]
    WRITERS[form](tmp_path / "sparse", rows, PLAIN)
    assert read_scene(tmp_path).photos[0].name == "images/left side/0"


@pytest.mark.parametrize("form", WRITERS)
def test_a_model_without_points(tmp_path, form):
    pictures(tmp_path / "images")
    WRITERS[form](tmp_path / "sparse", listed(), PLAIN, [])
    scene = read_scene(tmp_path)
    assert scene.points is None and scene.notes == ("the COLMAP model holds no points, so only the cameras are known",)


@pytest.mark.parametrize("form", WRITERS)
def test_photos_of_the_model_that_are_away_or_outside(tmp_path, form):
    home = tmp_path / "home"
    pictures(home / "images", 3)
    rows = [*listed(), ("../../4.png", *poses()[0], 7)]
    pictures(tmp_path, 5)
    WRITERS[form](home / "sparse", rows, PLAIN)
    scene = read_scene(home)
    assert len(scene.photos) == 3
    assert scene.notes == (
        "images/3.png is missing",
        "images/../../4.png lies outside the folder home, so it is not read",
    )


@pytest.mark.parametrize("name", ["cameras", "images", "points3D"])
def test_binary_files_cut_anywhere(tmp_path, name):
    write_binary(tmp_path, listed(), PLAIN)
    data = (tmp_path / f"{name}.bin").read_bytes()
    for length in [0, 5, 8, 9, 20, len(data) // 2, len(data) - 9, len(data) - 1]:
        (tmp_path / f"{name}.bin").write_bytes(data[:length])
        with pytest.raises(ValueError, match=f"{name}.bin is cut short; copy it again"):
            read_model(tmp_path)


def test_counts_beyond_the_file_take_no_memory(tmp_path):
    write_binary(tmp_path, listed(), PLAIN)
    data = bytearray((tmp_path / "images.bin").read_bytes())
    end = data.index(b"0.png\0") + 6
    data[end : end + 8] = b"\xff" * 8
    (tmp_path / "images.bin").write_bytes(data)
    with pytest.raises(ValueError, match="images.bin is cut short"):
        read_model(tmp_path)


@pytest.mark.parametrize("form", WRITERS)
def test_damaged_models_are_named_in_one_sentence(tmp_path, form):
    write = WRITERS[form]
    turn, shift = poses()[0]

    def check(rows, lenses, words):
        write(tmp_path, rows, lenses)
        with pytest.raises(ValueError, match=words) as error:
            read_model(tmp_path)
        assert "\n" not in str(error.value)

    check(listed(3), PLAIN, f"images.{form} says that 0.png was taken by camera 3; cameras.{form} has none")
    check([], PLAIN, f"images.{form} holds no photos")
    check([("a", turn * 0, shift, 7)], PLAIN, f"images.{form} holds no rotation for a")
    check(listed(), [(7, 5, WIDE, HIGH, [1.0] * 8)], f"cameras.{form} holds the camera model OPENCV_FISHEYE, which")
    check(listed(), [(7, 6, WIDE, HIGH, [1.0] * 12)], "the camera model FULL_OPENCV, .* undistort the photos first")
    check(
        listed(), [(7, 0, WIDE, HIGH, (0, 1, 1))], f"cameras.{form} holds SIMPLE_PINHOLE of 64 x 48 pixels with focal"
    )
    check(listed(), [(7, 0, 0, HIGH, (9, 1, 1))], f"cameras.{form} holds SIMPLE_PINHOLE of 0 x 48")


def test_binary_only(tmp_path):
    write_binary(tmp_path, listed(), [(7, 99, WIDE, HIGH, (1, 1, 1))])
    with pytest.raises(ValueError, match="cameras.bin holds camera model number 99, which Capture does not know"):
        read_model(tmp_path)
    write_binary(tmp_path, [("a", poses()[0][0], (np.nan, 0, 0), 7)], PLAIN)
    with pytest.raises(ValueError, match="images.bin is damaged at a: its camera holds numbers that are not finite"):
        read_model(tmp_path)
    write_binary(tmp_path, listed(), PLAIN, [POINT, (np.nan, 0, 0)])
    assert read_model(tmp_path).points.tolist() == [POINT.tolist()]
    (tmp_path / "images.bin").write_bytes((tmp_path / "images.bin").read_bytes().replace(b"1.png", b"\xff.png"))
    with pytest.raises(ValueError, match="images.bin is not a file of a COLMAP model"):
        read_model(tmp_path)
    (tmp_path / "cameras.bin").unlink()
    with pytest.raises(ValueError, match="cameras.bin is missing beside the other files of the COLMAP model"):
        read_model(tmp_path)


@pytest.mark.parametrize(
    "name, text, words",
    [
        ("cameras", "1 PINHOLE 64\n", "cameras.txt is cut short"),
        ("cameras", "1 PINHOLE 64 48 60 60 32\n", "cameras.txt holds 3 parameters for PINHOLE, which has 4"),
        ("cameras", "7 PINHOLE wide 48 60 60 32 24\n", "cameras.txt holds a line that is not of a COLMAP model: 7 PIN"),
        ("images", "1 1 0 0 0 0 0\n", "images.txt is cut short"),
        ("images", "one two\n\n", "images.txt holds a line that is not of a COLMAP model: one two"),
        ("points3D", "1 2 3\n", "points3D.txt is cut short"),
        ("points3D", "1 2 3 nan 0\n", "points3D.txt holds a line that is not of a COLMAP model"),
    ],
)
def test_damaged_text(tmp_path, name, text, words):
    write_text(tmp_path, listed(), PLAIN)
    (tmp_path / f"{name}.txt").write_text(text)
    with pytest.raises(ValueError, match=words):
        read_model(tmp_path)
