"""Sample: objects out of the bundled network's latent space, and meshes that follow their sliders."""

import json
import math
import os
import signal

import numpy as np
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


def shows(thing) -> bool:
    from maquette.operators import sampled

    return sampled.shows(thing)


def idle() -> bool:
    from maquette.operators import follow
    from maquette.operators.live import Live

    return Live.wish is None and not follow.Follow.changed


def recorded(thing) -> dict:
    return json.loads(thing["maquette"])["request"]


# --- Create ----------------------------------------------------------------------------------------------------------


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


# --- sliders ---------------------------------------------------------------------------------------------------------


def test_the_mesh_follows_a_slider(bpy, sample, slider, until, vertices):
    name, low, high = slider
    mesh, before = sample.data, vertices(sample.data)
    mine = sample.data.materials[0] = bpy.data.materials.new("Mine")
    sample.modifiers.new("Soft", "SUBSURF")
    for value in (low, (low + high) / 2, high):
        sample[name] = value
    until(lambda: shows(sample) and idle())
    assert sample.data == mesh and sample.active_material == mine and "Soft" in sample.modifiers
    assert not np.array_equal(vertices(mesh)[: len(before)], before[: len(mesh.vertices)])
    moved = recorded(sample)["point"]["sliders"]
    assert list(moved) == [name] and sample[name] == pytest.approx(high)
    assert len(sample["maquette_field"]) == 64, "Remesh is possible"


def test_a_draft_comes_while_the_hand_moves(bpy, sample, slider, until):
    from maquette.operators.live import Live

    name, low, high = slider
    whole = len(sample.data.vertices)
    sample[name] = low
    until(lambda: Live.stage == 0 and Live.job is None)
    assert len(sample.data.vertices) < whole / 2 and not shows(sample)
    until(lambda: shows(sample) and idle())
    assert len(sample.data.vertices) > whole / 2


def test_the_other_sliders_say_what_they_said(bpy, sample, slider, until):
    name, low, high = slider
    before = {item.name: sample[item.name] for item in sample.maquette_sample.sliders if item.name != name}
    sample[name] = low
    until(lambda: shows(sample) and idle())
    for other, value in before.items():
        assert sample[other] == pytest.approx(value, abs=2e-3), other


def test_scripts_update_without_a_window(bpy, sample, slider, vertices):
    name, low, high = slider
    before = vertices(sample.data)
    sample[name] = low
    assert bpy.ops.maquette.sample_update() == {"FINISHED"}
    assert shows(sample) and not np.array_equal(vertices(sample.data)[:50], before[:50])
    assert recorded(sample)["point"]["sliders"][name] > 0


@pytest.mark.parametrize("blenders", ["before the mesh", "after the mesh"])
def test_one_undo_step_takes_a_drag_back(bpy, sample, slider, until, vertices, blenders):
    """Blender makes the step as the slider is let go: that may be before the mesh has followed, or after."""
    name, low, high = slider
    value, before, own = sample[name], vertices(sample.data), sample.name
    sample[name] = high
    if blenders == "before the mesh":
        bpy.ops.ed.undo_push(message=name)
    until(lambda: shows(sample) and idle())
    if blenders == "after the mesh":
        bpy.ops.ed.undo_push(message=name)
    after = vertices(sample.data)
    bpy.ops.ed.undo()
    sample = bpy.data.objects[own]
    assert sample[name] == pytest.approx(value)
    np.testing.assert_array_equal(vertices(sample.data), before)
    bpy.ops.ed.redo()
    sample = bpy.data.objects[own]
    until(lambda: shows(sample) and idle())
    assert sample[name] == pytest.approx(high)
    np.testing.assert_array_equal(vertices(sample.data), after)


def test_seed_and_truncation_are_sliders_too(bpy, sample, until, vertices):
    before, own = vertices(sample.data), sample.maquette_sample
    own.truncation = 0.0
    until(lambda: shows(sample) and idle())
    mean = vertices(sample.data)
    own.seed = 99
    until(lambda: shows(sample) and idle())
    assert not np.array_equal(mean[:50], before[:50])
    np.testing.assert_array_equal(vertices(sample.data), mean, "without truncation all seeds are the mean shape")


def spoil_edit_mode(bpy, thing):
    bpy.ops.object.mode_set(mode="EDIT")


def spoil_shape_keys(bpy, thing):
    thing.shape_key_add(name="Basis")


@pytest.mark.parametrize(
    "spoil, sentence", [(spoil_edit_mode, "is in another mode"), (spoil_shape_keys, "has shape keys")]
)
def test_what_cannot_be_meshed_says_so(bpy, sample, slider, everything, spoil, sentence):
    spoil(bpy, sample)
    before = everything()
    sample[slider[0]] = slider[1]
    for verb in (bpy.ops.maquette.sample_update, bpy.ops.maquette.sample_random, bpy.ops.maquette.regenerate):
        with pytest.raises(RuntimeError, match=sentence):
            verb()
    if sample.mode == "EDIT":
        bpy.ops.object.mode_set(mode="OBJECT")
    assert everything() == before


