"""The scene's own cameras as those that took pictures: matched by background image, else by name."""

import os

import bpy


def known_of(context, paths) -> dict:
    """Where the cameras of pictures stand, and their lenses where each has one, as a request has them.

    Raises ValueError naming a picture without a camera."""
    cameras = [thing for thing in context.scene.objects if thing.type == "CAMERA"]
    found = [_camera_of(path, cameras) for path in paths]
    known = {"cameras": tuple(tuple(number for row in camera.matrix_world for number in row) for camera in found)}
    if all(camera.data.type == "PERSP" for camera in found):
        known["lenses"] = tuple(_lens(camera.data) for camera in found)
    return known


def _lens(data) -> tuple[float, float, float, int]:
    side = {"AUTO": 0, "HORIZONTAL": 1, "VERTICAL": 2}[data.sensor_fit]
    sensor = data.sensor_height if data.sensor_fit == "VERTICAL" else data.sensor_width
    return data.lens / sensor, data.shift_x, data.shift_y, side


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
