"""Sliders that mesh the active object again while they move.

The sliders read the object's own settings and keep none themselves, so selecting another object or undoing shows what
is true. They belong to the window manager, whose properties make no undo steps: one step is pushed when the mesh has
settled. The newest wish wins; the worker abandons the ones before it.
"""

import time

import bpy
from bpy.app.handlers import persistent

from ..jobs.requests import Meshing
from . import compute, provenance, remesh, tasks

SETTLED = 0.4
"""Seconds without a new wish until the result becomes an undo step."""


class Live:
    """What the sliders want, of which object (by name)."""

    target = ""
    wish: Meshing | None = None
    """Not None from the first move of a slider until the mesh has settled."""
    asked: Meshing | None = None
    job = None
    moved = 0.0
    """When a slider last moved."""
    changed = False
    """The mesh differs from the last undo step."""


def meshing(thing) -> Meshing:
    """What the sliders show: the wish on its way, else what the object's mesh is like."""
    if Live.wish and thing and thing.name == Live.target:
        return Live.wish
    return provenance.meshing(thing)


def ask(thing, wish: Meshing):
    """A slider moved."""
    if thing.name != Live.target:
        settle()
    if Live.wish is None:
        tasks.hurry()
    Live.target, Live.wish, Live.moved = thing.name, wish, time.monotonic()


def step() -> bool:
    """From the timer: hand on the newest wish, take in what came back; True while there is a wish."""
    if Live.wish is None or tasks.busy():
        return False
    thing = bpy.data.objects.get(Live.target)
    if not provenance.is_result(thing):
        forget()
        return False
    try:
        if Live.wish != Live.asked:
            Live.job = compute.connect().submit(remesh.request(thing, Live.wish), latest=True)
            Live.asked = Live.wish
        if Live.job:
            _receive(thing)
    except ValueError as error:
        _fail(str(error), "")
    if Live.job is None and time.monotonic() - Live.moved > SETTLED:
        settle()
    return Live.wish is not None


def _receive(thing):
    """Place the mesh when it is there."""
    if Live.job.poll() == "done":
        remesh.place(thing, Live.job.result, Live.asked)
        Live.job, Live.changed = None, True
        tasks.Status.error = ""
        tasks.redraw()
    elif Live.job.finished:
        _fail(Live.job.error, Live.job.log)


def _fail(error: str, log: str):
    """Say why; the sliders go back to what the mesh is like."""
    tasks.Status.error, tasks.Status.log = error, log
    Live.job = None
    settle()
    tasks.redraw()


def settle():
    """The mesh stays as it is now: one undo step for however many wishes led to it."""
    changed = Live.changed
    forget()
    windows = bpy.context.window_manager.windows
    if changed and windows:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message="Remesh")


def forget():
    """Drop the wish and what was asked for it."""
    if Live.job:
        Live.job.cancel()
    Live.target, Live.wish, Live.asked, Live.job, Live.changed = "", None, None, None, False


@persistent
def _forget(*_):
    forget()


def register():
    tasks.each_tick.append(step)
    for handlers in (bpy.app.handlers.load_pre, bpy.app.handlers.undo_pre, bpy.app.handlers.redo_pre):
        handlers.append(_forget)


def unregister():
    forget()
    tasks.each_tick.remove(step)
    for handlers in (bpy.app.handlers.load_pre, bpy.app.handlers.undo_pre, bpy.app.handlers.redo_pre):
        handlers.remove(_forget)
