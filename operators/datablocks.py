"""The only place where arrays become Blender data."""

import contextlib

import bpy
import numpy as np
from mathutils import Matrix

COLOURS = "Color"
"""Name of the colour attribute; Blender's own name for one, so that other tools find it."""
CONFIDENCE = "Confidence"
"""Name of the attribute with how sure the surface is at each vertex, from 0, a guess, to 1."""
UVS = "UVMap"
"""Name of the UV map that comes with a shape; Blender's own name for the first"""
MATERIAL = "Maquette Colors"
PLAIN = "Maquette Plain"
PHOTO = "maquette_photo"
"""Custom property of a camera: the name of the photo that it took"""
SHOWS = "maquette_texture"
"""Custom property of a material that shows a texture of ours: the name of its image node"""
BOX = "maquette_box"
"""Custom property of an empty that is a box for Capture"""


def new_object(context, name: str, shape, location, style: str, collection=None):
    """An object with `shape` as its mesh and the material that shows its colours, in a collection or the active one."""
    mesh = bpy.data.meshes.new(name)
    fill_mesh(mesh, shape, style)
    mesh.materials.append(plain_material() if shape.colours is None else colour_material())
    thing = bpy.data.objects.new(name, mesh)
    thing.location = location
    (collection or context.collection).objects.link(thing)
    return thing


def check_editable(thing):
    """Raises ValueError saying why the mesh of this object cannot be replaced now, if so."""
    mesh = thing.data
    if thing.mode != "OBJECT":
        raise ValueError(f"{thing.name} is in another mode; go back to Object Mode first")
    if mesh.library or mesh.override_library:
        raise ValueError(f"{thing.name}'s mesh is linked from another file; make it local first")
    if mesh.shape_keys:
        raise ValueError(f"{thing.name} has shape keys, which fit its present mesh only; remove them first")


def fill_mesh(mesh, shape, style: str):
    """Give `mesh` the vertices, faces and colours of `shape`, in place: materials stay, and so do its users.

    Where the faces are others, each takes the first material slot: there is no telling which of the old ones it was."""
    vertices = shape.vertices
    starts, taken = polygons(shape)
    corners = shape.faces.ravel()[taken]
    if shape.colours is None and _has_faces(mesh, len(vertices), starts, corners):
        # What lies on them may stay: UVs, seams, slots
        mesh.vertices.foreach_set("co", vertices.ravel())
        mesh.update()
        return
    mesh.clear_geometry()
    mesh.vertices.add(len(vertices))
    mesh.vertices.foreach_set("co", vertices.ravel())
    mesh.loops.add(len(corners))
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.add(len(starts))
    mesh.polygons.foreach_set("loop_start", starts)
    mesh.update(calc_edges=True)
    if shape.uvs is not None and shape.texture is None:
        layer = mesh.uv_layers.new(name=UVS, do_init=False)
        layer.data.foreach_set("uv", np.ascontiguousarray(shape.uvs.reshape(-1, 2)[taken]).ravel())
    if style == "blocks":
        mesh.shade_flat()
    else:
        mesh.shade_smooth()
    for index, material in enumerate(mesh.materials):
        if material and SHOWS in material:  # a texture of the old faces
            mesh.materials[index] = plain_material() if shape.colours is None else colour_material()
    if shape.colours is not None:
        fill_colours(mesh, shape.colours)
    if shape.confidence is not None:
        mesh.attributes.new(CONFIDENCE, "FLOAT", "POINT").data.foreach_set("value", shape.confidence)


def polygons(shape):
    """Where each polygon starts (N,), and which corners (C,) of the triangles, counted row by row, are its corners."""
    taken = np.ones((len(shape.faces), 3), bool)
    if shape.polygons is not None:
        second = np.flatnonzero(shape.polygons[1:] == shape.polygons[:-1]) + 1
        taken[second, :2] = False  # a, b, c and a, c, d are a, b, c, d
    sides = taken.sum(1)
    starts = np.cumsum(sides) - sides
    return starts[sides != 1].astype(np.int32), np.flatnonzero(taken).astype(np.int32)


def _has_faces(mesh, count: int, starts, corners) -> bool:
    """Whether a mesh has just these polygons, as the samples of a network do that only moves vertices."""
    if (len(mesh.vertices), len(mesh.polygons), len(mesh.loops)) != (count, len(starts), len(corners)):
        return False
    own, first = np.empty(len(corners), np.int32), np.empty(len(starts), np.int32)
    mesh.loops.foreach_get("vertex_index", own)
    mesh.polygons.foreach_get("loop_start", first)
    return np.array_equal(own, corners) and np.array_equal(first, starts)


def fill_colours(mesh, colours):
    """colours (V, 3) sRGB in [0, 1] as the active colour attribute. Bytes, as in the photo; Blender shows them linear
    through `color` and as they are through `color_srgb`."""
    mesh.color_attributes.active_color = new_colours(mesh, COLOURS, colours)
    mesh.color_attributes.render_color_index = mesh.color_attributes.find(COLOURS)


def new_colours(mesh, name: str, colours):
    """A colour attribute of colours (V, 3) sRGB in [0, 1]."""
    attribute = mesh.color_attributes.new(name, "BYTE_COLOR", "POINT")
    rgba = np.ones((len(colours), 4), np.float32)
    rgba[:, :3] = colours
    attribute.data.foreach_set("color_srgb", rgba.ravel())
    return attribute