def test_a_slider_with_shape_keys_says_so_once(bpy, sample, slider, until, everything):
    from maquette.operators import tasks

    sample.shape_key_add(name="Basis")
    before = everything()
    sample[slider[0]] = slider[1]
    until(lambda: "has shape keys" in tasks.Status.error)
    tasks.Status.error = ""
    for _ in range(20):
        tasks.pump()
    assert not tasks.Status.error and everything() == before


def test_a_value_out_of_range_leaves_the_mesh(bpy, sample, slider, everything):
    before = everything()
    sample[slider[0]] = 100.0
    with pytest.raises(RuntimeError, match=f"{slider[0]} is .*; it goes from"):
        bpy.ops.maquette.sample_update()
    assert everything() == before


def test_a_worker_that_is_killed_costs_nothing(bpy, sample, slider, until, worker):
    from maquette.operators import tasks
    from maquette.operators.live import Live

    os.kill(worker.pid, signal.SIGSTOP)
    sample[slider[0]] = slider[1]
    until(lambda: Live.job is not None and worker.current is not None)
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: shows(sample) and idle())
    assert not tasks.Status.error


def test_a_worker_that_does_not_start_is_a_sentence(bpy, sample, slider, until, worker, everything, monkeypatch):
    from maquette.operators import tasks
    from maquette.operators.live import Live

    name, low, high = slider
    before = everything()
    with monkeypatch.context() as patch:
        patch.setattr(worker, "launch", "/nowhere/launch.py")
        worker.close()
        sample[name] = low
        until(lambda: tasks.Status.error and Live.wish is None)
        assert "The worker ended" in tasks.Status.error and everything() == before
        with pytest.raises(RuntimeError, match="The worker ended"):
            bpy.ops.maquette.sample_update()
        with pytest.raises(RuntimeError, match="The worker ended"):
            bpy.ops.maquette.sample_random()
        assert everything() == before
    sample[name] = high
    until(lambda: shows(sample) and idle())
    assert not tasks.Status.error


def test_a_deleted_object_takes_its_wish_along(bpy, sample, slider, until):
    from maquette.operators import tasks

    sample[slider[0]] = slider[1]
    tasks.pump()
    bpy.data.objects.remove(sample)
    until(idle)


# --- Random, Vary, Reset ---------------------------------------------------------------------------------------------


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


# --- Remesh, Regenerate ----------------------------------------------------------------------------------------------


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


# --- A to B, rows and grids ------------------------------------------------------------------------------------------


@pytest.fixture
def two(bpy, sample):
    """A, active, and B, of another family where there is one; both selected."""
    families = [item.identifier for item in _families(bpy)]
    bpy.ops.maquette.sample(family=families[-1], seed=1)
    other = bpy.context.object
    sample.select_set(True)
    bpy.context.view_layer.objects.active = sample
    return sample, other


def _families(bpy):
    from types import SimpleNamespace

    from maquette.operators import sampled

    return [SimpleNamespace(identifier=name) for name in sampled.families("shape_vae")]


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


# --- from a mesh, from a photo (the worker's answers are a stub's) ----------------------------------------------------


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


# --- presets ---------------------------------------------------------------------------------------------------------


def test_a_preset_makes_the_same_shape(bpy, sample, slider, vertices, tmp_path):
    sample[slider[0]] = slider[1]
    bpy.ops.maquette.sample_vary(variation=2, amount=0.2)
    assert bpy.ops.maquette.sample_save(filepath=str(tmp_path / "mine")) == {"FINISHED"}
    assert bpy.ops.maquette.sample_load(filepath=str(tmp_path / "mine.json")) == {"FINISHED"}
    thing = bpy.context.object
    assert thing != sample and shows(thing)
    np.testing.assert_array_equal(vertices(thing.data), vertices(sample.data))
    assert thing[slider[0]] == pytest.approx(slider[1])


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"weights": "0" * 64}, "was made with another version of shape_vae"),
        ({"model": "shape_gpt"}, "The network shape_gpt is not part of"),
        ({"latent": [0.0, 1.0]}, "The latent has 2 numbers; those of shape_vae have"),
        ({"colour": 3}, "which this version of Maquette does not know"),
        ({"truncation": 9}, "Truncation is 9; it must be from 0 to 1.5"),
        ({"family": "dragon"}, "shape_vae has no family 'dragon'"),
    ],
)
def test_a_preset_that_will_not_do(bpy, sample, tmp_path, everything, change, sentence):
    path = tmp_path / "preset.json"
    bpy.ops.maquette.sample_save(filepath=str(path))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    before = everything()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.sample_load(filepath=str(path))
    assert everything() == before


# --- a copy without the network --------------------------------------------------------------------------------------


def test_without_the_network_it_says_so(bpy, scene, monkeypatch):
    from maquette.operators import sampled

    monkeypatch.setattr(sampled, "samplers", dict)
    assert "not part of this copy" in bpy.context.window_manager.maquette.no_sampler
    with pytest.raises(RuntimeError, match="not part of this copy of Maquette"):
        bpy.ops.maquette.sample()
    with pytest.raises(RuntimeError, match="not part of this copy of Maquette"):
        bpy.ops.maquette.sample_grid(count=2)


# --- a network that moves the vertices of a mesh that is always the same ---------------------------------------------


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
