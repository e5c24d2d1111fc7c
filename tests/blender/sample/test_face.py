"""A network that moves the vertices of a mesh that is always the same."""

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
