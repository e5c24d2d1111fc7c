"""The mask, with the real verb: an Image in the .blend that needs no file, to look at and to paint on."""

import io
import json
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
    light = pixels.mean(-1) > 0.5
    assert light.sum() == pytest.approx(np.pi * 30**2, rel=0.05) and light[48, 48]
    assert pixels[48, 48, 0] > pixels[48, 48, 1] + 0.2, "the red disc shows through"
    assert 0.1 < pixels[4, 4].max() < 0.5 * 150 / 255, "and so does the background"


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


# --- painting --------------------------------------------------------------------------------------------------------


def paint(image, rows, columns, value):
    """A stroke over those pixels, bottom row first."""
    pixels = np.zeros(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(image.size[1], image.size[0], 4)[rows, columns, :3] = value
    image.pixels.foreach_set(pixels)


def used(thing) -> np.ndarray:
    """(H, W) uint8, first row on top: the painted mask that this object was made with"""
    from PIL import Image

    return np.asarray(Image.open(io.BytesIO(thing["maquette_mask"])))


@pytest.fixture
def ball(bpy, scene, draw):
    """The path of a disc that is chosen and whose mask was looked at; the stub makes a ball of it."""
    path = draw("ball.png", 30)
    scene.maquette.choose([path])
    bpy.ops.maquette.mask_preview()
    return path


def test_a_mask_that_nobody_painted_is_not_used(bpy, scene, ball):
    assert bpy.context.window_manager.maquette.mask == "plain background"
    bpy.ops.maquette.reconstruct()
    assert "maquette_mask" not in bpy.context.object
    assert json.loads(bpy.context.object["maquette"])["request"]["mask"] == ""


def test_what_is_painted_is_what_reconstruct_takes(bpy, scene, ball):
    assert bpy.ops.maquette.edit_mask() == {"FINISHED"}
    image = bpy.data.images["Maquette Mask"]
    paint(image, slice(0, 10), slice(0, 96), 1)
    paint(image, slice(40, 56), slice(40, 56), 0)
    assert bpy.context.window_manager.maquette.mask == "painted"
    bpy.ops.maquette.reconstruct()
    mask = used(bpy.context.object)
    assert mask.shape == (96, 96) and set(np.unique(mask)) == {0, 255}
    assert mask[86:].min() == 255, "the lowest rows were painted white"
    assert mask[41:55, 41:55].max() == 0 and mask[48, 24] == 255 and mask[10, 10] == 0


def test_painting_without_the_button_counts_too_and_a_second_look_keeps_it(bpy, scene, ball):
    image = bpy.data.images["Maquette Mask"]
    paint(image, slice(0, 10), slice(0, 96), 1)
    assert bpy.ops.maquette.mask_preview() == {"FINISHED"}
    assert shown(image)[5, 5].min() == 1 and len(bpy.data.images) == 1
    bpy.ops.maquette.reconstruct()
    assert used(bpy.context.object)[90, 5] == 255


def test_it_belongs_to_its_picture(bpy, scene, ball, draw):
    bpy.ops.maquette.edit_mask()
    other = draw("other ball.png", 20)
    scene.maquette.choose([other])
    assert bpy.context.window_manager.maquette.mask == ""
    bpy.ops.maquette.mask_preview()
    assert len(bpy.data.images) == 2, "what was painted for one picture outlives a look at another"
    scene.maquette.choose([ball, other])
    bpy.ops.maquette.reconstruct()
    things = {thing.name: thing for thing in bpy.context.selected_objects}
    assert "maquette_mask" in things["ball"] and "maquette_mask" not in things["other ball"]


def test_reset_forgets_it(bpy, scene, ball):
    bpy.ops.maquette.edit_mask()
    assert bpy.ops.maquette.reset_mask() == {"FINISHED"}
    assert not bpy.data.images and bpy.context.window_manager.maquette.mask == ""
    assert not bpy.ops.maquette.edit_mask.poll()
    bpy.ops.maquette.reconstruct()
    assert "maquette_mask" not in bpy.context.object


def test_paint_is_saved_with_the_file(bpy, scene, ball, tmp_path):
    paint(bpy.data.images["Maquette Mask"], slice(0, 10), slice(0, 96), 1)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "mask.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "mask.blend"))
    assert bpy.context.window_manager.maquette.mask == "painted"
    assert shown(bpy.data.images["Maquette Mask"])[5, 5].min() == 1
    bpy.ops.maquette.reconstruct()
    assert used(bpy.context.object)[90, 5] == 255


def test_regenerate_takes_the_mask_that_was_painted_then(bpy, scene, ball):
    bpy.ops.maquette.edit_mask()
    bpy.ops.maquette.reconstruct()
    before = bytes(bpy.context.object["maquette_mask"])
    os.remove(json.loads(bpy.context.object["maquette"])["request"]["mask"])
    paint(bpy.data.images["Maquette Mask"], slice(0, 10), slice(0, 96), 1)
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    assert bytes(bpy.context.object["maquette_mask"]) == before
    assert bpy.ops.maquette.regenerate(use_view=True) == {"FINISHED"}
    assert used(bpy.context.object)[90, 5] == 255


def test_a_file_named_in_the_sidebar_comes_first(bpy, scene, ball):
    bpy.ops.maquette.edit_mask()
    scene.maquette.mask = ball
    bpy.ops.maquette.reconstruct()
    assert "maquette_mask" not in bpy.context.object
    assert json.loads(bpy.context.object["maquette"])["request"]["mask"] == ball
