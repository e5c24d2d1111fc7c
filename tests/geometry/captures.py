"""Small captured folders: cameras round the origin, and pictures of noise that tell one from another."""

import json
import struct

import numpy as np
from PIL import Image

from maquette.geometry.frames import orbit

WIDE, HIGH = 64, 48
FOCAL = 60.0
POINT = np.array([0.3, -0.2, 0.4])
"""A place that every camera of `cameras` sees"""
OPENGL = np.diag([1.0, -1, -1, 1])


def cameras(count=4):
    return [orbit(360 * i / count + 10, 20 + i, 3 + 0.1 * i) for i in range(count)]


def picture(path, seed=0, size=(WIDE, HIGH), mode="RGB", **options):
    """Write a picture of coloured noise; returns its pixels (H, W, 3) uint8."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return pixels


def pictures(folder, count=4, ending=".png", size=(WIDE, HIGH)):
    return [picture(folder / f"{i}{ending}", i, size) for i in range(count)]


def frames(folder="images", count=4, ending=".png"):
    return [
        {"file_path": f"{folder}/{i}{ending}", "transform_matrix": camera.tolist()}
        for i, camera in enumerate(cameras(count))
    ]


def write_transforms(path, listed, **shared):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(shared | {"frames": listed}))


def expected_pixel(camera, point=POINT, focal=(FOCAL, FOCAL), centre=(WIDE / 2, HIGH / 2), distortion=(0, 0, 0, 0)):
    """Where a camera sees a point, by OPENCV's formulas, with the camera's own axes turned to x right, y down."""
    x, y, z = (np.linalg.inv(camera @ OPENGL) @ [*point, 1])[:3]
    assert z > 0
    x, y = x / z, y / z
    k1, k2, p1, p2 = distortion
    r2 = x**2 + y**2
    radial = 1 + k1 * r2 + k2 * r2**2
    u = x * radial + 2 * p1 * x * y + p2 * (r2 + 2 * x**2)
    v = y * radial + p1 * (r2 + 2 * y**2) + 2 * p2 * x * y
    return np.array([focal[0] * u + centre[0], focal[1] * v + centre[1]])


def seen_at(photo, point=POINT):
    """Where a Photo's camera sees a point."""
    k = photo.pinhole
    assert k[0, 1] == k[1, 0] == 0 and k[2].tolist() == [0, 0, 1]
    return expected_pixel(photo.camera, point, (k[0, 0], k[1, 1]), (k[0, 2], k[1, 2]), photo.distortion)


# --- COLMAP models --------------------------------------------------------------------------------------------------


def poses(count=4):
    """(quaternion w x y z, translation) of `cameras`, world to camera, OpenCV's axes."""
    found = []
    for camera in cameras(count):
        inverse = np.linalg.inv(camera @ OPENGL)
        found.append((quaternion(inverse[:3, :3]), inverse[:3, 3]))
    return found


def quaternion(rotation):
    """(w, x, y, z) of a rotation (3, 3): the eigenvector of Bar-Itzhack (2000)."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    k = [[a - e - i, 0, 0, 0], [b + d, e - a - i, 0, 0], [c + g, f + h, i - a - e, 0], [h - f, c - g, d - b, a + e + i]]
    _, vectors = np.linalg.eigh(np.array(k), UPLO="L")
    x, y, z, w = vectors[:, -1]
    return np.array([w, x, y, z])


def write_binary(folder, listed, lenses, points=(POINT,)):
    """listed: (name, quaternion, translation, camera id); lenses: (id, model number, width, height, values)."""
    folder.mkdir(parents=True, exist_ok=True)
    data = struct.pack("<Q", len(lenses))
    for number, model, width, height, values in lenses:
        data += struct.pack(f"<iiQQ{len(values)}d", number, model, width, height, *values)
    (folder / "cameras.bin").write_bytes(data)
    data = struct.pack("<Q", len(listed))
    for number, (name, turn, shift, camera) in enumerate(listed):
        data += struct.pack("<i7di", number + 1, *turn, *shift, camera) + name.encode() + b"\0"
        data += struct.pack("<Qddqddq", 2, 1.5, 2.5, -1, 3.5, 4.5, 1)
    (folder / "images.bin").write_bytes(data)
    data = struct.pack("<Q", len(points))
    for number, point in enumerate(points):
        data += struct.pack("<Q3d3BdQ4i", number + 1, *point, 255, 0, 0, 0.5, 2, 1, 0, 2, 1)
    (folder / "points3D.bin").write_bytes(data)


NAMES = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "OPENCV_FISHEYE", "FULL_OPENCV")


def write_text(folder, listed, lenses, points=(POINT,)):
    """As write_binary."""
    folder.mkdir(parents=True, exist_ok=True)
    text = lambda values: " ".join(repr(float(value)) for value in values)  # noqa: E731
    rows = [f"{number} {NAMES[model]} {w} {h} {text(values)}" for number, model, w, h, values in lenses]
    (folder / "cameras.txt").write_text("# Camera list\n" + "\n".join(rows) + "\n")
    rows = [
        f"{number + 1} {text(turn)} {text(shift)} {camera} {name}\n" + ("1.5 2.5 -1" if number else "")
        for number, (name, turn, shift, camera) in enumerate(listed)
    ]
    (folder / "images.txt").write_text("# Image list\n# with two lines each\n" + "\n".join(rows) + "\n")
    rows = [f"{number + 1} {text(point)} 255 0 0 0.5 1 0 2 1" for number, point in enumerate(points)]
    (folder / "points3D.txt").write_text("# Points\n" + "\n".join(rows) + "\n")
