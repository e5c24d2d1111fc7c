"""A texture as Blender has it: UVs of the mesh, a packed image, and a material that shows it."""

import bpy
import numpy as np

from . import datablocks
from .datablocks import SHOWS

UVS = "Photos"
"""Name of the UV map"""


def triangles(mesh):
    """A Blender mesh for the worker: vertices (V, 3) float64, and int32 of each triangle: its vertices, its corners'
    numbers (F, 3) both, and its polygon (F,)."""
    vertices = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", vertices)
    mesh.calc_loop_triangles()
    found = []
    for name, width in (("vertices", 3), ("loops", 3), ("polygon_index", 1)):
        values = np.empty(len(mesh.loop_triangles) * width, np.int32)
        mesh.loop_triangles.foreach_get(name, values)
        found.append(values.reshape(-1, 3) if width == 3 else values)
    return vertices.reshape(-1, 3).astype(np.float64), *found


def uvs_of(mesh, corners):
    """(F, 3, 2) of the active UV map at the corners (F, 3) of triangles. Raises ValueError where there is none."""
    layer = mesh.uv_layers.active
    if layer is None:
        raise ValueError(f"{mesh.name} has no UVs to keep; switch Keep UVs off, or unwrap it first")
    values = np.empty(len(mesh.loops) * 2, np.float32)
    layer.data.foreach_get("uv", values)
    return values.reshape(-1, 2)[corners]


def colours_of(mesh):
    """(V, 3) float32 sRGB in [0, 1]: the colours that the mesh was made with; None where an artist removed them."""
    layer = mesh.color_attributes.get(datablocks.COLOURS)
    if layer is None or layer.domain != "POINT":
        return None
    values = np.empty(len(mesh.vertices) * 4, np.float32)
    layer.data.foreach_get("color_srgb", values)
    return values.reshape(-1, 4)[:, :3].clip(0, 1)


def fill_uvs(mesh, corners, uvs):
    """Put uvs (F, 3, 2) of triangles' corners (F, 3) into a UV map of ours, and make it the active one.

    Raises ValueError where the mesh has no room for another."""
    layer = mesh.uv_layers.get(UVS) or mesh.uv_layers.new(name=UVS, do_init=False)
    if layer is None:
        raise ValueError(f"{mesh.name} has as many UV maps as Blender allows; remove one first")
    name = layer.name
    values = np.zeros((len(mesh.loops), 2), np.float32)
    values[corners] = uvs
    layer.data.foreach_set("uv", values.ravel())
    mesh.uv_layers[name].active = True
    mesh.uv_layers[name].active_render = True
    mesh.update()


def show(thing, path: str, layer: str) -> str:
    """Have an object show the picture at `path` through a UV map; a sentence where its own material stays in the way.

    The picture is packed. It goes where a material of ours was; what an artist assigned stays, and the new material
    then waits in a slot of its own."""
    image = datablocks.load_picture(None, f"{thing.name} Texture", path)
    mine = [slot for slot in thing.material_slots if slot.material is None or _is_ours(slot.material)]
    material, before = _reused(mine), None
    if material:
        node = material.node_tree.nodes[material[SHOWS]]
        before, node.image = node.image, image
    else:
        material = _new(f"{thing.name} Texture", image)
    _uv_node(material).uv_map = layer
    for slot in mine:
        slot.material = material
    if before and not before.users:
        bpy.data.images.remove(before)
    if mine:
        return ""
    if material.name not in thing.data.materials:
        thing.data.materials.append(material)
    if len(thing.material_slots) == 1:
        return ""
    return f"{thing.name} keeps its own material; {material.name} is in its last slot, to be assigned"


def show_in_view(context):
    """Have the solid viewport show the texture, unless its artist chose something else than colours."""
    space = context.space_data
    if space and space.type == "VIEW_3D" and space.shading.type == "SOLID":
        if space.shading.color_type in {"MATERIAL", "VERTEX"}:
            space.shading.color_type = "TEXTURE"


def shown(thing) -> bool:
    """Whether an object shows a texture of ours."""
    return any(slot.material and SHOWS in slot.material for slot in thing.material_slots)


def colours_in_views(context):
    """Have solid viewports that show textures show colours again, unless some object still has a texture of ours."""
    if any(thing.type == "MESH" and shown(thing) for thing in context.scene.objects):
        return
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and area.spaces.active.shading.color_type == "TEXTURE":
                area.spaces.active.shading.color_type = "VERTEX"


def _is_ours(material) -> bool:
    plain = {datablocks.MATERIAL, datablocks.PLAIN}
    return SHOWS in material or material.name.rpartition(".")[0] in plain or material.name in plain


def _reused(slots):
    """A material that shows a texture of ours on this object alone; None where there is none."""
    for slot in slots:
        material = slot.material
        if material and SHOWS in material and material.users == 1 and material[SHOWS] in material.node_tree.nodes:
            return material
    return None


def _new(name: str, image):
    material, surface = datablocks.new_material(name)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    texture, place = nodes.new("ShaderNodeTexImage"), nodes.new("ShaderNodeUVMap")
    texture.image = image
    texture.location = surface.location.x - 320, surface.location.y
    place.location = texture.location.x - 220, texture.location.y - 120
    links.new(place.outputs["UV"], texture.inputs["Vector"])
    links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    nodes.active = texture  # what the solid view shows, and what texture paint paints on
    material[SHOWS] = texture.name
    return material


def _uv_node(material):
    return material.node_tree.nodes[material[SHOWS]].inputs["Vector"].links[0].from_node
