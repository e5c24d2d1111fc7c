"""How sure a mesh is: an attribute for nodes, colours at a click. The worker's ball is surer the higher."""

import json

import numpy as np
import pytest

from maquette.operators.show_confidence import RAMP, SURE


@pytest.fixture
def thing(bpy, scene, pictures):
    bpy.ops.maquette.reconstruct(filepath=pictures("ball.png"))
    return bpy.context.object


def values(attribute, count, name="value", width=1):
    found = np.empty(count * width, np.float32)
    attribute.data.foreach_get(name, found)
    return found.reshape(count, width)


def test_each_vertex_says_how_sure_it_is(bpy, thing, vertices):
    heights = vertices(thing.data)[:, 2]  # the ball stands on the floor, a metre high, 80 cm of the cube
    sure = values(thing.data.attributes["Confidence"], len(heights))[:, 0]
    np.testing.assert_allclose(sure, 0.1 + 0.8 * heights, atol=0.01)
    assert json.loads(thing["maquette"])["report"]["confidence"] == pytest.approx(0.5, abs=0.02)
    assert "surface 50 % sure" in bpy.context.window_manager.maquette.facts


def test_remesh_keeps_it(bpy, thing):
    bpy.ops.maquette.remesh(faces=300)
    sure = values(thing.data.attributes["Confidence"], len(thing.data.vertices))
    assert 0.1 <= sure.min() < 0.2 and 0.8 < sure.max() < 0.92


def test_a_click_shows_it_and_another_shows_colours_again(bpy, thing):
    mesh = thing.data
    assert bpy.context.window_manager.maquette.confident
    assert bpy.ops.maquette.show_confidence() == {"FINISHED"}
    assert mesh.color_attributes.active_color.name == SURE
    count = len(mesh.vertices)
    sure = values(mesh.attributes["Confidence"], count)[:, 0]
    shown = values(mesh.color_attributes[SURE], count, "color_srgb", 4)[:, :3]
    low = sure < 0.12
    np.testing.assert_allclose(shown[low], RAMP[0] + (RAMP[1] - RAMP[0]) * 2 * sure[low][:, None], atol=0.01)
    assert (shown[sure > 0.85] @ [-1, 1, 0] > 0.15).all(), "green on top"
    assert bpy.ops.maquette.show_confidence() == {"FINISHED"}
    assert mesh.color_attributes.active_color.name == "Color" and SURE not in mesh.color_attributes


def test_where_nothing_is_known_nothing_is_shown(bpy, thing):
    thing.data.attributes.remove(thing.data.attributes["Confidence"])
    assert not bpy.context.window_manager.maquette.confident
    with pytest.raises(RuntimeError, match="Nothing was said about how sure"):
        bpy.ops.maquette.show_confidence()
