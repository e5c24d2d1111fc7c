"""The scene's own cameras as those that took pictures: matched by background image, else by name."""

import os

import bpy


def matrices_of(context, paths) -> tuple[tuple[float, ...], ...]:
    """Where the cameras of pictures stand, as a request has them. Raises ValueError naming one without a camera."""
    cameras = [thing for thing in context.scene.objects if thing.type == "CAMERA"]
    found = (_camera_of(path, cameras).matrix_world for path in paths)
    return tuple(tuple(number for row in matrix for number in row) for matrix in found)


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
