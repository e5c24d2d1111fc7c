"""A network that moves the vertices of a mesh that is always the same."""

import json

import numpy as np
import pytest

from .state import idle, shows


@pytest.fixture
def face(bpy, scene):
    scene.maquette.sample.model = "head_vae"
    assert bpy.ops.maquette.sample(seed=1) == {"FINISHED"}
    return bpy.context.object


def test_a_face_keeps_what_lies_on_its_faces(bpy, face, until, vertices):
    mesh, before = face.data, vertices(face.data)
    mesh.uv_layers.new(name="Mine")
    mesh.polygons[7].material_index = 3
    item = next(item for item in face.maquette_sample.sliders if item.part == "expression")
    face[item.name] = face.id_properties_ui(item.name).as_dict()["max"]
    until(lambda: shows(face) and idle())
    assert len(mesh.vertices) == len(before) and not np.array_equal(vertices(mesh), before)
    assert "Mine" in mesh.uv_layers and mesh.polygons[7].material_index == 3


def test_it_is_quads_with_uvs_and_stays_so(bpy, face, until):
    """Clean to subdivide and to paint on: a head is as its artists drew it, and a slider moves its vertices alone."""
    mesh = face.data
    sides = [len(polygon.vertices) for polygon in mesh.polygons]
    assert sides.count(4) > 0.95 * len(sides) and set(sides) <= {3, 4} and not mesh.validate()
    assert json.loads(face["maquette"])["report"]["faces"] == len(sides)
    uvs = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers["UVMap"].data.foreach_get("uv", uvs)
    assert mesh.uv_layers.active.name == "UVMap" and np.ptp(uvs) > 0.5
    # Neighbours of the mesh are neighbours in the map but at seams
    apart = uvs.reshape(-1, 2)[[loop for p in mesh.polygons for loop in p.loop_indices[:2]]].reshape(-1, 2, 2)
    assert np.linalg.norm(apart[:, 0] - apart[:, 1], axis=1).max() < 0.2
    item = next(item for item in face.maquette_sample.sliders if item.part == "expression")
    face[item.name] = face.id_properties_ui(item.name).as_dict()["max"]
    until(lambda: shows(face) and idle())
    assert [len(polygon.vertices) for polygon in mesh.polygons] == sides


def test_what_has_no_field_says_so(bpy, face):
    assert not bpy.context.window_manager.maquette.meshable
    for verb in (bpy.ops.maquette.remesh, bpy.ops.maquette.pack_field):
        with pytest.raises(RuntimeError, match="Face was made as a mesh, without a field"):
            verb()
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}


def test_there_is_no_way_between_networks(bpy, face, first, everything):
    bpy.ops.maquette.sample(model="shape_vae", family=first[0])
    face.select_set(True)
    before = everything()
    for verb in (bpy.ops.maquette.sample_between, bpy.ops.maquette.sample_row):
        with pytest.raises(RuntimeError, match="Face was sampled by another network; there is no way"):
            verb()
    assert everything() == before
