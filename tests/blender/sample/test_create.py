"""Sample: objects out of the bundled network's latent space; other draws, other meshes of them."""

import math
import os

import numpy as np
import pytest

from .state import idle, recorded, shows


def test_it_stands_on_the_cursor_with_its_sliders(bpy, scene, first):
    scene.cursor.location = 1, 2, 3
    scene.maquette.sample.family, scene.maquette.sample.seed = first[0], 11
    assert bpy.ops.maquette.sample() == {"FINISHED"}
    thing = bpy.context.object
    assert thing.name == first[0].capitalize() and tuple(thing.location) == (1, 2, 3) and thing.select_get()
    assert len(thing.data.polygons) > 100 and not thing.data.validate()
    assert thing.active_material.name == "Maquette Plain"
    assert recorded(thing)["point"]["seed"] == 11 and len(thing["maquette_field"]) == 64
    own = thing.maquette_sample
    assert (own.family, own.seed, own.truncation) == (first[0], 11, pytest.approx(0.7))
    assert shows(thing)


def test_each_slider_has_its_own_range_unit_and_tooltip(bpy, sample, first):
    from maquette.nets import catalog

    rows = [row for row in catalog.describe() if row["name"] == "shape_vae"][0]["sliders"]
    rows = [row for row in rows if row["family"] == first[0]]
    assert [item.name for item in sample.maquette_sample.sliders] == [row["name"] for row in rows]
    scales = {"m": 1, "cm": 0.01, "mm": 0.001, "°": math.pi / 180, "": 1}
    subtypes = {"m": "DISTANCE", "cm": "DISTANCE", "mm": "DISTANCE", "°": "ANGLE", "": "NONE"}
    for row in rows:
        shown = sample.id_properties_ui(row["name"]).as_dict()
        scale = scales[row["unit"]]
        assert shown["min"] == pytest.approx(row["minimum"] * scale) and shown["subtype"] == subtypes[row["unit"]]
        assert (
            shown["max"] == pytest.approx(row["maximum"] * scale)
            and shown["min"] <= sample[row["name"]] <= shown["max"]
        )
        assert ("R²" in shown["description"]) == (row["r2"] is not None)


def test_the_same_seed_is_the_same_shape(bpy, sample, vertices):
    assert bpy.ops.maquette.sample(family=sample.maquette_sample.family, seed=4) == {"FINISHED"}
    other = bpy.context.object
    assert other != sample and other.data != sample.data
    np.testing.assert_array_equal(vertices(other.data), vertices(sample.data))


def test_one_undo_step_takes_it_away(bpy, scene, first):
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.maquette.sample("EXEC_DEFAULT", True, family=first[0])
    assert len(bpy.data.objects) == 1
    bpy.ops.ed.undo()
    assert len(bpy.data.objects) == 0


def test_random_draws_another_in_place(bpy, scene, sample, vertices):
    mesh, before = sample.data, vertices(sample.data)
    assert bpy.ops.maquette.sample_random() == {"FINISHED"}
    assert bpy.data.objects[:] == [sample] and sample.data == mesh and shows(sample)
    assert not np.array_equal(vertices(mesh)[:50], before[:50])
    bpy.ops.maquette.sample_random(seed=4)
    np.testing.assert_array_equal(vertices(mesh), before)
    bpy.context.view_layer.objects.active = None
    assert bpy.ops.maquette.sample_random(seed=77) == {"FINISHED"} and scene.maquette.sample.seed == 77


def test_a_variation_is_near_and_goes_back(bpy, sample, slider, vertices, until):
    before, own = vertices(sample.data), sample.maquette_sample
    bpy.ops.maquette.sample_vary(variation=3, amount=0.4)
    assert (own.variation, own.amount) == (3, pytest.approx(0.4)) and own.seed == 4
    assert not np.array_equal(vertices(sample.data)[:50], before[:50])
    own.amount = 0.0
    until(lambda: shows(sample) and idle())
    np.testing.assert_array_equal(vertices(sample.data), before)


def test_reset_gives_the_sliders_back_to_the_shape(bpy, sample, slider, vertices):
    name, low, high = slider
    before, value = vertices(sample.data), sample[name]
    sample[name] = high
    bpy.ops.maquette.sample_update()
    bpy.ops.maquette.sample_reset()
    assert sample[name] == pytest.approx(value) and not recorded(sample)["point"]["sliders"]
    np.testing.assert_array_equal(vertices(sample.data), before)


def test_remesh_and_regenerate_know_samples(bpy, sample, slider, vertices, until):
    sample[slider[0]] = slider[2]
    bpy.ops.maquette.sample_update()
    before = vertices(sample.data)
    assert bpy.ops.maquette.remesh(style="blocks") == {"FINISHED"} and shows(sample)
    blocks = vertices(sample.data)
    assert not np.array_equal(blocks[:50], before[:50])
    sample.data.clear_geometry()
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    np.testing.assert_array_equal(vertices(sample.data), blocks)
    bpy.context.window_manager.maquette.mesh.style = "smooth"
    until(idle)
    np.testing.assert_array_equal(vertices(sample.data), before)


def test_a_lost_field_comes_back_by_regenerate(bpy, sample):
    from maquette.operators import compute

    compute.release()
    os.remove(compute.field_path(sample["maquette_field"]))
    with pytest.raises(RuntimeError, match="Regenerate"):
        bpy.ops.maquette.remesh(style="blocks")
    bpy.ops.maquette.regenerate()
    assert bpy.ops.maquette.remesh(style="blocks") == {"FINISHED"}


def test_without_the_network_it_says_so(bpy, scene, monkeypatch):
    from maquette.operators import sampled

    monkeypatch.setattr(sampled, "samplers", dict)
    assert "not part of this copy" in bpy.context.window_manager.maquette.no_sampler
    with pytest.raises(RuntimeError, match="not part of this copy of Maquette"):
        bpy.ops.maquette.sample()
    with pytest.raises(RuntimeError, match="not part of this copy of Maquette"):
        bpy.ops.maquette.sample_grid(count=2)
