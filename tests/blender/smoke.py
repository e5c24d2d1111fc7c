"""python smoke.py ZIP PYTHON VERDICT: the built zip in this Blender, with nothing but bpy and numpy on its path.

Installs and enables the zip, names PYTHON (which has torch) in the preferences, runs every operator, draws every panel,
disables. Writes "ok" to VERDICT last. Stands alone: pytest is not there.
"""

import importlib.util
import inspect
import json
import math
import os
import sys
import tempfile
import time

import bpy

ZIP, PYTHON, VERDICT = sys.argv[1:4]
FOLDER = tempfile.mkdtemp(prefix="maquette-smoke-")
FOREIGN = ("torch", "scipy", "skimage", "trimesh", "PIL", "fast_simplification", "xatlas", "safetensors")


def refused(verb, **settings) -> str:
    """The sentence with which an operator refuses."""
    try:
        verb(**settings)
    except RuntimeError as error:
        return str(error)
    raise AssertionError(f"{verb} was expected to refuse {settings}")


def draw_picture(path: str):
    """A shaded ball before grey, as a photo would show it."""
    side = 128
    image = bpy.data.images.new("picture", side, side)
    pixels = []
    for row in range(side):
        for column in range(side):
            x, y = (column - 63.5) / 44, (row - 63.5) / 44
            inside = x * x + y * y < 1
            z = math.sqrt(max(0.0, 1 - x * x - y * y))
            light = max(0.15, 0.5 * z + 0.4 * y - 0.3 * x)
            pixels += [0.9 * light, 0.35 * light, 0.2 * light, 1.0] if inside else [0.55, 0.56, 0.57, 1.0]
    image.pixels = pixels
    image.filepath_raw, image.file_format = path, "PNG"
    image.save()
    bpy.data.images.remove(image)


def install() -> str:
    """The name of the enabled add-on's module."""
    bpy.ops.extensions.package_install_files(filepath=ZIP, repo="user_default", enable_on_install=True)
    (module,) = [name for name in bpy.context.preferences.addons.keys() if name.endswith(".maquette")]
    return module


def check_preferences(module: str):
    preferences = bpy.context.preferences.addons[module].preferences
    preferences.python = "/nowhere/python"
    assert "/nowhere/python does not exist" in refused(bpy.ops.maquette.doctor)
    preferences.python = PYTHON
    assert bpy.ops.maquette.doctor() == {"FINISHED"}
    status = bpy.context.window_manager.maquette
    assert "torch" in status.diagnosis and status.warm, status.diagnosis
    end = time.monotonic() + 120
    while status.looking and time.monotonic() < end:
        time.sleep(0.05)
    assert status.environment_ok, status.environment_note


def check_operators(picture: str):
    scene, status = bpy.context.scene, bpy.context.window_manager.maquette
    assert bpy.ops.maquette.choose_pictures(filepath=picture) == {"FINISHED"}
    assert scene.maquette.filepath == picture
    assert bpy.ops.maquette.mask_preview() == {"FINISHED"}
    assert bpy.data.images["Maquette Mask"].size[0] == 128
    scene.cursor.location = 1, 2, 3
    assert bpy.ops.maquette.reconstruct() == {"FINISHED"}
    thing = bpy.context.object
    assert tuple(thing.location) == (1, 2, 3) and abs(max(thing.dimensions) - 1) < 0.01, thing.dimensions[:]
    assert len(thing.data.polygons) > 500 and not thing.data.validate(), "a whole mesh"
    assert len(thing.data.edges) * 2 == len(thing.data.loops), "a closed mesh"
    colours = thing.data.color_attributes.active_color
    assert colours.domain == "POINT" and thing.active_material.node_tree
    key, before = thing["maquette_field"], [vertex.co[:] for vertex in thing.data.vertices]
    assert bpy.ops.maquette.remesh(style="blocks", size=2.0) == {"FINISHED"}
    assert abs(max(thing.dimensions) - 2) < 0.01 and thing["maquette_field"] == key
    assert status.mesh.style == "blocks"
    assert bpy.ops.maquette.remesh(style="smooth", size=1.0) == {"FINISHED"}
    assert [vertex.co[:] for vertex in thing.data.vertices] == before, "the same settings make the same mesh"
    assert bpy.ops.maquette.regenerate() == {"FINISHED"}
    assert [vertex.co[:] for vertex in thing.data.vertices] == before, "Regenerate makes the same, bit for bit"
    assert bpy.ops.maquette.pack_field() == {"FINISHED"}
    assert bpy.ops.maquette.copy_report() == {"FINISHED"}
    assert bpy.ops.maquette.cancel() == {"CANCELLED"}  # nothing runs
    assert "Preferences" in refused(bpy.ops.maquette.show_preferences)  # there is no window
    assert json.loads(thing["maquette"])["weights"]


