"""The scene's own cameras as those that took pictures: matched by background image, else by name."""

import os

import bpy
import numpy as np

from ..geometry.sides import sides


def sides_of(context, paths) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Turns and elevations, in degrees, of the cameras of pictures. Raises ValueError naming one without a camera."""
    cameras = [thing for thing in context.scene.objects if thing.type == "CAMERA"]
    return sides([np.array(_camera_of(path, cameras).matrix_world) for path in paths])


def _camera_of(path: str, cameras):
    path = os.path.realpath(bpy.path.abspath(path))
    stem = os.path.splitext(os.path.basename(path))[0]
    for camera in cameras:
        shown = (behind.image for behind in camera.data.background_images if behind.image)
        if any(os.path.realpath(bpy.path.abspath(image.filepath)) == path for image in shown):
            return camera
    named = next((camera for camera in cameras if camera.name == stem), None)
    if named is None:
        raise ValueError(
            f"No camera of this scene took {os.path.basename(path)}: give one this picture as its background image, "
            f"or name it {stem}"
        )
    return named
