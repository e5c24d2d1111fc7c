"""What a running task has so far, drawn into the 3D views.

No object holds it, so neither undo nor a saved file knows of it, and it is gone with its task.
"""

import bpy
import numpy as np

from . import tasks

LIGHT = np.array([0.35, -0.55, 0.76], np.float32)
"""Unit vector to the lamp that shades it"""
DARK = 0.35
"""Share of its colour that a place has which looks away from the lamp"""


class Drawn:
    """The shape that was drawn last, and what the graphics card has of it."""

    shape = None
    batch = shader = None
    handle = None


def draw():
    """Called by Blender for each 3D view."""
    shape = tasks.so_far()
    if shape is None:
        Drawn.shape = Drawn.batch = None
        return
    import gpu  # there is no graphics card to be asked where nothing is drawn

    if shape is not Drawn.shape:
        Drawn.shape, Drawn.shader = shape, gpu.shader.from_builtin("SMOOTH_COLOR")
        Drawn.batch = batch_of(shape, Drawn.shader)
    gpu.state.depth_test_set("LESS_EQUAL")
    gpu.state.depth_mask_set(True)
    Drawn.shader.bind()
    Drawn.batch.draw(Drawn.shader)
    gpu.state.depth_mask_set(False)
    gpu.state.depth_test_set("NONE")


def batch_of(shape, shader):
    from gpu_extras.batch import batch_for_shader

    colours = np.ones((len(shape.vertices), 4), np.float32)
    colours[:, :3] = shaded(shape)
    return batch_for_shader(shader, "TRIS", {"pos": shape.vertices, "color": colours}, indices=shape.faces)


def shaded(shape) -> np.ndarray:
    """(V, 3) sRGB of a Shape's vertices in the light of one lamp."""
    corners = shape.vertices[shape.faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros_like(shape.vertices)
    for corner in shape.faces.T:
        np.add.at(normals, corner, across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    colour = np.full((len(normals), 3), 0.7, np.float32) if shape.colours is None else shape.colours
    return colour * (DARK + (1 - DARK) * (0.5 + 0.5 * normals @ LIGHT))[:, None]


def register():
    if not bpy.app.background:
        Drawn.handle = bpy.types.SpaceView3D.draw_handler_add(draw, (), "WINDOW", "POST_VIEW")


def unregister():
    if Drawn.handle:
        bpy.types.SpaceView3D.draw_handler_remove(Drawn.handle, "WINDOW")
    Drawn.shape = Drawn.batch = Drawn.shader = Drawn.handle = None
