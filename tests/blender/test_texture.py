"""Texture from Photos in Blender: UVs, image and material on the captured mesh, in place."""

import json
import os
import shutil

import numpy as np
import pytest


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A file with a capture, made by whoever needs one first."""
    return tmp_path_factory.mktemp("kept") / "captured.blend"


@pytest.fixture
def captured(bpy, scene, ellipsoid, kept):
    if not kept.exists():
        bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=40, resolution="64")
        bpy.ops.wm.save_as_mainfile(filepath=str(kept), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(kept))
    thing = bpy.data.objects[ellipsoid.folder.name]
    bpy.context.view_layer.objects.active = thing
    return thing


def image_of(thing):
    material = thing.material_slots[0].material
    return material.node_tree.nodes[material["maquette_texture"]].image


def painted_at(thing, bpy):
    """Places (P, 3) in the mesh's own space of polygons' middles, and the texture's colours there."""
    mesh, image = thing.data, image_of(thing)
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    uvs = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers.active.data.foreach_get("uv", uvs)
    uvs = uvs.reshape(-1, 2)
    middles = np.array([polygon.center for polygon in mesh.polygons])
    at = np.array([uvs[list(polygon.loop_indices)].mean(axis=0) for polygon in mesh.polygons])
    column, row = np.floor(at * [width, height]).astype(int).T
    return middles, pixels.reshape(height, width, 4)[row, column, :3]


def check_colours(thing, ellipsoid, bpy, to_captured=None):
    middles, colours = painted_at(thing, bpy)
    if to_captured is not None:
        middles = to_captured(middles)
    unit = (middles - ellipsoid.centre) / ellipsoid.radii
    clear = np.abs(np.sin(9 * unit[:, 2])) > 0.7
    red = np.sin(9 * unit[clear, 2]) > 0
    assert ((colours[clear, 0] > colours[clear, 2]) == red).mean() > 0.97


def test_the_mesh_gets_uvs_an_image_and_a_material(bpy, captured, ellipsoid, vertices):
    before = vertices(captured.data).copy()
    colours = captured.material_slots[0].material
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    np.testing.assert_array_equal(vertices(captured.data), before)
    image = image_of(captured)
    assert image.packed_file and image.size[:] == (512, 512) and len(captured.material_slots) == 1
    assert captured.data.uv_layers.active.name == "Photos" and captured.data.uv_layers.active.active_render
    assert captured.material_slots[0].material != colours and colours.name in bpy.data.materials
    check_colours(captured, ellipsoid, bpy)
    report = json.loads(captured["maquette"])["report"]
    assert report["texture"]["size"] == 512 and report["texture"]["seen"] > 0.95
    assert not [name for name in os.listdir(bpy.app.tempdir) if name == "maquette-texture.png"]


def test_the_sidebar_s_size_is_taken_and_again_takes_the_place_of_the_first(bpy, captured):
    bpy.context.scene.maquette.capture.size = "1024"
    assert bpy.ops.maquette.texture() == {"FINISHED"}
    assert image_of(captured).size[0] == 1024
    before = len(bpy.data.images), len(bpy.data.materials), len(captured.data.uv_layers)
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    assert image_of(captured).size[0] == 512
    assert (len(bpy.data.images), len(bpy.data.materials), len(captured.data.uv_layers)) == before


def moved(bpy, captured):
    """The whole capture turned, moved and doubled, as an artist does it with everything selected."""
    from mathutils import Matrix

    way = Matrix.Translation((1, 2, 3)) @ Matrix.Rotation(0.7, 4, "Z") @ Matrix.Scale(2, 4)
    for thing in captured.users_collection[0].all_objects:
        thing.matrix_world = way @ thing.matrix_world
    bpy.context.view_layer.update()
    return way


def test_a_capture_that_was_moved_and_scaled_is_textured_as_it_was(bpy, captured, ellipsoid):
    moved(bpy, captured)
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    check_colours(captured, ellipsoid, bpy)


def test_so_is_a_mesh_that_was_moved_away_from_its_cameras(bpy, captured, ellipsoid):
    captured.location = 5, 0, 0
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    check_colours(captured, ellipsoid, bpy)


def test_so_is_one_whose_transform_was_applied(bpy, captured, ellipsoid):
    """The mesh's own space is another one then: the cameras say where it is."""
    back = np.array(moved(bpy, captured).inverted())
    captured.data.transform(captured.matrix_world)
    captured.matrix_world.identity()
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    check_colours(captured, ellipsoid, bpy, lambda points: points @ back[:3, :3].T + back[:3, 3])


