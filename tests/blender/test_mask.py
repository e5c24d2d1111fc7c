"""The mask preview, with the real verb: an Image in the .blend that needs no file."""

import os

import numpy as np
import pytest


@pytest.fixture
def draw(tmp_path):
    """draw("disc.png", radius) -> path of a red disc before grey, 96 x 96."""

    def make(name: str, radius: int) -> str:
        from PIL import Image

        y, x = np.mgrid[:96, :96] - 47.5
        pixels = np.full((96, 96, 3), 150, np.uint8)
        pixels[x**2 + y**2 < radius**2] = 220, 30, 30
        Image.fromarray(pixels).save(tmp_path / name)
        return str(tmp_path / name)

    return make


def shown(image) -> np.ndarray:
    """(H, W, 3) bottom row first"""
    pixels = np.zeros(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)[..., :3]


def test_the_object_is_bright_and_the_rest_dimmed(bpy, scene, draw):
    assert bpy.ops.maquette.mask_preview(filepath=draw("disc.png", 30)) == {"FINISHED"}
    pixels = shown(bpy.data.images["Maquette Mask"])
    np.testing.assert_allclose(pixels[48, 48] * 255, [220, 30, 30], atol=2)
    assert pixels[4, 4].max() < 0.5 * 150 / 255, "the background is darker than it was"


def test_a_second_preview_takes_the_place_of_the_first(bpy, scene, draw):
    bpy.ops.maquette.mask_preview(filepath=draw("small.png", 15))
    before = shown(bpy.data.images["Maquette Mask"])
    bpy.ops.maquette.mask_preview(filepath=draw("large.png", 40))
    (image,) = bpy.data.images
    assert image.name == "Maquette Mask" and abs(shown(image) - before).max() > 0.2


def test_it_is_kept_in_the_file(bpy, scene, draw, tmp_path):
    bpy.ops.maquette.mask_preview(filepath=draw("disc.png", 30))
    image = bpy.data.images["Maquette Mask"]
    image.use_fake_user = True
    os.remove(bpy.path.abspath(image.filepath))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mask.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "mask.blend"))
    assert shown(bpy.data.images["Maquette Mask"])[48, 48, 0] > 0.8


def test_a_picture_of_nothing_is_a_sentence_and_no_image(bpy, scene, pictures):
    with pytest.raises(RuntimeError, match="plain.png"):
        bpy.ops.maquette.mask_preview(filepath=pictures("plain.png"))
    assert not bpy.data.images


def test_without_a_picture_it_says_what_to_do(bpy, scene):
    with pytest.raises(RuntimeError, match="No picture is chosen"):
        bpy.ops.maquette.mask_preview()


def test_the_first_of_the_chosen_pictures_is_shown(bpy, scene, draw, capfd):
    scene.maquette.choose([draw("one.png", 20), draw("two.png", 40)])
    assert bpy.ops.maquette.mask_preview() == {"FINISHED"}
    radius = np.sqrt((shown(bpy.data.images[0])[..., 0] > 0.8).sum() / np.pi)
    assert radius == pytest.approx(20, abs=3)