def colour_material():
    """The material that shows the colour attribute; all results share it, so a folder of pictures makes one."""
    material, surface = _material(MATERIAL)
    if surface:
        nodes, links = material.node_tree.nodes, material.node_tree.links
        colour = nodes.new("ShaderNodeVertexColor")
        colour.layer_name = COLOURS
        colour.location = surface.location.x - 220, surface.location.y
        links.new(colour.outputs["Color"], surface.inputs["Base Color"])
    return material


def plain_material():
    """The material of results that have no colours; they share it too."""
    material, surface = _material(PLAIN)
    if surface:
        material.diffuse_color = surface.inputs["Base Color"].default_value = (0.72, 0.7, 0.66, 1)
    return material


def _material(name: str):
    """The material of this name, and None; or a new one, and its node that makes a surface."""
    material = bpy.data.materials.get(name)
    return (material, None) if material and material.library is None else new_material(name)


def new_material(name: str):
    """A material, rough, and its node that makes a surface."""
    material = bpy.data.materials.new(name)
    if not material.node_tree:  # from 5.0 on every material has one, and setting this is deprecated
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    surface = next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)
    if surface is None:
        surface = nodes.new("ShaderNodeBsdfPrincipled")
        output = nodes.new("ShaderNodeOutputMaterial")
        links.new(surface.outputs["BSDF"], output.inputs["Surface"])
    surface.inputs["Roughness"].default_value = 0.7
    return material, surface


def select_only(context, things):
    """Make `things` the selection, the last one active; in another mode than Object Mode leave the selection alone."""
    if context.mode != "OBJECT":
        return
    for other in context.selected_objects:
        other.select_set(False)
    for thing in things:
        thing.select_set(True)
    context.view_layer.objects.active = things[-1]


def show_colours(context):
    """Have the solid viewport in which a result appears show its colours, unless its artist chose something else."""
    space = context.space_data
    if space and space.type == "VIEW_3D" and space.shading.type == "SOLID" and space.shading.color_type == "MATERIAL":
        space.shading.color_type = "VERTEX"


def load_picture(image, name: str, path: str):
    """The picture at `path` as an Image, packed, so that the file may go: in place of `image`, or a new one (None)."""
    if image and image.library is None and image.source == "FILE":
        if image.packed_file:
            image.unpack(method="REMOVE")
        image.filepath = path
        image.reload()
    else:
        image = bpy.data.images.load(path)
        image.name = name
    image.pack()
    return image


def width(shape, axis: int = 0) -> float:
    """How far a shape reaches along x, or another axis."""
    return float(np.ptp(shape.vertices[:, axis])) if len(shape.vertices) else 0.0


def new_collection(parent, name: str):
    collection = bpy.data.collections.new(name)
    parent.children.link(collection)
    return collection


def new_camera(collection, row: dict, size: float):
    """A camera as a report of Capture has it, its photo behind what it sees; `size` is how large it is drawn.

    Blender's cameras have one focal length, and no distortion.
    """
    (width, height), (x, y) = row["size"], row["centre"]
    data = bpy.data.cameras.new(row["name"])
    data.sensor_fit, data.sensor_width = "HORIZONTAL", 36.0
    data.lens = row["focal"][0] * data.sensor_width / width
    data.shift_x, data.shift_y = (width / 2 - x) / width, (y - height / 2) / width
    data.display_size, data.clip_start = size, size / 100
    if photo := _behind(row):
        behind = data.background_images.new()
        behind.image, behind.alpha = photo, 1.0
        data.show_background_images = True
    camera = bpy.data.objects.new(row["name"], data)
    camera.matrix_world = Matrix(row["matrix"])
    camera[PHOTO] = row["name"]
    collection.objects.link(camera)
    return camera


def _behind(row: dict):
    """The photo of a camera as an Image: its file, or the copy that was made to be shown, packed; None where neither is
    there any more, for the camera is right without it."""
    copy = row.get("shown", "")
    with contextlib.suppress(RuntimeError):
        if not copy:
            return bpy.data.images.load(row["path"], check_existing=True) if row["path"] else None
        image = bpy.data.images.load(copy, check_existing=True)
        if not image.packed_file:
            image.name = row["name"]
            image.pack()
        return image
    return None


def new_box(collection, name: str, centre, side: float, size=None):
    """An empty that shows a cube, or a box of a size (3,) of its own, whose longest side is `side`."""
    box = bpy.data.objects.new(name, None)
    box.empty_display_type = "CUBE"
    box[BOX] = True
    collection.objects.link(box)
    shape_box(box, centre, side, size or (side,) * 3)
    return box


def shape_box(box, centre, side: float, size):
    """Have such an empty show another box."""
    box.empty_display_size = side / 2
    box.matrix_world = Matrix.LocRotScale(centre, None, [length / side for length in size])


def new_points(collection, name: str, points):
    """A mesh of loose vertices at points (P, 3)."""
    mesh = bpy.data.meshes.new(name)
    mesh.vertices.add(len(points))
    mesh.vertices.foreach_set("co", np.ascontiguousarray(points, np.float32).ravel())
    mesh.update()
    thing = bpy.data.objects.new(name, mesh)
    collection.objects.link(thing)
    return thing
