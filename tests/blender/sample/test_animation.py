"""Keyframed samples: the mesh of each frame, in scripts and in renders, and nothing asked for twice."""

import os
import time

import numpy as np
import pytest

from maquette.operators import animation, compute, live, sampled, shapes, tasks

from .state import idle


@pytest.fixture
def chair(bpy, scene):
    """A sample of the first family, active."""
    assert bpy.ops.maquette.sample(family=sampled.families("shape_vae")[0], seed=4) == {"FINISHED"}
    return bpy.context.object


@pytest.fixture
def moving(bpy, scene, chair):
    """The same on its way to another seed, from frame 1 to frame 5."""
    bpy.ops.maquette.sample_between(seed=9)
    for frame, factor in ((1, 0.0), (5, 1.0)):
        chair.maquette_sample.factor = factor
        chair.maquette_sample.keyframe_insert("factor", frame=frame)
    return chair


def test_a_keyframed_slider_moves_the_mesh(bpy, scene, chair, vertices):
    item = chair.maquette_sample.sliders[0]
    shown = chair.id_properties_ui(item.name).as_dict()
    for frame, value in ((1, shown["min"]), (11, shown["max"])):
        chair[item.name] = value
        chair.keyframe_insert(f'["{item.name}"]', frame=frame)
    found = []
    for frame in (1, 6, 11, 1):
        scene.frame_set(frame)
        found.append(vertices(chair.data))
    assert len({shape.tobytes() for shape in found}) == 3
    np.testing.assert_array_equal(found[0], found[3])
    assert not tasks.Status.error


def test_the_way_from_a_to_b(bpy, scene, moving, vertices):
    ends = []
    for frame in (1, 3, 5):
        scene.frame_set(frame)
        ends.append(vertices(moving.data))
    own = moving.maquette_sample
    bpy.ops.maquette.sample(family=own.family, seed=9)
    np.testing.assert_array_equal(ends[2], vertices(bpy.context.object.data), "at the end it is B")
    bpy.ops.maquette.sample(family=own.family, seed=4)
    np.testing.assert_array_equal(ends[0], vertices(bpy.context.object.data), "in the beginning it is A")


def test_a_driver_counts_too(bpy, scene, chair, vertices):
    bpy.ops.maquette.sample_between(seed=9)
    driver = chair.maquette_sample.driver_add("factor").driver
    driver.expression = "(frame - 1) / 4"
    scene.frame_set(1)
    before = vertices(chair.data)
    scene.frame_set(4)
    assert chair.maquette_sample.factor == pytest.approx(0.75)
    assert not np.array_equal(vertices(chair.data)[:50], before[:50])


def test_nothing_is_asked_for_twice(bpy, scene, moving, vertices, monkeypatch):
    first = []
    for frame in range(1, 6):
        scene.frame_set(frame)
        first.append(vertices(moving.data))

    def connect():
        raise AssertionError("the worker was asked again")

    monkeypatch.setattr(compute, "connect", connect)
    for frame in range(1, 6):
        scene.frame_set(frame)
        np.testing.assert_array_equal(vertices(moving.data), first[frame - 1])


def test_what_stands_still_is_left_alone(bpy, scene, moving, monkeypatch):
    scene.frame_set(2)
    bpy.ops.maquette.sample(family=moving.maquette_sample.family, seed=5)
    still = bpy.context.object
    still.data.vertices[0].co.x = 99.0  # sculpted by hand since
    scene.frame_set(3)
    assert still.data.vertices[0].co.x == 99.0


def test_on_screen_a_draft_is_enough_until_the_whole_is_there(bpy, scene, moving):
    shapes.forget()
    scene.frame_set(1)
    whole = len(moving.data.vertices)
    moving.maquette_sample.factor = 0.4
    animation._show(moving, moving, whole=False)
    assert len(moving.data.vertices) < whole / 2
    animation._show(moving, moving, whole=True)
    assert len(moving.data.vertices) > whole / 2
    animation._show(moving, moving, whole=False)
    assert len(moving.data.vertices) > whole / 2, "what is at hand is shown"


