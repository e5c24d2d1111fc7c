"""A capture in its true size: all of it about one point, cameras without a scale of their own, one step, or nothing."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from .placed import placed

POINTS = np.array([[1, 0, 0], [1, 2, 0], [1, 0, 5], [3, 3, 3]], np.float32)


@pytest.fixture
def made(bpy, scene):
    """A capture as the operator places it, without the worker: three vertices, two cameras, a box."""
    cameras = [[[1, 0, 0, number], [0, 1, 0, -4], [0, 0, 1, 2], [0, 0, 0, 1]] for number in range(2)]
    faces = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [0, 2, 3]])
    return placed(bpy, "thing", POINTS, faces, cameras, {"centre": [1, 1, 1], "side": 6, "size": [6, 3, 2]})


def select(bpy, thing, numbers):
    """Edit Mode, with these vertices selected."""
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="DESELECT")
    bpy.ops.object.mode_set(mode="OBJECT")
    for number in numbers:
        thing.data.vertices[number].select = True
    bpy.ops.object.mode_set(mode="EDIT")


def places(bpy):
    return {thing.name: np.array(thing.matrix_world) for thing in bpy.data.objects}


def corners(thing):
    return np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])


def test_two_vertices_and_their_distance(bpy, made, vertices):
    select(bpy, made, [0, 1])
    assert bpy.ops.maquette.set_scale(distance=0.5) == {"FINISHED"}
    assert made.mode == "OBJECT"
    np.testing.assert_allclose(corners(made), POINTS / 4, atol=1e-6)
    np.testing.assert_array_equal(vertices(made.data), POINTS)
    assert made["maquette_scale"] == pytest.approx(0.25)


def test_cameras_move_and_keep_their_own_scale(bpy, made):
    eye = bpy.data.objects["eye 1"]
    data = [(getattr(eye.data, name)) for name in ("lens", "display_size", "clip_start", "clip_end")]
    select(bpy, made, [0, 2])
    bpy.ops.maquette.set_scale(distance=10)
    np.testing.assert_allclose(eye.matrix_world.translation, [2, -8, 4])
    assert eye.scale[:] == (1, 1, 1) and eye.data.lens == data[0]
    now = [getattr(eye.data, name) for name in ("display_size", "clip_start", "clip_end")]
    np.testing.assert_allclose(now, np.multiply(data[1:], 2), rtol=1e-6)


def test_the_picture_stays_the_same(bpy, made):
    """What a camera sees of a vertex is where it was in the frame."""
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    def seen():
        return [
            world_to_camera_view(bpy.context.scene, bpy.data.objects[f"eye {n}"], Vector(place))[:2]
            for n in range(2)
            for place in corners(made)
        ]

    before = seen()
    bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(0, 0, 1), distance=7.5)
    np.testing.assert_allclose(seen(), before, atol=1e-5)


def test_the_box_is_scaled_and_still_means_the_same(bpy, made):
    from maquette.operators import boxes

    box = bpy.data.objects["thing Box"]
    np.testing.assert_allclose(boxes.bounds(box), [1, 1, 1, 6, 3, 2], rtol=1e-5)
    bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(2, 0, 0), distance=3)
    np.testing.assert_allclose(box.matrix_world.translation, [1.5] * 3)
    np.testing.assert_allclose(box.matrix_world.to_scale(), np.multiply([6, 3, 2], 1.5) / 6, rtol=1e-6)
    np.testing.assert_allclose(boxes.bounds(box), [1, 1, 1, 6, 3, 2], rtol=1e-5)


def test_it_scales_about_the_mesh_s_origin_and_children_once(bpy, made):
    """A capture that was moved stays where it is; what hangs on what is scaled once, on a camera too."""
    own = made.users_collection[0]
    holder, lamp, tag = (bpy.data.objects.new(name, None) for name in ("Holder", "Lamp", "Tag"))
    for thing in (holder, lamp, tag):
        own.objects.link(thing)
    holder.location = 5, 0, 0
    made.parent, made.location = holder, (1, 1, 1)
    lamp.parent, lamp.location = made, (0, 0, 3)
    tag.parent, tag.location = bpy.data.objects["eye 0"], (0, 0, -1)
    bpy.context.view_layer.update()
    before, pivot = places(bpy), np.array([6, 1, 1])
    np.testing.assert_allclose(made.matrix_world.translation, pivot)
    bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(0, 0, 1), distance=2)
    for name, now in places(bpy).items():
        wanted = before[name].copy()
        wanted[:3, 3] = pivot + 2 * (wanted[:3, 3] - pivot)
        wanted[:3, :3] *= 1 if name.startswith("eye") else 2
        np.testing.assert_allclose(now, wanted, atol=1e-5, err_msg=name)


def test_again_and_again_is_noted(bpy, made):
    for distance in (2, 3):
        bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(0, 0, 1), distance=distance)
    assert made["maquette_scale"] == pytest.approx(6)


def test_remesh_and_regenerate_keep_the_size(bpy, scene, ellipsoid):
    bpy.ops.maquette.capture(filepath=str(ellipsoid.folder), steps=20, resolution="64")
    thing = bpy.context.object
    before = corners(thing)
    bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(0, 0, 1), distance=2)
    np.testing.assert_allclose(corners(thing), 2 * before, rtol=1e-5)
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    np.testing.assert_allclose(corners(thing), 2 * before, rtol=1e-5)
    assert bpy.ops.maquette.remesh(faces=400) == {"FINISHED"}
    np.testing.assert_allclose(corners(thing).mean(0), 2 * ellipsoid.centre, atol=0.15)
    assert thing["maquette_scale"] == pytest.approx(2) and json.loads(thing["maquette"])["verb"] == "capture"


def test_the_distance_of_the_sidebar(bpy, scene, made):
    scene.maquette.capture.distance = 4
    bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(0, 0, 1))
    assert made["maquette_scale"] == pytest.approx(4)


@pytest.mark.parametrize(
    "picked, given, sentence",
    [
        ([0], {}, "1 vertices are selected; select exactly two"),
        ([0, 1, 2], {}, "3 vertices are selected"),
        (None, {}, "Go to Edit Mode"),
        (None, {"first": (1, 1, 1)}, "needs both points"),
        (None, {"first": (1, 1, 1), "second": (1, 1, 1)}, "at one place"),
    ],
)
def test_what_says_no_distance_changes_nothing(bpy, made, picked, given, sentence):
    if picked:
        select(bpy, made, picked)
    before, mode = places(bpy), made.mode
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.set_scale(distance=2, **given)
    assert made.mode == mode and "maquette_scale" not in made
    for name, now in places(bpy).items():
        np.testing.assert_array_equal(now, before[name])


def test_what_is_linked_is_named_before_anything_changes():
    from maquette.operators import placing

    own = SimpleNamespace(library=None, override_library=None)
    things = [
        SimpleNamespace(name="mesh", type="MESH", data=None, library=None, override_library=None),
        SimpleNamespace(name="eye", type="CAMERA", data=SimpleNamespace(library=1, override_library=None), **vars(own)),
    ]
    with pytest.raises(ValueError, match="eye is linked from another file"):
        placing.check(things)


def test_other_objects_are_no_captures(bpy, scene):
    bpy.ops.mesh.primitive_cube_add()
    assert not bpy.ops.maquette.set_scale.poll()
