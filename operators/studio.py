"""A scene of its own in which chosen objects are photographed, so that the artist's scene is left alone.

It is made for each photo and removed after it: no cancel, undo step, error or loaded file can find it half-way, and
there is nothing to put back. Everything is held by name, for between two photos the artist may do anything.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from dataclasses import dataclass

import bpy
from mathutils import Matrix

ENGINES = {"CYCLES": "CYCLES", "WORKBENCH": "BLENDER_WORKBENCH"}
OWNERS = {"SCENE": "scenes", "OBJECT": "objects", "CAMERA": "cameras", "WORLD": "worlds"}
SHOWN = {"MESH", "CURVE", "SURFACE", "META", "FONT", "CURVES", "POINTCLOUD", "VOLUME", "GPENCIL", "GREASEPENCIL"}


@dataclass(frozen=True)
class Shot:
    """One photo to take."""

    name: str
    matrix: tuple
    """4 x 4, camera to world"""
    camera: tuple = ()
    """Key (name, library) of the camera whose lens it has; () has the one below"""
    lens: float = 50.0
    """Millimetres, before 36 mm of sensor"""
    clip: tuple[float, float] = (0.1, 100.0)


@dataclass(frozen=True)
class Studio:
    """What is photographed, and how."""

    scene: str
    """The artist's"""
    things: tuple
    """Keys (name, library) of the objects that are seen, and of the lights unless light is even"""
    size: tuple[int, int]
    """Width and height in pixels"""
    engine: str = "CYCLES"
    samples: int = 16
    even_light: bool = True
    """White light from everywhere: a photo shows the colours that surfaces have"""

    def take(self, context, shot: Shot, path: str) -> dict:
        """Render one photo to `path` (.png): its camera as transforms.json has it. ValueError with a sentence."""
        with self._scene(shot) as scene:
            camera = scene.camera
            scene.render.filepath = path
            row = frame_of(context, camera, self.size)
            with contextlib.suppress(FileNotFoundError):
                os.remove(path)
            with _last_picture_kept():
                try:
                    bpy.ops.render.render(scene=scene.name, write_still=True)
                except RuntimeError as error:
                    raise ValueError(f"{shot.name} could not be rendered: {str(error).strip()}") from error
            if not os.path.isfile(path):
                raise ValueError(f"{shot.name} could not be rendered, or its picture not be written to {path}")
            return row

    @contextlib.contextmanager
    def _scene(self, shot: Shot):
        """A scene with only what is to be seen, its camera, and its light."""
        mine = bpy.data.scenes[self.scene]
        scene = bpy.data.scenes.new("Maquette Views")
        made = [scene]
        try:
            for key in self.things:
                thing = bpy.data.objects.get(key)
                if thing is None:
                    raise ValueError(f"{key[0]} was removed meanwhile")
                scene.collection.objects.link(thing)
            scene.frame_float = mine.frame_float
            set_up(scene, self)
            made += placed_camera(scene, shot)
            scene.world = white_world() if self.even_light else mine.world
            made += [scene.world] if self.even_light else []
            yield scene
        finally:
            for block in made:
                getattr(bpy.data, OWNERS[block.id_type]).remove(block)


def set_up(scene, studio: Studio):
    """So that a picture holds what a surface's colour is in sRGB, and its own shape as alpha: nothing else."""
    render, shown = scene.render, scene.view_settings
    render.engine = ENGINES[studio.engine]
    render.resolution_x, render.resolution_y = studio.size
    render.resolution_percentage = 100
    render.film_transparent, render.dither_intensity = True, 0.0
    render.use_compositing = render.use_sequencer = False
    pictures = render.image_settings
    if hasattr(pictures, "media_type"):  # from 5.0 on
        pictures.media_type = "IMAGE"
    pictures.file_format, pictures.color_mode, pictures.color_depth = "PNG", "RGBA", "8"
    scene.display_settings.display_device = "sRGB"
    shown.view_transform, shown.look, shown.exposure, shown.gamma = "Standard", "None", 0.0, 1.0
    if studio.engine == "CYCLES":
        cycles = scene.cycles
        cycles.samples, cycles.use_denoising, cycles.film_exposure = studio.samples, False, 1.0
    else:
        shading = scene.display.shading
        shading.light = "FLAT" if studio.even_light else "STUDIO"
        shading.use_world_space_lighting = not studio.even_light  # light that turns with the camera is no surface's
        shading.color_type = colours_of(scene)


