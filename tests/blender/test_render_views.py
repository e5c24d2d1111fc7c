"""Blender's own cameras: pictures of the scene, with cameras that Capture reads, and a scene that is as it was."""

import importlib
import json
import math
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from maquette.geometry.folder import read_scene
from maquette.geometry.hull import project

ORANGE = (0.5, 0.1, 0.02)
HALVES = np.array([0.6, 0.4, 0.3])
CENTRE = np.array([2.0, -1.0, 0.5])


def room(name):
    """A module of operators/, imported only once there is a Blender with settings of its own."""
    return importlib.import_module(f"maquette.operators.{name}")


@pytest.fixture
def block(bpy, scene):
    """An orange cuboid off the origin, selected."""
    return cuboid(bpy, "Block", CENTRE, HALVES)


def cuboid(bpy, name, centre, halves):
    bpy.ops.mesh.primitive_cube_add(location=centre)
    thing = bpy.context.object
    thing.name, thing.scale = name, halves
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Base Color"].default_value = material.diffuse_color = (*ORANGE, 1)
    surface.inputs["Specular IOR Level"].default_value = 0
    surface.inputs["Roughness"].default_value = 1
    thing.data.materials.append(material)
    return thing


def render(bpy, folder, **settings):
    asked = {"count": 4, "resolution": 48, "samples": 1} | settings
    return bpy.ops.maquette.render_views(directory=str(folder), **asked)


def pixels(path):
    return np.asarray(Image.open(path)).astype(int)


def srgb(linear):
    return 255 * (1.055 * np.array(linear) ** (1 / 2.4) - 0.055)


def corners(thing):
    return np.array([thing.matrix_world @ vertex.co for vertex in thing.data.vertices])


# --- what the pictures and cameras say ------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["CYCLES", "WORKBENCH"])
def test_a_picture_has_the_colour_of_the_surface(bpy, block, tmp_path, engine):
    bpy.context.scene.view_settings.exposure = 3  # the artist's, which must not matter
    assert render(bpy, tmp_path / "out", engine=engine, samples=2) == {"FINISHED"}
    for path in (tmp_path / "out" / "images").iterdir():
        seen = pixels(path)
        assert seen.shape == (48, 48, 4) and seen[24, 24, 3] > 250 and seen[0, 0, 3] == 0
        np.testing.assert_allclose(seen[24, 24, :3], srgb(ORANGE), atol=2)


def test_the_block_is_where_the_cameras_say(bpy, block, tmp_path):
    """Each picture's outline reaches just as far as the projected corners, by our reader's cameras."""
    render(bpy, tmp_path / "out", count=6, resolution=96, samples=4)
    read = read_scene(tmp_path / "out")
    assert [photo.name for photo in read.photos] == [f"images/view_{i:03}" for i in range(6)]
    for photo in read.photos:
        outlined(photo, corners(block))


def outlined(photo, points):
    at, depth = project(photo, points)
    assert (depth > 0).all()
    rows, columns = np.nonzero(photo.mask > 127)
    seen = [columns.min(), columns.max() + 1, rows.min(), rows.max() + 1]
    np.testing.assert_allclose(
        seen,
        [*at[:, 0][[at[:, 0].argmin(), at[:, 0].argmax()]], *at[:, 1][[at[:, 1].argmin(), at[:, 1].argmax()]]],
        atol=1.2,
    )


