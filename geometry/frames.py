"""Where things are and which way they look: the one place for conventions.

World: Blender's, right-handed, x right, y away from the viewer, z up, metres. An object is seen from the front: from
-y, looking along +y. glTF is y up: the world's (x, y, z) is (x, z, -y) there.
Images: (H, W, C), first row on top; pixel (column, row) covers [column, column + 1] x [row, row + 1].
Grids: (X, Y, Z) index order, samples at cell centres; bounds (2, 3) are the outer faces of the grid.
Cameras: OpenGL and Blender camera-to-world 4x4 (x right, y up, looking along -z), pinhole intrinsics 3x3 in pixels.

Only numpy is imported here, so operators may use it inside Blender.
"""

import numpy as np

UNIT_CUBE = np.array([[-0.5, -0.5, -0.5], [0.5, 0.5, 0.5]])
"""Bounds of a field whose object has its longest side at most 1 and its bounds centred on the origin."""
UNIT_CUBE.setflags(write=False)

Y_UP = np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])
"""World vectors to glTF's: y_up = Y_UP @ z_up; the inverse is its transpose."""
Y_UP.setflags(write=False)


def z_up_to_y_up(points):
    """Points or normals (..., 3) of the world, in glTF's axes."""
    points = np.asarray(points)
    return np.stack([points[..., 0], points[..., 2], -points[..., 1]], axis=-1)


def y_up_to_z_up(points):
    """Points or normals (..., 3) of a glTF file, in the world's axes."""
    points = np.asarray(points)
    return np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)


# --- grids ----------------------------------------------------------------------------------------------------------


def cell_size(shape, bounds=UNIT_CUBE):
    """Edges (3,) of one cell in metres, of a grid of shape (X, Y, Z)."""
    bounds = np.asarray(bounds, np.float64)
    return (bounds[1] - bounds[0]) / np.asarray(shape[:3])


def cell_centres(shape, bounds=UNIT_CUBE):
    """Places (X, Y, Z, 3) float32 of the samples; shape is (X, Y, Z), or one number for a cube."""
    shape = (shape,) * 3 if np.isscalar(shape) else tuple(shape[:3])
    bounds, cell = np.asarray(bounds, np.float64), cell_size(shape, bounds)
    axes = [bounds[0][i] + (np.arange(shape[i]) + 0.5) * cell[i] for i in range(3)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).astype(np.float32)


def grid_to_world(places, shape, bounds=UNIT_CUBE):
    """Grid coordinates (..., 3), where the first sample is 0, to metres."""
    return np.asarray(bounds[0]) + (np.asarray(places) + 0.5) * cell_size(shape, bounds)


def world_to_grid(points, shape, bounds=UNIT_CUBE):
    """Metres (..., 3) to grid coordinates, where the first sample is 0."""
    return (np.asarray(points) - np.asarray(bounds[0])) / cell_size(shape, bounds) - 0.5


# --- objects --------------------------------------------------------------------------------------------------------


def unit(vertices):
    """Vertices (V, 3) scaled to longest side 1 with their bounds centred on the origin: the frame of the scores."""
    low, longest = _extent(vertices)
    return (np.asarray(vertices, np.float64) - low[0] - low[1] / 2) / longest


def standing(vertices, size=1.0):
    """Vertices (V, 3) scaled to longest side `size` metres and standing on z = 0, round the origin."""
    return carried(vertices, to_standing(vertices, size))


def to_standing(vertices, size=1.0):
    """(4, 4), a similarity: what brings vertices (V, 3) to where `standing` has them."""
    (low, side), longest = _extent(vertices)
    way = np.diag([*[size / longest] * 3, 1.0])
    way[:3, 3] = -(low + side / 2 * [1, 1, 0]) * size / longest
    return way


def carried(points, way):
    """Points (P, 3) in float64 by an affine matrix (4, 4)."""
    return np.asarray(points, np.float64) @ way[:3, :3].T + way[:3, 3]


