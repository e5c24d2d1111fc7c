"""What an artist does in the first ten minutes."""

import contextlib
import json
import math
from pathlib import Path

import bpy
import hands
import numpy as np
from hands import PICTURES, press, redo, result, shot, status, undo, until

KEPT = Path("/tmp/kept.blend")


def choose(*names):
    """What the file browser does once its Accept button is pressed."""
    files = [{"name": name} for name in names]
    with hands.over("WINDOW"):
        bpy.ops.maquette.choose_pictures("EXEC_DEFAULT", directory=str(PICTURES), files=files)
    yield 0.5


def watch_progress():
    """Waits for the end of the job; returns the fractions seen on the way."""
    seen = []

    def ended():
        if status().busy:
            seen.append(round(status().fraction, 3))
        return not status().busy

    yield from until(ended, "end of the job", 90, every=0.02)
    return seen


def a_result(panels_too=True):
    """The file of the day before, with an object in it that Maquette made; made now if no scene has yet.

    panels_too: its panels are unfolded as they were then, not as they are now."""
    if not KEPT.exists():
        before = set(bpy.data.objects.keys())
        with hands.over("WINDOW"):
            bpy.ops.maquette.reconstruct(filepath=str(PICTURES / "stool.png"))
        result(before).name = "Stool"
        bpy.ops.wm.save_as_mainfile(filepath=str(KEPT), copy=True)
    bpy.ops.wm.open_mainfile(filepath=str(KEPT), load_ui=panels_too)
    with contextlib.suppress(RuntimeError):  # there is no such file, but what follows loads its own panels again
        bpy.ops.wm.open_mainfile(filepath="/tmp/nowhere.blend", load_ui=True)
    yield 0.3
    yield from hands.open_tab()
    return bpy.data.objects["Stool"]


def points(thing):
    """(V, 3) the object's vertices."""
    found = np.empty((len(thing.data.vertices), 3), np.float32)
    thing.data.vertices.foreach_get("co", found.ravel())
    return found


def scene_choosing_a_picture():
    """The Choose button opens a file browser, and what is accepted there becomes the picture; photos that Blender does
    not know for pictures are listed there too, and other files are not."""
    yield from shot("artist-1-empty-tab")
    for name in ("of a phone.HEIC", "notes.txt"):
        (PICTURES / name).touch()
    bpy.context.preferences.view.filebrowser_display_type = "SCREEN"
    yield from press("maquette.choose_pictures")
    browsers = []

    def browser():
        browsers[:] = [area for area in hands.window().screen.areas if area.type == "FILE_BROWSER"]
        return browsers and browsers[0].spaces.active.params

    yield from until(browser, "file browser", 10)
    params = browsers[0].spaces.active.params
    params.directory = str(PICTURES).encode()
    params.filename = "stool.png"
    yield 0.5
    yield from shot("artist-2-file-browser")
    view = next(region for region in browsers[0].regions if region.type == "WINDOW")
    here = {"window": hands.window(), "area": browsers[0], "region": view}
    with bpy.context.temp_override(**here):
        bpy.ops.file.select_all(action="SELECT")
        listed = {file.name for file in bpy.context.selected_files}
        bpy.ops.file.select_all(action="DESELECT")
    assert {"stool.png", "of a phone.HEIC"} <= listed and "notes.txt" not in listed, listed
    for name in ("of a phone.HEIC", "notes.txt"):
        (PICTURES / name).unlink()
    params.filename = "stool.png"
    with bpy.context.temp_override(**here):
        bpy.ops.file.execute("INVOKE_DEFAULT")
    yield from until(lambda: bpy.context.scene.maquette.filepath, "chosen picture", 10)
    assert bpy.path.abspath(bpy.context.scene.maquette.filepath) == str(PICTURES / "stool.png")
    yield from shot("artist-3-chosen")


