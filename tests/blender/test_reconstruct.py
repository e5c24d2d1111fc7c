"""Reconstruct in Blender: what stands in the scene afterwards, and what does not after an error."""

import json
import math
import os
from pathlib import Path

import numpy as np
import pytest


def test_one_picture_stands_on_the_cursor(bpy, scene, pictures, vertices):
    scene.cursor.location = 1, 2, 3
    assert bpy.ops.maquette.reconstruct(filepath=pictures("red ball.png"), size=2.0) == {"FINISHED"}
    thing = bpy.context.object
    assert [*bpy.data.objects] == [thing] and thing.name == "red ball" and thing.select_get()
    assert tuple(thing.location) == (1, 2, 3)
    low, high = vertices(thing.data).min(0), vertices(thing.data).max(0)
    np.testing.assert_allclose([low, high], [[-1, -1, 0], [1, 1, 2]], atol=1e-3)


def test_the_mesh_is_whole_closed_and_shaded_smooth(bpy, scene, pictures):
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"))
    mesh = bpy.context.object.data
    from mathutils import Vector

    mesh.update()
    assert not mesh.validate(verbose=True)
    assert all(polygon.use_smooth for polygon in mesh.polygons)
    assert len(mesh.edges) * 2 == len(mesh.loops)  # every edge has two faces: closed
    assert len(mesh.vertices) - len(mesh.edges) + len(mesh.polygons) == 2  # and it is one ball
    centre = Vector((0, 0, 0.5))
    assert min(polygon.normal.dot((polygon.center - centre).normalized()) for polygon in mesh.polygons) > 0.9  # outward


def test_blocks_are_shaded_flat(bpy, scene, pictures):
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"), style="blocks", resolution="32")
    mesh = bpy.context.object.data
    assert not any(polygon.use_smooth for polygon in mesh.polygons)
    normals = np.abs([polygon.normal for polygon in mesh.polygons])
    np.testing.assert_allclose(normals.max(1), 1, atol=1e-5)


def test_the_colours_are_the_pictures(bpy, scene, pictures):
    """sRGB 200 is .5776 linear (IEC 61966-2-1): ((200/255 + .055) / 1.055) ^ 2.4."""
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png", (200, 40, 40)))
    mesh = bpy.context.object.data
    colours = mesh.color_attributes.active_color
    assert (colours.domain, len(colours.data)) == ("POINT", len(mesh.vertices))
    assert mesh.color_attributes.render_color_index == mesh.color_attributes.active_color_index
    np.testing.assert_allclose(np.array(colours.data[7].color_srgb) * 255, [200, 40, 40, 255], atol=0.51)
    np.testing.assert_allclose(colours.data[7].color[0], 0.5776, atol=0.003)