def test_quads_and_modifiers(bpy, captured, ellipsoid):
    """Polygons keep their corners: the triangles of each lie in one chart."""
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.tris_convert_to_quads(face_threshold=3.2, shape_threshold=3.2)
    bpy.ops.object.mode_set(mode="OBJECT")
    captured.modifiers.new("Smooth", "SMOOTH")
    counts = len(captured.data.polygons), len(captured.data.loops)
    assert (np.array([len(polygon.vertices) for polygon in captured.data.polygons]) == 4).mean() > 0.5
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    assert (len(captured.data.polygons), len(captured.data.loops)) == counts and captured.modifiers
    check_colours(captured, ellipsoid, bpy)


def test_an_artist_s_material_and_uvs_stay(bpy, captured):
    mine = bpy.data.materials.new("Gold")
    captured.material_slots[0].material = mine
    captured.data.uv_layers.new(name="Mine")
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    assert captured.material_slots[0].material == mine and len(captured.material_slots) == 2
    assert "maquette_texture" in captured.material_slots[1].material
    assert [layer.name for layer in captured.data.uv_layers] == ["Mine", "Photos"]


def test_kept_uvs_are_used(bpy, captured, ellipsoid):
    bpy.ops.maquette.texture(size=512)
    layer = captured.data.uv_layers.active
    layer.name = "Mine"
    before = np.empty(len(captured.data.loops) * 2, np.float32)
    layer.data.foreach_get("uv", before)
    assert bpy.ops.maquette.texture(size=1024, keep_uvs=True) == {"FINISHED"}
    after = np.empty_like(before)
    captured.data.uv_layers["Mine"].data.foreach_get("uv", after)
    np.testing.assert_array_equal(before, after)
    assert [layer.name for layer in captured.data.uv_layers] == ["Mine"] and image_of(captured).size[0] == 1024
    check_colours(captured, ellipsoid, bpy)


def test_no_uvs_to_keep_is_a_sentence(bpy, captured, everything):
    before = everything()
    with pytest.raises(RuntimeError, match="has no UVs to keep"):
        bpy.ops.maquette.texture(size=512, keep_uvs=True)
    assert everything() == before


def test_remeshed_it_shows_its_colours_again(bpy, captured):
    bpy.ops.maquette.texture(size=512)
    assert bpy.ops.maquette.remesh(faces=500) == {"FINISHED"}
    assert captured.material_slots[0].material.name == "Maquette Colors"
    assert "texture" not in json.loads(captured["maquette"])["report"]
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}


def test_photos_that_moved_are_found_where_they_are_said_to_be(bpy, scene, ellipsoid, tmp_path, everything):
    first, second = tmp_path / "first", tmp_path / "second"
    shutil.copytree(ellipsoid.folder, first)
    bpy.ops.maquette.capture(filepath=str(first), steps=40, resolution="64")
    thing = bpy.context.object
    first.rename(second)
    before = everything()
    with pytest.raises(RuntimeError, match="none of the 24 photos is there any more"):
        bpy.ops.maquette.texture(size=512)
    assert everything() == before
    assert bpy.ops.maquette.texture(size=512, filepath=str(second)) == {"FINISHED"}
    check_colours(thing, ellipsoid, bpy)


def test_photos_beside_the_file_are_found(bpy, scene, ellipsoid, tmp_path):
    shutil.copytree(ellipsoid.folder, tmp_path / "a" / "photos")
    bpy.ops.maquette.capture(filepath=str(tmp_path / "a" / "photos"), steps=40, resolution="64")
    name = bpy.context.object.name
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a" / "scene.blend"))
    (tmp_path / "a").rename(tmp_path / "b")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "b" / "scene.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects[name]
    assert bpy.ops.maquette.texture(size=512) == {"FINISHED"}
    check_colours(bpy.data.objects[name], ellipsoid, bpy)


def test_what_is_no_capture_cannot_be_asked_for(bpy, scene):
    bpy.ops.mesh.primitive_cube_add()
    assert not bpy.ops.maquette.texture.poll()


def test_a_mesh_without_faces_or_cameras_is_a_sentence(bpy, captured):
    kept = bytes(captured["maquette_cameras"])
    del captured["maquette_cameras"]
    with pytest.raises(RuntimeError, match="does not know its photos' cameras"):
        bpy.ops.maquette.texture(size=512)
    captured["maquette_cameras"] = kept
    captured.data.clear_geometry()
    with pytest.raises(RuntimeError, match="has no faces"):
        bpy.ops.maquette.texture(size=512)
