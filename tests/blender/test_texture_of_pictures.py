"""Texture from Photos on what was reconstructed: in place, after a remesh too, and with painted masks."""

import json
import zlib

import numpy as np
import pytest
from PIL import Image


def cut_out(path, colour=(200, 40, 40)):
    """A box of one colour, its background transparent, as the stub's camera sees its box."""
    image = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    image.paste((*colour, 255), (19, 7, 45, 57))
    image.save(path)
    return str(path)


@pytest.fixture
def box(bpy, scene, tmp_path):
    bpy.ops.maquette.reconstruct(filepath=cut_out(tmp_path / "box.png"), size=2.0, resolution="32")
    return bpy.context.object


def outline(thing, vertices):
    """Lowest and highest (column, row) at which the picture's camera sees the mesh."""
    from maquette.geometry.frames import project

    (row,) = json.loads(zlib.decompress(bytes(thing["maquette_cameras"])))
    (fx, fy), (cx, cy) = row["focal"], row["centre"]
    pixel, _ = project(vertices(thing.data), np.array(row["matrix"]), np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]))
    return np.array([pixel.min(0), pixel.max(0)])


def image_of(thing):
    material = thing.material_slots[0].material
    return material.node_tree.nodes[material["maquette_texture"]].image


def test_the_mesh_gets_uvs_an_image_and_a_material(bpy, box, vertices):
    status = bpy.context.window_manager.maquette
    assert status.photographed and not status.captured
    before = vertices(box.data).copy()
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    np.testing.assert_array_equal(vertices(box.data), before)
    image = image_of(box)
    assert image.packed_file and image.size[:] == (512, 512) and len(box.material_slots) == 1
    assert box.data.uv_layers.active.name == "Photos"
    report = json.loads(box["maquette"])["report"]["texture"]
    assert report["size"] == 512 and report["photos"] == 1 and 0 < report["seen"] < 1
    red, green, blue, _ = np.array(image.pixels[:]).reshape(-1, 4).mean(0)
    assert red > 2 * green and red > 2 * blue  # the picture is red all over


def test_after_a_remesh_the_camera_still_sees_the_mesh_as_it_did(bpy, box, vertices):
    seen = outline(box, vertices)
    low, high = seen
    np.testing.assert_allclose([low, high], [[19, 7], [45, 57]], atol=4)
    assert bpy.ops.maquette.remesh(size=0.4, smoothing=0) == {"FINISHED"}
    np.testing.assert_allclose(outline(box, vertices), seen, atol=1.5)
    assert bpy.ops.maquette.remesh(size=5.0, smoothing=2) == {"FINISHED"}
    np.testing.assert_allclose(outline(box, vertices), seen, atol=0.05)
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    assert json.loads(box["maquette"])["report"]["texture"]["seen"] > 0.1


def test_regenerated_it_can_be_textured_again(bpy, box):
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}


def test_a_missing_picture_is_named_and_nothing_changes(bpy, box, tmp_path, everything):
    (tmp_path / "box.png").unlink()
    before = everything()
    with pytest.raises(RuntimeError, match="box.png is missing"):
        bpy.ops.maquette.texture(size=512)
    assert everything() == before


def test_a_changed_picture_is_named(bpy, box, tmp_path, everything):
    cut_out(tmp_path / "box.png", (0, 0, 255))
    before = everything()
    with pytest.raises(RuntimeError, match="box.png was changed since"):
        bpy.ops.maquette.texture(size=512)
    assert everything() == before


def test_without_its_colours_what_no_picture_shows_takes_those_round_about(bpy, box):
    box.data.color_attributes.remove(box.data.color_attributes["Color"])
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}


def test_a_sample_has_no_pictures(bpy, scene):
    bpy.ops.maquette.sample(seed=1)
    assert not bpy.context.window_manager.maquette.photographed
    assert not bpy.ops.maquette.texture.poll()
