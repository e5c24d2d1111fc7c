"""From where the photos that show a mesh were taken: kept with it, and where it lies among them by now."""

import os

import bpy
import numpy as np

from . import captured, datablocks, provenance

LOOSE = 0.02
"""How far cameras may be from where the others say, as a share of how far they are apart"""


def found_rows(thing) -> list[dict]:
    """The cameras of the pictures that an object was reconstructed from, with the pictures and the masks that artists
    painted where they are now. Raises ValueError, also where one is missing or was changed."""
    record = provenance.read(thing)
    asked = provenance.with_masks(thing, provenance.request(record))
    paths = dict(zip(asked.images, provenance.photos(record), strict=True))
    given = asked.masks or (asked.mask,) * len(asked.images)
    masks = dict(zip(asked.images, given, strict=True))
    rows = provenance.cameras(thing)
    return [row | {"path": paths[row["path"]], "mask": masks[row["path"]]} for row in rows if row["path"] in paths]


def folder_of(thing) -> str:
    """Where the photos were, or lie beside the .blend now; "" where neither is there."""
    given = provenance.request(provenance.read(thing)).folder
    beside = bpy.path.abspath("//" + os.path.basename(given)) if bpy.data.filepath else ""
    return next((path for path in (given, beside) if path and os.path.exists(path)), "")


def to_photos(thing, rows, vertices) -> np.ndarray:
    """(4, 4) from a captured mesh's own space into that of its cameras' rows; vertices (V, 3) are the mesh's.

    They are the same as long as only objects are moved. Once a transform was applied, or an origin set, the cameras in
    the scene say it, unless the mesh was moved away from them: that which gives the captured bounds is right.
    """
    bounds = provenance.read(thing)["report"].get("bounds")
    scene = _moved(thing, rows)
    own = np.eye(4)
    if scene is None or bounds is None or not len(vertices):
        return own
    among = np.linalg.inv(scene) @ np.array(thing.matrix_world)

    def off(way):
        there = vertices @ way[:3, :3].T + way[:3, 3]
        return np.abs(np.array([there.min(axis=0), there.max(axis=0)]) - bounds).max()

    return among if off(among) < 0.9 * off(own) else own


def _moved(thing, rows):
    """(4, 4), a similarity: where the rows' space is in the world, by the cameras of the object's collection.

    None where there are none, or they were not moved together."""
    own = captured.collection_of(thing)
    taken = {other.get(datablocks.PHOTO): other for other in own.all_objects if other.type == "CAMERA"} if own else {}
    pairs = [(row["matrix"], taken[row["name"]].matrix_world) for row in rows if row["name"] in taken]
    if len(pairs) < 2:
        return None
    before, now = (np.array(side, np.float64) for side in zip(*pairs))
    axes = now[:, :3, :3] / np.linalg.norm(now[:, :3, :3], axis=1, keepdims=True)
    left, _, right = np.linalg.svd(np.einsum("nij,nkj->ik", axes, before[:, :3, :3]))
    turn = left @ right
    centres = before[:, :3, 3].mean(axis=0), now[:, :3, 3].mean(axis=0)
    spread = [np.linalg.norm(side[:, :3, 3] - centre) for side, centre in zip((before, now), centres)]
    if spread[0] <= 0 or np.linalg.det(turn) < 0:
        return None
    found = np.eye(4)
    found[:3, :3] = turn * spread[1] / spread[0]
    found[:3, 3] = centres[1] - found[:3, :3] @ centres[0]
    there = before[:, :3, 3] @ found[:3, :3].T + found[:3, 3]
    return found if np.abs(there - now[:, :3, 3]).max() <= LOOSE * spread[1] else None