def scene_from_picture_to_mesh():
    """The button is pressed, progress rises, one coloured mesh stands on the cursor, and one Ctrl+Z takes it away."""
    bpy.context.scene.cursor.location = 2, 1, 0.5
    yield from choose("stool.png")
    with hands.over("WINDOW"):
        bpy.data.objects["Cube"].location.x = -3
        bpy.ops.ed.undo_push(message="The cube is moved")
    before = set(bpy.data.objects.keys())
    yield from press("maquette.reconstruct")
    yield from until(lambda: status().busy, "job", 5)
    assert set(bpy.data.objects.keys()) == before
    yield from until(lambda: hands.worker(), "worker process", 20)
    with hands.frozen():
        yield from shot("artist-4-running")
    seen = yield from watch_progress()
    assert seen == sorted(seen), f"progress went back: {seen}"
    assert len(set(seen)) >= 3, f"progress was hardly seen: {seen}"
    assert not status().error, status().error
    yield from shot("artist-5-mesh")
    yield from hands.look_at_selected()
    yield from shot("artist-5-mesh-close")
    yield from hands.look_away()
    thing = result(before)
    assert tuple(thing.location) == (2, 1, 0.5)
    check_mesh(thing)
    name = thing.name
    yield from undo()
    assert set(bpy.data.objects.keys()) == before, "one undo step should take the mesh away"
    assert bpy.data.objects["Cube"].location.x == -3, "the undo step took more than the mesh"
    yield from shot("artist-6-undone")
    yield from redo()
    assert name in bpy.data.objects, "redo should bring the mesh back"
    check_mesh(bpy.data.objects[name])
    yield from undo()
    yield from undo()
    assert bpy.data.objects["Cube"].location.x == 0, "the result should be one undo step, not more"


def check_mesh(thing):
    """Closed, coloured, of the size asked for, standing on its origin, with a record of where it came from."""
    mesh, where = thing.data, points(thing)
    assert len(mesh.polygons) > 500
    reach = np.ptp(where, axis=0)
    assert abs(reach.max() - 1) < 0.05, f"its longest side is {reach.max()}"
    assert abs(where[:, 2].min()) < 0.02, f"it stands {where[:, 2].min()} above its origin"
    uses = np.zeros(len(mesh.edges), int)
    loops = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("edge_index", loops)
    np.add.at(uses, loops, 1)
    assert (uses == 2).all(), f"{(uses != 2).sum()} edges are not between two faces"
    colours = np.empty((len(mesh.vertices), 4), np.float32)
    mesh.color_attributes.active_color.data.foreach_get("color", colours.ravel())
    assert colours[:, :3].std() > 0.01, "it has no colours"
    assert mesh.materials and mesh.materials[0].use_nodes
    record = json.loads(thing["maquette"])
    assert record["inputs"][0]["path"].startswith(str(PICTURES)), record["inputs"]


def scene_called_by_name():
    """INVOKE_DEFAULT with a path that is not English, as a drop onto the viewport calls it."""
    before = set(bpy.data.objects.keys())
    with hands.over("WINDOW"):
        called = bpy.ops.maquette.reconstruct("INVOKE_DEFAULT", filepath=str(PICTURES / "Väse 花.png"))
    assert called == {"RUNNING_MODAL"}
    yield from watch_progress()
    thing = result(before)
    check_mesh(thing)
    assert thing.name == "Väse 花"
    yield from hands.look_at_selected()
    yield from shot("artist-7-dropped")


def scene_sliders():
    """Style, smoothing and level mesh the object again while they are changed; each change is one undo step."""
    thing = yield from a_result()
    name, first = thing.name, points(thing)

    def here():
        return points(bpy.data.objects[name])

    yield from hands.look_at_selected()
    yield from press("auto_level")
    yield 1.0
    x, y = yield from hands.find("level")
    yield from hands.drag((x, y), (x + 25, y))
    yield from until(lambda: not np.array_equal(here(), first), "other mesh", 20)
    yield 1.5  # settled: an undo step
    yield from shot("artist-8-level")
    assert json.loads(bpy.data.objects[name]["maquette"])["request"]["meshing"]["level"] is not None
    levelled = here()
    status().mesh.style = "blocks"
    yield from until(lambda: not np.array_equal(here(), levelled), "blocks", 20)
    yield 1.5
    yield from shot("artist-9-blocks")
    blocks = here()
    corners = np.unique(np.round(blocks[:, 0], 4))
    assert len(corners) <= 128 + 1, f"blocks lie on a grid, but x takes {len(corners)} values"
    yield from undo()
    assert np.array_equal(here(), levelled), "one undo step should take the blocks back"
    assert status().mesh.style == "smooth", "the sliders should follow undo"


