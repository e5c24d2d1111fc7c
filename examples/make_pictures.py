"""Draws the pictures in this folder: python examples/make_pictures.py (needs bpy, Blender as a Python module).

They are this project's own and free for any use (CC0). Each shows one thing before a plain backdrop, as a photo would.
"""

import math
import sys
from pathlib import Path

import bpy

HERE = Path(__file__).resolve().parent
SIDE = 320
WOOD, CLOTH, BRASS, PAPER, GLAZE = (
    (0.36, 0.17, 0.07),
    (0.05, 0.22, 0.30),
    (0.60, 0.38, 0.12),
    (0.85, 0.62, 0.30),
    (0.55, 0.06, 0.05),
)


def surface(colour, roughness=0.5, metallic=0.0):
    material = bpy.data.materials.new("Surface")
    if not material.node_tree:
        material.use_nodes = True
    shader = next(node for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED")
    shader.inputs["Base Color"].default_value = (*colour, 1)
    shader.inputs["Roughness"].default_value = roughness
    shader.inputs["Metallic"].default_value = metallic
    return material


def give(material, bevel=0.0):
    """The part that was just added gets its material and soft edges."""
    part = bpy.context.object
    part.data.materials.append(material)
    if bevel:
        modifier = part.modifiers.new("Bevel", "BEVEL")
        modifier.width, modifier.segments = bevel, 3
    part.data.shade_smooth()
    return part


def box(material, centre, size, bevel=0.01):
    bpy.ops.mesh.primitive_cube_add(size=1, location=centre)
    bpy.context.object.scale = size
    bpy.ops.object.transform_apply(scale=True, location=False, rotation=False)
    return give(material, bevel)


def cone(material, foot, height, low, high, bevel=0.0):
    bpy.ops.mesh.primitive_cone_add(
        vertices=96, radius1=low, radius2=high, depth=height, location=(*foot[:2], foot[2] + height / 2)
    )
    return give(material, bevel)


def chair():
    wood, cloth = surface(WOOD), surface(CLOTH, 0.9)
    for x in (-0.22, 0.22):
        box(wood, (x, -0.2, 0.22), (0.05, 0.05, 0.44))
        box(wood, (x, 0.22, 0.5), (0.05, 0.05, 1.0))
    box(wood, (0, 0, 0.44), (0.52, 0.5, 0.05))
    box(cloth, (0, -0.01, 0.49), (0.46, 0.42, 0.07), 0.03)
    for z in (0.68, 0.8, 0.92):
        box(wood, (0, 0.22, z), (0.44, 0.03, 0.07))


def lamp():
    brass, paper = surface(BRASS, 0.3, 0.8), surface(PAPER, 0.8)
    cone(brass, (0, 0, 0), 0.04, 0.19, 0.17, 0.01)
    cone(brass, (0, 0, 0.04), 0.5, 0.025, 0.02)
    cone(paper, (0, 0, 0.5), 0.36, 0.26, 0.15)


def mug():
    glaze, inside = surface(GLAZE, 0.25), surface((0.5, 0.48, 0.44), 0.6)
    cone(glaze, (0, 0, 0), 0.6, 0.27, 0.29, 0.02)
    cone(inside, (0, 0, 0.599), 0.004, 0.25, 0.25)
    bpy.ops.mesh.primitive_torus_add(
        location=(0.33, 0, 0.3), rotation=(math.pi / 2, 0, 0), major_radius=0.16, minor_radius=0.04
    )
    give(glaze)


def backdrop():
    """A floor that bends up into a wall, so that there is no edge behind the thing."""
    bend = [(-4, 0), (2, 0)]
    bend += [(2 + 1.5 * math.sin(a), 1.5 - 1.5 * math.cos(a)) for a in [i * math.pi / 32 for i in range(1, 17)]]
    bend += [(3.5, 6)]
    points = [(x, y, z) for y, z in bend for x in (-8, 8)]
    faces = [(2 * i, 2 * i + 1, 2 * i + 3, 2 * i + 2) for i in range(len(bend) - 1)]
    mesh = bpy.data.meshes.new("Backdrop")
    mesh.from_pydata(points, [], faces)
    mesh.materials.append(surface((0.62, 0.63, 0.64), 1.0))
    mesh.shade_smooth()
    bpy.context.collection.objects.link(bpy.data.objects.new("Backdrop", mesh))


def light(place, size, power):
    lamp = bpy.data.lights.new("Light", "AREA")
    lamp.size, lamp.energy = size, power
    thing = bpy.data.objects.new("Light", lamp)
    thing.location = place
    thing.rotation_euler = (-thing.location + thing.location.__class__((0, 0, 0.3))).to_track_quat("-Z", "Y").to_euler()
    bpy.context.collection.objects.link(thing)


def camera(height, reach, elevation=0.36, turn=0.5, field=0.6):
    """Looks at the middle of a thing of this height, turned a little, from above; `reach` is its longest side."""
    from mathutils import Vector

    middle = Vector((0, 0, height / 2))
    away = 0.75 * reach / math.tan(field / 2)
    direction = Vector(
        (math.sin(turn) * math.cos(elevation), -math.cos(turn) * math.cos(elevation), math.sin(elevation))
    )
    thing = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    thing.data.angle = field
    thing.location = middle + away * direction
    thing.rotation_euler = (-direction).to_track_quat("-Z", "Y").to_euler()
    bpy.context.collection.objects.link(thing)
    bpy.context.scene.camera = thing


def draw(build, height, reach, path):
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    build()
    backdrop()
    camera(height, reach)
    light((-2.5, -2.5, 3.5), 2.0, 220)
    light((3.0, -1.5, 2.0), 3.0, 60)
    scene.world = bpy.data.worlds.new("World")
    scene.world.color = (0.25, 0.25, 0.26)
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising, scene.cycles.seed = 24, True, 0
    scene.view_settings.view_transform = "Standard"
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.image_settings.file_format, scene.render.image_settings.color_mode = "PNG", "RGB"
    scene.render.image_settings.compression = 100
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE
    for build, height, reach in ((chair, 1.0, 1.0), (lamp, 0.86, 0.86), (mug, 0.6, 0.95)):
        draw(build, height, reach, folder / f"{build.__name__}.png")
