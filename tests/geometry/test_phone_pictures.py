"""Photos as phones and browsers write them, which neither every Pillow nor Blender reads."""

import sys

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from maquette.geometry import folder, picture
from maquette.geometry.picture import read_picture, size_of
from maquette.geometry.sharpness import taken_with

pillow_heif.register_heif_opener()
WIDE, HIGH = 96, 80
CORNERS = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])


def quarters():
    """Red, green / blue, white."""
    pixels = np.zeros((HIGH, WIDE, 3), np.uint8)
    for colour, rows in zip(CORNERS, (np.s_[:40, :48], np.s_[:40, 48:], np.s_[40:, :48], np.s_[40:, 48:]), strict=True):
        pixels[rows] = 255 * colour
    return Image.fromarray(pixels)


def corners(found):
    rgb = found.rgba[..., :3]
    high, wide = rgb.shape[0] // 2, rgb.shape[1] // 2
    parts = rgb[:high, :wide], rgb[:high, wide:], rgb[high:, :wide], rgb[high:, wide:]
    return np.array([part[8:-8, 8:-8].mean((0, 1)) for part in parts])


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "photo.heif", "found.avif", "wrong ending.jpg"])
def test_they_are_read_as_any_other(tmp_path, name):
    given = {"format": "HEIF"} if name.endswith("jpg") else {}
    quarters().save(tmp_path / name, quality=95, **given)
    found = read_picture(tmp_path / name)
    assert found.rgba.shape == (HIGH, WIDE, 4) and not found.has_alpha
    np.testing.assert_allclose(corners(found), CORNERS, atol=0.03)
    assert size_of(tmp_path / name) == (WIDE, HIGH)


@pytest.mark.parametrize("ending", ["heic", "avif"])
def test_a_phone_held_upright(tmp_path, ending):
    exif = Image.Exif()
    exif[274] = 6
    quarters().transpose(Image.Transpose.ROTATE_90).save(tmp_path / f"a.{ending}", exif=exif.tobytes(), quality=95)
    found = read_picture(tmp_path / f"a.{ending}")
    assert found.rgba.shape[:2] == (HIGH, WIDE)
    np.testing.assert_allclose(corners(found), CORNERS, atol=0.03)


def test_the_lens_is_known(tmp_path):
    """Capture begins with the focal length that the phone wrote."""
    exif = Image.Exif()
    exif[271], exif[272] = "Apple", "iPhone"
    exif.get_ifd(0x8769)[0xA405] = 26
    quarters().save(tmp_path / "a.heic", exif=exif)
    camera, focal = taken_with(tmp_path / "a.heic")
    assert camera[:3] == ("Apple", "iPhone", 26) and focal == pytest.approx(26 / 36)


def test_a_folder_of_them(tmp_path):
    for number in (2, 1, 10):
        quarters().save(tmp_path / f"IMG_{number}.HEIC")
    assert [path.name for path in folder.bare_photos(tmp_path)] == ["IMG_1.HEIC", "IMG_2.HEIC", "IMG_10.HEIC"]


@pytest.mark.parametrize("ending", ["heic", "avif"])
def test_damaged_ones(tmp_path, ending):
    quarters().save(tmp_path / f"a.{ending}")
    data = (tmp_path / f"a.{ending}").read_bytes()
    for length in (16, 40, len(data) // 3, len(data) - 9):
        (tmp_path / f"cut.{ending}").write_bytes(data[:length])
        with pytest.raises(ValueError, match=f"^cut.{ending} is damaged or cut short"):
            read_picture(tmp_path / f"cut.{ending}")
        assert size_of(tmp_path / f"cut.{ending}")[0] in (0, WIDE)


def test_what_is_wanted_to_read_them_is_said(tmp_path, monkeypatch):
    for name in ("a.heic", "a.avif"):
        quarters().save(tmp_path / name)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.setattr(picture.features, "check", lambda feature: False)
    with pytest.raises(ValueError, match=r"a.heic is HEIC, as iPhones save photos, .*pip install pillow-heif"):
        read_picture(tmp_path / "a.heic")
    with pytest.raises(ValueError, match="a.avif is AVIF, which Pillow reads from 11.3 on"):
        read_picture(tmp_path / "a.avif")
    assert size_of(tmp_path / "a.heic") == (0, 0) and taken_with(tmp_path / "a.heic") == ((), None)
