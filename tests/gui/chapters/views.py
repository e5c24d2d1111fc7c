"""Blender's own cameras, the box and the true size of a capture, at the window."""

import json
from pathlib import Path

import bpy
import hands
import numpy as np
from chapters.capture import chosen, points
from hands import press, shot, status, undo, until
from mathutils import Euler, Vector

OUT = Path("/tmp/views")


def photographing(count, pixels):
    """Both panels are open and the cube is to be photographed; names of the objects there are."""
    bpy.types.MAQUETTE_PT_capture_views.bl_options = set()
    yield from hands.open_panel("MAQUETTE_PT_capture", alone=True)
    settings = bpy.context.scene.maquette.views
    settings.count, settings.resolution, settings.samples, settings.directory = count, pixels, 1, str(OUT)
    with hands.over("WINDOW"):
        bpy.ops.ed.undo_push(message="Settings")
    yield 0.3
    return set(bpy.data.objects.keys())


def scene_orbit():
    """One view after the other, with progress; the folder is chosen for Capture, and the scene is as it was."""
    before = yield from photographing(12, 128)
    camera, selected = bpy.context.scene.camera, list(bpy.context.selected_objects)
    yield from shot("views-1-panel")
    yield from press("maquette.render_views")
    yield from until(lambda: status().busy and status().fraction > 0, "first view", 60)
    yield from shot("views-2-rendering")
    yield from until(lambda: not status().busy, "pictures", 120)
    assert not status().error, status().error
    assert len(list((OUT / "images").iterdir())) == 12
    assert bpy.context.scene.maquette.capture.filepath == str(OUT)
    assert set(bpy.data.objects.keys()) == before and len(bpy.data.scenes) == 1
    assert bpy.context.scene.camera == camera and list(bpy.context.selected_objects) == selected
    yield from until(lambda: status().photos.startswith("12 photos"), "word of the photos", 30)
    yield from shot("views-3-rendered")
    yield from undo()
    assert not bpy.context.scene.maquette.capture.filepath, "one undo step"


def scene_escape():
    """Esc stops between two views, and nothing is left of them."""
    before = yield from photographing(400, 256)
    yield from press("maquette.render_views")
    yield from until(lambda: status().busy and status().fraction > 0, "first view", 60)
    yield from hands.key("ESC")
    yield from until(lambda: not status().busy, "end of it", 30)
    assert not status().error, status().error
    assert not (OUT / "images").exists() and set(bpy.data.objects.keys()) == before
    assert not bpy.context.scene.maquette.capture.filepath


def scene_box_and_scale():
    """A box round the lamp's shade, captured, and the capture in its true size by two vertices; each one undo step."""
    yield from chosen(8)
    with hands.over("WINDOW"):  # its button is a small one at the end of a row
        bpy.ops.maquette.add_box("EXEC_DEFAULT", True)
    box = bpy.context.scene.maquette.capture.box
    assert box and bpy.context.selected_objects == [box]
    box.location, box.scale = (0, 0, 0.4), np.array([1, 1, 0.4]) / (2 * box.empty_display_size)
    yield from shot("views-4-box")
    with hands.over("WINDOW"):
        bpy.ops.ed.undo_push(message="The box is placed")
    before = set(bpy.data.objects.keys())
    yield from press("maquette.capture")
    yield from until(lambda: status().busy, "job", 5)
    yield from until(lambda: not status().busy, "mesh", 90)
    assert not status().error, status().error
    thing = bpy.context.object
    low, high = points(thing).min(0)[2], points(thing).max(0)[2]
    assert abs(low - 0.2) < 0.02 and high < 0.65, (low, high)
    yield from shot("views-5-captured-in-the-box")
    with hands.over("WINDOW"):
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_all(action="DESELECT")
        bpy.ops.object.mode_set(mode="OBJECT")
        at = points(thing)
        pair = [int(at[:, 2].argmin()), int(at[:, 2].argmax())]
        for number in pair:
            thing.data.vertices[number].select = True
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.ed.undo_push(message="Two vertices")
    apart = np.linalg.norm(at[pair[0]] - at[pair[1]])
    bpy.context.scene.maquette.capture.distance = 3 * apart
    name, size = thing.name, np.ptp(at, axis=0)
    yield from shot("views-6-two-vertices")
    yield from press("maquette.set_scale")
    thing = bpy.data.objects[name]
    np.testing.assert_allclose(np.ptp(points(thing), axis=0), 3 * size, rtol=1e-3)
    yield from shot("views-7-true-size")
    yield from undo()
    thing = bpy.data.objects[name]
    np.testing.assert_allclose(np.array(thing.matrix_world), np.eye(4), atol=1e-6)
    assert thing.mode == "EDIT" and "maquette_scale" not in thing, "one undo step, back to the two vertices"
    assert json.loads(thing["maquette"])["request"]["box"] and set(bpy.data.objects.keys()) != before
    with hands.over("WINDOW"):
        bpy.ops.object.mode_set(mode="OBJECT")
        tilted = Euler((0.5, -0.3, 0.2)).to_matrix().to_4x4()
        for other in thing.users_collection[0].all_objects:
            other.matrix_world = tilted @ other.matrix_world
        bpy.ops.ed.undo_push(message="It lies on its side")
    yield from shot("views-8-lying")
    yield from press("maquette.set_upright")
    thing = bpy.data.objects[name]
    height = thing.matrix_world.to_3x3() @ Vector((0, 0, 1))
    assert height.z > 0.9999 and abs(points(thing)[:, 2].min()) < 1e-4, height
    yield from shot("views-9-upright")
    yield from undo()
    np.testing.assert_allclose(np.array(bpy.data.objects[name].matrix_world), np.array(tilted), atol=1e-5)
