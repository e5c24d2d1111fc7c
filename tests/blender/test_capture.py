"""Capture in Blender: the mesh among its cameras, one undo step, headless the same."""

import json
import shutil

import numpy as np
import pillow_heif
import pytest
from PIL import Image


@pytest.fixture
def captured(bpy, scene, ellipsoid):
    bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=40, resolution="64")
    return bpy.context.object


def test_the_mesh_lies_among_its_cameras(bpy, captured, ellipsoid, vertices):
    at = np.array([captured.matrix_world @ v.co for v in captured.data.vertices])
    off = np.linalg.norm((at - ellipsoid.centre) / ellipsoid.radii, axis=1) - 1
    assert np.abs(off).mean() < 0.1
    assert captured.data.color_attributes and captured.data.materials[0]
    own = captured.users_collection[0]
    assert own.name == ellipsoid.folder.name and own.name in bpy.context.scene.collection.children
    assert bpy.context.selected_objects == [captured]


def test_what_a_camera_shows_is_its_photo(bpy, captured, ellipsoid):
    """The centre of the ellipsoid is seen at the same place of the frame as in the photo."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    frames = {
        row["file_path"]: row for row in json.loads((ellipsoid.folder / "transforms_train.json").read_text())["frames"]
    }
    cameras = [thing for thing in bpy.data.objects if thing.type == "CAMERA"]
    assert len(cameras) == 24
    bpy.context.scene.render.resolution_x = bpy.context.scene.render.resolution_y = 72
    for camera in cameras[:3]:
        behind = camera.data.background_images[0].image
        assert behind.size[:] == (72, 72) and camera.data.show_background_images
        split, name = behind.filepath.replace("\\", "/").split("/")[-2:]
        row = frames.get(f"./{split}/{name[:-4]}")
        if row:
            np.testing.assert_allclose(camera.matrix_world, row["transform_matrix"], atol=1e-5)
        place = world_to_camera_view(bpy.context.scene, camera, Vector(ellipsoid.centre))
        np.testing.assert_allclose(place[:2], [0.5, 0.5], atol=1e-3)
        reach = world_to_camera_view(bpy.context.scene, camera, Vector(ellipsoid.centre + [0, 0, 0.4]))
        rows = np.flatnonzero(ellipsoid.seen_from(np.array(camera.matrix_world))[..., 3].any(1))
        assert 1 - rows[0] / 72 >= reach[1] - 0.03


def test_photos_of_a_phone_are_shown_upright_and_packed(bpy, scene, ellipsoid, tmp_path):
    """Whether they are HEIC, which Blender does not read, or lie on their side, which it does not mind."""
    shutil.copytree(ellipsoid.folder, tmp_path / "phone")
    pillow_heif.register_heif_opener()
    for path in (tmp_path / "phone/train").glob("*.png"):
        Image.open(path).save(path.with_suffix(".heic"))
        path.unlink()
    bpy.ops.maquette.find_cameras(filepath=str(tmp_path / "phone"))
    images = [thing.data.background_images[0].image for thing in bpy.data.objects if thing.type == "CAMERA"]
    assert len(images) == 24 and {image.size[:] for image in images} == {(72, 72)}
    assert sum(bool(image.packed_file) for image in images) == 20
    assert {image.name for image in images if image.packed_file} >= {"train/r_3"}


def test_the_box_is_shown(bpy, captured):
    box = next(thing for thing in bpy.data.objects if thing.type == "EMPTY")
    assert box.empty_display_type == "CUBE" and box.empty_display_size > 0.7


def test_it_is_made_again_bit_for_bit(bpy, captured, vertices):
    before = vertices(captured.data)
    captured.data.clear_geometry()
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    np.testing.assert_array_equal(vertices(captured.data), before)


def test_remesh_keeps_its_place(bpy, captured, ellipsoid, vertices):
    assert bpy.ops.maquette.remesh(faces=500) == {"FINISHED"}
    assert len(captured.data.polygons) <= 500
    np.testing.assert_allclose(vertices(captured.data).mean(0), ellipsoid.centre, atol=0.06)


def test_the_panel_tells_its_facts(bpy, captured):
    status = bpy.context.window_manager.maquette
    assert status.captured and status.placed and "faces, closed" in status.facts


def test_the_record_is_short(captured):
    record = json.loads(captured["maquette"])
    assert record["verb"] == "capture" and record["report"]["steps"] == 40
    assert "cameras" not in record["report"] and len(captured["maquette"]) < 6000


def test_the_sidebar_s_settings_are_taken(bpy, scene, ellipsoid):
    settings = scene.maquette.capture
    settings.filepath, settings.budget, settings.resolution, settings.faces = str(ellipsoid.folder), 1.5, "64", 800
    assert bpy.ops.maquette.capture() == {"FINISHED"}
    assert len(bpy.context.object.data.polygons) <= 800
    settings.method = "density"
    assert bpy.ops.maquette.capture() == {"FINISHED"}
    assert json.loads(bpy.context.object["maquette"])["settings"]["method"] == "density"


@pytest.mark.parametrize("chosen, sentence", [("", "No photos are chosen"), ("nowhere", "does not exist")])
def test_no_photos_is_a_sentence(bpy, scene, tmp_path, chosen, sentence):
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.capture(filepath=str(tmp_path / chosen) if chosen else "")
    assert not bpy.data.objects[:] and not bpy.data.collections[:]


def test_an_empty_folder_changes_nothing(bpy, scene, tmp_path):
    with pytest.raises(RuntimeError, match="holds no photos"):
        bpy.ops.maquette.capture(filepath=str(tmp_path))
    assert not bpy.data.objects[:]


def test_resume_goes_on_from_the_last_one(bpy, captured, ellipsoid):
    asked = {"filepath": str(ellipsoid.folder), "resolution": "64"}
    assert bpy.ops.maquette.capture(steps=10, resume=True, **asked) == {"FINISHED"}
    assert json.loads(bpy.context.object["maquette"])["report"]["steps"] == 50


def test_nothing_to_resume_changes_nothing(bpy, scene, ellipsoid):
    with pytest.raises(RuntimeError, match="nothing to resume"):
        bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=10, resolution="96", resume=True)
    assert not bpy.data.objects[:]


def test_cameras_are_set_up_before_the_capture_and_wait_for_it(bpy, scene, ellipsoid, vertices):
    """Find Cameras makes the collection; Capture puts the mesh into it, and no second set of cameras."""
    scene.maquette.capture.filepath = str(ellipsoid.folder)
    assert bpy.ops.maquette.find_cameras() == {"FINISHED"}
    (own,) = scene.collection.children
    cameras = [thing.name for thing in own.all_objects if thing.type == "CAMERA"]
    box = next(thing for thing in own.all_objects if thing.type == "EMPTY")
    assert len(cameras) == 24 and not any(thing.type == "MESH" for thing in own.all_objects)
    np.testing.assert_allclose(box.location, ellipsoid.centre, atol=0.05)
    bpy.ops.maquette.capture(steps=10, resolution="64")
    assert scene.collection.children[:] == [own] and bpy.context.object.users_collection[0] == own
    assert sorted(thing.name for thing in own.all_objects if thing.type == "CAMERA") == sorted(cameras)
    bpy.ops.maquette.capture(steps=10, resolution="64")
    assert len(scene.collection.children) == 2, "another capture stands beside the first"


def test_what_cannot_be_captured_has_no_cameras(bpy, scene, tmp_path):
    with pytest.raises(RuntimeError, match="holds no photos"):
        bpy.ops.maquette.find_cameras(filepath=str(tmp_path))
    with pytest.raises(RuntimeError, match="No photos are chosen"):
        bpy.ops.maquette.find_cameras()
    assert not bpy.data.collections[:]


def test_nothing_runs_that_could_end_early(bpy, scene):
    assert not bpy.ops.maquette.enough.poll()
    assert not bpy.context.window_manager.maquette.ends_early


def test_the_shape_so_far_is_shaded_by_one_lamp():
    """A ball of one colour: darkest away from the lamp, its own colour towards it."""
    from types import SimpleNamespace

    from maquette.operators.so_far import DARK, LIGHT, shaded

    rng = np.random.default_rng(0)
    corners = rng.normal(size=(60, 3)).astype(np.float32)
    normals = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    along = np.cross(normals, [0.3, 0.5, 0.8])
    vertices = np.stack([normals, normals + 0.01 * along, normals + 0.01 * np.cross(normals, along)], 1)
    shape = SimpleNamespace(
        vertices=vertices.reshape(-1, 3).astype(np.float32),
        faces=np.arange(180, dtype=np.int32).reshape(-1, 3),
        colours=np.full((180, 3), 0.8, np.float32),
    )
    expected = 0.8 * (DARK + (1 - DARK) * (0.5 + 0.5 * normals @ LIGHT))
    np.testing.assert_allclose(shaded(shape)[::3, 0], expected, atol=1e-4)
