"""Keyframed samples: at each frame the mesh is what the animated properties say, on screen and in a render.

Handlers are called in the middle of Blender's work: they raise nothing, and wait for the worker, for a frame that is
shown or rendered without its mesh cannot be mended afterwards. Properties are read from the evaluated object, because a
render does not touch the original's.
"""

import dataclasses
import sys

import bpy
from bpy.app.handlers import persistent

from ..jobs.client import JobError
from . import compute, datablocks, follow, live, sampled, shapes, tasks


class Told:
    """What went wrong last, so that it is said once and not at each frame."""

    error = ""


@persistent
def _frame_changed(scene, depsgraph=None):
    if depsgraph is None:
        return
    rendering = depsgraph.mode == "RENDER"
    for thing in scene.objects:
        if sampled.animated(thing) and sampled.is_sample(thing):
            _show(thing, thing.evaluated_get(depsgraph), rendering or bpy.app.background)
            if not rendering:
                follow.lock_interface(scene)


def _show(thing, evaluated, whole: bool):
    """Have the mesh be what the evaluated object asks for; on screen, a draft where the whole shape is not at hand."""
    try:
        wish = sampled.request(evaluated)
        if sampled.shows(thing, wish):
            return
        datablocks.check_editable(thing)
        asked = sampled.stage(thing, wish, 0)
        if whole:
            asked = dataclasses.replace(asked, resolution=wish.resolution)
        if sampled.shows(thing, asked):
            return
        sampled.place(thing, shapes.find(asked) or _ask(asked), asked)
    except (JobError, ValueError) as error:
        _tell(f"Frame {bpy.context.scene.frame_current}, {thing.name}: {error}", str(error))


def _ask(asked):
    """Renders have a thread of their own, and the timer must not talk to the worker meanwhile."""
    with tasks.ONE_AT_A_TIME:
        return compute.connect().run(asked)


def _tell(sentence: str, error: str):
    if error != Told.error:
        Told.error = tasks.Status.error = error
        print(f"Maquette: {sentence}", file=sys.stderr)


@persistent
def _render_began(*_):
    live.Live.rendering = True
    Told.error = ""


@persistent
def _render_ended(*_):
    live.Live.rendering = False


@persistent
def _forget(*_):
    Told.error = ""


HANDLERS = (
    ("frame_change_post", _frame_changed),
    ("render_init", _render_began),
    ("render_complete", _render_ended),
    ("render_cancel", _render_ended),
    ("load_pre", _forget),
)


def register():
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister():
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
    _render_ended()
