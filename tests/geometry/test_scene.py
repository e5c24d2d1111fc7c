"""What a folder of photographs becomes, whatever the pictures and however bad the folder."""

import shutil

import numpy as np
import pytest
from PIL import Image

from maquette.geometry.folder import NoCameras, bare_photos, read_scene
from maquette.geometry.views import area_mean

from .captures import (
    FOCAL,
    HIGH,
    WIDE,
    cameras,
    expected_pixel,
    frames,
    picture,
    pictures,
    seen_at,
    write_transforms,
)


def capture(folder, count=4, **shared):
    write_transforms(folder / "transforms.json", frames(count=count), **({"fl_x": FOCAL} | shared))
    return pictures(folder / "images", count)


def check(folder, words, **options):
    with pytest.raises(ValueError, match=words) as error:
        read_scene(folder, **options)
    assert "\n" not in str(error.value)


# --- folders that hold no scene -------------------------------------------------------------------------------------


def test_bad_folders(tmp_path):
    check(tmp_path / "nowhere", "nowhere does not exist; Capture needs a folder of photos, or a video")
    check(tmp_path, "holds no photos")
    (tmp_path / "notes.txt").write_text("hello")
    check(tmp_path / "notes.txt", "notes.txt is a single file; Capture needs a folder")


def test_photos_and_videos_without_cameras(tmp_path):
    pictures(tmp_path / "photos", 11, ".jpg")
    with pytest.raises(NoCameras, match="photos holds 11 photos without cameras"):
        read_scene(tmp_path / "photos")
    assert [path.name for path in bare_photos(tmp_path / "photos")] == [f"{i}.jpg" for i in range(11)]
    (tmp_path / "film.MP4").write_bytes(b"")
    with pytest.raises(NoCameras, match="film.MP4 is a video"):
        read_scene(tmp_path / "film.MP4")
    (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(NoCameras, match="film.MP4 is a video"):
        read_scene(tmp_path)


def test_one_photo_is_no_capture(tmp_path):
    capture(tmp_path, 1)
    check(tmp_path, "there is only one photo, images/0; Capture needs several, from different sides")
    capture(tmp_path, 2)
    (tmp_path / "images" / "0.png").unlink()
    check(tmp_path, r"there is only one photo, images/1 \(images/0.png is missing\)")
    (tmp_path / "images" / "1.png").unlink()
    check(tmp_path, "none of the photos can be used: images/0.png is missing")


def test_photos_that_are_all_alike(tmp_path):
    capture(tmp_path)
    for i in range(1, 4):
        shutil.copy(tmp_path / "images" / "0.png", tmp_path / "images" / f"{i}.png")
    check(tmp_path, "all 4 photos show the same picture")


def test_cameras_at_one_place(tmp_path):
    capture(tmp_path)
    listed = frames()
    for frame, camera in zip(listed, cameras()):
        camera[:3, 3] = 1
        frame["transform_matrix"] = camera.tolist()
    write_transforms(tmp_path / "transforms.json", listed, fl_x=FOCAL)
    check(tmp_path, "all cameras stand at one place")


# --- pictures -------------------------------------------------------------------------------------------------------


def test_photos_of_different_sizes_with_intrinsics_of_their_own(tmp_path):
    listed = frames()
    for i, frame in enumerate(listed):
        frame |= {"fl_x": 50 + i, "w": WIDE + 2 * i, "h": HIGH}
        picture(tmp_path / "images" / f"{i}.png", i, (WIDE + 2 * i, HIGH))
    write_transforms(tmp_path / "transforms.json", listed)
    for i, (photo, camera) in enumerate(zip(read_scene(tmp_path).photos, cameras(), strict=True)):
        assert photo.image.shape == (HIGH, WIDE + 2 * i, 3)
        expected = expected_pixel(camera, focal=(50 + i, 50 + i), centre=(WIDE / 2 + i, HIGH / 2))
        np.testing.assert_allclose(seen_at(photo), expected, atol=1e-9)


def test_alpha_is_the_mask_and_colours_are_not_multiplied_by_it(tmp_path):
    pixels = capture(tmp_path)[1]
    alpha = np.zeros((HIGH, WIDE), np.uint8)
    alpha[10:30, 20:40], alpha[12, 20] = 255, 100
    Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "images" / "1.png")
    Image.fromarray(np.dstack([pixels, alpha * 0 + 255])).save(tmp_path / "images" / "2.png")
    photos = read_scene(tmp_path).photos
    np.testing.assert_array_equal(photos[1].mask, alpha)
    np.testing.assert_array_equal(photos[1].image, pixels)
    assert photos[0].mask is None and photos[2].mask is None
    assert all(photo.image.dtype == np.uint8 and photo.image.flags.c_contiguous for photo in photos)


