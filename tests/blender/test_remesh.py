"""Remesh, the sliders and Pack Field: the field stays, the mesh changes, materials and modifiers do not."""

import json
import os

import numpy as np
import pytest


@pytest.fixture
def ball(bpy, scene, pictures):
    """An object of diameter 1 made from a picture, active; an undo step behind it."""
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"))
    bpy.ops.ed.undo_push(message="Reconstruct")
    return bpy.context.object


def settings(thing) -> dict:
    return json.loads(thing["maquette"])["request"]["meshing"]


def test_it_changes_the_mesh_in_place(bpy, ball, vertices):
    mine = bpy.data.materials.new("Mine")
    ball.data.materials[0] = mine
    ball.modifiers.new("Soft", "SUBSURF")
    ball.location = 5, 0, 0
    mesh, key = ball.data, ball["maquette_field"]
    assert bpy.ops.maquette.remesh(size=3.0, faces=400) == {"FINISHED"}
    assert ball.data == mesh and ball.active_material == mine and "Soft" in ball.modifiers
    assert len(mesh.polygons) <= 400 and ball["maquette_field"] == key
    assert tuple(ball.location) == (5, 0, 0)
    assert np.ptp(vertices(mesh), axis=0).max() == pytest.approx(3, abs=0.01)
    assert len(mesh.color_attributes) == 1 and len(mesh.color_attributes[0].data) == len(mesh.vertices)
    assert not mesh.validate()


def test_what_is_not_named_stays_as_the_object_has_it(bpy, ball):
    bpy.ops.maquette.remesh(style="blocks", size=2.0)
    bpy.ops.maquette.remesh(smoothing=7)
    found = settings(ball)
    assert (found["style"], found["size"], found["smoothing"], found["level"]) == ("blocks", 2.0, 7, None)
    bpy.ops.maquette.remesh(level=0.7)
    assert settings(ball)["level"] == pytest.approx(0.7)
    bpy.ops.maquette.remesh(auto_level=True)
    assert settings(ball)["level"] is None


@pytest.fixture
def faint(bpy, ball, pictures):
    """An object whose field's own level is .35, made with Automatic on; active."""
    bpy.ops.maquette.reconstruct(filepath=pictures("faint ball.png"))
    return bpy.context.object


def test_automatic_off_stays_at_the_level_in_use(bpy, faint, vertices):
    before = vertices(faint.data)
    bpy.ops.maquette.remesh(auto_level=False)
    assert settings(faint)["level"] == pytest.approx(0.35)
    np.testing.assert_array_equal(vertices(faint.data), before)
    bpy.ops.maquette.remesh(level=0.6)
    bpy.ops.maquette.remesh(auto_level=False)
    assert settings(faint)["level"] == pytest.approx(0.6), "it was off already"
    bpy.ops.maquette.remesh(auto_level=True)
    bpy.ops.maquette.remesh(auto_level=False)
    assert settings(faint)["level"] == pytest.approx(0.35), "the field's own, not the one before"


def test_the_redo_panel_starts_from_the_level_in_use(bpy, faint):
    bpy.ops.maquette.remesh("EXEC_DEFAULT", True, size=2.0)
    last = bpy.context.window_manager.operators[-1]
    assert last.bl_idname == "MAQUETTE_OT_remesh" and last.properties.auto_level
    assert last.properties.level == pytest.approx(0.35)


def test_a_higher_level_is_a_smaller_ball(bpy, ball, vertices):
    """The stub's field is (.4 - r) / .4 + .5: level .75 is the ball of radius .3; Size makes every mesh 1 long, so
    compare the number of faces: area goes with the square, (3/4)^2 = .56."""
    before = len(ball.data.polygons)
    bpy.ops.maquette.remesh(level=0.75)
    assert len(ball.data.polygons) / before == pytest.approx(0.5625, rel=0.05)


def test_the_undo_step_is_one(bpy, ball, vertices):
    name, before = ball.name, vertices(ball.data)
    bpy.ops.maquette.remesh("EXEC_DEFAULT", True, style="blocks")
    bpy.ops.ed.undo()
    ball = bpy.data.objects[name]
    np.testing.assert_array_equal(vertices(ball.data), before)
    assert settings(ball)["style"] == "smooth"


