"""Which way is up where nobody has said it: photos alone know no ground, so a capture of them may lie on its side.

Only numpy is imported here, so operators may use it inside Blender.
"""

import numpy as np

from .frames import carried

ALIKE = 0.05
"""How far, as a share, the cameras' right hands spread at least for their common plane to say all"""
LEVEL = 0.02
"""How much the pictures' tops count where they spread less"""
AGREE = 0.8
"""Share of the cameras that must be the right way up, or they do not tell"""
TILTED = 35.0
"""Degrees that a floor may be tilted against what cameras call level"""
BOTTOM = 0.01
"""Thickness of what stands on a floor, as a share of the longest side"""
SOME = 4000
"""Vertices that are looked at"""
STEP = 1.5
"""Degrees between directions that are tried"""
STANDS = 0.4
"""How far what stands on a floor must reach along both of its sides, as a share of how wide the object is there"""


def from_cameras(cameras) -> np.ndarray:
    """Unit vector (3,): what is up to most of cameras (N, 4, 4), camera-to-world.

    People hold cameras level, so up is square to all of their right hands; where they do not differ enough for that,
    it is what the pictures' tops say. Raises ValueError with a sentence where they contradict each other.
    """
    turns = np.asarray(cameras, np.float64).reshape(-1, 4, 4)[:, :3, :3]
    right, tops = turns[:, :, 0], turns[:, :, 1]
    square = right.T @ right / max(len(right), 1)
    spread, axes = np.linalg.eigh(square)
    up = axes[:, 0] * np.sign(tops.sum(0) @ axes[:, 0])
    if spread[1] <= ALIKE:
        up = np.linalg.solve(square + LEVEL * np.eye(3), tops.sum(0))
    length = np.linalg.norm(up)
    if not len(right) or length < 1e-9 or (tops @ up > 0).mean() < AGREE:
        raise ValueError("The cameras do not tell what is up: they are turned every way")
    return up / length


def from_floor(vertices, about) -> np.ndarray:
    """Unit vector (3,): what is up where vertices (V, 3) stand on most of their feet, not far from `about` (3,).

    Raises ValueError with a sentence where they stand on nothing flat."""
    vertices = np.asarray(vertices, np.float64)
    some = vertices[:: max(1, len(vertices) // SOME)]
    longest = np.ptp(some, axis=0).max(initial=0.0)
    if longest <= 0:
        raise ValueError("The mesh has no size, so it stands on nothing")
    ways = cap(np.asarray(about, np.float64), TILTED, STEP)
    height = some @ ways.T
    feet = (height < height.min(0) + BOTTOM * longest).sum(0)
    up = settled(vertices, ways[feet.argmax()], BOTTOM * longest)
    if not stands(vertices, up, BOTTOM * longest):
        raise ValueError("The mesh stands on nothing flat")
    return up


def cap(middle, widest, step) -> np.ndarray:
    """Directions (N, 3) no further than `widest` degrees from a middle one, some `step` degrees apart, that first."""
    middle = middle / np.linalg.norm(middle)
    found = [np.zeros((1, 3))]
    for ring in np.arange(step, widest + step / 2, step):
        count = max(6, round(360 * np.sin(np.radians(ring)) / step))
        angle = np.arange(count) * 2 * np.pi / count
        r, z = np.sin(np.radians(ring)), np.cos(np.radians(ring))
        found.append(np.stack([r * np.cos(angle), r * np.sin(angle), np.full(count, z)], 1))
    found[0][0, 2] = 1
    return np.concatenate(found) @ to_z(middle)


def settled(vertices, up, thickness) -> np.ndarray:
    """A direction nearby, square to the plane that fits what is lowest."""
    for _ in range(4):
        height = vertices @ up
        feet = vertices[height < height.min() + thickness]
        if len(feet) < 3:
            break
        normal = np.linalg.svd(feet - feet.mean(0), full_matrices=False)[2][-1]
        normal = normal if normal @ up > 0 else -normal
        if normal @ up < np.cos(np.radians(2 * STEP)):
            break  # a ridge or a point: no plane is its own
        up = normal
    return up


def stands(vertices, up, thickness) -> bool:
    """Whether what is lowest along a direction reaches far enough both ways across to stand on."""
    placed = vertices @ to_z(up).T
    feet = placed[placed[:, 2] < placed[:, 2].min() + thickness, :2]
    across = np.linalg.svd(feet - feet.mean(0), full_matrices=False)[2] if len(feet) >= 3 else np.eye(2)
    wide, own = np.ptp(placed[:, :2] @ across.T, axis=0), np.ptp(feet @ across.T, axis=0)
    return bool((own >= STANDS * wide).all())


def to_z(up) -> np.ndarray:
    """(3, 3) rotation that takes a unit vector to z by the shortest way."""
    x, y, z = np.asarray(up, np.float64) / np.linalg.norm(up)
    if z < -1 + 1e-9:
        return np.diag([1.0, -1.0, -1.0])
    return np.array(
        [[1 - x * x / (1 + z), -x * y / (1 + z), -x], [-x * y / (1 + z), 1 - y * y / (1 + z), -y], [x, y, z]]
    )


def way_to(up, vertices) -> np.ndarray:
    """(4, 4): turns vertices (V, 3) so that `up` is z, round the middle of their bounds, and puts them on z = 0."""
    way = np.eye(4)
    way[:3, :3] = to_z(up)
    vertices = np.asarray(vertices, np.float64)
    middle = (vertices.min(0) + vertices.max(0)) / 2
    way[:3, 3] = middle - way[:3, :3] @ middle
    way[2, 3] -= carried(vertices, way)[:, 2].min()
    return way