def check_capture():
    """A cube, photographed by this Blender, captured in a box and made larger."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.mesh.primitive_cube_add(location=(0, 0, 3))
    named = [len(bpy.data.scenes), len(bpy.data.cameras), len(bpy.data.worlds), len(bpy.data.images)]
    folder = os.path.join(FOLDER, "views")
    asked = {"count": 12, "resolution": 64, "samples": 1}
    assert bpy.ops.maquette.render_views(directory=folder, **asked) == {"FINISHED"}
    assert [len(bpy.data.scenes), len(bpy.data.cameras), len(bpy.data.worlds), len(bpy.data.images)] == named
    bpy.context.scene.cursor.location = 0, 0, 4
    assert bpy.ops.maquette.add_box() == {"FINISHED"}
    box = bpy.context.scene.maquette.capture.box
    box.scale = 4, 4, 2
    assert bpy.ops.maquette.capture(steps=10, resolution="64") == {"FINISHED"}
    thing = bpy.context.object
    low = min((thing.matrix_world @ vertex.co).z for vertex in thing.data.vertices)
    assert abs(low - 3) < 0.05, low
    assert bpy.ops.maquette.set_scale(first=(0, 0, 0), second=(0, 0, 1), distance=2) == {"FINISHED"}
    bpy.context.view_layer.update()
    assert abs(min((thing.matrix_world @ vertex.co).z for vertex in thing.data.vertices) - 2 * low) < 1e-4
    assert bpy.ops.maquette.set_upright(by="cameras") == {"FINISHED"}
    assert abs(min((thing.matrix_world @ vertex.co).z for vertex in thing.data.vertices)) < 1e-4


def check_samples():
    """Each operator of Sample but those that want a window or a search, and frames."""
    scene = bpy.context.scene
    assert bpy.ops.maquette.sample(seed=3) == {"FINISHED"}
    thing = bpy.context.object
    before, slider = [vertex.co[:] for vertex in thing.data.vertices], thing.maquette_sample.sliders[0].name
    thing[slider] = thing.id_properties_ui(slider).as_dict()["min"]
    assert bpy.ops.maquette.sample_update() == {"FINISHED"}
    assert [vertex.co[:] for vertex in thing.data.vertices] != before
    assert bpy.ops.maquette.sample_reset() == {"FINISHED"}
    assert [vertex.co[:] for vertex in thing.data.vertices] == before
    assert bpy.ops.maquette.remesh(style="blocks") == {"FINISHED"}
    assert bpy.ops.maquette.sample_between(seed=4) == {"FINISHED"}
    for frame, factor in ((1, 0.0), (9, 1.0)):
        thing.maquette_sample.factor = factor
        thing.maquette_sample.keyframe_insert("factor", frame=frame)
    shapes = []
    for frame in (1, 5, 9):
        scene.frame_set(frame)
        shapes.append([vertex.co[:] for vertex in thing.data.vertices])
    assert shapes[0] != shapes[1] != shapes[2], "the mesh follows its keyframes"
    preset = os.path.join(FOLDER, "preset.json")
    assert bpy.ops.maquette.sample_save(filepath=preset) == {"FINISHED"}
    assert bpy.ops.maquette.sample_load(filepath=preset) == {"FINISHED"}
    assert bpy.ops.maquette.sample_vary() == bpy.ops.maquette.sample_random() == {"FINISHED"}
    assert bpy.ops.maquette.sample_row(count=2) == bpy.ops.maquette.sample_grid(count=2) == {"FINISHED"}
    assert "There is no picture" in refused(bpy.ops.maquette.sample_fit, filepath="/nowhere.png")


def check_errors():
    count, status = len(bpy.data.objects), bpy.context.window_manager.maquette
    path = os.path.join(FOLDER, "text.png")
    with open(path, "w") as file:
        file.write("not a picture")
    assert "text.png" in refused(bpy.ops.maquette.reconstruct, filepath=path)
    assert len(bpy.data.objects) == count and not status.busy and status.error


def check_undo():
    """One step back and the result is gone, and nothing else with it."""
    count = len(bpy.data.objects)
    bpy.ops.ed.undo_push(message="Before")
    bpy.ops.maquette.reconstruct("EXEC_DEFAULT", True)
    if len(bpy.data.objects) == count + 1:
        bpy.ops.ed.undo()
    assert len(bpy.data.objects) == count, bpy.data.objects.keys()


class Paper:
    """Stands for a layout where there is no window: reads each property, knows each operator."""

    def __getattr__(self, name):
        return lambda *args, **kwargs: Paper()

    def prop(self, data, name, **how):
        data[name[2:-2]] if name.startswith("[") else getattr(data, name)

    def operator(self, name, **how):
        assert name.split(".")[1] in dir(bpy.ops.maquette), name
        return Paper()


def draw_panels(module: str):
    panels = [name for name in dir(bpy.types) if name.startswith("MAQUETTE_PT_")]
    assert len(panels) >= 3, panels
    for name in panels:
        kind = bpy.types.Panel.bl_rna_get_subclass_py(name)
        if not hasattr(kind, "poll") or kind.poll(bpy.context):
            kind.draw(type("Drawn", (), {"layout": Paper()})(), bpy.context)
    preferences = bpy.context.preferences.addons[module].preferences
    form = type("Form", (), {name: getattr(preferences, name) for name in ("python", "device", "idle_minutes")})
    form.layout = Paper()
    inspect.getattr_static(type(preferences), "draw")(form, bpy.context)


def disable(module: str):
    bpy.ops.maquette.release()
    bpy.ops.preferences.addon_disable(module=module)
    assert not hasattr(bpy.types.Scene, "maquette")
    assert not [name for name in dir(bpy.types) if name.startswith("MAQUETTE_")]
    bpy.ops.preferences.addon_enable(module=module)
    assert hasattr(bpy.types.Scene, "maquette")
    bpy.ops.preferences.addon_disable(module=module)


def main():
    assert not [name for name in FOREIGN if importlib.util.find_spec(name)], "only bpy and numpy belong on this path"
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    picture = os.path.join(FOLDER, "ball élan.png")
    draw_picture(picture)
    module = install()
    draw_panels(module)
    check_preferences(module)
    check_operators(picture)
    draw_panels(module)
    check_samples()
    draw_panels(module)
    check_errors()
    check_undo()
    draw_panels(module)
    check_capture()
    draw_panels(module)
    disable(module)
    foreign = [name for name in FOREIGN if name in sys.modules]
    assert not foreign, f"Blender's process loaded {foreign}"
    with open(VERDICT, "w") as file:
        file.write("ok\n")


main()
if bpy.app.version < (4, 3):
    # As a Python module 4.2 often crashes in its own exit once a class with a callback in a property was registered:
    # ten lines without Maquette do it. A Blender with a window, and the modules of 5.0 and 5.2, leave in order.
    sys.stdout.flush()
    os._exit(0)
