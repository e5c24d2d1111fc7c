"""Pictures of textured meshes in Cycles, written in the layout that objects.py reads.

    python -m maquette.train.evaluate.cycles MESHES OUT --hdri hdri.npz [--views 4] [--seed 0]

MESHES holds NAME.npz (v (V, 3) z up, vt (T, 2), f and ft (F, 3)) beside NAME.jpg, its texture, or what lit.py writes:
linear colours c (V, 3) and a camera. Each object stands as
it is stored, z up, under one of the HDRI maps turned at random, on a grey floor that bounces light but is not seen, so
that the picture holds the object alone with alpha. Everything random comes from the seed, the object's name and the
number of the view: adding objects changes no picture of the others.

The only module of train/ that imports bpy.
"""

import argparse
import json
import sys
import zlib
from pathlib import Path

import bpy  # noqa: TID251
import numpy as np

EXPOSURE = 0.9
"""Mean radiance that reaches an upward floor, after scaling: albedo .5 comes out as a mid-grey of about .7 in sRGB."""


def render_folder(meshes, out, hdri, views=4, seed=0, samples=64, size=256, threads=2):
    """Render every NAME.npz of `meshes`; an object whose cameras.json is already there is left alone."""
    sources = sorted(Path(meshes).glob("*.npz"))
    if not sources:
        raise ValueError(f"{meshes} holds no .npz meshes")
    skies = np.load(hdri)
    for source in sources:
        folder = Path(out) / source.stem
        if (folder / "cameras.json").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        thing, corner, extent = start_scene(source, samples, size, threads)
        with np.load(source) as mesh:
            camera = mesh["camera"] if "camera" in mesh else None
        cameras = {}
        for view in range(views):
            random = np.random.default_rng([seed, zlib.crc32(source.stem.encode()), view])
            name = f"view_{view:02d}.png"
            light(skies[skies.files[random.integers(len(skies.files))]], random.uniform(0, 2 * np.pi))
            cameras[name] = stand(*camera) if camera is not None else aim(thing, random)
            bpy.context.scene.render.filepath = str(folder / name)
            bpy.ops.render.render(write_still=True)
        with np.load(source) as mesh:
            np.savez_compressed(folder / "mesh.npz", v=mesh["v"], f=mesh["f"])
        (folder / "cameras.json").write_text(json.dumps(cameras, indent=1) + "\n")
        print(f"{source.stem}: {views} pictures", flush=True)


def start_scene(source, samples, size, threads):
    """An empty scene with the object, its floor, a camera and a world; returns the object and its bounds."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = samples
    scene.cycles.use_denoising = True
    scene.cycles.max_bounces = 4
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.render.film_transparent = True
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.view_settings.view_transform = "Standard"  # Filmic and AgX would bend the colours that are learned from
    scene.world = bpy.data.worlds.new("World")
    scene.camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    scene.collection.objects.link(scene.camera)
    thing = add_object(source)
    corners = np.array(thing.bound_box)
    add_floor(corners.min(0)[2], np.ptp(corners, 0).max() * 4)
    return thing, corners.min(0), np.ptp(corners, 0)


def add_object(source):
    """The mesh with its texture or its vertices' colours, smooth shaded."""
    with np.load(source) as data:
        stored = {name: data[name] for name in data}
    mesh = bpy.data.meshes.new(source.stem)
    mesh.from_pydata(stored["v"].tolist(), [], stored["f"].tolist())
    mesh.shade_smooth()
    material = bpy.data.materials.new(source.stem)
    material.use_nodes = True
    surface = material.node_tree.nodes["Principled BSDF"]
    surface.inputs["Roughness"].default_value = 0.5
    surface.inputs["Specular IOR Level"].default_value = 0.3
    if "c" in stored:
        colours = np.concatenate([stored["c"], np.ones((len(stored["c"]), 1))], 1).astype(np.float32)
        mesh.color_attributes.new("Colour", "FLOAT_COLOR", "POINT").data.foreach_set("color", colours.ravel())
        texture = material.node_tree.nodes.new("ShaderNodeVertexColor")
        texture.layer_name = "Colour"
    else:
        corners = stored["vt"][stored["ft"]].astype(np.float32)
        mesh.uv_layers.new().uv.foreach_set("vector", corners.ravel())
        texture = material.node_tree.nodes.new("ShaderNodeTexImage")
        texture.image = bpy.data.images.load(str(source.with_suffix(".jpg").resolve()))
    material.node_tree.links.new(texture.outputs["Color"], surface.inputs["Base Color"])
    mesh.materials.append(material)
    thing = bpy.data.objects.new(source.stem, mesh)
    bpy.context.scene.collection.objects.link(thing)
    return thing