def test_all_transparent(tmp_path):
    for i, pixels in enumerate(capture(tmp_path)):
        Image.fromarray(np.dstack([pixels, pixels[..., 0] * 0])).save(tmp_path / "images" / f"{i}.png")
    check(tmp_path, "the photos transparent, all over: there is no object to see")


def test_grey_16_bit_and_cmyk(tmp_path):
    pixels = capture(tmp_path)[0]
    images = tmp_path / "images"
    grey = pixels[..., 0]
    Image.fromarray(grey).save(images / "0.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(images / "1.png")
    Image.fromarray(pixels).convert("CMYK").save(images / "2.tif")
    (images / "2.png").unlink()
    listed = frames()
    listed[2]["file_path"] = "images/2"
    write_transforms(tmp_path / "transforms.json", listed, fl_x=FOCAL)
    photos = read_scene(tmp_path).photos
    for photo in photos[:2]:
        np.testing.assert_array_equal(photo.image, np.dstack([grey] * 3))
    np.testing.assert_allclose(photos[2].image.astype(int), pixels, atol=1)


def test_unreadable_pictures_are_listed(tmp_path):
    capture(tmp_path)
    whole = (tmp_path / "images" / "1.png").read_bytes()
    (tmp_path / "images" / "1.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "images" / "2.png").write_text("no picture")
    scene = read_scene(tmp_path)
    assert [photo.name for photo in scene.photos] == ["images/0", "images/3"]
    assert "1.png is damaged or cut short" in scene.notes[0] and "2.png is not a picture" in scene.notes[1]


def rotated(folder):
    """The photos again, lying on their side, with an EXIF orientation that sets them upright."""
    exif = Image.Exif()
    exif[274] = 6
    stored = []
    for i in range(4):
        path = folder / "images" / f"{i}.png"
        lying = Image.open(path).transpose(Image.Transpose.ROTATE_90)
        lying.save(path, exif=exif)
        stored.append(np.asarray(lying))
    return stored


def test_poses_are_of_the_pixels_as_they_lie_in_the_file(tmp_path):
    capture(tmp_path)
    stored = rotated(tmp_path)
    for photo, pixels in zip(read_scene(tmp_path).photos, stored):
        np.testing.assert_array_equal(photo.image, pixels)
        assert (photo.pinhole[0, 2], photo.pinhole[1, 2]) == (HIGH / 2, WIDE / 2)


def test_poses_that_state_the_size_of_the_upright_picture(tmp_path):
    upright = capture(tmp_path, w=WIDE, h=HIGH)
    rotated(tmp_path)
    for photo, pixels in zip(read_scene(tmp_path).photos, upright):
        np.testing.assert_array_equal(photo.image, pixels)


# --- masks ----------------------------------------------------------------------------------------------------------


def disc(size, path):
    """A mask of a disc in the middle, a quarter of the longer side in radius."""
    width, height = size
    y, x = np.mgrid[:height, :width] + 0.5
    mask = np.where(np.hypot(x - width / 2, y - height / 2) < width / 4, 255, 0).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path)
    return mask


@pytest.mark.parametrize("named", ["{}.png", "{}.png.png"])
def test_a_folder_of_masks(tmp_path, named):
    capture(tmp_path)
    mask = disc((WIDE, HIGH), tmp_path / "masks" / named.format(1))
    photos = read_scene(tmp_path).photos
    np.testing.assert_array_equal(photos[1].mask, mask)
    assert photos[0].mask is None


def test_masks_that_frames_name(tmp_path):
    capture(tmp_path)
    mask = disc((WIDE, HIGH), tmp_path / "elsewhere" / "m.png")
    write_transforms(tmp_path / "transforms.json", [f | {"mask_path": "elsewhere/m.png"} for f in frames()], fl_x=FOCAL)
    np.testing.assert_array_equal(read_scene(tmp_path).photos[0].mask, mask)


@pytest.mark.parametrize("factor", [0.75, 2, 3])
def test_masks_of_another_size(tmp_path, factor):
    capture(tmp_path)
    size = int(WIDE * factor), int(HIGH * factor)
    disc(size, tmp_path / "masks" / "1.png")
    expected = disc((WIDE, HIGH), tmp_path / "expected.png")
    mask = read_scene(tmp_path).photos[1].mask
    assert mask.shape == (HIGH, WIDE) and (np.abs(mask.astype(int) - expected) > 128).mean() < 0.01


def test_masks_of_other_proportions(tmp_path):
    capture(tmp_path)
    disc((50, 50), tmp_path / "masks" / "1.png")
    scene = read_scene(tmp_path)
    assert len(scene.photos) == 3
    assert scene.notes == (
        "the mask of images/1 is 50 x 50 pixels and the photo 64 x 48; give masks the proportions of their photos",
    )


# --- sizes and splits -----------------------------------------------------------------------------------------------


def test_longest_side_shrinks_pictures_and_intrinsics_along(tmp_path):
    whole = capture(tmp_path)
    disc((WIDE, HIGH), tmp_path / "masks" / "1.png")
    photos = read_scene(tmp_path, longest_side=WIDE // 4).photos
    for photo, pixels, camera in zip(photos, whole, cameras()):
        blocks = pixels.reshape(HIGH // 4, 4, WIDE // 4, 4, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(photo.image, blocks, atol=0.51)
        np.testing.assert_allclose(seen_at(photo), expected_pixel(camera) / 4, atol=1e-9)
    assert photos[1].mask.shape == (HIGH // 4, WIDE // 4) and photos[1].mask[6, 8] == 255
    assert read_scene(tmp_path, longest_side=10 * WIDE).photos[0].image.shape == (HIGH, WIDE, 3)


def test_colours_at_an_edge_are_those_of_the_object(tmp_path):
    for i, pixels in enumerate(capture(tmp_path)):
        pixels[:] = (0, 255, 0)
        pixels[:, :30] = (255, 0, 7 * i)
        alpha = np.zeros((HIGH, WIDE), np.uint8)
        alpha[:, :30] = 255
        Image.fromarray(np.dstack([pixels, alpha])).save(tmp_path / "images" / f"{i}.png")
    photo = read_scene(tmp_path, longest_side=WIDE // 4).photos[0]
    assert photo.mask[5, 6:9].tolist() == [255, 128, 0]
    assert photo.image[5, 7].tolist() == [255, 0, 0]


def test_area_means_of_any_size_keep_the_place():
    ramp = np.tile(np.arange(103, dtype=np.float32) + 0.5, (40, 1))
    smaller = area_mean(ramp, 37, 13)
    np.testing.assert_allclose(smaller[5], (np.arange(37) + 0.5) * 103 / 37, atol=0.05)


def test_every_so_manieth_photo_is_held_out(tmp_path):
    capture(tmp_path, 11)
    scene = read_scene(tmp_path, holdout=4)
    assert [photo.name for photo in scene.held_out] == ["images/0", "images/4", "images/8"]
    assert [photo.name for photo in scene.photos] == [f"images/{i}" for i in (1, 2, 3, 5, 6, 7, 9, 10)]
    for number in (1, -1):
        check(tmp_path, f"Holdout is {number}; every second photo", holdout=number)


def test_progress_names_the_photos(tmp_path):
    capture(tmp_path)
    said = []
    read_scene(tmp_path, progress=lambda fraction, note: said.append((fraction, note)))
    assert said == [(i / 4, f"images/{i}") for i in range(4)]
