"""Every picture in a folder -> one .blend with the objects in a row, one .glb for each, and a picture of the row.

    blender --background --python examples/reconstruct_folder.py -- PICTURES OUT
    .venv/bin/python examples/reconstruct_folder.py PICTURES OUT        the same, with Blender as a Python module

PICTURES is a folder of pictures, or one picture; left out, it is this folder. OUT is made if need be; left out, ./out.
The extension is used where Blender has it enabled, else this checkout. Exits 1, with one line, when something failed.
"""

import sys
from pathlib import Path

import bpy

HERE = Path(__file__).resolve().parent
FORMAT = "glb"


def find_maquette():
    """Have the operators registered: by the enabled extension, or from this checkout."""
    if hasattr(bpy.types, "MAQUETTE_OT_reconstruct"):
        return
    from importlib.util import module_from_spec, spec_from_file_location

    root = HERE.parent  # whatever the checkout's folder is called, the package is maquette
    spec = spec_from_file_location("maquette", root / "__init__.py", submodule_search_locations=[str(root)])
    sys.modules["maquette"] = maquette = module_from_spec(spec)
    spec.loader.exec_module(maquette)
    maquette.register()


def export(thing, path: Path):
    """One object as a file of its own."""
    bpy.ops.object.select_all(action="DESELECT")
    thing.select_set(True)
    place, thing.location = thing.location.copy(), (0, 0, 0)
    bpy.ops.export_scene.gltf(filepath=str(path), use_selection=True)
    thing.location = place


def light_and_look(things):
    """A camera before the row, and daylight."""
    scene = bpy.context.scene
    left = min(thing.location.x - thing.dimensions.x / 2 for thing in things)
    right = max(thing.location.x + thing.dimensions.x / 2 for thing in things)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", max(right - left, 1.0) * 1.15
    camera.location, camera.rotation_euler = ((left + right) / 2, -6, 2.2), (1.3, 0, 0)
    sun = bpy.data.objects.new("Sun", bpy.data.lights.new("Sun", "SUN"))
    sun.data.energy, sun.rotation_euler = 3.0, (0.7, 0.2, 0.5)
    for thing in (camera, sun):
        scene.collection.objects.link(thing)
    scene.camera = camera
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.6, 0.6, 0.6)


def render(path: Path):
    """Cycles, as it needs no window; a few samples do for a look."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.samples = 8
    scene.render.resolution_x, scene.render.resolution_y = 480, 240
    scene.view_settings.view_transform = "Standard"
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


def main(pictures: Path, out: Path):
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    find_maquette()
    out.mkdir(parents=True, exist_ok=True)
    # Waits until all are done. What is not named here comes from the scene's settings, as in the sidebar.
    bpy.ops.maquette.reconstruct(filepath=str(pictures), resolution="64", faces=8000)
    things = list(bpy.context.selected_objects)
    for thing in things:
        export(thing, out / f"{thing.name}.{FORMAT}")
        print(f"{thing.name}: {len(thing.data.polygons)} faces")
    light_and_look(things)
    render(out / "row.png")
    bpy.ops.wm.save_as_mainfile(filepath=str((out / "row.blend").resolve()))


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    pictures, out = [*map(Path, given), *(HERE, Path("out"))[len(given) :]][:2]
    try:
        main(pictures.resolve(), out.resolve())
    except RuntimeError as error:  # what an operator reported
        print(f"reconstruct_folder: {error}".strip(), file=sys.stderr)
        sys.exit(1)
