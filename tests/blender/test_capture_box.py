"""The box that says what to capture: placed, read from an empty, and what is captured of it."""

import importlib
import json
import math

import numpy as np
import pytest

UPPER = (3.0, -2.0, 5.25, 1.6, 1.6, 0.5)
"""Of the ellipsoid: its upper half, with room at the sides"""


def boxes():
    return importlib.import_module("maquette.operators.boxes")


@pytest.fixture
def empty(bpy, scene):
    """A box of the artist's at UPPER, in the settings."""
    bpy.ops.maquette.add_box()
    box = scene.maquette.capture.box
    box.location, box.scale = UPPER[:3], UPPER[3:]
    bpy.context.view_layer.update()
    return box


def test_it_begins_at_the_cursor(bpy, scene):
    scene.cursor.location = 1, 2, 3
    assert bpy.ops.maquette.add_box() == {"FINISHED"}
    box = scene.maquette.capture.box
    assert bpy.context.selected_objects == [box] and box.empty_display_type == "CUBE"
    np.testing.assert_allclose(boxes().chosen(bpy.context), (1, 2, 3, 1, 1, 1))


def test_or_where_the_photos_show_the_object(bpy, scene, ellipsoid):
    scene.maquette.capture.filepath = str(ellipsoid.folder)
    bpy.ops.maquette.find_cameras()
    bpy.ops.object.select_all(action="DESELECT")
    bpy.context.view_layer.objects.active = None
    bpy.ops.maquette.add_box()
    found = boxes().chosen(bpy.context)
    np.testing.assert_allclose(found[:3], ellipsoid.centre, atol=0.05)
    assert 1.4 < found[3] < 1.8


@pytest.mark.parametrize("turn", [(0, 0, 0), (0, 0, math.pi / 2), (math.pi, 0, -math.pi / 2)])
def test_its_bounds_are_the_worlds(bpy, empty, turn):
    """Quarter turns exchange sides; a parent and a display size count."""
    parent = bpy.data.objects.new("Parent", None)
    bpy.context.scene.collection.objects.link(parent)
    parent.location, parent.scale = (10, 0, 0), (2, 2, 2)
    empty.parent, empty.rotation_euler = parent, turn
    empty.location, empty.scale, empty.empty_display_size = (1, 2, 3), (1, 2, 3), 2.0
    bpy.context.view_layer.update()
    sides = (8, 16, 24) if not turn[2] else (16, 8, 24)
    np.testing.assert_allclose(boxes().bounds(empty), (12, 4, 6, *sides), rtol=1e-5)


@pytest.mark.parametrize(
    "change, sentence",
    [
        (lambda bpy, box: setattr(box, "rotation_euler", (0, 0, 0.2)), "Capture Box is rotated"),
        (lambda bpy, box: setattr(box, "scale", (1, 0, 1)), "Capture Box is flat"),
        (lambda bpy, box: bpy.context.scene.collection.objects.unlink(box), "no longer in this scene"),
    ],
)
def test_what_is_no_box_is_a_sentence(bpy, empty, ellipsoid, change, sentence):
    change(bpy, empty)
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=10, resolution="64")
    assert not bpy.data.meshes[:]


def corners(thing):
    return np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])


def test_only_what_is_in_it_is_captured(bpy, empty, ellipsoid, vertices):
    bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=30, resolution="64")
    made = bpy.context.object
    assert corners(made)[:, 2].min() == pytest.approx(5.0, abs=0.02)
    own = next(thing for thing in made.users_collection[0].objects if thing.type == "EMPTY")
    np.testing.assert_allclose(boxes().bounds(own), UPPER, rtol=1e-5)
    assert json.loads(made["maquette"])["request"]["box"] == pytest.approx(UPPER)
    before = vertices(made.data)
    empty.location.z += 5  # another box in the settings is no matter of what was made
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    np.testing.assert_array_equal(vertices(made.data), before)


def test_cameras_that_waited_get_the_box_that_was_used(bpy, empty, ellipsoid):
    bpy.ops.maquette.find_cameras(filepath=str(ellipsoid.folder))
    bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=10, resolution="64")
    own = bpy.context.object.users_collection[0]
    boxed = [thing for thing in own.objects if thing.type == "EMPTY"]
    assert len(boxed) == 1 and sum(thing.type == "CAMERA" for thing in bpy.data.objects) == 24
    np.testing.assert_allclose(boxes().bounds(boxed[0]), UPPER, rtol=1e-5)


def test_the_box_of_a_capture_serves_again_wherever_it_was_moved(bpy, scene, ellipsoid):
    """The capture is turned upright, scaled and moved with its box; the box still means the same part of the photos."""
    bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=20, resolution="64")
    made = bpy.context.object
    bpy.ops.maquette.add_box()
    box = scene.maquette.capture.box
    assert box.name == f"{ellipsoid.folder.name} Box" and len([o for o in bpy.data.objects if o.type == "EMPTY"]) == 1
    before = boxes().bounds(box)
    pivot = bpy.data.objects.new("Pivot", None)
    scene.collection.objects.link(pivot)
    for thing in made.users_collection[0].all_objects:
        thing.parent = pivot
    pivot.rotation_euler, pivot.location, pivot.scale = (0.3, 0.5, 0.7), (1, 2, 3), (4, 4, 4)
    bpy.context.view_layer.update()
    np.testing.assert_allclose(boxes().bounds(box), before, rtol=1e-4)
    box.scale.z *= 0.5
    bpy.context.view_layer.update()
    np.testing.assert_allclose(boxes().bounds(box), (*before[:5], before[5] / 2), rtol=1e-4)


def test_scripts_may_say_it_in_numbers(bpy, scene, ellipsoid):
    bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=10, resolution="64", box=UPPER)
    assert corners(bpy.context.object)[:, 2].min() == pytest.approx(5.0, abs=0.03)
    assert scene.maquette.capture.box is None
