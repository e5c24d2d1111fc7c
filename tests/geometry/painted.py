"""Boxes that are painted all over, and their photographs traced exactly: what a texture of them should be is known."""

import numpy as np

from maquette.geometry import frames
from maquette.geometry.mesh import Mesh
from maquette.geometry.scene import Photo

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.float32)
SIDES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]


def paint(places):
    """sRGB of places (..., 3): smooth, never red."""
    waves = np.sin(2.5 * places[..., [0, 1, 2]] + 1.7 * places[..., [1, 2, 0]] + [0, 1, 2])
    return np.stack([0.3 + 0.2 * waves[..., 0], 0.5 + 0.3 * waves[..., 1], 0.5 + 0.3 * waves[..., 2]], axis=-1)


def box(low, high):
    """12 triangles, outward."""
    faces = np.array([[[a, b, c], [a, c, d]] for a, b, c, d in SIDES], np.int32).reshape(-1, 3)
    low, high = np.float32(low), np.float32(high)
    return Mesh(low + CORNERS * (high - low), faces)


def together(*meshes):
    shift = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + shift[i] for i, mesh in enumerate(meshes)]
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), np.concatenate(faces).astype(np.int32))


def photo(camera, boxes, side=160, fov=40.0, background=(1.0, 0, 1.0), mask=False, gain=1.0, name=""):
    """boxes: (low, high, colour), colour None for `paint`. gain: on sRGB."""
    pinhole = frames.intrinsics(fov, side, side)
    eye, ways = frames.rays(camera, pinhole, side, side)
    nearest, image = np.full((side, side), np.inf), np.broadcast_to(np.float64(background), (side, side, 3)).copy()
    for low, high, colour in boxes:
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = np.sort([(np.asarray(low) - eye) / ways, (np.asarray(high) - eye) / ways], axis=0)
        into, out = ends[0].max(axis=-1), ends[1].min(axis=-1)
        hit = (into < out) & (into > 0) & (into < nearest)
        nearest[hit] = into[hit]
        image[hit] = paint(eye + into[hit, None] * ways[hit]) * gain if colour is None else colour
    image = np.clip(image * 255 + 0.5, 0, 255).astype(np.uint8)
    return Photo(name, image, camera, pinhole, np.isfinite(nearest).astype(np.uint8) * 255 if mask else None)


def all_round(count=12, distance=4.0, heights=(-35, 10, 45)):
    return [frames.orbit(360 * i / count, heights[i % len(heights)], distance) for i in range(count)]
