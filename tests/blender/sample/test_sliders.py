"""Meshes follow their sliders: drafts, undo, what cannot be meshed, workers that die."""

import os
import signal

import numpy as np
import pytest

from .state import idle, recorded, shows


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


def test_the_timer_comes_at_once_only_while_a_hand_waits(bpy, sample, slider, until):
    from maquette.operators import tasks

    assert tasks.pump() == tasks.IDLE
    sample[slider[0]] = slider[1]
    assert tasks.pump() == tasks.AT_ONCE
    until(lambda: shows(sample) and idle())
    assert tasks.pump() == tasks.IDLE
