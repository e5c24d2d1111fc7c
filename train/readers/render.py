"""Pictures of meshes lit as the procedural world is: rasterised, with shadow and occlusion from the distance grid."""

from __future__ import annotations

import numpy as np
from numba import njit

from ...geometry.raster import covered
from ..shapes import fast
from ..shapes.camera import Setting
from .meshes import Painted

MOST = 4_000_000
"""Pixels in the rectangles round the faces that are rasterised at once."""
GLOSS = 0.3
"""Of all meshes, under skies; their files' own is not read."""
FINER = 2
"""Rays a pixel along each side, averaged."""


def axes(camera: np.ndarray) -> np.ndarray:
    """Rows right, down and forward (3, 3) of a camera (8,) as shapes.camera draws it."""
    c, s = float(camera[3]), float(camera[4])
    return np.array([[1.0, 0, 0], [0, -s, -c], [0, c, -s]])


def tangents(vertices: np.ndarray, camera: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where vertices (V, 3) stand in the picture (V, 2), in tangents (u right, v down), and their depth (V,)."""
    local = (vertices - camera[:3]) @ axes(camera).T
    return local[:, :2] / local[:, 2:], local[:, 2]


def picture(painted: Painted, grid: np.ndarray, setting: Setting, window: np.ndarray, size: int):
    """RGBA (size, size, 4) float32: sRGB, straight, and coverage.

    grid (N, N, N) distances, inside < 0; setting: of this picture alone; window: left, top and side of the square crop
    in tangents.
    """
    camera, light, sky = (rows[0].astype(np.float64) for rows in (setting.camera, setting.light, setting.sky))
    fine = size * FINER
    uv, depth = tangents(painted.vertices, camera)
    pixels = (uv - window[:2]) / window[2] * fine - 0.5
    face, place, weights = nearest_faces(pixels, depth, painted.faces, fine)
    points = (painted.vertices[painted.faces[face]] * weights[..., None]).sum(1)
    normals = (painted.normals[face] * weights[..., None]).sum(1)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    away = points - camera[:3]
    normals *= np.where((normals * away).sum(1, keepdims=True) > 0, -1, 1)  # both sides of a face are seen
    base = linear(painted.albedo(face, weights))
    colour = shade(base, points, normals, grid, light)
    if sky.any():
        ways = away / np.linalg.norm(away, axis=1, keepdims=True)
        under(grid, sky, points, normals, ways, base, colour, light[12])
    rgba = np.zeros((fine, fine, 4))
    rgba[place[:, 1], place[:, 0], :3] = colour
    rgba[place[:, 1], place[:, 0], 3] = 1
    mean = rgba.reshape(size, FINER, size, FINER, 4).mean((1, 3))
    mean[..., :3] /= np.maximum(mean[..., 3:], 1e-6)
    return np.concatenate([srgb(mean[..., :3]) * (mean[..., 3:] > 0), mean[..., 3:]], -1).astype(np.float32)


def nearest_faces(pixels, depth, faces, size):
    """The face that each pixel shows: face (P,), place (P, 2) as (column, row), weights (P, 3) of its corners in space.

    pixels (V, 2), centres at whole numbers; depth (V,) positive.
    """
    corners = pixels[faces]
    extent = np.clip(corners.max(1), 0, size) - np.clip(corners.min(1), 0, size) + 1
    groups = np.cumsum(extent.prod(1)) // MOST
    found = []
    for group in np.unique(groups):
        here = np.flatnonzero(groups == group)
        face, place, weights, _ = covered(corners[here], (size, size))
        face = here[face]
        weights = weights / depth[faces[face]]  # straight in the picture is 1 / depth
        near = 1 / weights.sum(1)
        found.append((face, place, weights * near[:, None], near))
    face, place, weights, near = (np.concatenate(columns) for columns in zip(*found))
    index = place[:, 0] * size + place[:, 1]
    order = np.lexsort((near, index))
    first = order[np.concatenate([[True], np.diff(index[order]) > 0])] if len(order) else order
    return face[first], place[first], weights[first]


def shade(base, points, normals, grid, light) -> np.ndarray:
    """Linear colours (N, 3) of base colours (N, 3) at points (N, 3): a lamp with shadow, sky and occluded ground."""
    lamp, colour, sky, ground, exposure = light[:3], light[3:6], light[6:9], light[9:12], light[12]
    shadow, ambient = np.empty(len(points)), np.empty(len(points))
    look(grid, points, normals, lamp.astype(np.float64), shadow, ambient)
    lambert = np.maximum(normals @ lamp, 0) * shadow
    up = (0.5 + 0.5 * normals[:, 2])[:, None]
    return base * ((sky * up + ground * (1 - up)) * ambient[:, None] + colour * lambert[:, None]) * exposure


@njit(cache=True)
def look(grid, points, normals, lamp, shadow, ambient):
    """Fill shadow (N,) and ambient light (N,) in [0, 1] at points (N, 3)."""
    for i in range(len(points)):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        ambient[i] = fast.occluded(grid, x, y, z, nx, ny, nz)
        shadow[i] = fast.shaded(grid, x + nx * 0.01, y + ny * 0.01, z + nz * 0.01, lamp[0], lamp[1], lamp[2])


@njit(cache=True)
def under(grid, sky, points, normals, ways, base, colour, exposure):
    """Add to colour (N, 3) what a sky brings from points (N, 3) along unit ways (N, 3) from the camera."""
    out = np.zeros(3)
    for i in range(len(points)):
        x, y, z = points[i]
        out[:] = 0.0
        fast.skylight(grid, sky, x, y, z, normals[i], ways[i, 0], ways[i, 1], ways[i, 2], base[i], GLOSS, 0.0, out)
        for c in range(3):
            colour[i, c] += out[c] * exposure


def linear(srgb_: np.ndarray) -> np.ndarray:
    return np.where(srgb_ <= 0.04045, srgb_ / 12.92, ((srgb_ + 0.055) / 1.055) ** 2.4)


def srgb(linear_: np.ndarray) -> np.ndarray:
    x = np.clip(linear_, 0, 1)
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 1e-6) ** (1 / 2.4) - 0.055)
