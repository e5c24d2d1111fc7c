"""A picture of a mesh without GL or Blender: three-quarter view, soft light, contact shadows, in about a second.

The visible surface is found at twice the size and shaded pixel by pixel: a warm key light with a soft shadow map, a
cool sky and warm ground, and ambient occlusion from the solid itself: a point sees less of the sky where the filled
space in front of it, blurred, is denser than before a flat wall. The ground only catches shadow.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from . import frames
from .colour import to_bytes, to_linear, to_srgb
from .drawn import colours_at
from .field import Field
from .isosurface import mesh_from_field
from .mesh import face_normals, vertex_normals
from .picture import write_picture
from .raster import covered
from .voxelise import voxelise

CLAY = np.array([0.78, 0.75, 0.72])
"""sRGB of a mesh without colours"""
PAPER, EDGE = np.array([0.94, 0.937, 0.93]), np.array([0.74, 0.745, 0.76])
"""sRGB behind the object, in the middle and in the corners"""
KEY, KEY_LIGHT = np.array([-0.35, -0.75, 1.0]), np.array([1.0, 0.95, 0.87]) * 0.80
RIM, RIM_LIGHT = np.array([0.95, 0.35, 0.45]), np.array([0.80, 0.90, 1.0]) * 0.18
SKY, GROUND = np.array([0.92, 0.97, 1.05]) * 0.52, np.array([0.95, 0.88, 0.80]) * 0.26
SHARP = np.cos(np.radians(38))
"""Corners whose face leans further from the mean round the vertex keep an edge"""
SOLID = 56
"""Cells along the longest side for ambient occlusion"""
FOV = 26.0
LIGHT_MAP = 640


def write_preview(shape, path, size=512):
    """Draw a Mesh or Field and write it as PNG."""
    write_picture(draw(shape, size), path)


def draw(shape, size=512, azimuth=33.0, elevation=20.0, shown=0.76):
    """A Mesh or Field as (size, size, 3) uint8 sRGB; its longer side fills `shown` of the picture.

    azimuth, elevation: degrees; 0, 0 is the front. Raises ValueError for a mesh without faces.
    """
    mesh = mesh_from_field(shape, smoothing=1) if isinstance(shape, Field) else shape
    if not len(mesh.faces):
        raise ValueError("the mesh has no faces to draw")
    mesh = replace(mesh, vertices=_on_ground(mesh))
    camera, pinhole = _framing(mesh.vertices, 2 * size, azimuth, elevation, shown)
    light = _Light(mesh)
    picture = _ground(camera, pinhole, 2 * size, light)
    surface = _visible(mesh, camera, pinhole, 2 * size)
    picture.reshape(-1, 3)[surface.pixels] = _shaded(surface, camera, light)
    picture = picture.reshape(size, 2, size, 2, 3).mean(axis=(1, 3))  # averaged as light, not as sRGB
    return to_bytes(to_srgb(picture))


def _on_ground(mesh):
    """Vertices with the longest side 1, standing on z = 0 round the origin."""
    return frames.standing(mesh.vertices)


def _framing(vertices, size, azimuth, elevation, shown):
    """Camera-to-world and pinhole (3, 3) that put the object in the middle of size x size pixels."""
    middle = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    camera = frames.orbit(azimuth, elevation, 3.4, middle)
    pinhole = frames.intrinsics(FOV, size, size)
    pixels, _ = frames.project(vertices, camera, pinhole)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    scale = shown * size / (high - low).max()
    pinhole[:2] *= scale
    pinhole[:2, 2] += size * np.array([0.5, 0.485]) - (low + high) / 2 * scale
    return camera, pinhole


@dataclass
class _Surface:
    """What is seen: flat pixel numbers (P,), points, normals and linear colours (P, 3)."""

    pixels: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    colours: np.ndarray


def _visible(mesh, camera, pinhole, size):
    """The nearest surface in each pixel."""
    pixels, depth = frames.project(mesh.vertices, camera, pinhole)
    near, face, weights = nearest(pixels[mesh.faces][..., ::-1] - 0.5, 1 / depth[mesh.faces], size)
    corners = mesh.faces[face]
    weights = weights / depth[corners]  # corners count by how near they are
    weights = (weights / weights.sum(axis=1, keepdims=True))[..., None]
    normals = _corner_normals(mesh)[face]
    mixed = [(values * weights).sum(axis=1) for values in (mesh.vertices[corners], normals)]
    mixed[1] /= np.maximum(np.linalg.norm(mixed[1], axis=1, keepdims=True), 1e-9)
    colours = colours_at(mesh, face, weights[..., 0], CLAY).clip(0, 1)
    return _Surface(near, *mixed, to_linear(colours.astype(np.float64)))


def nearest(flat, closeness, size):
    """The face with the greatest closeness in each of size x size pixels.

    flat (F, 3, 2) as (row, column) with pixel centres at whole numbers; closeness (F, 3), linear in the picture. Faces
    seen from behind are passed over. Returns flat pixel numbers (P,), their faces (P,) and the corners' weights (P, 3).
    """
    a, b, c = flat[:, 0], flat[:, 1], flat[:, 2]
    facing = np.flatnonzero((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0)
    face, place, weights, _ = covered(flat[facing], (size, size))
    face = facing[face]
    order = np.argsort((weights * closeness[face]).sum(axis=1).astype(np.float32))
    winner = np.full(size * size, -1, np.int64)
    winner[(place[:, 0] * size + place[:, 1])[order]] = order  # the last to be written is the nearest
    pixels = np.flatnonzero(winner >= 0)
    winner = winner[pixels]
    return pixels, face[winner], weights[winner]


def _corner_normals(mesh):
    """(F, 3, 3): smooth, but for corners at edges."""
    flat = face_normals(mesh.vertices, mesh.faces)[:, None]
    smooth = vertex_normals(mesh.vertices, mesh.faces)[mesh.faces]
    return np.where((flat * smooth).sum(axis=-1, keepdims=True) > SHARP, smooth, flat)


class _Light:
    """Where the key light and the sky reach."""

    def __init__(self, mesh):
        self.key = KEY / np.linalg.norm(KEY)
        self._shadow_map(mesh)
        self._solid(mesh)

    def _shadow_map(self, mesh):
        view = frames.look_at(self.key)
        self.axes = view[:3, :3]
        places = mesh.vertices @ self.axes
        self.low = places.min(axis=0)[:2]
        self.step = (places.max(axis=0)[:2] - self.low).max() / (LIGHT_MAP - 13)
        self.low = self.low - 6 * self.step
        flat = ((places[:, :2] - self.low) / self.step)[mesh.faces]
        height = places[:, 2][mesh.faces]
        pixels, face, weights = nearest(flat, height, LIGHT_MAP)
        self.height = np.full((LIGHT_MAP, LIGHT_MAP), -10.0, np.float32)
        self.height.reshape(-1)[pixels] = (weights * height[face]).sum(axis=1)

    def lit(self, points, soft=0.012, taps=12):
        """Share of the key light (P,) that reaches points (P, 3)."""
        places = points @ self.axes
        where = ((places[:, :2] - self.low) / self.step).astype(np.float32)
        bias = 0.006
        turn = np.random.default_rng(0).random(len(points), np.float32) * (2 * np.pi)
        total = np.zeros(len(points), np.float32)
        for tap in range(taps):  # a spiral, turned at random for each point
            radius = soft / self.step * np.sqrt((tap + 0.5) / taps)
            angle = turn + np.float32(2.39996 * tap)
            u = np.rint(where[:, 0] + radius * np.cos(angle)).astype(np.int32)
            v = np.rint(where[:, 1] + radius * np.sin(angle)).astype(np.int32)
            inside = (u >= 0) & (v >= 0) & (u < LIGHT_MAP) & (v < LIGHT_MAP)
            height = self.height[u.clip(0, LIGHT_MAP - 1), v.clip(0, LIGHT_MAP - 1)]
            total += ~inside | (height < places[:, 2] + bias + 0.5 * soft)
        return total / taps

    def _solid(self, mesh):
        """The filled space, with the ground below it, blurred at three scales."""
        self.room = np.array([[-0.75, -0.75, -0.25], [0.75, 0.75, 1.25]])
        cells = round(1.5 * SOLID)
        filled = voxelise(mesh, cells, self.room).astype(np.float32)
        filled[:, :, : round(0.25 * SOLID)] = 1
        self.blurred = [(sigma, gaussian_filter(filled, sigma, mode="nearest")) for sigma in (1.2, 2.8, 6.0)]

    def open(self, points, normals):
        """Share of the sky (P,) that points (P, 3) see."""
        openness = np.ones(len(points), np.float32)
        for sigma, grid in self.blurred:
            ahead = frames.world_to_grid(points, grid.shape, self.room) + normals * (1.1 * sigma)
            dense = map_coordinates(grid, ahead.T, order=1, mode="nearest")
            openness *= 1 - 0.62 * np.clip((dense - 0.14) / 0.55, 0, 1)
        return openness


def _shaded(surface, camera, light):
    """Linear colours (P, 3) of what is seen."""
    normals, open_sky = surface.normals, light.open(surface.points, surface.normals)[:, None]
    towards = camera[:3, 3] - surface.points
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    facing = np.clip(normals @ light.key, 0, None)
    key = (facing * np.where(facing > 0, light.lit(surface.points + 0.008 * normals), 0))[:, None]
    rim = np.clip(normals @ (RIM / np.linalg.norm(RIM)), 0, None)[:, None]
    up = 0.5 + 0.5 * normals[:, 2:]
    # Pale surfaces throw light into their own corners, so these darken less (Jimenez 2016).
    bounce = open_sky + (1 - open_sky) * 0.35 * surface.colours
    diffuse = key * KEY_LIGHT + rim * RIM_LIGHT * open_sky + bounce * (GROUND + (SKY - GROUND) * up)
    half = light.key + towards
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gloss = np.clip((normals * half).sum(axis=1, keepdims=True), 0, 1) ** 38
    edge = (1 - np.clip((normals * towards).sum(axis=1, keepdims=True), 0, 1)) ** 5
    shine = 0.09 * gloss * (key > 0) * KEY_LIGHT + 0.10 * edge * open_sky * SKY
    return _soft_clip(surface.colours * diffuse + shine)


def _soft_clip(light, knee=0.8):
    """Highlights bend towards 1 instead of burning out."""
    over = np.maximum(light - knee, 0)
    return np.minimum(light, knee) + (1 - knee) * (1 - np.exp(-over / (1 - knee)))


def _ground(camera, pinhole, size, light):
    """The empty picture (size, size, 3), linear: paper with the object's shadow on it."""
    y, x = np.meshgrid(*[np.linspace(-1, 1, size, dtype=np.float32)] * 2, indexing="ij")
    fade = np.clip((x**2 + (y + 0.1) ** 2) / 1.7, 0, 1)[..., None]
    paper = to_linear(PAPER) * (1 - fade) + to_linear(EDGE) * fade
    half = size // 2  # shadows are soft: half the size will do
    shade = np.ones((half, half), np.float32)
    eye, directions = frames.rays(camera, pinhole * [[0.5], [0.5], [1]], half, half)
    down = directions[..., 2] < -1e-3
    points = eye - directions[down] * (eye[2] / directions[down][:, 2:])
    near = np.flatnonzero(np.abs(points[:, :2]).max(axis=1) < 2.5)
    points = points[near]
    up = np.broadcast_to([0.0, 0, 1], points.shape)
    reach = np.clip(1.6 - np.linalg.norm(points[:, :2], axis=1), 0, 1)
    lit = 1 - 0.34 * (1 - light.lit(points, soft=0.035, taps=16)) * reach
    values = np.ones(down.sum(), np.float32)
    values[near] = lit * (0.35 + 0.65 * light.open(points, up))
    shade[down] = values
    shade = gaussian_filter(shade, half / 340)
    return paper * np.repeat(np.repeat(shade, 2, 0), 2, 1)[..., None]