def scene_redo_panel():
    """Remesh has a redo panel: another value there meshes again, in place of the first."""
    thing = yield from a_result()
    name, first = thing.name, points(thing)
    with hands.over("WINDOW"):
        assert bpy.ops.maquette.remesh("INVOKE_DEFAULT", True, smoothing=0) == {"FINISHED"}
    yield 0.5
    rough = points(bpy.data.objects[name])
    assert len(rough) and not np.array_equal(rough, first)
    yield from hands.click(*hands.centre("HUD"))  # it starts folded
    yield 0.5
    yield from shot("artist-10-redo-panel")
    x, y = yield from hands.find("smoothing", "HUD")
    hands.window().event_simulate(type="WHEELUPMOUSE", value="PRESS", x=x, y=y, ctrl=True)
    yield from until(lambda: not np.array_equal(points(bpy.data.objects[name]), rough), "other mesh", 20)
    meshing = json.loads(bpy.data.objects[name]["maquette"])["request"]["meshing"]
    assert meshing["smoothing"] == 1, meshing
    yield from shot("artist-11-redone")
    yield from undo()
    assert np.array_equal(points(bpy.data.objects[name]), first), "Remesh and its redo should be one undo step"


def scene_a_folder_makes_a_row():
    """Four pictures, one of which is none: three objects in a row, and a sentence about the fourth."""
    names = sorted(path.name for path in (PICTURES / "shelf").iterdir())
    yield from choose(*[f"shelf/{name}" for name in names])
    yield from shot("artist-12-four-chosen")
    before = set(bpy.data.objects.keys())
    yield from press("maquette.reconstruct")
    yield from until(lambda: status().fraction > 0.3, "progress", 60)
    with hands.frozen():
        yield from shot("artist-13-row-running")
    yield from until(lambda: not status().busy, "row", 120)
    new = sorted((bpy.data.objects[name] for name in set(bpy.data.objects.keys()) - before), key=lambda o: o.location.x)
    assert [thing.name for thing in new] == [f"thing {number}" for number in range(3)]
    reach = [points(thing)[:, 0] + thing.location.x for thing in new]
    gaps = [right.min() - left.max() for left, right in zip(reach, reach[1:], strict=False)]
    assert min(gaps) > 0, f"they overlap: {gaps}"
    assert "thing 3.png" in status().error, status().error
    yield from hands.look_at_selected()
    yield from shot("artist-14-row")
    yield from hands.look_away()
    yield from undo()
    assert set(bpy.data.objects.keys()) == before, "the row should be one undo step"


def scene_views_make_one_object():
    """Three pictures of one chair, their sides by hand: one object, in one undo step, and what is known of each."""
    yield from choose("sides/front.png", "sides/right.png", "sides/back.png")
    settings = bpy.context.scene.maquette
    settings.together = "views"
    yield from shot("artist-14b-three-views")
    turns = [round(math.degrees(item.turn)) for item in settings.pictures]
    assert turns == [0, 90, 180], turns
    before = set(bpy.data.objects.keys())
    yield from press("maquette.reconstruct")
    yield from until(lambda: not status().busy, "mesh", 120)
    assert not status().error, status().error
    thing = result(before)
    views = json.loads(thing["maquette"])["report"]["views"]
    assert [view["used"] for view in views] == [True] * 3 and "90\N{DEGREE SIGN} to the right" in status().facts, views
    yield from hands.look_at_selected()
    yield from shot("artist-14c-one-object-of-three-views")
    yield from hands.look_away()
    yield from undo()
    assert set(bpy.data.objects.keys()) == before, "one undo step"


def scene_regenerate():
    """Regenerate gives the same vertices, bit for bit."""
    thing = yield from a_result()
    name, first = thing.name, points(thing)
    with hands.over("WINDOW"):
        bpy.ops.maquette.remesh(smoothing=9)
        bpy.ops.maquette.remesh(smoothing=2)
    yield from press("maquette.regenerate")
    yield from until(lambda: not status().busy, "mesh", 90)
    assert not status().error, status().error
    assert np.array_equal(points(bpy.data.objects[name]), first)


