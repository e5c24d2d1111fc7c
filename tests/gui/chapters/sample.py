"""Sample at the window: a shape is drawn, its slider is dragged, a keyframed morph plays, Ctrl+Z takes back a step."""

import bpy
import hands
import numpy as np
from hands import press, result, shot, status, undo, until


def points(thing):
    """(V, 3) the object's vertices."""
    found = np.empty((len(thing.data.vertices), 3), np.float32)
    thing.data.vertices.foreach_get("co", found.ravel())
    return found


def a_stool(at=(0, 0, 0)):
    """A stool of seed 3 on the cursor, its panel open and the default cube gone."""
    yield from hands.open_panel("MAQUETTE_PT_sample", alone=True)
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.cursor.location = at
    settings = bpy.context.scene.maquette.sample
    settings.family, settings.seed = "stool", 3
    with hands.over("WINDOW"):
        bpy.ops.ed.undo_push(message="Settings")
    before = set(bpy.data.objects.keys())
    yield from press("maquette.sample")
    yield from until(lambda: not status().busy and set(bpy.data.objects.keys()) != before, "stool", 60)
    assert not status().error, status().error
    yield 0.5
    return result(before)


def rests(thing):
    """Waits till the mesh is whole and shows what the sliders say."""
    name, last = thing.name, []

    def still():
        last.append(points(bpy.data.objects[name]).tobytes())
        return len(last) > 5 and len(set(last[-5:])) == 1

    yield from until(still, "end of the changes", 20, every=0.3)


def scene_create():
    """Create makes an object on the cursor, of its family's name; one Ctrl+Z takes it away."""
    thing = yield from a_stool(at=(0.5, 0, 0))
    yield from hands.look_at_selected()
    yield from shot("sample-1-created")
    assert thing.name == "Stool" and tuple(thing.location) == (0.5, 0, 0)
    assert len(thing.data.polygons) > 500
    yield from hands.look_away()
    yield from undo()
    assert "Stool" not in bpy.data.objects


def scene_drag():
    """A slider is dragged: the mesh follows while the mouse is down, is whole when it rests, and undo is one step."""
    thing = yield from a_stool()
    yield from hands.look_at_selected()
    name, first = thing.name, points(thing)
    x, y = yield from hands.find('["Seat height"]')
    seen = []
    yield from hands.drag((x, y), (x - 80, y), meanwhile=lambda: seen.append(len(points(bpy.data.objects[name]))))
    assert len(set(seen)) > 2, f"the mesh should follow the hand: {seen}"
    yield from shot("sample-2-dragged-draft")
    yield from rests(thing)
    thing = bpy.data.objects[name]
    value, last = thing["Seat height"], points(thing)
    assert len(last) > 2 * min(seen), f"{len(last)} vertices at rest, {seen} while dragging"
    assert abs(np.ptp(last[:, 2]) - np.ptp(first[:, 2])) > 0.02, "another height"
    yield from shot("sample-3-dragged")
    yield from undo()
    yield from until(lambda: np.array_equal(points(bpy.data.objects[name]), first), "shape before the drag", 5)
    assert abs(bpy.data.objects[name]["Seat height"] - value) > 0.01, "one undo step takes the slider back too"
    yield from shot("sample-4-undone")
    yield from hands.redo()
    yield from until(lambda: np.array_equal(points(bpy.data.objects[name]), last), "shape after the drag", 5)
    assert abs(bpy.data.objects[name]["Seat height"] - value) < 1e-4


def scene_play():
    """A keyframed morph from stool to lamp plays; the second time round every frame is at hand."""
    thing = yield from a_stool()
    name = thing.name
    with hands.over("WINDOW"):
        assert bpy.ops.maquette.sample(family="lamp", seed=1) == {"FINISHED"}
        lamp = bpy.context.object
        bpy.context.view_layer.objects.active = thing
        thing.select_set(True)
    yield from hands.look_at_selected()
    assert status().other == lamp.name
    with hands.over("WINDOW"):
        assert bpy.ops.maquette.sample_between() == {"FINISHED"}
    lamp.hide_set(True)
    scene, own = bpy.context.scene, thing.maquette_sample
    scene.frame_start, scene.frame_end, scene.render.fps = 1, 12, 12
    for frame, factor in ((1, 0.0), (12, 1.0)):
        own.factor = factor
        own.keyframe_insert("factor", frame=frame)
    yield from shot("sample-5-keyframed")
    shapes = {}
    with hands.over("WINDOW"):
        bpy.ops.screen.animation_play()
    for _ in range(60):
        shapes[scene.frame_current] = points(bpy.data.objects[name]).tobytes()
        yield 0.05
    with hands.over("WINDOW"):
        bpy.ops.screen.animation_cancel(restore_frame=False)
    assert len(set(shapes.values())) > 8, f"another shape at each of the frames {sorted(shapes)}"
    for frame in (1, 6, 12):
        scene.frame_set(frame)
        yield from rests(thing)
        yield from shot(f"sample-6-frame-{frame}")
    assert not status().error, status().error