def test_the_material_shows_the_colours_and_is_shared(bpy, scene, pictures):
    for name in ("ball.png", "box.png"):
        bpy.ops.maquette.reconstruct(filepath=pictures(name))
    (material,) = {thing.active_material for thing in bpy.data.objects}
    (surface,) = [node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
    source = surface.inputs["Base Color"].links[0].from_node
    assert source.layer_name == bpy.context.object.data.color_attributes.active_color.name
    assert surface.outputs[0].links[0].to_node.type == "OUTPUT_MATERIAL"


def test_the_sidebars_settings_hold_where_the_script_names_none(bpy, scene, pictures):
    scene.maquette.filepath = pictures("ball.png")
    scene.maquette.style, scene.maquette.size, scene.maquette.resolution = "blocks", 3.0, "32"
    assert bpy.ops.maquette.reconstruct(size=0.5) == {"FINISHED"}
    meshing = json.loads(bpy.context.object["maquette"])["request"]["meshing"]
    assert (meshing["style"], meshing["size"], meshing["level"]) == ("blocks", 0.5, None)
    assert max(bpy.context.object.dimensions) == pytest.approx(0.5, abs=1e-3)
    bpy.ops.maquette.reconstruct()  # what a script named once does not stick
    assert max(bpy.context.object.dimensions) == pytest.approx(3.0, abs=1e-2)


def test_automatic_off_starts_from_the_networks_level(bpy, scene, pictures):
    from maquette.nets import catalog

    own, sidebar = catalog.card("image_to_field")["level"], scene.maquette
    assert sidebar.auto_level and sidebar.level == pytest.approx(own)
    sidebar.auto_level = False
    assert sidebar.level == pytest.approx(own)
    sidebar.level = 0.8
    assert sidebar.meshing().level == pytest.approx(0.8)
    sidebar.auto_level = True
    assert sidebar.meshing().level is None and sidebar.level == pytest.approx(own)
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"), auto_level=False)
    meshing = json.loads(bpy.context.object["maquette"])["request"]["meshing"]
    assert meshing["level"] == pytest.approx(own)


def test_several_pictures_stand_in_a_row(bpy, scene, pictures):
    """Two balls of width 1 and a box of width .5 (half its height), .25 apart: centres at 0, 1.25, 2.25."""
    paths = [Path(pictures(name)) for name in ("ball 1.png", "ball 2.png", "box.png")]
    files = [{"name": path.name} for path in paths]
    assert bpy.ops.maquette.reconstruct(directory=str(paths[0].parent), files=files) == {"FINISHED"}
    places = {thing.name: thing.location[:] for thing in bpy.data.objects}
    assert [*places] == ["ball 1", "ball 2", "box"]
    np.testing.assert_allclose([*places.values()], [(0, 0, 0), (1.25, 0, 0), (2.25, 0, 0)], atol=0.01)
    assert {thing.name for thing in bpy.context.selected_objects} == set(places)


def test_a_folder_is_a_row_too(bpy, scene, pictures, tmp_path):
    pictures("shapes/b ball.png"), pictures("shapes/a box.png")
    (tmp_path / "shapes" / "notes.txt").write_text("not a picture")
    assert bpy.ops.maquette.reconstruct(filepath=str(tmp_path / "shapes")) == {"FINISHED"}
    assert [thing.name for thing in sorted(bpy.data.objects, key=lambda thing: thing.location.x)] == ["a box", "b ball"]


def test_a_bad_picture_among_good_ones_is_named_and_the_rest_stand(bpy, scene, pictures, tmp_path):
    for name in ("row/1 ball.png", "row/2 bad.png", "row/3 ball.png"):
        pictures(name)
    assert bpy.ops.maquette.reconstruct(filepath=str(tmp_path / "row")) == {"FINISHED"}
    assert sorted(bpy.data.objects.keys()) == ["1 ball", "3 ball"]
    assert bpy.context.window_manager.maquette.error == "2 bad.png shows nothing"


def test_one_reason_for_all_is_said_once(bpy, scene):
    from maquette.operators.tasks import Answer, sentences

    class Asked:
        images = ("a.png",)

    assert sentences([Answer(Asked, error="No weights")] * 3) == ["No weights"]
    assert sentences([Answer(Asked, error="No weights"), Answer(Asked, result=1)]) == ["a.png: No weights"]
    assert sentences([Answer(Asked, error="a.png is empty"), Answer(Asked, error="x")]) == [
        "a.png is empty",
        "a.png: x",
    ]


def nothing(make, folder):
    return {}


def bad(make, folder):
    return {"filepath": make("bad.png")}


def dies(make, folder):
    return {"filepath": make("dies.png")}


def missing(make, folder):
    return {"filepath": str(folder / "gone.png")}


def empty_folder(make, folder):
    (folder / "bare").mkdir()
    return {"filepath": str(folder / "bare")}


def wrong_setting(make, folder):
    return {"filepath": make("ball.png"), "faces": 2}


@pytest.mark.parametrize(
    "ask, sentence",
    [
        (nothing, "No picture is chosen"),
        (bad, "bad.png shows nothing"),
        (dies, "The worker ended .exit code 3. during Reconstruct.*my last words"),
        (missing, "gone.png"),
        (empty_folder, "bare holds no pictures"),
        (wrong_setting, "Faces is 2; a closed mesh needs at least 4"),
    ],
)
def test_an_error_is_one_sentence_and_the_scene_stays_as_it_was(
    bpy, scene, pictures, tmp_path, everything, ask, sentence
):
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"))
    before = everything()
    with pytest.raises(RuntimeError, match=sentence) as error:
        bpy.ops.maquette.reconstruct(**ask(pictures, tmp_path))
    assert len(str(error.value).strip().splitlines()) == 1, str(error.value)
    assert everything() == before
    status = bpy.context.window_manager.maquette
    assert not status.busy and status.error
    assert bpy.ops.maquette.reconstruct(filepath=pictures("ball.png")) == {"FINISHED"}, "the next click works"
    assert not status.error


def test_the_cursors_collection_and_a_name_that_is_taken(bpy, scene, pictures):
    collection = bpy.data.collections.new("Shelf")
    scene.collection.children.link(collection)
    bpy.context.view_layer.active_layer_collection = bpy.context.view_layer.layer_collection.children["Shelf"]
    path = pictures("ball.png")
    bpy.ops.maquette.reconstruct(filepath=path)
    bpy.ops.maquette.reconstruct(filepath=path)
    assert collection.objects.keys() == ["ball", "ball.001"]


def test_a_path_relative_to_the_file(bpy, scene, pictures, tmp_path):
    pictures("élan 椅子/ball.png")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "élan 椅子" / "scene.blend"))
    assert bpy.ops.maquette.reconstruct(filepath="//ball.png") == {"FINISHED"}
    (entry,) = json.loads(bpy.context.object["maquette"])["inputs"]
    assert entry["relative"] == "//ball.png" and Path(entry["path"]).is_absolute()


