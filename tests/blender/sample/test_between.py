"""The way from A to B, rows and grids."""

import json

import numpy as np
import pytest

from .state import idle, shows


@pytest.fixture
def two(bpy, sample):
    """A, active, and B, of another family where there is one; both selected."""
    from maquette.operators import sampled

    bpy.ops.maquette.sample(family=sampled.families("shape_vae")[-1], seed=1)
    other = bpy.context.object
    sample.select_set(True)
    bpy.context.view_layer.objects.active = sample
    return sample, other


def test_the_ends_of_the_way_are_a_and_b(bpy, two, vertices, until):
    a, b = two
    start, end = vertices(a.data), vertices(b.data)
    assert bpy.context.window_manager.maquette.other == b.name
    assert bpy.ops.maquette.sample_between() == {"FINISHED"}
    own = a.maquette_sample
    assert own.factor == pytest.approx(0.5) and shows(a)
    half = vertices(a.data)
    own.factor = 1.0
    until(lambda: shows(a) and idle())
    np.testing.assert_allclose(np.ptp(vertices(a.data), axis=0), np.ptp(end, axis=0), rtol=0.02)
    own.factor = 0.0
    until(lambda: shows(a) and idle())
    np.testing.assert_array_equal(vertices(a.data), start)
    assert len(half) != len(start)
    assert bpy.ops.maquette.sample_between(clear=True) == {"FINISHED"} and not own.other
    np.testing.assert_array_equal(vertices(a.data), start)


def test_b_may_be_a_seed(bpy, sample):
    assert bpy.ops.maquette.sample_between(seed=8) == {"FINISHED"}
    assert json.loads(sample.maquette_sample.other)["seed"] == 8
    assert (
        bpy.context.window_manager.maquette.way
        == f"{sample.maquette_sample.family} 4 to {sample.maquette_sample.family} 8"
    )


def test_a_row_goes_from_a_to_b(bpy, scene, two, vertices):
    a, b = two
    scene.cursor.location = 0, 5, 0
    assert bpy.ops.maquette.sample_row(count=3) == {"FINISHED"}
    (collection,) = bpy.data.collections
    row = list(collection.objects)
    assert [round(thing.maquette_sample.factor, 2) for thing in row] == [0, 0.5, 1] and all(map(shows, row))
    np.testing.assert_array_equal(vertices(row[0].data), vertices(a.data))
    reach = [vertices(thing.data)[:, 0] + thing.location.x for thing in row]
    assert all(right.min() > left.max() for left, right in zip(reach, reach[1:])) and row[0].location.y == 5
    assert not a.maquette_sample.other, "A stays as it was"


def test_a_grid_is_square_in_a_collection_and_one_undo_step(bpy, scene, first, vertices):
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.maquette.sample_grid("EXEC_DEFAULT", True, family=first[0], seed=20, count=5)
    (collection,) = bpy.data.collections
    things = list(collection.objects)
    assert [thing.maquette_sample.seed for thing in things] == [20, 21, 22, 23, 24]
    assert len({round(thing.location.x, 3) for thing in things}) == 3
    assert len({round(thing.location.y, 3) for thing in things}) == 2
    for one in things:
        for other in things:
            apart = np.abs(np.array(one.location) - np.array(other.location))[:2]
            reach = (np.ptp(vertices(one.data), axis=0) + np.ptp(vertices(other.data), axis=0))[:2] / 2
            assert one == other or (apart > reach * 0.9).any()
    bpy.ops.ed.undo()
    assert not bpy.data.collections and not bpy.data.objects
