"""Which way is up in a captured world, as the cameras that took it were held; looked for only where somebody asks."""

import numpy as np

ALIKE = 0.05
"""How far, as a share, the cameras' sideways directions spread at least for their common plane to say anything"""


def up(photos) -> np.ndarray:
    """The unit vector (3,) that points up in the world of Photos.

    Cameras are held level: the direction at right angles to what is sideways for all of them is up or down, and their
    own upwards tell which. Where all look the same way sideways is one line, and the mean of their upwards has to do.
    Raises ValueError with a sentence where that is none either.
    """
    cameras = np.array([photo.camera for photo in photos])
    sideways, upwards = cameras[:, :3, 0], cameras[:, :3, 1].mean(axis=0)
    spread, axes = np.linalg.eigh(sideways.T @ sideways / len(cameras))
    if spread[1] > ALIKE:
        return axes[:, 0] if axes[:, 0] @ upwards >= 0 else -axes[:, 0]
    length = np.linalg.norm(upwards)
    if length < 1e-6:
        raise ValueError("the cameras point up in all directions, so nothing says which way is up")
    return upwards / length


def turned_up(photos) -> np.ndarray:
    """The smallest rotation (3, 3) that brings `up` onto z: world points p stand upright as p @ rotation.T."""
    x, y, z = up(photos)
    if z < -1 + 1e-9:  # upside down: half a turn about x is as small as any
        return np.diag([1.0, -1, -1])
    axis = np.array([[0, 0, -x], [0, 0, -y], [x, y, 0]])
    return np.eye(3) + axis + axis @ axis / (1 + z)