@pytest.mark.parametrize("fit", ["AUTO", "HORIZONTAL", "VERTICAL"])
@pytest.mark.parametrize("size", [(120, 64), (64, 120)])
def test_the_scenes_cameras_with_shift_and_sensor_fit(bpy, block, tmp_path, fit, size):
    from mathutils import Vector

    scene = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = (2 * side for side in size)
    for number, place in enumerate([(4, -6, 3), (-3, -5, 1)]):
        data = bpy.data.cameras.new("Eye")
        data.sensor_fit, data.sensor_width, data.sensor_height = fit, 30, 20
        data.lens, data.shift_x, data.shift_y = 28, 0.08, -0.05
        camera = bpy.data.objects.new(f"Eye {number}", data)
        camera.location = place
        camera.rotation_euler = (Vector(CENTRE) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
        camera.scale = 3, 3, 3
        scene.collection.objects.link(camera)
    bpy.context.view_layer.update()
    assert render(bpy, tmp_path / "out", source="cameras", resolution=120) == {"FINISHED"}
    read = read_scene(tmp_path / "out")
    assert [photo.name for photo in read.photos] == ["images/Eye_0", "images/Eye_1"]
    across = fit == "HORIZONTAL" or fit == "AUTO" and size[0] > size[1]
    side = size[0] if across else size[1]
    sensor = 20 if fit == "VERTICAL" else 30
    for photo in read.photos:
        assert photo.image.shape == (size[1], size[0], 3)
        np.testing.assert_allclose(np.diag(photo.pinhole)[:2], 28 / sensor * side, rtol=1e-5)
        middle = [size[0] / 2 - 0.08 * side, size[1] / 2 - 0.05 * side]
        np.testing.assert_allclose(photo.pinhole[:2, 2], middle, atol=1e-3)
        outlined(photo, corners(block))


def test_cameras_that_capture_cannot_use_are_named(bpy, block, tmp_path):
    for name, kind in (("Flat", "ORTHO"), ("A", "PERSP"), ("B", "PERSP")):
        data = bpy.data.cameras.new(name)
        data.type = kind
        camera = bpy.data.objects.new(name, data)
        camera.location = CENTRE + [0, 0, 4 + len(bpy.data.cameras)]
        bpy.context.scene.collection.objects.link(camera)
    bpy.context.view_layer.update()
    assert render(bpy, tmp_path / "out", source="cameras", resolution=64) == {"FINISHED"}
    told = json.loads((tmp_path / "out" / "transforms.json").read_text())
    assert [row["file_path"] for row in told["frames"]] == ["images/A.png", "images/B.png"]


def test_the_spiral_looks_from_all_sides(bpy, block, tmp_path):
    """Between the elevations, at one distance, with all of the object in every picture."""
    shots = room("orbit").all_round(bpy.context, [block], 60, math.radians(-30), math.radians(60), 50)
    eyes = np.array([shot.matrix for shot in shots])[:, :3, 3] - CENTRE
    away = np.linalg.norm(eyes, axis=1)
    heights = np.degrees(np.arcsin(eyes[:, 2] / away))
    np.testing.assert_allclose(away, away[0])
    assert -30 < heights.min() < -26 and 56 < heights.max() < 60
    turns = np.sort(np.degrees(np.arctan2(eyes[:, 1], eyes[:, 0])))
    assert np.diff(turns).max() < 15
    radius = np.linalg.norm(HALVES)
    assert away[0] == pytest.approx(1.06 * radius / math.sin(math.atan(18 / 50)), rel=1e-5)


# --- what is seen ---------------------------------------------------------------------------------------------------


def test_only_what_is_selected_is_seen(bpy, block, tmp_path):
    cuboid(bpy, "Wall", CENTRE + [0, -1.5, 0], np.array([2, 0.1, 2]))
    bpy.ops.object.select_all(action="DESELECT")
    block.select_set(True)
    render(bpy, tmp_path / "out", count=6, resolution=64)
    for photo in read_scene(tmp_path / "out").photos:
        outlined(photo, corners(block))


def test_what_an_empty_holds_is_seen(bpy, block, tmp_path):
    holder = bpy.data.objects.new("Holder", None)
    bpy.context.scene.collection.objects.link(holder)
    block.parent = holder
    bpy.ops.object.select_all(action="DESELECT")
    holder.select_set(True)
    assert room("orbit").chosen(bpy.context) == [block]


def test_nothing_selected_is_the_whole_scene_but_for_what_is_hidden(bpy, block, tmp_path):
    other = cuboid(bpy, "Other", [0, 0, 0], np.ones(3))
    hidden = cuboid(bpy, "Hidden", [5, 0, 0], np.ones(3))
    hidden.hide_render = True
    bpy.ops.object.select_all(action="DESELECT")
    assert room("orbit").chosen(bpy.context) == [block, other]


def test_instances_have_their_place_in_the_ball(bpy, block):
    collection = bpy.data.collections.new("Set")
    collection.objects.link(block)
    holder = bpy.data.objects.new("Instance", None)
    holder.instance_type, holder.instance_collection, holder.location = "COLLECTION", collection, (10, 0, 0)
    bpy.context.scene.collection.objects.link(holder)
    bpy.context.view_layer.update()
    middle, radius = room("orbit").ball_round(bpy.context, [holder])
    np.testing.assert_allclose(middle, CENTRE + [10, 0, 0], atol=1e-5)
    assert radius == pytest.approx(np.linalg.norm(HALVES), rel=1e-5)


def test_the_scenes_own_light(bpy, block, tmp_path):
    """Without even light a dark scene is dark, and its lamp lights it."""
    render(bpy, tmp_path / "dark", even_light=False)
    assert pixels(tmp_path / "dark" / "images" / "view_003.png")[24, 24, :3].max() < 5
    lamp = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    lamp.data.energy = 3
    bpy.context.scene.collection.objects.link(lamp)
    render(bpy, tmp_path / "lit", even_light=False, samples=4)
    assert pixels(tmp_path / "lit" / "images" / "view_003.png")[24, 24, 0] > 60


# --- the artist's scene ---------------------------------------------------------------------------------------------


@pytest.fixture
def blocks(bpy):
    """Names of all datablocks, and what of the scene a render could disturb."""

    def state():
        kinds = [name for name in dir(bpy.data) if isinstance(getattr(bpy.data, name), type(bpy.data.objects))]
        named = {kind: [(block.name, block.users) for block in getattr(bpy.data, kind)] for kind in kinds}
        scene = bpy.context.scene
        groups = (scene.render, scene.view_settings, scene.display.shading, scene.render.image_settings)
        plain = [
            (p.identifier, getattr(group, p.identifier))
            for group in groups
            for p in group.bl_rna.properties
            if p.type in ("BOOLEAN", "INT", "FLOAT", "ENUM", "STRING") and not getattr(p, "is_array", False)
        ]
        seen = [(t.name, t.hide_render, t.hide_viewport, t.select_get()) for t in scene.objects]
        return named, plain, seen, scene.camera, scene.frame_current, scene.world, bpy.context.object

    return state


def test_the_scene_is_as_it_was(bpy, block, tmp_path, blocks):
    bpy.context.scene.frame_set(7)
    before = blocks()
    render(bpy, tmp_path / "out")
    assert blocks() == before


def test_also_when_rendering_fails(bpy, block, tmp_path, blocks, monkeypatch):
    """In the middle of the third photo: the scene is as it was, and no picture is left."""
    frame_of, taken = room("studio").frame_of, []

    def fails(*given):
        taken.append(1)
        if len(taken) == 3:
            raise ValueError("the camera broke")
        return frame_of(*given)

    monkeypatch.setattr(room("studio"), "frame_of", fails)
    before = blocks()
    with pytest.raises(RuntimeError, match="the camera broke"):
        render(bpy, tmp_path / "out")
    assert blocks() == before and not (tmp_path / "out").exists()
    assert not bpy.context.scene.maquette.capture.filepath and not bpy.context.window_manager.maquette.busy


def test_the_last_render_stays(bpy, block, tmp_path):
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples = "CYCLES", 1
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.camera = bpy.data.objects.new("Eye", bpy.data.cameras.new("Eye"))
    scene.collection.objects.link(scene.camera)
    bpy.ops.render.render()
    slots = bpy.data.images["Render Result"].render_slots
    render(bpy, tmp_path / "out")
    assert slots.active_index == 0


def photographing(bpy, tmp_path):
    """The operator as invoke() leaves it: the bpy module runs no modal operators, so events are given by hand."""
    bpy.context.scene.maquette.views.directory = str(tmp_path / "out")
    bpy.context.scene.maquette.views.count, bpy.context.scene.maquette.views.resolution = 4, 32
    kind = room("render_views").MAQUETTE_OT_render_views
    told = []
    itself = SimpleNamespace(
        properties=SimpleNamespace(is_property_set=lambda name: False),
        bl_label=kind.bl_label,
        told=told,
        report=lambda level, text: told.append(text),
    )
    for name in ("_begin", "_shots", "_finish", "_fail", "_leave", "cancel", "modal"):
        setattr(itself, name, getattr(kind, name).__get__(itself))
    itself._task = itself._begin(bpy.context)
    itself._timer = bpy.context.window_manager.event_timer_add(0.05, window=bpy.context.window)
    return itself


TIMER, ESC = SimpleNamespace(type="TIMER", value="NOTHING"), SimpleNamespace(type="ESC", value="PRESS")


def test_one_photo_at_each_turn(bpy, block, tmp_path):
    operator, status = photographing(bpy, tmp_path), bpy.context.window_manager.maquette
    for number in range(3):
        assert status.busy and status.fraction == pytest.approx(number / 4) and status.note == f"{number + 1} of 4"
        assert operator.modal(bpy.context, TIMER) == {"RUNNING_MODAL"}
        assert len(bpy.data.scenes) == 1
    assert operator.modal(bpy.context, TIMER) == {"FINISHED"} and not status.busy
    assert bpy.context.scene.maquette.capture.filepath == str(tmp_path / "out")


@pytest.mark.parametrize("how", ["escape", "button", "removed"])
def test_a_cancelled_orbit_leaves_nothing(bpy, block, tmp_path, how):
    operator = photographing(bpy, tmp_path)
    operator.modal(bpy.context, TIMER)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 1
    if how == "button":
        bpy.ops.maquette.cancel()
    if how == "removed":
        bpy.data.objects.remove(block)
    assert operator.modal(bpy.context, ESC if how == "escape" else TIMER) == {"CANCELLED"}
    wanted = "Block was removed meanwhile" if how == "removed" else "Render Views was cancelled"
    assert operator.told == [wanted] and not (tmp_path / "out").exists()
    assert not bpy.context.window_manager.maquette.busy and not bpy.context.scene.maquette.capture.filepath


# --- folders and what goes wrong ------------------------------------------------------------------------------------


def test_its_own_folder_is_made_anew(bpy, block, tmp_path):
    render(bpy, tmp_path / "out", count=6)
    render(bpy, tmp_path / "out", count=4)
    assert len(list((tmp_path / "out" / "images").iterdir())) == 4
    assert len(read_scene(tmp_path / "out").photos) == 4


def test_other_peoples_files_are_left_alone(bpy, block, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(RuntimeError, match="holds other files; choose a new or empty folder"):
        render(bpy, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_names_that_lead_elsewhere_are_not_deleted(tmp_path):
    (tmp_path / "kept.png").write_text("kept")
    folder = tmp_path / "out"
    folder.mkdir()
    rows = [{"file_path": name} for name in ("../kept.png", "images/../../kept.png", 3)]
    (folder / "transforms.json").write_text(json.dumps({"made_by": room("render_views").OURS, "frames": rows}))
    room("render_views").make_ready(str(folder))
    assert (tmp_path / "kept.png").exists()


def test_beside_the_blend_the_path_is_relative(bpy, block, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "a.blend"))
    assert bpy.ops.maquette.render_views(count=4, resolution=32, samples=1) == {"FINISHED"}
    assert bpy.context.scene.maquette.capture.filepath == "//Block Views"
    assert len(read_scene(tmp_path / "Block Views").photos) == 4


@pytest.mark.parametrize(
    "change, settings, sentence",
    [
        (lambda bpy: bpy.data.objects.remove(bpy.context.object), {}, "nothing to render"),
        (lambda bpy: setattr(bpy.context.object, "hide_render", True), {}, "Block is hidden from renders"),
        (lambda bpy: bpy.ops.object.mode_set(mode="EDIT"), {}, "works in Object Mode"),
        (lambda bpy: None, {"low": 0.5, "high": 0.2}, "Lowest is 29 degrees"),
        (lambda bpy: None, {"source": "cameras"}, "no camera in this scene"),
    ],
)
def test_a_sentence_and_nothing_made(bpy, block, tmp_path, change, settings, sentence):
    change(bpy)
    with pytest.raises(RuntimeError, match=sentence):
        render(bpy, tmp_path / "out", **settings)
    assert not (tmp_path / "out").exists()


def test_workbench_without_opengl_is_a_sentence(bpy, block, tmp_path, monkeypatch):
    """It would end the whole process."""

    def missing(name):
        raise OSError(name)

    monkeypatch.setattr(room("studio").ctypes, "CDLL", missing)
    monkeypatch.setattr(room("studio").sys, "platform", "linux")
    with pytest.raises(RuntimeError, match="Workbench needs OpenGL.*choose Cycles"):
        render(bpy, tmp_path / "out", engine="WORKBENCH")


# --- and then -------------------------------------------------------------------------------------------------------


def test_what_is_captured_of_it_lies_on_the_block(bpy, block, tmp_path):
    """From the scene through its pictures to a mesh in the same place."""
    assert render(bpy, tmp_path / "out", count=24, resolution=96, samples=2) == {"FINISHED"}
    assert bpy.ops.maquette.capture(steps=40, resolution="64") == {"FINISHED"}
    made = bpy.context.object
    assert made.name == "out" and made != block
    low, high = corners(made).min(0), corners(made).max(0)
    np.testing.assert_allclose((low + high) / 2, CENTRE, atol=0.012)
    away = (np.abs(corners(made) - CENTRE) - HALVES).max(1)  # 0 on the cuboid's faces, inside below
    # A plain thing is as large as its outlines allow at this resolution: a cell and a half, of 0.023.
    assert np.abs(away).mean() < 0.035 and away.min() > -0.02
