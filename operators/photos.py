"""What the chosen photos are: asked for in the background as soon as they are chosen, shown by the panel."""

import os

import bpy
from bpy.app.handlers import persistent

from ..jobs import environment
from ..jobs.requests import Look
from . import boxes, compute, tasks


class Seen:
    """The photos that were looked at last."""

    folder = ""
    job = None
    found = None
    """A Looked, or None where nothing is known, or not yet"""
    error = ""


def chosen() -> str:
    """The folder, or video, that the sidebar names; "" for none."""
    path = bpy.context.scene.maquette.capture.filepath
    return os.path.abspath(bpy.path.abspath(path)) if path else ""


def look():
    """Ask what the chosen photos are, unless that is known."""
    folder = chosen()
    if folder == Seen.folder or bpy.app.background:
        return
    if Seen.job:
        Seen.job.cancel()
    Seen.folder, Seen.job, Seen.found, Seen.error = folder, None, None, ""
    if folder:
        try:
            Seen.job = compute.connect().submit(Look(folder, cache=compute.cache()), latest=True)
            tasks.hurry()
        except ValueError as error:  # there is no Python to look with
            Seen.error = str(error)


def step() -> bool:
    """From the timer: take in what was found; True while it is looked for."""
    if Seen.job is None:
        return False
    if Seen.job.poll() not in ("done", "error", "cancelled"):
        return True
    Seen.found, Seen.error, Seen.job = Seen.job.result, Seen.job.error, None
    tasks.redraw()
    return False


def learned(folder: str, found) -> None:
    """Somebody looked closer."""
    if folder == chosen():
        Seen.folder, Seen.found, Seen.error = folder, found, ""


def found():
    """What is known of the chosen photos, a Looked; None where nothing is, or not yet."""
    return Seen.found if Seen.folder == chosen() else None


def lines() -> str:
    """What is chosen, a line each: photos, cameras, masks; "" while that is not known."""
    if Seen.job:
        return "Looking at the photos"
    return "\n".join(Seen.found.lines()) if Seen.found and Seen.folder == chosen() else ""


def notes() -> str:
    """What is wrong with some of them, or why they cannot be used at all, a sentence each."""
    if Seen.folder != chosen():
        return ""
    return Seen.error or ("\n".join(Seen.found.notes) if Seen.found else "")


def resumable() -> bool:
    """Whether a capture of the chosen photos was stopped."""
    folder, settings = chosen(), bpy.context.scene.maquette.capture
    try:
        box = boxes.chosen(bpy.context)
    except ValueError:
        return False
    asked = {"cache": compute.cache(), "box": box, "method": settings.method}
    return bool(folder) and os.path.isfile(environment.capture_file(folder, int(settings.resolution), **asked))


@persistent
def _look(*_):
    look()


def register():
    tasks.each_tick.append(step)
    bpy.app.handlers.load_post.append(_look)


def unregister():
    if Seen.job:
        Seen.job.cancel()
    Seen.folder, Seen.job, Seen.found, Seen.error = "", None, None, ""
    tasks.each_tick.remove(step)
    bpy.app.handlers.load_post.remove(_look)