def colours_of(scene) -> str:
    """What Workbench colours objects by: it takes one way for all."""
    meshes = [thing.data for thing in scene.objects if thing.type == "MESH"]
    materials = [slot.material for thing in scene.objects for slot in thing.material_slots if slot.material]
    trees = [material.node_tree for material in materials if material.node_tree]
    if any(node.type == "TEX_IMAGE" and node.image for tree in trees for node in tree.nodes):
        return "TEXTURE"
    return "VERTEX" if any(mesh.color_attributes for mesh in meshes) else "MATERIAL"


def placed_camera(scene, shot: Shot) -> list:
    """The scene's camera with the lens of a shot, everything sharp: the data that was made."""
    if shot.camera:
        like = bpy.data.objects.get(shot.camera)
        if like is None or like.type != "CAMERA":
            raise ValueError(f"{shot.camera[0]} was removed meanwhile")
        data = like.data.copy()
    else:
        data = bpy.data.cameras.new(shot.name)
        data.lens, (data.clip_start, data.clip_end) = shot.lens, shot.clip
    data.dof.use_dof = False
    camera = scene.camera = bpy.data.objects.new(shot.name, data)
    camera.matrix_world = Matrix(shot.matrix)
    scene.collection.objects.link(camera)
    return [camera, data]


def white_world():
    world = bpy.data.worlds.new("Maquette Views")
    if not world.node_tree:  # from 5.0 on every world has one, and setting this is deprecated
        world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    light = next((node for node in nodes if node.type == "BACKGROUND"), None)
    if light is None:
        light = nodes.new("ShaderNodeBackground")
        links.new(light.outputs[0], nodes.new("ShaderNodeOutputWorld").inputs[0])
    light.inputs["Color"].default_value, light.inputs["Strength"].default_value = (1, 1, 1, 1), 1.0
    return world


def frame_of(context, camera, size) -> dict:
    """A frame of transforms.json, but for its picture: where the camera stands, and its intrinsics in pixels."""
    width, height = size
    # Of a point (x, y, -1) before the camera: half a picture along each side, and where its middle lies.
    seen = camera.calc_matrix_camera(context.evaluated_depsgraph_get(), x=width, y=height)
    return {
        "transform_matrix": [list(row) for row in camera.matrix_world],
        "w": width,
        "h": height,
        "fl_x": seen[0][0] * width / 2,
        "fl_y": seen[1][1] * height / 2,
        "cx": (1 - seen[0][2]) * width / 2,
        "cy": (1 + seen[1][2]) * height / 2,
    }


def rendered(layer) -> list:
    """The objects that a render of this view layer shows, lights and cameras too."""
    found = {}

    def enter(part):
        if part.exclude or part.collection.hide_render:
            return
        found.update({thing.as_pointer(): thing for thing in part.collection.objects if not thing.hide_render})
        for inner in part.children:
            enter(inner)

    enter(layer.layer_collection)
    return list(found.values())


def shows(thing) -> bool:
    return thing.type in SHOWN or thing.instance_type == "COLLECTION"


def key(thing) -> tuple:
    """By which bpy.data.objects finds it again."""
    return thing.name, thing.library.filepath if thing.library else None


def check_engine(engine: str):
    """Raises ValueError with a sentence where it cannot render; Workbench would end Blender itself."""
    if engine == "CYCLES" and not hasattr(bpy.context.scene, "cycles"):
        raise ValueError("Cycles is switched off; enable it under Edit > Preferences > Add-ons, or choose Workbench")
    if engine == "WORKBENCH" and bpy.app.background and sys.platform.startswith("linux"):
        try:
            ctypes.CDLL("libEGL.so.1")
        except OSError:
            raise ValueError(
                "Workbench needs OpenGL, and this machine has none (libEGL.so.1 is missing); choose Cycles"
            ) from None


@contextlib.contextmanager
def _last_picture_kept():
    """The artist's last render stays what the Image Editor shows: a slot of its own, or no picture where none was."""
    before = bpy.data.images.get("Render Result")
    slots = before.render_slots if before else None
    active = slots.active_index if slots else 0
    if slots:
        slots.active_index = len(slots) - 1
    try:
        yield
    finally:
        if slots:
            slots.active_index = active
        elif made := bpy.data.images.get("Render Result"):
            bpy.data.images.remove(made)
