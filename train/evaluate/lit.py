"""Validation shapes in the light of the procedural world, without colours, and for Cycles: what light is worth.

    python -m maquette.train.evaluate.lit OUT [--count 64]
    python -m maquette.train.evaluate.cycles OUT/meshes OUT/cycles --hdri MAPS.npz --views 1
    python -m maquette.train evaluate image_to_field --objects OUT/traced --no-baselines     and OUT/grey, OUT/cycles

The same shapes from the same cameras in all three; only who lit them differs. Folders are laid out as objects.py reads
them, meshes as cycles.py does, with colours of vertices and the camera in place of a texture.
"""

import argparse
import json
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.measure import marching_cubes

from ..shapes import closer, fast

GREY = 128


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train.evaluate.lit", description=__doc__.split("\n")[0])
    parser.add_argument("out", help="folder to write")
    parser.add_argument("--count", type=int, default=64)
    parser.add_argument("--seed", type=int, default=900, help="of the validation split")
    options = parser.parse_args(argv)
    write(Path(options.out), options.count, options.seed)


def write(out: Path, count: int, seed: int):
    """OUT/traced, OUT/grey and OUT/meshes, `count` shapes each."""
    (out / "meshes").mkdir(parents=True, exist_ok=True)
    shapes = closer.traced(seed, 64, "validation", None)
    for number, (picture, camera, _, table) in enumerate(islice(shapes, count)):
        name = f"{number:03d}"
        vertices, faces = surface(table)
        plain = picture.copy()
        plain[..., :3] = GREY
        for kind, rgba in (("traced", picture), ("grey", plain)):
            folder = out / kind / name
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rgba).save(folder / "view_00.png")
            np.savez_compressed(folder / "mesh.npz", v=vertices, f=faces)
            (folder / "cameras.json").write_text(json.dumps({"view_00.png": {"azimuth": 0.0}}) + "\n")
        painted = dict(v=vertices, f=faces, c=colours(table, vertices), camera=placed(camera))
        np.savez_compressed(out / "meshes" / f"{name}.npz", **painted)


def surface(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) and faces (F, 3), outward, of a posed table (K, WIDTH)."""
    distance = closer.distances(table)
    cells = len(distance)
    vertices, faces, _, _ = marching_cubes(np.pad(distance, 1, constant_values=0.1), 0.0)
    return ((vertices - 0.5) / cells - 0.5).astype(np.float32), faces.astype(np.int32)


def colours(table: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Linear base colours (V, 3) of the parts that lie nearest."""
    used, found = closer.used(table), np.zeros((len(vertices), 3))
    for place, colour in zip(vertices.astype(np.float64), found):
        _, part = fast.distance(table, used, *place)
        fast.albedo(table, part, *place, colour)
    return found.astype(np.float32)


def placed(camera: np.ndarray) -> np.ndarray:
    """A stored camera (5,) as Blender has it: elevation, angle of the square picture, shifts right and up, distance."""
    elevation, scale, distance, u0, v0 = camera.astype(np.float64)
    return np.array([elevation, 2 * np.arctan(1 / (scale * distance)), -u0 / 2, v0 / 2, distance])


if __name__ == "__main__":
    main()
