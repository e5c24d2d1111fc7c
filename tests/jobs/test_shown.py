"""What is shown behind cameras in Blender: the photo as its camera saw it, whatever its file is."""

from dataclasses import replace

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from maquette.geometry.views import Lens, View, photograph
from maquette.jobs.capturing import Look
from maquette.jobs.look import look
from maquette.jobs.shown import LONGEST, with_shown

pillow_heif.register_heif_opener()
WIDE, HIGH = 96, 64


def picture(wide=WIDE, high=HIGH):
    """Red on the left, blue on the right."""
    pixels = np.zeros((high, wide, 3), np.uint8)
    pixels[:, : wide // 2, 0], pixels[:, wide // 2 :, 2] = 255, 255
    return Image.fromarray(pixels)


def lying(path):
    """As a phone that is held upright writes it."""
    exif = Image.Exif()
    exif[274] = 6
    picture().transpose(Image.Transpose.ROTATE_90).save(path, exif=exif.tobytes(), quality=95)
    return path


def taken(path, upright=False, size=None):
    return photograph(View(path.stem, path, np.eye(4), Lens(fov=(1.0, None), size=size), upright=upright), 48)


def copy_of(photo, folder):
    return with_shown([{"name": photo.name}], [photo], str(folder))[0].get("shown", "")


def is_the_picture(path):
    found = np.asarray(Image.open(path).convert("RGB"), float) / 255
    assert found.shape == (HIGH, WIDE, 3)
    np.testing.assert_allclose(found[:, : WIDE // 2 - 8].mean((0, 1)), [1, 0, 0], atol=0.05)
    np.testing.assert_allclose(found[:, WIDE // 2 + 8 :].mean((0, 1)), [0, 0, 1], atol=0.05)


def test_a_file_that_blender_shows_as_it_was_seen_needs_no_copy(tmp_path):
    picture().save(tmp_path / "a.png")
    for upright in (False, True):
        assert copy_of(taken(tmp_path / "a.png", upright), tmp_path / "copies") == ""
    # Its camera is given for the pixels as they lie in the file
    assert copy_of(taken(lying(tmp_path / "b.jpg"), size=(HIGH, WIDE)), tmp_path / "copies") == ""
    assert not (tmp_path / "copies").exists()


@pytest.mark.parametrize("given", [{"upright": True}, {"size": (WIDE, HIGH)}], ids=["found", "given"])
def test_what_lies_on_its_side_is_set_upright(tmp_path, given):
    is_the_picture(copy_of(taken(lying(tmp_path / "a.jpg"), **given), tmp_path / "copies"))


@pytest.mark.parametrize("ending", ["heic", "avif"])
def test_formats_that_blender_does_not_read(tmp_path, ending):
    picture().save(tmp_path / f"a.{ending}", quality=95)
    is_the_picture(copy_of(taken(tmp_path / f"a.{ending}"), tmp_path / "copies"))


def test_a_frame_of_a_video_is_kept_as_it_was_fitted(tmp_path):
    picture().save(tmp_path / "frame_0001.png")
    photo = taken(tmp_path / "frame_0001.png")
    (tmp_path / "frame_0001.png").unlink()
    assert Image.open(copy_of(photo, tmp_path / "copies")).size == (48, 32)
    assert copy_of(photo, tmp_path / "copies") == copy_of(photo, tmp_path / "copies")
    assert len(list((tmp_path / "copies").iterdir())) == 1


def test_large_photos_are_made_smaller(tmp_path):
    picture(2400, 1600).save(tmp_path / "a.heic")
    assert max(Image.open(copy_of(taken(tmp_path / "a.heic"), tmp_path / "copies")).size) == LONGEST


def test_without_a_folder_and_where_nothing_can_be_written(tmp_path):
    picture().save(tmp_path / "a.heic")
    photo, row = taken(tmp_path / "a.heic"), {"name": "a"}
    assert with_shown([row], [photo], "") == [row]
    (tmp_path / "file").write_bytes(b"in the way")
    assert with_shown([row], [photo], str(tmp_path / "file" / "copies")) == [row]
    (tmp_path / "a.heic").write_bytes(b"no longer a picture")
    assert with_shown([row], [replace(photo, view=None)], str(tmp_path / "copies"))[0]["shown"]  # as it was read


def test_look_names_them(ellipsoid, tmp_path):
    import shutil

    shutil.copytree(ellipsoid.folder, tmp_path / "phone")
    for path in (tmp_path / "phone/train").glob("*.png"):
        Image.open(path).save(path.with_suffix(".heic"), quality=90)
        path.unlink()
    found = look(Look(str(tmp_path / "phone"), backgrounds=str(tmp_path / "copies")), lambda *_: None, lambda: False)
    shown = [row.get("shown", "") for row in found.report["cameras"]]
    assert (found.photos, found.masks) == (20, 20) and sum(map(bool, shown)) == 20
    assert all(Image.open(path).size == (72, 72) for path in filter(None, shown))