def test_a_row_is_one_undo_step(bpy, scene, pictures, tmp_path):
    """Undo once: the row, its meshes and its material are gone, what was there before is there."""
    bpy.ops.ed.undo_push(message="Bare")
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="Empty")
    for name in ("row/ball.png", "row/box.png"):
        pictures(name)
    bpy.ops.maquette.reconstruct("EXEC_DEFAULT", True, filepath=str(tmp_path / "row"))
    assert sorted(bpy.data.objects.keys()) == ["Empty", "ball", "box"]
    bpy.ops.ed.undo()
    assert bpy.data.objects.keys() == ["Empty"] and not bpy.data.meshes and not bpy.data.materials
    bpy.ops.ed.redo()
    assert sorted(bpy.data.objects.keys()) == ["Empty", "ball", "box"]
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    assert not bpy.data.objects, "there is no second step in between"
    bpy.ops.ed.redo()
    assert bpy.data.objects.keys() == ["Empty"]


def test_an_error_makes_no_undo_step(bpy, scene, pictures):
    bpy.ops.ed.undo_push(message="Bare")
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="Empty")
    with pytest.raises(RuntimeError):
        bpy.ops.maquette.reconstruct("EXEC_DEFAULT", True, filepath=pictures("bad.png"))
    bpy.ops.ed.undo()
    assert not bpy.data.objects


def test_a_cancelled_row_is_one_undo_step_too(bpy, scene, pictures, tmp_path, monkeypatch):
    """As if somebody cancelled while the second of three is made."""
    from maquette.operators import tasks

    for name in ("row/a ball.png", "row/b slow ball.png", "row/c box.png"):
        pictures(name)
    bpy.ops.ed.undo_push(message="Bare")
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="Empty")
    step = tasks.Task.step

    def cancelling(self):
        step(self)
        if len(self.answers) == 1 and self.phase == "Network" and not self.cancelled:
            self.cancel()

    monkeypatch.setattr(tasks.Task, "step", cancelling)
    assert bpy.ops.maquette.reconstruct("EXEC_DEFAULT", True, filepath=str(tmp_path / "row")) == {"FINISHED"}
    assert sorted(bpy.data.objects.keys()) == ["Empty", "a ball"]
    bpy.ops.ed.undo()
    assert bpy.data.objects.keys() == ["Empty"] and not bpy.data.meshes


def test_the_view_is_taken_from_the_sidebar_and_from_the_call(bpy, scene, pictures, tmp_path):
    settings = scene.maquette
    settings.auto_depth, settings.depth = False, 1.5
    bpy.ops.maquette.reconstruct(
        filepath=pictures("ball.png"), elevation=math.radians(31), mask=str(tmp_path / "m.png")
    )
    request = json.loads(bpy.context.object["maquette"])["request"]
    view = {name: request["view"][name] for name in ("elevation", "depth", "symmetry")}
    assert view == {"elevation": pytest.approx(31, abs=1e-4), "depth": pytest.approx(1.5), "symmetry": False}
    assert request["mask"] == str(tmp_path / "m.png")


def test_a_mask_is_of_one_picture(bpy, scene, pictures, everything):
    pictures("red ball.png"), pictures("box.png")
    before = everything()
    scene.maquette.mask = pictures("ball.png")
    with pytest.raises(RuntimeError, match="A mask belongs to one picture"):
        bpy.ops.maquette.reconstruct(filepath=os.path.dirname(scene.maquette.mask))
    scene.maquette.mask = ""
    assert everything() == before
