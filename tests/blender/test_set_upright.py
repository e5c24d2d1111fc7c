"""A capture set on its feet: mesh, cameras and box turn together, and every camera sees what it saw."""

import numpy as np
import pytest

from .placed import placed

PLACE, TURN = (4.0, -2.0, 7.0), (1.2, 0.4, -0.7)
"""How a table lies in the frame of its photos"""


def lying():
    from mathutils import Euler, Matrix

    return Matrix.Translation(PLACE) @ Euler(TURN).to_matrix().to_4x4()


def table():
    """Corners (V, 3) of a top and four legs, the faces of their boxes, and 12 cameras (4, 4) round it, level."""
    from maquette.geometry import frames

    parts = [((-1, -1, 0.9), (1, 1, 1))] + [
        ((x - 0.1, y - 0.1, 0), (x + 0.1, y + 0.1, 0.9)) for x in (-0.8, 0.8) for y in (-0.8, 0.8)
    ]
    corners = [
        [(low, high)[number >> axis & 1][axis] for axis in range(3)] for low, high in parts for number in range(8)
    ]
    sides = np.array([[0, 2, 3, 1], [4, 5, 7, 6], [0, 1, 5, 4], [2, 6, 7, 3], [0, 4, 6, 2], [1, 3, 7, 5]])
    triangles = np.concatenate([sides[:, [0, 1, 2]], sides[:, [0, 2, 3]]])
    faces = np.concatenate([triangles + 8 * number for number in range(len(parts))])
    return np.array(corners, float), faces, [frames.orbit(30 * n, 15 + 20 * (n % 2), 6) for n in range(12)]


@pytest.fixture
def made(bpy, scene):
    """A table as captured from photos whose cameras were found: it lies somehow."""
    from maquette.geometry import frames

    points, faces, cameras = table()
    way = np.array(lying())
    points = frames.carried(points, way).astype(np.float32)
    cameras = [frames.carried_camera(camera, way).tolist() for camera in cameras]
    return placed(bpy, "table", points, faces, cameras, {"centre": list(PLACE), "side": 3, "size": [3, 3, 3]})


def corners(thing):
    return np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])


def pictures(bpy, thing):
    from bpy_extras.object_utils import world_to_camera_view
    from mathutils import Vector

    eyes = [other for other in bpy.data.objects if other.type == "CAMERA"]
    assert len(eyes) == 12
    return [world_to_camera_view(bpy.context.scene, eye, Vector(place))[:2] for eye in eyes for place in corners(thing)]


@pytest.mark.parametrize("by", ["cameras", "floor"])
def test_it_stands_on_the_ground_and_cameras_see_what_they_saw(bpy, made, by):
    from maquette.operators import boxes

    before, middle = pictures(bpy, made), corners(made)
    middle = (middle.min(0) + middle.max(0)) / 2
    box = boxes.bounds(bpy.data.objects["table Box"])
    assert bpy.ops.maquette.set_upright(by=by) == {"FINISHED"}
    placed = corners(made)
    np.testing.assert_allclose(np.ptp(placed, axis=0)[2], 1.0, atol=0.01)
    assert placed[:, 2].min() == pytest.approx(0, abs=1e-5)
    np.testing.assert_allclose((placed.min(0) + placed.max(0))[:2] / 2, middle[:2], atol=0.3)
    np.testing.assert_allclose(pictures(bpy, made), before, atol=1e-4)
    np.testing.assert_allclose(boxes.bounds(bpy.data.objects["table Box"]), box, atol=1e-4)
    eye = bpy.data.objects["eye 3"]
    assert eye.scale[:] == pytest.approx((1, 1, 1))


def test_the_floor_mends_what_cameras_were_off(bpy, made):
    from mathutils import Euler, Matrix

    there, off = Matrix.Translation(PLACE), Euler((0.2, 0, 0)).to_matrix().to_4x4()
    for eye in (other for other in bpy.data.objects if other.type == "CAMERA"):
        eye.matrix_world = there @ off @ there.inverted() @ eye.matrix_world
    bpy.ops.maquette.set_upright(by="cameras")
    assert np.ptp(corners(made), axis=0)[2] > 1.2
    bpy.ops.maquette.set_upright(by="floor")
    np.testing.assert_allclose(np.ptp(corners(made), axis=0)[2], 1.0, atol=0.01)


def test_twice_is_as_once(bpy, made):
    bpy.ops.maquette.set_upright()
    once = corners(made)
    bpy.ops.maquette.set_upright()
    np.testing.assert_allclose(corners(made), once, atol=1e-4)


def test_from_edit_mode(bpy, made):
    bpy.ops.object.mode_set(mode="EDIT")
    assert bpy.ops.maquette.set_upright(by="floor") == {"FINISHED"} and made.mode == "OBJECT"


def test_what_cannot_be_told_changes_nothing(bpy, made):
    from mathutils import Matrix

    cameras = [other for other in bpy.data.objects if other.type == "CAMERA"]
    for eye in cameras[::2]:
        eye.matrix_world = eye.matrix_world @ Matrix.Rotation(np.pi, 4, "Z")
    bpy.context.view_layer.update()
    before = corners(made)
    with pytest.raises(RuntimeError, match="The cameras do not tell what is up"):
        bpy.ops.maquette.set_upright()
    for eye in cameras:
        bpy.data.objects.remove(eye)
    with pytest.raises(RuntimeError, match="no cameras any more"):
        bpy.ops.maquette.set_upright()
    np.testing.assert_array_equal(corners(made), before)


def test_what_stands_on_nothing(bpy, made):
    """A spike, in place of the table's top and legs."""
    from mathutils import Vector

    before = np.array(made.matrix_world)
    for number, vertex in enumerate(made.data.vertices):
        vertex.co = lying() @ Vector((np.sin(number), np.cos(number), 3.0 if number else 0.0))
    with pytest.raises(RuntimeError, match="stands on nothing flat; set it upright by its cameras"):
        bpy.ops.maquette.set_upright(by="floor")
    np.testing.assert_array_equal(np.array(made.matrix_world), before)


def test_other_objects_are_no_captures(bpy, scene):
    bpy.ops.mesh.primitive_cube_add()
    assert not bpy.ops.maquette.set_upright.poll()
