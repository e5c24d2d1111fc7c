"""python pictures.py FOLDER: the pictures that the window test opens, drawn here by sphere tracing.

- stool.png: a wooden stool before a plain, slightly uneven wall
- sides/: the front, the right side and the back of a blue chair, cut out
- Väse 花.png: a glazed vase cut out with alpha, in a file name that is not English
- around/: twenty pictures all round the lamp, with their cameras
- shelf/: four pictures for a row of objects, one of them not a picture at all
"""

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 192


def box(p, centre, half, radius=0.02):
    q = np.abs(p - centre) - half + radius
    return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(-1), 0) - radius


def turned(p, profile):
    """A solid of revolution about z, `profile` its radius at a height: a lower bound of the distance."""
    return 0.6 * np.maximum(np.hypot(p[..., 0], p[..., 1]) - profile(p[..., 2]), np.abs(p[..., 2]) - 0.5)


def stool(p):
    legs = [box(p, (x, y, -0.1), (0.045, 0.045, 0.4)) for x in (-0.26, 0.26) for y in (-0.26, 0.26)]
    rails = [box(p, (0, y, -0.25), (0.26, 0.03, 0.03)) for y in (-0.26, 0.26)]
    return np.minimum.reduce([*legs, *rails, box(p, (0, 0, 0.33), (0.36, 0.36, 0.05))])


def vase(p):
    return turned(p, lambda z: 0.22 + 0.1 * np.sin(5 * z + 0.6) - 0.08 * z)


def lamp(p):
    shade = turned(p - (0, 0, 0.1), lambda z: np.where(z > 0.02, 0.36 - 0.35 * z, 0.025))
    return np.minimum(shade, turned((p + (0, 0, 0.42)) * (1, 1, 8), lambda z: 0.24 + 0 * z) / 3)


def chair(p):
    back = box(p, (0, 0.3, 0.55), (0.3, 0.04, 0.2))
    return np.minimum(stool(p), back)


def draw(distance, colour, turn=0.6, lift=0.35, size=SIZE):
    """(size, size, 4) uint8 straight alpha: the solid turned by `turn`, seen from `lift` radians above."""
    c, s = np.cos(lift), np.sin(lift)
    forward, up = np.array([0, c, -s]), np.array([0, s, c])
    u, v = np.meshgrid(*[(np.arange(size) + 0.5) / size - 0.5] * 2)
    ray = forward + 0.75 * (u[..., None] * (1, 0, 0) - v[..., None] * up)
    ray /= np.linalg.norm(ray, axis=-1, keepdims=True)
    rotation = np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])

    def solid(p):
        return distance(p @ rotation)

    travelled = np.full((size, size), 1.0)
    for _ in range(50):
        p = -2.0 * forward + travelled[..., None] * ray
        gap = solid(p)
        travelled = np.minimum(travelled + gap, 4.0)
    normal = np.stack([solid(p + step) - gap for step in 0.002 * np.eye(3)], -1)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    light = np.clip(normal @ (np.array([-0.5, -0.6, 0.7]) / 1.05), 0, 1) * 0.75 + 0.25
    grain = 1 + 0.08 * np.sin(40 * p[..., 0] + 6 * np.sin(9 * p[..., 2]))
    rgb = np.clip(np.array(colour) * (light * grain)[..., None], 0, 1) ** (1 / 2.2)
    return np.uint8(255 * np.concatenate([rgb, (gap < 0.005)[..., None]], -1))


def wall(rgba):
    """The picture on a plain wall, darker towards its corner."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    paper = np.stack([0.86 - 0.08 * x - 0.06 * y] * 3, -1) * (1, 0.99, 0.96)
    alpha = rgba[..., 3:] / 255
    return np.uint8(255 * ((rgba[..., :3] / 255) * alpha + paper * (1 - alpha)))


def around(folder, count=20, size=96):
    """Pictures from all sides and heights, and transforms.json with the cameras that `draw` has."""
    folder.mkdir(exist_ok=True)
    rows = []
    for i in range(count):
        turn, lift = 2 * np.pi * i / count, 0.3 + 0.6 * np.sin(2.4 * i)
        Image.fromarray(draw(lamp, (0.6, 0.5, 0.25), turn, lift, size)).save(folder / f"{i:02d}.png")
        c, s = np.cos(lift), np.sin(lift)
        camera = np.eye(4)
        camera[:3] = np.array([(1, 0, 0), (0, s, c), (0, -c, s), (0, -2 * c, 2 * s)]).T
        back = np.eye(4)  # the picture turns the lamp; the cameras go round it instead
        back[:2, :2] = [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        rows.append({"file_path": f"{i:02d}.png", "transform_matrix": (back @ camera).tolist()})
    text = json.dumps({"camera_angle_x": 2 * np.arctan(0.375), "frames": rows})
    (folder / "transforms.json").write_text(text, "utf-8")


def main(folder):
    folder = Path(folder)
    (folder / "shelf").mkdir(parents=True, exist_ok=True)
    around(folder / "around")
    Image.fromarray(wall(draw(stool, (0.5, 0.26, 0.11)))).save(folder / "stool.png")
    Image.fromarray(draw(vase, (0.08, 0.25, 0.45))).save(folder / "Väse 花.png")
    (folder / "sides").mkdir(exist_ok=True)
    for number, name in enumerate(("front", "right", "back")):
        seen = draw(chair, (0.1, 0.2, 0.6), -number * np.pi / 2)
        Image.fromarray(seen).save(folder / "sides" / f"{name}.png")
    shelf = [(stool, (0.4, 0.1, 0.08)), (vase, (0.5, 0.35, 0.1)), (lamp, (0.6, 0.5, 0.25))]
    for number in range(3):
        solid, colour = shelf[number]
        Image.fromarray(wall(draw(solid, colour, 0.2 + number))).save(folder / "shelf" / f"thing {number}.png")
    (folder / "shelf" / "thing 3.png").write_text("this is a text file that somebody renamed\n")


if __name__ == "__main__":
    main(sys.argv[1])