def carried_camera(camera, way):
    """Camera-to-world (4, 4) by a similarity (4, 4): it then sees what was carried as it saw that before."""
    moved = way @ camera
    moved[:3, :3] /= np.cbrt(np.linalg.det(way[:3, :3]))
    return moved


def _extent(vertices):
    """((lowest corner, sides), longest side)."""
    vertices = np.asarray(vertices, np.float64)
    low = vertices.min(axis=0)
    side = vertices.max(axis=0) - low
    longest = side.max()
    if not np.isfinite(longest) or longest <= 0:
        raise ValueError(f"the shape's longest side is {longest:g}, so it has no size to scale")
    return (low, side), longest


# --- cameras --------------------------------------------------------------------------------------------------------


def look_at(eye, target=(0, 0, 0), up=(0, 0, 1)):
    """Camera-to-world (4, 4) of a camera at eye that looks at target with the world's up upwards in its picture."""
    eye, target = np.asarray(eye, np.float64), np.asarray(target, np.float64)
    backward = eye - target
    backward /= np.linalg.norm(backward)
    right = np.cross(up, backward)
    if np.linalg.norm(right) < 1e-9:  # straight up or down: the front of the world is upwards in the picture
        right = np.array([1.0, 0, 0])
    right /= np.linalg.norm(right)
    matrix = np.eye(4)
    matrix[:3] = np.stack([right, np.cross(backward, right), backward, eye], axis=1)
    return matrix


def turned(points, angle):
    """Points (P, 3) turned about the z axis, counter-clockwise seen from above; radians."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(points) @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1.0]])


def orbit(azimuth, elevation, distance, target=(0, 0, 0)):
    """Camera-to-world (4, 4) on a sphere round target; degrees, azimuth 0 is the front and grows towards +x."""
    a, e = np.radians([azimuth, elevation])
    offset = distance * np.array([np.sin(a) * np.cos(e), -np.cos(a) * np.cos(e), np.sin(e)])
    return look_at(np.asarray(target) + offset, target)


def spiral(count, lowest=-90.0, highest=90.0):
    """(azimuth, elevation) in degrees of places spread evenly over a sphere between two elevations, from below up.

    Each is turned by the golden angle from the one before, so any few in a row look from all sides.
    """
    low, high = np.sin(np.radians([lowest, highest]))
    height = low + (high - low) * (np.arange(count) + 0.5) / count
    turns = np.arange(count) * (3 - np.sqrt(5)) / 2 % 1
    return [(360 * turn, float(np.degrees(np.arcsin(z)))) for turn, z in zip(turns.tolist(), height)]


def intrinsics(fov, width, height):
    """Pinhole matrix (3, 3) in pixels; fov in degrees along the longer side, as in Blender."""
    focal = max(width, height) / 2 / np.tan(np.radians(fov) / 2)
    return np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1.0]])


def project(points, camera, pinhole):
    """World points (..., 3) -> pixels (..., 2) as (column, row), and depth (...) along the view, in front > 0."""
    points = np.asarray(points, np.float64)
    local = (points - camera[:3, 3]) @ camera[:3, :3]
    depth = -local[..., 2]
    column = pinhole[0, 0] * local[..., 0] / depth + pinhole[0, 2]
    row = -pinhole[1, 1] * local[..., 1] / depth + pinhole[1, 2]
    return np.stack([column, row], axis=-1), depth


def rays(camera, pinhole, width, height):
    """Through the middle of each pixel: origin (3,), unit directions (H, W, 3)."""
    column, row = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    local = np.stack(
        [(column - pinhole[0, 2]) / pinhole[0, 0], (pinhole[1, 2] - row) / pinhole[1, 1], -np.ones_like(row)], axis=-1
    )
    directions = local @ camera[:3, :3].T
    return camera[:3, 3].copy(), directions / np.linalg.norm(directions, axis=-1, keepdims=True)
