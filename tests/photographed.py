"""Pictures of a chest with a post on it, through cameras that are known."""

import json

import numpy as np
import trimesh
from PIL import Image

from maquette.geometry import frames
from maquette.geometry.depth import nearest
from maquette.geometry.hull import project
from maquette.geometry.scene import NO_DISTORTION, Photo

SIZE = 200, 160
"""Width and height of the pictures"""
MIDDLE = np.array([5.0, -3.0, 1.0])
"""Of the chest, metres"""


def chest(middle=MIDDLE):
    """A mesh 1.6 x 1 x .8 metres with a post of .8 on one end."""
    low = trimesh.creation.box((1.6, 1.0, 0.8))
    post = trimesh.creation.box((0.4, 1.0, 0.8))
    post.apply_translation((0.6, 0, 0.8))
    both = trimesh.util.concatenate([low, post])
    both.apply_translation(np.asarray(middle) - [0, 0, 0.4])
    return both


def rolled(camera, degrees):
    """The camera turned about the way it looks."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return camera @ np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])


def cameras(middle=MIDDLE, count=4):
    """Camera-to-world matrices all round, each rolled a little and looking past the middle."""
    found = []
    for k in range(count):
        eye = frames.orbit(20 + 95 * k, (15, 40, 5, 30, 25)[k % 5], 4 + 0.7 * k, middle)[:3, 3]
        past = np.asarray(middle) + [0.2 * (k % 2), 0.15, -0.1 * k]
        found.append(rolled(frames.look_at(eye, past), (0, 12, -20, 7, 3)[k % 5]))
    return found


def photographed(camera, name="a", focal=190.0, distortion=NO_DISTORTION, mesh=None) -> Photo:
    mesh = mesh or chest()
    width, height = SIZE
    pinhole = np.array([[focal, 0, width / 2 + 4], [0, focal, height / 2 - 3], [0, 0, 1]])
    empty = Photo(name, np.zeros((height, width, 3), np.uint8), camera, pinhole, distortion=distortion)
    fine = mesh.subdivide().subdivide().subdivide().subdivide()  # lenses bend lines
    pixels, depth = project(empty, fine.vertices)
    near, face, _ = nearest(pixels[:, ::-1].copy(), depth, fine.faces, (height, width))
    seen = (near > 0).reshape(height, width)
    shade = 90 + 120 * np.abs(fine.face_normals @ [0.3, 0.5, 0.8])[face].reshape(height, width)
    image = np.where(seen[..., None], shade[..., None] * [1, 0.7, 0.5], 255).astype(np.uint8)
    return Photo(name, image, camera, pinhole, np.uint8(255 * seen), distortion)


def written(folder, photos, name="transforms.json"):
    """The photos as PNGs with alpha, and a transforms.json that knows their cameras: their paths."""
    frames_, paths = [], []
    for photo in photos:
        path = folder / f"{photo.name}.png"
        Image.fromarray(np.dstack([photo.image, photo.mask])).save(path)
        (height, width), k = photo.mask.shape, photo.pinhole
        terms = dict(zip(("k1", "k2", "p1", "p2"), photo.distortion))
        lens = {"fl_x": k[0, 0], "fl_y": k[1, 1], "cx": k[0, 2], "cy": k[1, 2], "w": width, "h": height, **terms}
        frames_.append({"file_path": path.name, "transform_matrix": photo.camera.tolist(), **lens})
        paths.append(path)
    (folder / name).write_text(json.dumps({"camera_model": "OPENCV", "frames": frames_}))
    return paths


def overlap(mesh, photo) -> float:
    """IoU of a mesh's outline, seen by the photo's camera, and the photo's mask."""
    pixels, depth = project(photo, np.asarray(mesh.vertices))
    near, _, _ = nearest(pixels[:, ::-1].copy(), depth, np.asarray(mesh.faces), photo.mask.shape)
    seen, true = (near > 0).reshape(photo.mask.shape), photo.mask > 127
    return float((seen & true).sum() / (seen | true).sum())