def edit_mode(bpy, ball):
    bpy.ops.object.mode_set(mode="EDIT")


def shape_keys(bpy, ball):
    ball.shape_key_add(name="Basis")


def no_field(bpy, ball):
    ball["maquette_field"] = "0" * 64


def impossible_level(bpy, ball):
    bpy.context.scene.maquette.level = 0.5


@pytest.mark.parametrize(
    "spoil, ask, sentence",
    [
        (edit_mode, {}, "ball is in another mode; go back to Object Mode"),
        (shape_keys, {}, "ball has shape keys"),
        (no_field, {}, "no longer in the cache: Regenerate"),
        (impossible_level, {"level": 5.0}, "[Nn]othing"),
        (impossible_level, {"faces": 3}, "Faces is 3"),
    ],
)
def test_an_error_leaves_the_object_as_it_was(bpy, ball, everything, spoil, ask, sentence):
    spoil(bpy, ball)
    before, record = everything(), ball["maquette"]
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.remesh(**ask)
    if ball.mode == "EDIT":
        bpy.ops.object.mode_set(mode="OBJECT")
    assert everything() == before and ball["maquette"] == record


def test_it_wants_an_object_of_ours(bpy, scene):
    bpy.ops.mesh.primitive_cube_add()
    for verb in (bpy.ops.maquette.remesh, bpy.ops.maquette.regenerate, bpy.ops.maquette.pack_field):
        with pytest.raises(RuntimeError, match="made by Maquette"):
            verb()


# --- sliders --------------------------------------------------------------------------------------------------------


def test_a_slider_shows_the_active_objects_own_setting(bpy, ball, pictures):
    sliders = bpy.context.window_manager.maquette.mesh
    bpy.ops.maquette.reconstruct(filepath=pictures("box.png"), style="blocks", size=2.0, level=0.6)
    assert (sliders.style, sliders.size, sliders.auto_level) == ("blocks", 2.0, False)
    assert sliders.level == pytest.approx(0.6)
    bpy.context.view_layer.objects.active = ball
    assert (sliders.style, sliders.size, sliders.auto_level) == ("smooth", 1.0, True)
    bpy.ops.mesh.primitive_cube_add()
    sliders.size = 9.0  # no object of ours: nothing to do
    assert (sliders.style, sliders.size) == ("smooth", 1.0)


def test_a_moved_slider_meshes_anew_and_is_one_undo_step(bpy, ball, until, vertices):
    from maquette.operators.live import Live

    name, before = ball.name, vertices(ball.data)
    sliders = bpy.context.window_manager.maquette.mesh
    for size in (1.5, 1.7, 2.0):
        sliders.size = size
        assert sliders.size == pytest.approx(size), "the slider stays where it was put while the worker works"
        assert vertices(ball.data).shape == before.shape
    until(lambda: Live.wish is None)
    assert np.ptp(vertices(ball.data), axis=0).max() == pytest.approx(2.0, abs=0.01)
    assert settings(ball)["size"] == 2.0
    bpy.ops.ed.undo()
    ball = bpy.data.objects[name]
    np.testing.assert_array_equal(vertices(ball.data), before)
    assert bpy.context.window_manager.maquette.mesh.size == 1.0


def test_the_level_slider_shows_what_automatic_stands_for(bpy, faint, until, vertices):
    from maquette.operators.live import Live

    before, sliders = vertices(faint.data), bpy.context.window_manager.maquette.mesh
    assert sliders.auto_level and sliders.level == pytest.approx(0.35)
    sliders.auto_level = False
    assert not sliders.auto_level and sliders.level == pytest.approx(0.35)
    until(lambda: Live.wish is None)
    assert settings(faint)["level"] == pytest.approx(0.35)
    np.testing.assert_array_equal(vertices(faint.data), before)


def test_a_result_without_a_recorded_level_has_the_networks(bpy, faint):
    from maquette.nets import catalog

    record = json.loads(faint["maquette"])
    del record["report"]["field_level"]
    faint["maquette"] = json.dumps(record)
    own = catalog.card("image_to_field")["level"]
    assert bpy.context.window_manager.maquette.mesh.level == pytest.approx(own)