def scene_view():
    """The guess is shown; an elevation set by hand makes the object again in place, as one undo step."""
    yield from hands.open_panel("MAQUETTE_PT_view")
    thing = yield from a_result(panels_too=False)
    name, first = thing.name, points(thing)
    assert status().guess.startswith(f"{name}: "), status().guess
    yield from press("auto_elevation")
    bpy.context.scene.maquette.elevation = math.radians(50)
    bpy.context.scene.maquette.symmetry = True
    yield from shot("artist-17-view")
    hands.forget("maquette.regenerate")  # there are two now; the one of this panel is above
    yield from press("maquette.regenerate")
    yield from until(lambda: not status().busy, "mesh", 90)
    hands.forget("maquette.regenerate")
    assert not status().error, status().error
    view = json.loads(bpy.data.objects[name]["maquette"])["request"]["view"]
    assert abs(view["elevation"] - 50) < 1e-3 and view["symmetry"] and view["depth"] is None, view
    assert "50\N{DEGREE SIGN}" in status().guess, status().guess
    assert not np.array_equal(points(bpy.data.objects[name]), first)
    yield from hands.look_at_selected()
    yield from shot("artist-18-regenerated-with-a-view")
    yield from hands.look_away()
    yield from undo()
    assert np.array_equal(points(bpy.data.objects[name]), first), "one undo step should take the view back"


def scene_mask():
    """The Mask button shows what is taken for the object; it is painted on, and Reconstruct takes what was painted."""
    yield from choose("stool.png")
    yield from press("maquette.mask_preview")
    yield from until(lambda: not status().busy, "mask", 60)
    assert not status().error, status().error
    image = bpy.data.images["Maquette Mask"]
    assert image.size[0] >= 64 and image.has_data
    yield from shot("artist-15-mask")
    assert status().mask, "the panel should say which mask will be used"
    yield from press("maquette.edit_mask")
    yield from until(lambda: image_editor(), "Image Editor", 10)
    yield 0.5
    editor = image_editor()
    region = next(region for region in editor.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=hands.window(), area=editor, region=region):
        bpy.ops.image.view_all(fit_view=True)
        if bpy.context.tool_settings.image_paint.brush is None:  # Debian's Blender comes without the brushes
            bpy.data.brushes.new("Mask", mode="TEXTURE_PAINT").asset_mark()
            bpy.ops.brush.asset_activate(asset_library_type="LOCAL", relative_asset_identifier="Brush/Mask")
    yield 0.5
    before = white_share(image)
    x, y = region.x + region.width // 2, region.y + region.height // 2
    yield from hands.drag((x - 60, y - 40), (x + 60, y + 40))
    yield from hands.drag((x - 60, y + 40), (x + 60, y - 40))
    yield 0.5
    yield from shot("artist-15-mask-painted")
    assert white_share(image) > before + 0.01, "two strokes should have left white paint"
    assert status().mask == "painted"
    things = set(bpy.data.objects.keys())
    yield from press("maquette.reconstruct")
    yield from until(lambda: not status().busy and set(bpy.data.objects.keys()) != things, "mesh", 90)
    assert not status().error, status().error
    thing = result(things)
    check_mesh(thing)
    assert bytes(thing["maquette_mask"]).startswith(b"\x89PNG"), "it should be made with the painted mask"
    yield from press("maquette.reset_mask")
    assert not status().mask and "Maquette Mask" not in bpy.data.images


def image_editor():
    """The area that shows images, or None."""
    return next((area for area in hands.window().screen.areas if area.type == "IMAGE_EDITOR"), None)


def white_share(image):
    """Share of its pixels that are white."""
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return (pixels.reshape(-1, 4)[:, :3].min(1) > 0.95).mean()


def scene_compute():
    """Doctor tells what runs here, and Release Memory ends the worker."""
    yield from hands.open_panel("MAQUETTE_PT_compute")
    yield from press("maquette.doctor")
    yield from until(lambda: not status().busy and status().diagnosis, "diagnosis", 60)
    yield from shot("artist-16-doctor")
    assert hands.worker()
    yield from press("maquette.release")
    yield from until(lambda: not hands.worker(), "end of the worker", 10)


def scene_what_a_file_keeps():
    """Settings and the record on the object are saved with the .blend; what runs is not."""
    thing = yield from a_result()
    name = thing.name
    bpy.context.scene.maquette.smoothing = 7
    bpy.ops.wm.save_as_mainfile(filepath="/tmp/settings.blend", copy=True)
    yield from hands.new_file()
    assert bpy.context.scene.maquette.smoothing != 7
    bpy.ops.wm.open_mainfile(filepath="/tmp/settings.blend")
    yield 0.3
    assert bpy.context.scene.maquette.smoothing == 7
    assert not status().busy
    first = points(bpy.data.objects[name])
    with hands.over("WINDOW"):
        bpy.context.view_layer.objects.active = bpy.data.objects[name]
        assert bpy.ops.maquette.remesh(smoothing=4) == {"FINISHED"}
    assert not np.array_equal(points(bpy.data.objects[name]), first)
