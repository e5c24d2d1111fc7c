"""Provenance and Regenerate: the same pictures and settings, in place; a picture that has changed is named."""

import json
import math
import os
import shutil

import numpy as np
import pytest


@pytest.fixture
def vase(bpy, scene, pictures):
    bpy.ops.maquette.reconstruct(filepath=pictures("box.png"), style="blocks", size=2.0, resolution="32")
    return bpy.context.object


def test_the_object_says_how_it_was_made(bpy, vase, tmp_path):
    import hashlib

    record = json.loads(vase["maquette"])
    assert record["verb"] == "reconstruct" and record["device"] == "cpu"
    assert record["request"]["resolution"] == 32 and record["request"]["meshing"]["style"] == "blocks"
    picture = (tmp_path / "box.png").read_bytes()
    assert record["inputs"] == [{"path": str(tmp_path / "box.png"), "sha256": hashlib.sha256(picture).hexdigest()}]
    assert len(vase["maquette_field"]) == 64
    assert record["report"]["faces"] == len(vase.data.polygons)


def test_it_makes_the_same_again_in_place(bpy, vase, vertices):
    mesh, before = vase.data, vertices(vase.data)
    vase.location.x = 7
    mesh.clear_geometry()
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    assert vase.data == mesh and vase.location.x == 7 and bpy.data.objects[:] == [vase]
    np.testing.assert_array_equal(vertices(mesh), before)


def test_it_brings_back_a_lost_field(bpy, vase):
    from maquette.operators import compute

    os.remove(compute.field_path(vase["maquette_field"]))
    bpy.ops.maquette.regenerate()
    assert os.path.exists(compute.field_path(vase["maquette_field"]))


def test_remesh_settings_are_kept(bpy, vase):
    bpy.ops.maquette.remesh(style="smooth", faces=300)
    count = len(vase.data.polygons)
    bpy.ops.maquette.regenerate()
    assert len(vase.data.polygons) == count <= 300
    assert json.loads(vase["maquette"])["request"]["meshing"]["style"] == "smooth"


def test_another_view_is_taken_in_place(bpy, scene, vase):
    """The guess is shown; set by hand and made again, the object stays and remembers what it was told."""
    status, settings = bpy.context.window_manager.maquette, scene.maquette
    assert status.guess == f"{vase.name}: 23\N{DEGREE SIGN} from above, depth 0.95"
    settings.auto_elevation, settings.elevation, settings.symmetry = False, math.radians(-8), True
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}  # exactly as it was: the sidebar is not asked
    assert json.loads(vase["maquette"])["request"]["view"]["elevation"] is None
    assert bpy.ops.maquette.regenerate(use_view=True) == {"FINISHED"}
    view = json.loads(vase["maquette"])["request"]["view"]
    assert view["elevation"] == pytest.approx(-8, abs=1e-4) and view["symmetry"] and view["depth"] is None
    assert "-8\N{DEGREE SIGN}" in status.guess and bpy.data.objects[:] == [vase]


def test_a_missing_picture_is_named(bpy, vase, tmp_path, everything):
    before = everything()
    (tmp_path / "box.png").unlink()
    with pytest.raises(RuntimeError, match=f"box.png is missing: it was at {tmp_path}"):
        bpy.ops.maquette.regenerate()
    assert everything() == before


def test_a_changed_picture_is_named(bpy, vase, pictures, everything):
    before = everything()
    pictures("box.png", (0, 0, 255))
    with pytest.raises(RuntimeError, match="box.png was changed since"):
        bpy.ops.maquette.regenerate()
    assert everything() == before


def test_a_moved_project_finds_its_picture(bpy, scene, pictures, tmp_path):
    """The .blend and the picture beside it move together."""
    pictures("here/ball.png")
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "here" / "scene.blend"))
    bpy.ops.maquette.reconstruct(filepath="//ball.png")
    bpy.ops.wm.save_mainfile()
    shutil.move(tmp_path / "here", tmp_path / "there")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "there" / "scene.blend"))
    bpy.context.view_layer.objects.active = bpy.data.objects["ball"]
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}


def test_a_project_saved_later_finds_its_picture(bpy, scene, pictures, tmp_path):
    """When the object was made, the scene had no place yet; picture and .blend then move elsewhere, side by side."""
    bpy.ops.maquette.reconstruct(filepath=pictures("here/ball.png"))
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    (tmp_path / "here" / "ball.png").rename(tmp_path / "ball.png")
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    (entry,) = json.loads(bpy.context.object["maquette"])["inputs"]
    assert entry["relative"] == "//ball.png", "and knows it from now on"


def test_a_damaged_record_is_a_sentence(bpy, vase):
    vase["maquette"] = '{"verb": '
    for verb in (bpy.ops.maquette.regenerate, bpy.ops.maquette.remesh):
        with pytest.raises(RuntimeError, match="record of how it was made cannot be read"):
            verb()
    assert bpy.context.window_manager.maquette.facts == ""
    assert bpy.context.window_manager.maquette.mesh.style == "smooth", "the panel still draws"
