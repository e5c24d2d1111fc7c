"""From which side of an object each of several cameras looks."""

import numpy as np

PARALLEL = 1e-3
"""Smallest share of an eigenvalue for lines of sight to count as crossing"""


def looked_at(cameras) -> np.ndarray:
    """The place (3,) that lies nearest to the lines of sight of cameras (V, 4, 4), V >= 2; world from camera, OpenGL.

    Raises ValueError where they are parallel.
    """
    cameras = np.asarray(cameras, np.float64)
    place, way = cameras[:, :3, 3], -cameras[:, :3, 2] / np.linalg.norm(cameras[:, :3, 2], axis=1, keepdims=True)
    across = np.eye(3) - way[:, :, None] * way[:, None, :]
    matrix = across.sum(0)
    if np.linalg.eigvalsh(matrix)[0] < PARALLEL * len(cameras):
        raise ValueError("all cameras look the same way, so it cannot be told what they look at")
    return np.linalg.solve(matrix, (across @ place[:, :, None]).sum(0)[:, 0])


def sides(cameras) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Turns and elevations, in degrees, of cameras (V, 4, 4) in a world whose z is up.

    Turns count from the first, to the right round what all look at; elevations say how far each looks down on it.
    """
    cameras = np.asarray(cameras, np.float64)
    if len(cameras) > 1:
        off = cameras[:, :3, 3] - looked_at(cameras)
    else:
        off = cameras[:, :3, 2]  # a camera looks along its -z
    around = np.degrees(np.arctan2(off[:, 1], off[:, 0]))
    elevation = np.degrees(np.arctan2(off[:, 2], np.hypot(off[:, 0], off[:, 1])))
    turns = (around - around[0] + 180) % 360 - 180
    return tuple(map(float, turns)), tuple(map(float, elevation))
