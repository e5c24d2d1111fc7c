"""Samples from a mesh and from a photo; the worker's answers are a stub's."""

import math

import numpy as np
import pytest

from .state import shows


def test_a_mesh_becomes_a_sample_in_its_place(bpy, scene):
    bpy.ops.mesh.primitive_cube_add(size=2, location=(10, 0, 0))
    cube = bpy.context.object
    cube.scale = 1, 2, 3
    cube.modifiers.new("Array", "ARRAY").count = 2
    bpy.context.view_layer.update()
    assert bpy.ops.maquette.sample_encode() == {"FINISHED"}
    thing = bpy.context.object
    assert thing != cube and thing.maquette_sample.seed == 5 and shows(thing)
    assert tuple(round(scale, 3) for scale in thing.scale) == (0.5, 0.5, 0.5)
    assert thing.rotation_euler.z == pytest.approx(math.pi / 2)
    assert tuple(thing.location) == pytest.approx((11, 0, 1)), "the middle of both cubes, and what the worker found"


def test_the_mesh_is_asked_for_as_it_is_seen(bpy, scene):
    from maquette.operators.sample_encode import solid

    bpy.ops.mesh.primitive_cube_add(size=2, location=(10, 0, 0))
    cube = bpy.context.object
    cube.scale = 1, -2, 3
    cube.modifiers.new("Array", "ARRAY").count = 2
    vertices, faces = solid(bpy.context)
    assert len(faces) == 24 and vertices.dtype == np.float64 and faces.dtype == np.int32
    np.testing.assert_allclose([vertices.min(0), vertices.max(0)], [[9, -2, -3], [13, 2, 3]], atol=1e-5)
    corners = vertices[faces].astype(float) - vertices.mean(0)
    volume = np.einsum("ij,ij->i", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])).sum() / 6
    assert volume == pytest.approx(96, rel=1e-4), "a mirrored object's faces are turned to look outward"


def test_encode_wants_a_mesh(bpy, scene, everything):
    with pytest.raises(RuntimeError, match="Select an object that has a mesh"):
        bpy.ops.maquette.sample_encode()
    bpy.ops.object.empty_add()
    with pytest.raises(RuntimeError, match="Select an object that has a mesh"):
        bpy.ops.maquette.sample_encode()
    bpy.context.collection.objects.link(thing := bpy.data.objects.new("Nothing", bpy.data.meshes.new("Nothing")))
    bpy.context.view_layer.objects.active = thing
    before = everything()
    with pytest.raises(RuntimeError, match="Nothing has no faces"):
        bpy.ops.maquette.sample_encode()
    assert everything() == before


def test_a_photo_becomes_a_sample_with_its_painted_mask(bpy, scene, pictures, capfd):
    from maquette.operators import masks

    path = pictures("ball.png")
    image = bpy.data.images.new("Maquette Mask", 64, 64)
    image.pixels = [1.0, 1.0, 1.0, 1.0] * (64 * 32) + [0.0, 0.0, 0.0, 1.0] * (64 * 32)
    masks.belong(image, path, "plain")
    masks.keep(image)
    assert bpy.ops.maquette.sample_fit(filepath=path) == {"FINISHED"}
    assert bpy.context.object.maquette_sample.seed == 7 and shows(bpy.context.object)
    assert "agrees 50 %" in capfd.readouterr().out, "half of the mask was painted white"


@pytest.mark.parametrize(
    "name, sentence", [("bad.png", "bad.png shows nothing"), ("gone.png", "There is no picture at")]
)
def test_a_photo_that_will_not_do(bpy, scene, pictures, tmp_path, everything, name, sentence):
    path = pictures(name) if name != "gone.png" else str(tmp_path / name)
    before = everything()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.sample_fit(filepath=path)
    assert everything() == before