def scene_between():
    """Two samples are selected, Interpolate is pressed: Factor leads from one to the other, and Ctrl+Z back."""
    bpy.types.MAQUETTE_PT_sample_between.bl_options = set()
    thing = yield from a_stool()
    name, first = thing.name, points(thing)
    with hands.over("WINDOW"):
        assert bpy.ops.maquette.sample(family="lamp", seed=1) == {"FINISHED"}
        bpy.context.object.location.x = 0.8
        thing.select_set(True)
        bpy.context.view_layer.objects.active = thing
        bpy.ops.ed.undo_push(message="Two samples")
        bpy.ops.view3d.view_selected()
    yield from press("maquette.sample_between")
    yield from until(lambda: not status().busy and bpy.data.objects[name].maquette_sample.other, "way", 60)
    assert bpy.data.objects[name].maquette_sample.factor == 0.5 and not status().error, status().error
    half = points(bpy.data.objects[name])
    yield from shot("sample-8-half-way")
    x, y = yield from hands.find("factor")
    yield from hands.drag((x, y), (x + 30, y))
    yield from until(lambda: not np.array_equal(points(bpy.data.objects[name]), half), "other mesh", 10)
    yield from rests(bpy.data.objects[name])
    yield from undo()
    yield from until(lambda: np.array_equal(points(bpy.data.objects[name]), half), "mesh half-way", 10)
    yield from undo()
    yield from until(lambda: np.array_equal(points(bpy.data.objects[name]), first), "stool", 10)
    bpy.types.MAQUETTE_PT_sample_between.bl_options = {"DEFAULT_CLOSED"}


def scene_face():
    """A network that moves a face's vertices: its sliders stand under what they belong to, and the faces stay."""
    yield from hands.open_panel("MAQUETTE_PT_sample", alone=True)
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.context.scene.maquette.sample.model = "head_vae"
    with hands.over("WINDOW"):
        assert bpy.ops.maquette.sample(seed=1) == {"FINISHED"}
        bpy.ops.ed.undo_push(message="Face")  # what a script calls makes no step
    thing = bpy.context.object
    first = points(thing)
    yield from hands.look_at_selected()
    x, y = yield from hands.find('["Head width"]')
    yield from hands.drag((x, y), (x + 60, y))
    yield from rests(thing)
    last = points(bpy.data.objects[thing.name])
    assert last.shape == first.shape and not np.array_equal(last, first)
    yield from shot("sample-9-face")
    name = thing.name
    for go, wanted in ((undo, first), (hands.redo, last)):
        yield from go()
        yield from until(lambda w=wanted: np.array_equal(points(bpy.data.objects[name]), w), "shape of that step", 5)
        mesh = bpy.data.objects[name].data
        quads = sum(len(polygon.vertices) == 4 for polygon in mesh.polygons)
        assert quads > 0.95 * len(mesh.polygons) and mesh.uv_layers.active.name == "UVMap"
    bpy.data.objects[name].modifiers.new("Subdivision", "SUBSURF")
    for mode in ("EDIT", "SCULPT", "OBJECT"):
        with hands.over("WINDOW"):
            bpy.ops.object.mode_set(mode=mode)
        yield 0.3
    yield from shot("sample-9-face-subdivided")


def scene_render():
    """An animation is rendered from the window, in Blender's own thread for that: another shape in each frame."""
    thing = yield from a_stool()
    with hands.over("WINDOW"):
        assert bpy.ops.maquette.sample_between(seed=8) == {"FINISHED"}
    scene, own = bpy.context.scene, thing.maquette_sample
    for frame, factor in ((1, 0.0), (4, 1.0)):
        own.factor = factor
        own.keyframe_insert("factor", frame=frame)
    yield from until(lambda: scene.render.use_lock_interface, "lock of the interface", 5)
    scene.frame_start, scene.frame_end = 1, 4
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
    scene.render.resolution_x, scene.render.resolution_y, scene.render.film_transparent = 96, 64, True
    scene.render.image_settings.color_mode = "RGBA"
    scene.render.filepath = "/tmp/rendered-"
    scene.camera.location, scene.camera.rotation_euler = (0, -1.6, 0.4), (1.57, 0, 0)
    counts, ended = {}, []

    def note(scene, *_):
        counts[scene.frame_current] = len(bpy.data.objects["Stool"].data.vertices)

    bpy.app.handlers.render_post.append(note)
    bpy.app.handlers.render_complete.append(lambda *_: ended.append(True))
    with hands.over("WINDOW"):
        bpy.ops.render.render("INVOKE_DEFAULT", animation=True)
    yield from until(lambda: ended, "end of the render", 60)
    bpy.app.handlers.render_post.remove(note)
    bpy.app.handlers.render_complete.pop()
    yield 1.0
    assert not status().error, status().error
    assert len(set(counts.values())) == 4 and min(counts.values()) > 700, f"whole shapes in each frame: {counts}"
    outlines = []
    for frame in range(1, 5):
        image = bpy.data.images.load(f"/tmp/rendered-{frame:04}.png")
        outlines.append(np.array(image.pixels[:]).reshape(-1, 4)[:, 3] > 0.5)
    assert all(outline.any() for outline in outlines)
    assert all((a != b).any() for a, b in zip(outlines, outlines[1:], strict=False)), "another picture each frame"


def scene_grid():
    """Four seeds in a square, in a collection of their own; one Ctrl+Z takes them away."""
    thing = yield from a_stool()
    name, settings = thing.name, bpy.context.scene.maquette.sample
    settings.count = 4
    yield from press("maquette.sample_grid")
    yield from until(lambda: not status().busy and "Stools" in bpy.data.collections, "grid", 60)
    assert len(bpy.data.collections["Stools"].objects) == 4
    with hands.over("WINDOW"):
        bpy.ops.view3d.view_selected()
    yield from shot("sample-7-grid")
    yield from undo()
    assert "Stools" not in bpy.data.collections and name in bpy.data.objects
