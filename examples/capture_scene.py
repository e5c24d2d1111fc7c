"""The objects of a .blend, photographed from all round by Blender itself -> one mesh, captured from the pictures.

    blender --background --python examples/capture_scene.py -- SCENE.blend OUT
    .venv/bin/python examples/capture_scene.py SCENE.blend OUT        the same, with Blender as a Python module

Many objects, modifiers and instances become one closed mesh with colours, in the place of what it was made from.
OUT is made if need be; left out, ./out: the pictures lie in OUT/views, the mesh in OUT/captured.blend and .glb. Without
a SCENE Blender's monkey is taken. Exits 1, with one line, when something failed.
"""

import sys
from pathlib import Path

import bpy

HERE = Path(__file__).resolve().parent
VIEWS, PIXELS, SECONDS, RESOLUTION = 60, 400, 120, "128"


def find_maquette():
    """Have the operators registered: by the enabled extension, or from this checkout."""
    if hasattr(bpy.types, "MAQUETTE_OT_capture"):
        return
    from importlib.util import module_from_spec, spec_from_file_location

    root = HERE.parent  # whatever the checkout's folder is called, the package is maquette
    spec = spec_from_file_location("maquette", root / "__init__.py", submodule_search_locations=[str(root)])
    sys.modules["maquette"] = maquette = module_from_spec(spec)
    spec.loader.exec_module(maquette)
    maquette.register()


def monkey():
    """Something to photograph: smooth, and in one colour."""
    bpy.ops.mesh.primitive_monkey_add()
    thing = bpy.context.object
    thing.modifiers.new("Subdivision", "SUBSURF").render_levels = 2
    material = bpy.data.materials.new("Clay")
    if not material.node_tree:
        material.use_nodes = True
    surface = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    surface.inputs["Base Color"].default_value = (0.55, 0.2, 0.08, 1)
    surface.inputs["Roughness"].default_value = 0.9
    thing.data.materials.append(material)
    bpy.ops.object.select_all(action="DESELECT")


def main(scene: Path | None, out: Path):
    if scene:
        bpy.ops.wm.open_mainfile(filepath=str(scene))
    else:
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    find_maquette()
    if not scene:
        monkey()
    out.mkdir(parents=True, exist_ok=True)
    # What is selected is photographed, or the whole scene. What is not named here comes from the scene's settings.
    bpy.ops.maquette.render_views(directory=str(out / "views"), count=VIEWS, resolution=PIXELS)
    bpy.ops.maquette.capture(budget=SECONDS, resolution=RESOLUTION)  # the folder is chosen by now
    made = bpy.context.object
    print(f"{made.name}: {len(made.data.polygons)} faces")
    bpy.ops.export_scene.gltf(filepath=str(out / "captured.glb"), use_selection=True)
    bpy.ops.wm.save_as_mainfile(filepath=str((out / "captured.blend").resolve()), copy=True)


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    scene = next((Path(name).resolve() for name in given if name.endswith(".blend")), None)
    out = next((Path(name).resolve() for name in given if not name.endswith(".blend")), Path("out").resolve())
    try:
        main(scene, out)
    except RuntimeError as error:  # what an operator reported
        print(f"capture_scene: {error}".strip(), file=sys.stderr)
        sys.exit(1)
