"""Small pictures for the sidebar, outside the .blend: the chosen picture, and its mask once that was asked for."""

import os

import bpy
import bpy.utils.previews

UNREAD = (".heic", ".heif", ".avif")
"""Pictures that Maquette reads and Blender does not"""


class Shown:
    """The icons that were loaded, by file; a picture's mask takes its place until another picture is chosen."""

    icons = None
    mask_of = ""
    mask = ""


def show_mask(picture: str, mask: str):
    """From now on `picture` is shown by its mask."""
    Shown.mask_of, Shown.mask = os.path.normpath(picture), mask


def hide_mask():
    Shown.mask_of = Shown.mask = ""


def icon(picture: str) -> int:
    """The icon that shows this picture or its mask; 0 where there is none (no such file, none that Blender reads, no
    window)."""
    path = bpy.path.abspath(picture)
    if Shown.mask_of and os.path.normpath(path) == Shown.mask_of:
        path = Shown.mask
    if Shown.icons is None or not os.path.isfile(path) or path.lower().endswith(UNREAD):
        return 0
    key = f"{path} {os.stat(path).st_mtime_ns}"  # a picture that was painted over is shown as it is now
    if key not in Shown.icons:
        Shown.icons.load(key, path, "IMAGE")
    return Shown.icons[key].icon_id


def register():
    Shown.icons = bpy.utils.previews.new()


def unregister():
    hide_mask()
    bpy.utils.previews.remove(Shown.icons)
    Shown.icons = None