def test_a_render_shows_each_frame(bpy, scene, moving, tmp_path):
    from PIL import Image

    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(camera)
    camera.location, camera.rotation_euler = (0, -2.2, 0.4), (1.5708, 0, 0)
    scene.world = bpy.data.worlds.new("World")
    scene.camera, scene.render.engine = camera, "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.render.resolution_x = scene.render.resolution_y = 48
    scene.render.film_transparent = True
    scene.frame_start, scene.frame_end, scene.frame_step = 1, 5, 2
    scene.render.filepath = str(tmp_path / "frame-")
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGBA"
    bpy.ops.render.render(animation=True)
    outlines = []
    for frame in (1, 3, 5):
        with Image.open(tmp_path / f"frame-{frame:04}.png") as picture:
            outlines.append(np.asarray(picture)[..., 3] > 127)
    assert all(outline.any() for outline in outlines)
    assert (outlines[0] != outlines[1]).sum() > 5 and (outlines[1] != outlines[2]).sum() > 5
    assert moving.data.get(sampled.SHOWN), "and afterwards the scene's own frame is back"
    assert not tasks.Status.error


def test_wishes_wait_for_the_end_of_a_render(bpy, scene, moving, vertices, until):
    """A shape that a slider had asked for came in the midst of a render and was rendered in place of a frame's own."""
    scene.frame_set(1)
    before = vertices(moving.data)
    moving.maquette_sample.factor = 0.9
    wish = sampled.request(moving)
    live.ask(moving, wish)
    tasks.pump()
    assert live.Live.job is not None, "asked for, as ever"
    animation._render_began()
    try:
        while live.Live.job.poll() != "done":
            time.sleep(0.01)
        tasks.pump()
        np.testing.assert_array_equal(vertices(moving.data), before)
    finally:
        animation._render_ended()
    until(idle)
    assert sampled.shows(moving, wish) and not np.array_equal(vertices(moving.data)[:50], before[:50])


def test_an_error_is_told_once_and_raises_nothing(bpy, scene, moving, vertices, monkeypatch, capfd):
    scene.frame_set(1)
    shapes.forget()
    before = vertices(moving.data)

    def connect():
        raise ValueError("Maquette found no Python with torch")

    monkeypatch.setattr(compute, "connect", connect)
    for frame in (2, 3, 4):
        scene.frame_set(frame)
    assert "no Python with torch" in tasks.Status.error
    heard = capfd.readouterr().err
    assert heard.count("no Python with torch") == 1 and "Traceback" not in heard
    np.testing.assert_array_equal(vertices(moving.data), before)


def test_it_survives_a_reload(bpy, scene, moving, vertices, tmp_path):
    name = moving.name
    scene.frame_set(4)
    at_four = vertices(moving.data)
    scene.frame_set(1)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "morph.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "morph.blend"))
    bpy.context.scene.frame_set(4)
    np.testing.assert_array_equal(vertices(bpy.data.objects[name].data), at_four)


def test_a_moving_sample_can_be_remeshed_after_an_update(bpy, scene, moving):
    """Frames keep no field; Update does, of the frame that is shown."""
    scene.frame_set(2)
    assert "maquette_field" not in moving
    with pytest.raises(RuntimeError, match="press Regenerate"):
        bpy.ops.maquette.remesh(style="blocks")
    assert bpy.ops.maquette.sample_update() == {"FINISHED"}
    assert bpy.ops.maquette.remesh(style="blocks") == {"FINISHED"}


def test_the_oldest_shapes_go_first(bpy, scene, chair, monkeypatch):
    import dataclasses

    asked = sampled.request(chair)
    shape = shapes.find(asked)
    shapes.forget()
    monkeypatch.setattr(shapes, "LIMIT", int(2.5 * (shape.vertices.nbytes + shape.faces.nbytes)))
    wishes = [dataclasses.replace(asked, factor=number / 10) for number in range(4)]
    for wish in wishes:
        shapes.keep(wish, shape)
        shapes.keep(wish, shape)
    assert [shapes.find(wish) is not None for wish in wishes] == [False, False, True, True]


def test_a_lost_worker_comes_back_for_the_next_frame(bpy, scene, moving, worker):
    scene.frame_set(1)
    os.kill(worker.pid, 9)
    shapes.forget()
    scene.frame_set(3)
    assert not tasks.Status.error and len(moving.data.polygons) > 20
