"""Several pictures of one object: one mesh, their sides by hand, evenly or as the scene's cameras stand."""

import json
import math
import os

import pytest


@pytest.fixture
def sides(pictures):
    return [pictures(name, colour) for name, colour in (("box front.png", (200, 0, 0)), ("b.png", (0, 0, 200)))]


def asked(thing) -> dict:
    return json.loads(thing["maquette"])["request"]


def test_views_make_one_object(bpy, scene, sides):
    scene.maquette.choose(sides)
    scene.maquette.together = "views"
    assert bpy.ops.maquette.reconstruct() == {"FINISHED"}
    thing = bpy.context.object
    assert bpy.data.objects[:] == [thing] and thing.name == "box front"
    assert asked(thing)["images"] == sides and asked(thing)["turns"] == pytest.approx([0, 90])
    assert "b.png: 90\N{DEGREE SIGN} to the right, agrees 80 %" in bpy.context.window_manager.maquette.facts


def test_sides_by_hand_count_from_the_first(bpy, scene, sides):
    scene.maquette.choose(sides)
    scene.maquette.together = "views"
    scene.maquette.pictures[1].turn = math.radians(-120)
    bpy.ops.maquette.reconstruct()
    assert asked(bpy.context.object)["turns"] == pytest.approx([0, -120], abs=1e-3)
    scene.maquette.sides = "auto"
    bpy.ops.maquette.reconstruct()
    assert asked(bpy.context.object)["turns"] == []


def test_scripts_say_views_and_turns(bpy, scene, sides, tmp_path):
    files = [{"name": os.path.basename(path)} for path in sides]
    bpy.ops.maquette.reconstruct(directory=str(tmp_path), files=files, views=True, turns="0,180")
    assert len(bpy.data.objects) == 1 and asked(bpy.context.object)["turns"] == pytest.approx([0, 180])
    bpy.ops.maquette.reconstruct(directory=str(tmp_path), files=files, views=False)
    assert len(bpy.data.objects) == 3, "each its own, beside the one"
    with pytest.raises(RuntimeError, match="Turns is 'sideways'"):
        bpy.ops.maquette.reconstruct(directory=str(tmp_path), files=files, views=True, turns="sideways")


def camera(bpy, scene, name, location):
    from mathutils import Vector

    thing = bpy.data.objects.new(name, bpy.data.cameras.new(name))
    thing.location = location
    thing.rotation_euler = (-Vector(location)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(thing)
    bpy.context.view_layer.update()
    return thing


def test_the_scenes_cameras_say_the_sides(bpy, scene, sides):
    """One by its background image, one by its name."""
    scene.maquette.choose(sides)
    scene.maquette.together, scene.maquette.sides = "views", "cameras"
    with pytest.raises(RuntimeError, match="No camera of this scene took box front.png"):
        bpy.ops.maquette.reconstruct()
    assert not bpy.data.objects
    first = camera(bpy, scene, "first", (0, -4, 0))
    first.data.background_images.new().image = bpy.data.images.load(sides[0])
    camera(bpy, scene, "b", (3, 0, 3))
    bpy.ops.maquette.reconstruct()
    places = [[numbers[3], numbers[7], numbers[11]] for numbers in asked(bpy.context.object)["cameras"]]
    assert places == [[0, -4, 0], [3, 0, 3]] and asked(bpy.context.object)["turns"] == []


@pytest.fixture
def taken(bpy, scene, sides):
    """Both pictures, with a camera each."""
    scene.maquette.choose(sides)
    scene.maquette.together, scene.maquette.sides = "views", "cameras"
    scene.cursor.location = (7, 7, 7)
    return camera(bpy, scene, "box front", (0, -4, 0)), camera(bpy, scene, "b", (3, 0, 3))


def test_lenses_have_the_mesh_stand_where_the_cameras_see_it(bpy, scene, taken):
    first, second = taken
    first.data.lens, first.data.shift_x = 72, 0.25
    second.data.sensor_fit, second.data.sensor_height, second.data.lens = "VERTICAL", 24, 48
    bpy.ops.maquette.reconstruct()
    thing = bpy.context.object
    assert asked(thing)["lenses"] == [[2, 0.25, 0, 0], [2, 0, 0, 2]] and asked(thing)["meshing"]["size"] is None
    assert tuple(thing.location) == (0, 0, 0)
    corners = [thing.matrix_world @ vertex.co for vertex in thing.data.vertices]
    middle = [(min(c[i] for c in corners) + max(c[i] for c in corners)) / 2 for i in range(3)]
    assert middle == pytest.approx([-1, 5, 1], abs=0.01)
    bpy.ops.maquette.regenerate()
    assert asked(thing)["lenses"] == [[2, 0.25, 0, 0], [2, 0, 0, 2]] and tuple(thing.location) == (0, 0, 0)


def test_a_size_that_is_told_brings_it_to_the_cursor(bpy, scene, taken):
    bpy.ops.maquette.reconstruct(size=3.0)
    assert tuple(bpy.context.object.location) == (7, 7, 7) and max(bpy.context.object.dimensions) == pytest.approx(3)


def test_a_camera_without_a_focal_length_only_says_the_side(bpy, scene, taken):
    taken[1].data.type = "ORTHO"
    bpy.ops.maquette.reconstruct()
    assert asked(bpy.context.object)["lenses"] == [] and len(asked(bpy.context.object)["cameras"]) == 2
    assert tuple(bpy.context.object.location) == (7, 7, 7)


def test_regenerate_takes_the_same_views(bpy, scene, sides):
    scene.maquette.choose(sides)
    scene.maquette.together = "views"
    bpy.ops.maquette.reconstruct()
    before = asked(bpy.context.object)
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    assert asked(bpy.context.object) == before
    os.remove(sides[1])
    with pytest.raises(RuntimeError, match="b.png is missing"):
        bpy.ops.maquette.regenerate()
