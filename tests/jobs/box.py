"""Photographs of a patterned box on a patterned floor, drawn with numpy, so that the cameras are known exactly."""

import numpy as np

from maquette.geometry.frames import intrinsics, orbit, rays
from maquette.geometry.picture import write_picture

HALF, SIZE = 0.5, 512
"""Half of the box's side; texture pixels along each side"""


def pattern(seed):
    """(SIZE, SIZE, 3) float32 in [0, 255]: blots of many sizes, which features are found on."""
    random = np.random.default_rng(seed)
    mixed = np.zeros((SIZE, SIZE, 3), np.float32)
    for cells in (8, 16, 32, 64, 128):
        mixed += np.kron(random.random((cells, cells, 3)), np.ones((SIZE // cells, SIZE // cells, 1))) - 0.5
    return np.clip(128 + 75 * mixed, 0, 255)


def planes():
    """(axis, offset, half extent along the other two axes, texture) of the box's five faces and the floor."""
    faces = [(axis, side * HALF, HALF, pattern(3 * side + axis + 5)) for axis in (0, 1, 2) for side in (-1, 1)]
    faces = [face for face in faces if face[:2] != (2, -HALF)]
    return [*faces, (2, -HALF, 2.0, pattern(99))]


def draw(camera, pinhole, width, height, surfaces):
    """(height, width, 3) uint8, each pixel the mean of 2 x 2 rays."""
    fine = np.diag([2.0, 2, 1]) @ pinhole
    eye, directions = rays(camera, fine, 2 * width, 2 * height)
    nearest = np.full(directions.shape[:2], np.inf)
    image = np.full((*directions.shape[:2], 3), 90, np.float32)
    for axis, offset, half, texture in surfaces:
        with np.errstate(divide="ignore"):
            distance = (offset - eye[axis]) / directions[..., axis]
        places = eye + np.where(np.isfinite(distance), distance, 0)[..., None] * directions
        across = np.delete(places, axis, axis=-1) / half
        hit = (distance > 1e-6) & (distance < nearest) & (np.abs(across) < 1).all(axis=-1)
        texel = ((across[hit] + 1) / 2 * SIZE).astype(int)
        image[hit] = texture[texel[:, 1], texel[:, 0]]
        nearest[hit] = distance[hit]
    return image.reshape(height, 2, width, 2, 3).mean(axis=(1, 3)).astype(np.uint8)


def photographs(folder, count=8, width=320, height=240, step=18):
    """Write `count` photos from an arc round the box; their cameras (4, 4) and pinhole (3, 3)."""
    folder.mkdir(parents=True, exist_ok=True)
    surfaces, pinhole = planes(), intrinsics(50, width, height)
    views = [orbit(step * i, 30 + 4 * (i % 3), 3.0) for i in range(count)]
    for i, camera in enumerate(views):
        write_picture(draw(camera, pinhole, width, height, surfaces), folder / f"{i}.png")
    return views, pinhole


def aligned(found, true):
    """Cameras found (N, 4, 4) in the world of the true ones, by the similarity that fits them best.

    The rotation is the mean of what each camera says: centres on an arc leave a turn about it loose (Umeyama 1991 asks
    them alone). Scale and shift are those of the centres.
    """
    left, _, right = np.linalg.svd(np.einsum("nij,nkj->ik", true[:, :3, :3], found[:, :3, :3]))
    rotation = left @ np.diag([1, 1, np.sign(np.linalg.det(left @ right))]) @ right
    centres, target = found[:, :3, 3] @ rotation.T, true[:, :3, 3]
    a, b = centres - centres.mean(axis=0), target - target.mean(axis=0)
    scale = (a * b).sum() / (a * a).sum()
    moved = np.tile(np.eye(4), (len(found), 1, 1))
    moved[:, :3, :3] = rotation @ found[:, :3, :3]
    moved[:, :3, 3] = scale * a + target.mean(axis=0)
    return moved


def errors(found, true):
    """Degrees (N,), and distances (N,) in world units, between cameras (N, 4, 4) once their worlds are aligned."""
    true = np.asarray(true)
    found = aligned(np.asarray(found), true)
    turns = np.einsum("nji,njk->nik", found[:, :3, :3], true[:, :3, :3])
    degrees = np.degrees(np.arccos(np.clip((np.trace(turns, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    return degrees, np.linalg.norm(found[:, :3, 3] - true[:, :3, 3], axis=1)
