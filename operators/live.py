"""Sliders that change the active object's mesh while they move.

A slider leads to a wish: mesh settings (remesh.py) or a place in latent space (sampled.py). The newest wish wins. What
runs for one before it may end if it is quick, or a hand that never rests would see nothing; the last is always shown.

The sliders of mesh settings read the object's own and keep none themselves, so selecting another object or undoing
shows what is true. They belong to the window manager, whose properties make no undo steps: one step is pushed when the
mesh has settled.
"""

import time

import bpy
from bpy.app.handlers import persistent

from ..jobs.requests import Meshing, Sample
from . import compute, provenance, remesh, sampled, shapes, tasks

SETTLED = 0.4
"""Seconds without a new wish until the hand counts as resting."""
KINDS = {Meshing: remesh, Sample: sampled}
"""What a wish is -> the module that knows how to ask for it (`stage`, one of STAGES) and how to `place` what comes."""


class Live:
    """What the sliders want, of which object (by name)."""

    target = ""
    wish: Meshing | Sample | None = None
    """Not None from the first move of a slider until the mesh has settled."""
    asked: Meshing | Sample | None = None
    stage = -1
    """Of `asked`, the number of the request that was handed on last."""
    request = None
    job = None
    moved = 0.0
    """When a slider last moved."""
    changed = False
    """The mesh differs from the last undo step."""
    refused: tuple | None = None
    """Target and wish that led to an error: it is not asked again."""
    rendering = False
    """A render has the meshes to itself, frame by frame (animation.py); wishes wait for its end."""


def meshing(thing) -> Meshing:
    """What the sliders of mesh settings show: the wish on its way, else what the object's mesh is like."""
    if isinstance(Live.wish, Meshing) and thing and thing.name == Live.target:
        return Live.wish
    return provenance.meshing(thing)


def ask(thing, wish: Meshing | Sample):
    """A slider moved."""
    if thing.name != Live.target or type(wish) is not type(Live.wish):
        settle()
    if Live.wish is None:
        tasks.hurry()
    Live.target, Live.wish, Live.moved, Live.refused = thing.name, wish, time.monotonic(), None


def step() -> bool:
    """From the timer: hand on the newest wish, take in what came back; True while there is a wish."""
    if Live.wish is None or Live.rendering or tasks.busy():
        return False
    thing = bpy.data.objects.get(Live.target)
    if not provenance.is_result(thing):
        forget()
        return False
    try:
        _hand_on(thing)
        if Live.job and Live.job.poll() in ("done", "error", "cancelled"):
            _receive(thing)
            if Live.wish is not None:
                _hand_on(thing)
    except ValueError as error:
        _fail(str(error), "")
    if Live.wish is not None and _complete() and _resting():
        settle()
    return Live.wish is not None


def _hand_on(thing):
    """Ask for the next thing there is to ask for, if any: a new wish, or once the hand rests, more of the last one."""
    kind = KINDS[type(Live.wish)]
    if Live.wish != Live.asked:
        if Live.job and Live.stage == 0:
            return
        Live.asked, Live.stage = Live.wish, 0
    elif Live.job is None and Live.stage + 1 < kind.STAGES and _resting():
        Live.stage += 1
    else:
        return
    Live.request, Live.job = kind.stage(thing, Live.asked, Live.stage), None
    shape = shapes.find(Live.request)
    if shape:
        _place(thing, shape)
    else:
        Live.job = compute.connect().submit(Live.request, latest=True)


def _receive(thing):
    """Place the mesh that is there; what went wrong with a wish that is no longer the newest does not matter."""
    job, Live.job = Live.job, None
    if job.state == "done":
        _place(thing, job.result)
    elif Live.wish == Live.asked:
        _fail(job.error, job.log)


def _place(thing, shape):
    KINDS[type(Live.asked)].place(thing, shape, Live.request)
    Live.changed = True
    tasks.Status.error = ""
    tasks.redraw()


def _resting() -> bool:
    return time.monotonic() - Live.moved > SETTLED


def _complete() -> bool:
    """Everything was asked for, and is there."""
    return Live.job is None and Live.wish == Live.asked and Live.stage + 1 == KINDS[type(Live.wish)].STAGES


def _fail(error: str, log: str):
    """Say why; the sliders of mesh settings go back to what the mesh is like."""
    tasks.Status.error, tasks.Status.log = error, log
    refused, Live.job = (Live.target, Live.wish), None
    settle()
    Live.refused = refused
    tasks.redraw()


def settle():
    """The mesh stays as it is now: one undo step for however many wishes led to it."""
    message = KINDS[type(Live.wish)].UNDO if Live.changed and Live.wish else ""
    forget()
    windows = bpy.context.window_manager.windows
    if message and windows:
        with bpy.context.temp_override(window=windows[0]):
            bpy.ops.ed.undo_push(message=message)


def forget():
    """Drop the wish and what was asked for it."""
    if Live.job:
        Live.job.cancel()
    Live.target, Live.wish, Live.asked, Live.request, Live.job = "", None, None, None, None
    Live.stage, Live.changed, Live.refused = -1, False, None


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
