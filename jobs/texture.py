"""Texture: a mesh and the photographs that show it -> the mesh with UVs and a texture of these photos."""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from pathlib import Path

from .. import __version__
from ..geometry import mesh_file
from ..geometry.bake import SMALL, bake
from ..geometry.camera_row import view_of
from ..geometry.crop import resized
from ..geometry.folder import bare_video
from ..geometry.mesh import Mesh, report
from ..geometry.picture import write_picture
from ..geometry.scene import Photo
from ..geometry.unwrap import unwrap
from ..geometry.views import found, mask_beside, photograph, reduced
from . import photographed, poses, video
from .requests import Shape
from .texturing import Texture

FACES = 2_000_000
"""More than a texture could tell apart"""
READ = 0.1
"""What share of the progress is over once the photos are found"""


def texture(request: Texture, progress, cancelled) -> Shape:
    """Raises ValueError with a sentence for meshes and photos that cannot be used."""
    start = time.perf_counter()
    progress(0.01, "Mesh")
    mesh = read(request)
    with tempfile.TemporaryDirectory(prefix="maquette-") as folder:
        photos, notes = photos_of(request, folder, progress, cancelled)
        guess = mesh.colours if any(row.get(photographed.APART) for row in request.cameras) else None
        mesh, told = textured(mesh, photos, request.size, progress, (READ, 0.97), request.together, guess)
    if request.picture:
        progress(0.98, "Writing")
        write_picture(mesh.texture, request.picture)
    told |= report(mesh) | {"views": len(photos), "device": "cpu", "seconds": time.perf_counter() - start}
    told |= {"note": ". ".join(notes)} if notes else {}
    provenance = {"verb": "texture", "settings": {"size": request.size}, "version": __version__}
    return Shape(
        mesh.vertices, mesh.faces, mesh.colours, report=told, provenance=provenance, uvs=mesh.uvs, texture=mesh.texture
    )


def read(request: Texture) -> Mesh:
    """The mesh that was sent or named. Raises ValueError."""
    name = os.path.basename(request.path) or "the mesh"
    if request.path:
        mesh = mesh_file.read_mesh(request.path)
    else:
        mesh = Mesh(request.vertices, request.faces, request.colours, uvs=request.uvs)
    if not len(mesh.faces):
        raise ValueError(f"{name} has no faces; a texture needs a surface")
    if len(mesh.faces) > FACES:
        raise ValueError(f"{name} has {len(mesh.faces)} faces; Texture takes at most {FACES}, so decimate it first")
    return mesh


# --- photos ---------------------------------------------------------------------------------------------------------


def photos_of(request: Texture, temporary, progress, cancelled):
    """(Views to be read, or Photos that have no file to be read again; notes). Raises ValueError."""
    if not request.cameras:
        scene = poses.open_scene(
            request.folder,
            progress=lambda share, phase, note="": progress(READ * share, phase, note),
            cancelled=cancelled,
            longest_side=SMALL,
            cache=request.cache,
        )
        return [one.view if os.path.isfile(one.path) else one for one in scene.photos], list(scene.notes)
    rows = request.cameras
    paths = [place(row, request.folder) for row in rows]
    frames = taken_apart(rows, paths, request.folder, temporary, progress)
    paths = [path or frames.get(row["name"], "") for row, path in zip(rows, paths)]
    missing = [row for row, path in zip(rows, paths) if not path]
    if len(missing) == len(rows):
        raise ValueError(
            f"none of the {len(rows)} photos is there any more: {os.path.basename(rows[0]['path'])} was at "
            f"{rows[0]['path']}; name the folder where they are now"
        )
    views = [seen_again(row, path, request.folder) for row, path in zip(rows, paths) if path]
    named = ", ".join(row["name"] for row in missing[:3]) + (" ..." if len(missing) > 3 else "")
    return views, [f"{len(missing)} of {len(rows)} photos are missing and are left out: {named}"] if missing else []


def place(row, folder) -> str:
    """Where the photo of a row is now: at its path, else in the folder by its name; "" nowhere."""
    if os.path.isfile(row["path"]):
        return row["path"]
    if folder and os.path.isdir(folder):
        for name in (row["name"], os.path.basename(row["name"]), os.path.basename(row["path"])):
            try:
                return str(found(folder, name)[1])
            except ValueError:
                pass  # not under that name
    return ""


def taken_apart(rows, paths, folder, temporary, progress) -> dict:
    """Frames of the folder's video that rows name, as files, by name."""
    stems = [row["name"] for row, path in zip(rows, paths) if not path and row["name"].startswith("frame_")]
    numbers = [int(stem[6:]) for stem in stems if stem[6:].isdigit()]
    if not numbers or not folder or not os.path.exists(folder) or not (film := bare_video(folder)):
        return {}
    told = lambda share, note: progress(READ * share, "Video", note)  # noqa: E731
    return {path.stem: str(path) for path in video.written(film, Path(temporary), numbers, told)}


def seen_again(row, path, folder):
    """The View of a row, or its Photo; its mask may have moved with the photos."""
    if row.get(photographed.APART):
        return photographed.again(row, path)
    view = view_of(row, path)
    if view.mask is None and row.get("mask") and Path(path).is_relative_to(folder):
        return dataclasses.replace(view, mask=mask_beside(folder, Path(path).relative_to(folder).as_posix()))
    return view


# --- the texture ----------------------------------------------------------------------------------------------------


def textured(mesh: Mesh, photos, size: int, progress, span, together=None, guess=None) -> tuple[Mesh, dict]:
    """A mesh in the frame of Photos, or Views, with UVs, its own if it has any, and a texture of them; and a report.

    guess (V, 3): colours of what no photo shows; None takes those of what lies around."""
    first, last = span
    if mesh.uvs is None:
        progress(first, "UVs")
        mesh = dataclasses.replace(mesh, uvs=unwrap(mesh, size, together))
    say = lambda share, note: progress(first + (0.1 + 0.9 * share) * (last - first), "Texture", note)  # noqa: E731
    baked = bake(mesh, len(photos), lambda number, longest: at(photos[number], longest), size, say, guess)
    told = {"size": size, "seen": round(baked.seen, 3), "photos": baked.used}
    return dataclasses.replace(mesh, texture=baked.texture), {"texture": told}


def at(photo, longest: int) -> Photo:
    """A Photo, or View, with its longer side at most `longest` pixels: from its file where that has more of them."""
    if not isinstance(photo, Photo):
        return photograph(photo, longest)
    if longest > max(photo.image.shape[:2]) and photo.view is not None and os.path.isfile(photo.view.path):
        larger = photograph(photo.view, longest)
        return larger if larger.mask is not None or photo.mask is None else masked(larger, photo.mask)
    return reduced(photo, longest)


def masked(photo: Photo, mask) -> Photo:
    """The photo with the mask (h, w) uint8 that it had with fewer pixels."""
    height, width = photo.image.shape[:2]
    grown = resized(mask.astype("f4"), height, width)
    return dataclasses.replace(photo, mask=(grown.clip(0, 255) + 0.5).astype("u1"))
