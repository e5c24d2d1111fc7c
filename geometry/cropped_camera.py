"""The camera of a cropped picture, five numbers as `nets/camera.py` has them, as photographs have theirs."""

import numpy as np

from .frames import turned


def pinhole_camera(numbers, crop, fit=(0.0, 1.0, 0.0, 0.0, 0.0)):
    """Camera-to-world (4, 4), OpenGL axes, in the first picture's cube, and intrinsics (3, 3) in the picture's pixels.

    numbers (5,): elevation, log scale, 1 / distance, u0, v0 of the crop; fit (5,): how the picture's cube lies to the
    first's, a place p of which is at scale R_z(turn) p + shift in it.
    """
    elevation, log_scale, near, u0, v0 = np.asarray(numbers, np.float64)
    turn, scale, *shift = np.asarray(fit, np.float64)
    c, s = np.cos(elevation), np.sin(elevation)
    axes = np.array([[1, 0, 0], [0, s, c], [0, -c, s]])  # right, up and backward, as rows
    pose = np.eye(4)
    pose[:3, :3] = turned(axes, -turn).T
    pose[:3, 3] = turned(((np.array([0, -c, s]) / near - shift) / scale)[None], -turn)[0]
    half = crop.side / 2
    focal = half * np.exp(log_scale) / near
    middle = crop.left + half * (1 + u0), crop.top + half * (1 + v0)
    return pose, np.array([[focal, 0, middle[0]], [0, focal, middle[1]], [0, 0, 1]])
