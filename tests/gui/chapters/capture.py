"""Capture at the window: the photos are looked at, a capture shows what it has so far, is stopped, kept and resumed."""

import json

import bpy
import hands
import numpy as np
from hands import PICTURES, press, shot, status, undo, until

TOP, RADIUS = 0.6, 0.36
"""Of the lamp in around/ (pictures.py): how high it reaches, how far from its axis"""


def chosen(budget, resolution="64"):
    """The panel is open, the cube is gone, and the lamp's photos are chosen; names of the objects there are."""
    yield from hands.open_panel("MAQUETTE_PT_capture", alone=True)
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    settings = bpy.context.scene.maquette.capture
    settings.filepath, settings.budget, settings.resolution = str(PICTURES / "around"), budget, resolution
    yield from until(lambda: status().photos[:1].isdigit(), "word of the photos", 30)
    with hands.over("WINDOW"):
        bpy.ops.ed.undo_push(message="Photos are chosen")
    yield 0.3
    return set(bpy.data.objects.keys())


def points(thing):
    """(V, 3) the object's vertices in the world."""
    found = np.empty((len(thing.data.vertices), 3), np.float32)
    thing.data.vertices.foreach_get("co", found.ravel())
    return found @ np.array(thing.matrix_world.to_3x3()).T + np.array(thing.matrix_world.translation)


def the_lamp(thing, close=0.1):
    assert thing.type == "MESH" and len(thing.data.polygons) > 500
    low, high = points(thing).min(0), points(thing).max(0)
    assert np.abs(low + [RADIUS, RADIUS, 0.49]).max() < close and abs(high[2] - TOP) < close, (low, high)


def steps(thing):
    return json.loads(thing["maquette"])["report"]["steps"]


def live():
    """What the extension draws over the viewport while it captures; None where nothing is drawn."""
    module = next(m for n, m in __import__("sys").modules.items() if n.endswith("maquette.operators.so_far"))
    return module.Drawn.batch and module.Drawn.shape


def pixels(name):
    """(H, W, 3) of the viewport in a photograph of the screen, its sidebar left out."""
    image = bpy.data.images.load(str(hands.OUT / f"{name}.png"))
    width, height = image.size
    found = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(found)
    bpy.data.images.remove(image)
    place, side = hands.region("WINDOW"), hands.region("UI")
    rows = slice(place.y + height - hands.window().height, place.y + place.height)
    return found.reshape(height, width, 4)[rows, place.x + 60 : place.x + place.width - side.width, :3]


def scene_photos():
    """What was chosen is said at once; Find Cameras sets them up with the box, in one undo step."""
    before = yield from chosen(8)
    assert status().photos.splitlines()[0].startswith("20 photos"), status().photos
    assert not status().photos_notes
    yield from shot("capture-1-photos")
    yield from press("maquette.find_cameras")
    yield from until(lambda: not status().busy and set(bpy.data.objects.keys()) != before, "cameras", 60)
    assert not status().error, status().error
    assert sum(thing.type == "CAMERA" and thing.name not in before for thing in bpy.data.objects) == 20
    yield from shot("capture-2-cameras")
    yield from undo()
    assert set(bpy.data.objects.keys()) == before


def scene_wrong_folder():
    """A folder without photos is a sentence under its name, before anything is started."""
    yield from chosen(8)
    bpy.context.scene.maquette.capture.filepath = str(PICTURES.parent / "scripts")
    yield from until(lambda: "no photos" in status().photos_notes, "sentence", 30)
    assert not status().photos
    yield from shot("capture-3-no-photos")


def scene_capture():
    """The Capture panel: progress, the mesh among its cameras, and one Ctrl+Z takes all of it away."""
    before = yield from chosen(8)
    yield from press("maquette.capture")
    yield from until(lambda: status().busy, "job", 5)
    yield from until(lambda: not status().busy, "mesh", 90)
    assert not status().error, status().error
    thing = bpy.context.object
    the_lamp(thing)
    assert sum(other.type == "CAMERA" and other.name not in before for other in bpy.data.objects) == 20
    yield from shot("capture-4-captured")
    yield from hands.look_at_selected()
    yield from shot("capture-5-captured-close")
    yield from hands.look_away()
    yield from undo()
    assert set(bpy.data.objects.keys()) == before, "one undo step should take mesh, cameras and box away"


def scene_stop_keep_and_resume():
    """What there is so far is seen in the viewport; Stop and Keep makes it the mesh, Resume goes on from there."""
    before = yield from chosen(600)
    view = hands.viewport().spaces.active.region_3d
    view.view_distance = 3
    yield from shot("capture-6-nothing-yet")
    yield from press("maquette.capture")
    yield from until(lambda: status().busy and status().ends_early, "job", 30)
    yield from until(live, "mesh so far", 60)
    first = live()
    assert set(bpy.data.objects.keys()) == before, "no object holds what there is so far"
    yield from until(lambda: live() is not first, "better mesh", 60)
    assert "dB" in status().note and "s left" in status().note, status().note
    yield from shot("capture-6-so-far")
    drawn = np.abs(pixels("capture-6-so-far") - pixels("capture-6-nothing-yet")).max(-1) > 0.1
    assert 0.02 < drawn.mean() < 0.6, f"the lamp fills {drawn.mean():.3f} of the view"
    yield from press("maquette.enough")
    yield from until(lambda: not status().busy, "mesh", 60)
    assert not status().error, status().error
    kept = bpy.context.object
    the_lamp(kept)
    yield 0.3
    assert live() is None, "the mesh itself is there now"
    yield from shot("capture-7-kept")
    kept_steps, own = steps(kept), set(bpy.data.objects.keys())
    bpy.context.scene.maquette.capture.budget = 5
    assert status().resumable
    yield from hands.find("maquette.capture")
    place = hands.region("UI")
    y = hands._seen["maquette.capture", "UI"][0][1]
    yield from hands.click(place.x + place.width * 0.8, y)
    yield from until(lambda: status().busy, "job", 5)
    yield from until(lambda: not status().busy, "mesh", 90)
    assert not status().error, status().error
    resumed = bpy.context.object
    assert resumed.name not in own and steps(resumed) > kept_steps, (steps(resumed), kept_steps)
    the_lamp(resumed)
    yield from shot("capture-8-resumed")
    yield from undo()
    assert set(bpy.data.objects.keys()) == own
    yield from undo()
    assert set(bpy.data.objects.keys()) == before


def scene_cancel():
    """Cancel in the middle leaves the scene as it was, and Resume is offered."""
    before = yield from chosen(600, "96")
    yield from press("maquette.capture")
    yield from until(live, "mesh so far", 60)
    yield from press("maquette.cancel")
    yield from until(lambda: not status().busy, "end of the job", 30)
    yield from until(lambda: live() is None and set(bpy.data.objects.keys()) == before, "scene as it was", 5)
    assert not status().error, status().error
    yield from until(lambda: status().resumable, "offer to resume", 5)
    yield from shot("capture-9-cancelled")
