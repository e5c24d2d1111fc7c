"""A sampled object and one of its sliders."""

import pytest


@pytest.fixture
def first(bpy, scene):
    """The bundled sampler's first family, and its first slider with a name, as its card has them."""
    from maquette.nets import catalog

    row = next(row for row in catalog.describe() if row["name"] == "shape_vae")
    slider = next(slider for slider in row["sliders"] if slider["r2"] is not None)
    return row["families"][0], slider


@pytest.fixture
def sample(bpy, scene, first):
    """A sampled object, active; an undo step behind it."""
    assert bpy.ops.maquette.sample(family=first[0], seed=4) == {"FINISHED"}
    bpy.ops.ed.undo_push(message="Create")
    return bpy.context.object


@pytest.fixture
def slider(first, sample):
    """(name, minimum, maximum) of a slider in Blender's units."""
    from maquette.operators.sampled import UNITS

    row = first[1]
    scale = UNITS.get(row["unit"], (1.0, ""))[0]
    return row["name"], row["minimum"] * scale, row["maximum"] * scale
