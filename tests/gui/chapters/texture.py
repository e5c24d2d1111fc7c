"""Texture from Photos at the window: progress, a sharp texture in the viewport, and one Ctrl+Z takes it back."""

import bpy
import hands
from hands import PICTURES, press, shot, status, undo, until


def image(thing):
    """The texture that an object shows, or None."""
    material = thing.material_slots[0].material
    return material.node_tree.nodes[material["maquette_texture"]].image if "maquette_texture" in material else None


def captured(size):
    """The lamp's mesh, in a new file with its panel open; its name."""
    yield from hands.open_panel("MAQUETTE_PT_mesh")
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    with hands.over("WINDOW"):
        bpy.ops.maquette.capture("EXEC_DEFAULT", True, filepath=str(PICTURES / "around"), steps=80, resolution="64")
    bpy.context.scene.maquette.capture.size = size
    with hands.over("WINDOW"):
        bpy.ops.ed.undo_push(message="Size")
    yield 0.3
    return bpy.context.object.name


def scene_texture():
    """Progress, a texture that the solid view shows, one undo step, and redo."""
    name = yield from captured("1024")
    yield from hands.look_at_selected()
    yield from shot("texture-1-colours")
    yield from press("maquette.texture")
    yield from until(lambda: status().busy, "job", 10)
    yield from until(lambda: not status().busy, "texture", 90)
    assert not status().error, status().error
    thing = bpy.data.objects[name]
    assert image(thing).size[0] == 1024 and image(thing).packed_file and thing.data.uv_layers.active.name == "Photos"
    assert hands.viewport().spaces.active.shading.color_type == "TEXTURE"
    assert "texture 1024" in status().facts, status().facts
    yield from shot("texture-2-texture")
    yield from undo()
    thing = bpy.data.objects[name]
    assert image(thing) is None and not thing.data.uv_layers, "one undo step takes it back"
    yield from hands.redo()
    thing = bpy.data.objects[name]
    assert image(thing).size[0] == 1024 and image(thing).packed_file
    yield from shot("texture-3-redone")
    yield from hands.look_away()


def scene_reconstructed():
    """What was made from one picture gets a texture of it; after a slider's other faces it shows colours, and again."""
    yield from hands.open_panel("MAQUETTE_PT_mesh")
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    with hands.over("WINDOW"):
        bpy.ops.maquette.reconstruct("EXEC_DEFAULT", True, filepath=str(PICTURES / "stool.png"))
    bpy.context.scene.maquette.capture.size = "1024"
    with hands.over("WINDOW"):
        bpy.ops.ed.undo_push(message="Size")
    yield 0.3
    name = bpy.context.object.name
    yield from hands.look_at_selected()
    yield from shot("texture-4-colours-of-a-picture")
    for number, size in enumerate((1.0, 2.0)):
        status().mesh.size = size
        yield from until(lambda: image(bpy.data.objects[name]) is None, "colours", 20)
        yield 1.5  # settled: an undo step
        assert hands.viewport().spaces.active.shading.color_type == "VERTEX"
        yield from hands.move(*hands.centre())  # under a resting pointer Blender does not redraw a button
        yield from press("maquette.texture")
        yield from until(lambda: status().busy, "job", 10)
        yield from until(lambda: not status().busy, "texture", 90)
        assert not status().error, status().error
        assert image(bpy.data.objects[name]).size[0] == 1024
        assert "texture 1024" in status().facts, status().facts
        yield from shot(f"texture-{5 + number}-of-a-picture")
    yield from hands.look_away()


def scene_cancel():
    """In the middle it leaves the mesh as it was."""
    name = yield from captured("4096")
    yield from press("maquette.texture")
    yield from until(lambda: status().busy, "job", 10)
    yield from press("maquette.cancel")
    yield from until(lambda: not status().busy, "end of the job", 30)
    thing = bpy.data.objects[name]
    assert image(thing) is None and not thing.data.uv_layers and not status().error, status().error
