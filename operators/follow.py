"""Sampled objects follow their sliders: whoever's mesh shows something else than its properties ask for gets a new one.

A slider is a custom property, which tells nobody that it was moved. So Blender's word that an object was changed is
taken up, and the active object is looked at each time the timer ticks, for scripts change properties without a word.
"""

import bpy
from bpy.app.handlers import persistent

from ..jobs.requests import Meshing, Sample
from . import live, sampled, shapes, tasks


class Follow:
    """Names of objects that were changed and are to be looked at."""

    changed: set[str] = set()


def step() -> bool:
    """From the timer, before the wishes are handed on: find one object that is behind, and make that a wish."""
    if live.Live.rendering or tasks.busy() or playing():
        return False
    for name in sorted(Follow.changed | _active()):
        if isinstance(live.Live.wish, Sample) and live.Live.target != name:
            continue  # one after another
        Follow.changed.discard(name)
        thing = bpy.data.objects.get(name)
        if not sampled.is_sample(thing) or thing.mode != "OBJECT" or _shared(thing):
            continue
        _look(thing)
    return bool(Follow.changed)


def _look(thing):
    if sampled.animated(thing):
        lock_interface(bpy.context.scene)
    try:
        wish = sampled.request(thing)
    except ValueError:  # properties that nothing can be asked for; panels say what is wrong with the record
        return
    if wish == live.Live.wish or live.Live.refused == (thing.name, wish) or sampled.shows(thing, wish):
        return
    if isinstance(live.Live.wish, Meshing) and live.Live.target == thing.name:
        return  # its mesh settings first
    live.ask(thing, wish)


def lock_interface(scene):
    """For scenes with animated samples: a viewport that draws a mesh while a render changes it brings Blender down."""
    if not getattr(scene.render, "use_lock_interface", True):
        scene.render.use_lock_interface = True


def _active() -> set[str]:
    thing = bpy.context.view_layer.objects.active if bpy.context.view_layer else None
    return {thing.name} if thing else set()


def _shared(thing) -> bool:
    """Another object has the same mesh, and may want another shape: the active one decides."""
    return thing.data.users > 1 and thing.name not in _active()


def playing() -> bool:
    return any(window.screen.is_animation_playing for window in bpy.context.window_manager.windows)


@persistent
def _note(scene, depsgraph=None):
    """Blender evaluated what was changed."""
    if depsgraph is None or live.Live.rendering:
        return
    new = {update.id.name for update in depsgraph.updates if isinstance(update.id, bpy.types.Object)}
    new = {name for name in new if sampled.is_sample(bpy.data.objects.get(name))}
    if new - Follow.changed:
        Follow.changed |= new
        if live.Live.wish is None:
            tasks.hurry()


@persistent
def _after_undo(*_):
    """Undo and redo bring back properties, and a mesh that may be older or newer than they are."""
    for thing in bpy.data.objects:
        if sampled.is_sample(thing):
            _catch_up(thing)


def _catch_up(thing):
    """At once where the shape is at hand, else from the timer."""
    try:
        wish = sampled.request(thing)
        if sampled.shows(thing, wish):
            return
        shape = shapes.find(wish)
        if shape:
            sampled.place(thing, shape, wish)
            return
    except ValueError:  # of a mode, or a record, that does not allow it
        pass
    Follow.changed.add(thing.name)


@persistent
def _forget(*_):
    Follow.changed.clear()


HANDLERS = (
    ("depsgraph_update_post", _note),
    ("undo_post", _after_undo),
    ("redo_post", _after_undo),
    ("load_pre", _forget),
)


def register():
    tasks.each_tick.append(step)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).append(handler)


def unregister():
    _forget()
    shapes.forget()
    sampled.samplers.cache_clear()
    tasks.each_tick.remove(step)
    for name, handler in HANDLERS:
        getattr(bpy.app.handlers, name).remove(handler)