def test_an_undo_forgets_the_wish_on_its_way(bpy, ball, until, vertices):
    from maquette.operators.live import Live

    sliders = bpy.context.window_manager.maquette.mesh
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="Empty")
    bpy.context.view_layer.objects.active = bpy.data.objects["ball"]
    sliders.style = "blocks"
    bpy.ops.ed.undo()
    assert Live.wish is None
    until(lambda: not bpy.context.window_manager.maquette.busy)
    assert settings(bpy.data.objects["ball"])["style"] == "smooth"


def test_a_deleted_object_takes_its_wish_along(bpy, ball, until):
    from maquette.operators.live import Live

    bpy.context.window_manager.maquette.mesh.size = 2.0
    bpy.data.objects.remove(ball)
    until(lambda: Live.wish is None)


def test_a_sliders_error_is_shown_and_the_slider_goes_back(bpy, ball, until):
    from maquette.operators.live import Live

    status = bpy.context.window_manager.maquette
    status.mesh.level = 5.0
    until(lambda: Live.wish is None)
    assert "othing" in status.error and status.mesh.auto_level


# --- fields ---------------------------------------------------------------------------------------------------------


def test_a_packed_field_survives_the_loss_of_the_cache_and_a_reload(bpy, ball, tmp_path):
    from maquette.operators import compute

    assert bpy.ops.maquette.pack_field() == {"FINISHED"}
    assert bpy.ops.maquette.pack_field() == {"FINISHED"}, "twice, as Blender cuts bytes that are overwritten"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "packed.blend"))
    os.remove(compute.field_path(ball["maquette_field"]))
    compute.release()  # the worker has it in memory
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "packed.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["ball"]
    assert bpy.ops.maquette.remesh(style="blocks") == {"FINISHED"}


def test_packing_a_field_that_is_gone_says_regenerate(bpy, ball):
    ball["maquette_field"] = "0" * 64
    with pytest.raises(RuntimeError, match="Regenerate"):
        bpy.ops.maquette.pack_field()


def test_a_field_that_cannot_be_kept_costs_remesh_alone(bpy, scene, pictures, tmp_path, monkeypatch, capfd):
    """As on a full disk; here a file lies where the folder of the cache would be."""
    from maquette.operators import compute

    (tmp_path / "in the way").write_text("")
    with monkeypatch.context() as patch:
        patch.setattr(compute, "cache", lambda: str(tmp_path / "in the way"))
        assert bpy.ops.maquette.reconstruct(filepath=pictures("ball.png")) == {"FINISHED"}
    thing, status = bpy.context.object, bpy.context.window_manager.maquette
    assert len(thing.data.polygons) > 500 and "maquette_field" not in thing
    assert "Warning: The field could not be kept, so Remesh will not be possible" in capfd.readouterr().out
    assert "Remesh will not be possible" in status.facts
    for verb in (bpy.ops.maquette.remesh, bpy.ops.maquette.pack_field):
        with pytest.raises(RuntimeError, match="ball's field could not be kept when it was made; press Regenerate"):
            verb()
    status.mesh.size = 2.0
    from maquette.operators import live

    live.step()
    assert "press Regenerate" in status.error and live.Live.wish is None
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}, "there is room again"
    assert bpy.ops.maquette.remesh(size=2.0) == {"FINISHED"} and "Remesh" not in status.facts


def test_faces_over_the_budget_are_a_warning_until_they_fit(bpy, ball, capfd):
    """No ball that the collapses find has 4 faces and is closed; the next mesh has nothing to warn of."""
    status = bpy.context.window_manager.maquette
    bpy.ops.maquette.remesh(faces=4)
    count = len(ball.data.polygons)
    assert 4 < count < 100 and f"Warning: Faces is 4, but this mesh has {count}" in capfd.readouterr().out
    assert "Faces is 4" in status.facts
    bpy.ops.maquette.remesh(faces=400)
    assert len(ball.data.polygons) <= 400 and "Faces is" not in status.facts
