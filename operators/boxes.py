"""The box that says what to capture: an empty of the artist's, and the bounds that a request has of it."""

import bpy
import numpy as np

from . import captured, datablocks

STRAIGHT = 1e-4
"""How far an axis of a box may be from one of the captured frame"""


def chosen(context) -> tuple[float, ...]:
    """Centre and size of the box in the settings, in the captured frame; () where there is none.

    Raises ValueError with a sentence where it is no box along the axes."""
    box = context.scene.maquette.capture.box
    if box is None:
        return ()
    if box.name not in context.scene.objects:
        raise ValueError(f"{box.name} is no longer in this scene; clear Box in the sidebar, or choose another")
    return bounds(box)


def bounds(box) -> tuple[float, ...]:
    """Centre and size of an empty's cube in the frame of the capture that it belongs to, else in the world's.

    So the box of a capture that was moved, turned upright or scaled still says which part of the photos is meant.
    Raises ValueError where it is turned otherwise, or flat."""
    matrix = np.array(captured.frame_of(box).inverted() @ box.matrix_world)
    axes = matrix[:3, :3]
    size = np.abs(axes).sum(1) * 2 * box.empty_display_size
    if min(size) <= 0 or abs(np.linalg.det(axes)) < 1e-30:
        raise ValueError(f"{box.name} is flat; scale it along every axis")
    ways = np.abs(axes / np.linalg.norm(axes, axis=0))
    if (ways.max(0) < 1 - STRAIGHT).any() or (ways.max(1) < 1 - STRAIGHT).any():
        raise ValueError(f"{box.name} is rotated, and what is captured is cut along the axes; clear its rotation")
    return tuple(map(float, (*matrix[:3, 3], *size)))


def add(context, found):
    """A box to begin with: that of the capture which is active, else a new one where photos, a Looked, show things."""
    own = captured.collection_of(context.object)
    if own:
        return captured.box_in(own)
    centre, size = first_place(context, found)
    return datablocks.new_box(context.collection, "Capture Box", centre, max(size), size)


def first_place(context, found):
    """(centre, size): where what is known of the photos, a Looked or None, has the object; else at the 3D cursor."""
    box = found.report.get("box") if found else None
    if box is None:
        return tuple(context.scene.cursor.location), (1.0, 1.0, 1.0)
    return tuple(box["centre"]), tuple(box["size"])


def is_box(settings, thing) -> bool:
    """What the sidebar offers: empties."""
    return thing.type == "EMPTY" and bpy.context.scene.objects.get(thing.name) is not None