def add_floor(height, half_side):
    """A grey floor that light bounces from and the camera does not see."""
    mesh = bpy.data.meshes.new("Floor")
    corners = [(x * half_side, y * half_side, height) for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("Floor")
    material.use_nodes = True
    material.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.4, 0.4, 0.4, 1)
    mesh.materials.append(material)
    floor = bpy.data.objects.new("Floor", mesh)
    floor.visible_camera = False
    bpy.context.scene.collection.objects.link(floor)


def light(sky, turn):
    """Light the world by sky (H, W, 3) linear, turned by `turn` radians and scaled so that all maps agree."""
    sky = np.minimum(np.nan_to_num(sky.astype(np.float32)), 200)  # an unclipped sun only adds fireflies
    elevation = np.pi * (0.5 - (np.arange(len(sky)) + 0.5) / len(sky))
    weight = np.maximum(np.sin(elevation), 0) * np.cos(elevation)
    mean = (sky.mean(axis=(1, 2)) * weight).sum() / weight.sum()
    pixels = np.ones((*sky.shape[:2], 4), np.float32)
    pixels[..., :3] = sky[::-1] * (EXPOSURE / mean)  # Blender's first row is the lowest
    image = bpy.data.images.new("Sky", sky.shape[1], sky.shape[0], float_buffer=True)
    image.pixels.foreach_set(pixels.ravel())
    world = bpy.context.scene.world
    world.use_nodes = True
    nodes, links = world.node_tree.nodes, world.node_tree.links
    nodes.clear()
    coordinate, mapping, texture, background, output = (nodes.new(kind) for kind in (
        "ShaderNodeTexCoord", "ShaderNodeMapping", "ShaderNodeTexEnvironment", "ShaderNodeBackground",
        "ShaderNodeOutputWorld"))
    mapping.inputs["Rotation"].default_value[2] = turn
    texture.image = image
    links.new(coordinate.outputs["Generated"], mapping.inputs["Vector"])
    links.new(mapping.outputs["Vector"], texture.inputs["Vector"])
    links.new(texture.outputs["Color"], background.inputs["Color"])
    links.new(background.outputs["Background"], output.inputs["Surface"])


def aim(thing, random):
    """Put the camera anywhere round the object, so that its projected corners fill most of the frame."""
    azimuth, elevation, fov = random.uniform(0, 360), random.uniform(0, 45), random.uniform(25, 50)
    corners = np.array(thing.bound_box)
    centre = (corners.min(0) + corners.max(0)) / 2
    a, e = np.radians([azimuth, elevation])
    outward = np.array([np.cos(e) * np.sin(a), -np.cos(e) * np.cos(a), np.sin(e)])
    right = np.array([np.cos(a), np.sin(a), 0])
    up = np.cross(outward, right)
    # Distance at which the outermost corner touches 92 % of the half frame.
    spread = np.abs((corners - centre) @ np.array([right, up]).T).max(1)
    distance = float((spread / (0.92 * np.tan(np.radians(fov) / 2)) + (corners - centre) @ outward).max())
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([right, up, outward]).T  # OpenGL: looks along -z
    matrix[:3, 3] = centre + outward * distance
    camera = bpy.context.scene.camera
    camera.data.sensor_fit, camera.data.angle = "HORIZONTAL", np.radians(fov)
    camera.data.clip_start, camera.data.clip_end = distance * 0.01, distance * 100
    camera.matrix_world = matrix.T.tolist()
    return {"azimuth": azimuth, "elevation": elevation, "fov": fov, "distance": distance}


def stand(elevation, angle, right, up, distance):
    """Put the camera where lit.py wants it: at -y and above, the cube's centre in its axis, its picture shifted."""
    c, s = np.cos(elevation), np.sin(elevation)
    matrix = np.eye(4)
    matrix[:3, :3] = np.array([[1, 0, 0], [0, s, c], [0, -c, s]]).T
    matrix[:3, 3] = np.array([0, -c, s]) * distance
    camera = bpy.context.scene.camera
    camera.data.sensor_fit, camera.data.angle = "HORIZONTAL", angle
    camera.data.shift_x, camera.data.shift_y = right, up
    camera.data.clip_start, camera.data.clip_end = distance * 0.01, distance * 100
    camera.matrix_world = matrix.T.tolist()
    degrees = {"elevation": float(np.degrees(elevation)), "fov": float(np.degrees(angle))}
    return {"azimuth": 0.0, **degrees, "distance": float(distance)}


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train.evaluate.cycles", description=__doc__.split("\n")[0])
    parser.add_argument("meshes", help="folder of NAME.npz with NAME.jpg")
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--hdri", required=True, help=".npz of linear (H, W, 3) maps")
    parser.add_argument("--views", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--samples", type=int, default=64)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    render_folder(**vars(options))


if __name__ == "__main__":
    main(sys.argv[1:])
