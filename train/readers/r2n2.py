"""ShapeNet as 3D-R2N2 rendered it (Choy 2016, arXiv:1604.00449), the data of the field's tables.

    FOLDER/ShapeNetRendering/<category>/<model>/rendering/00.png ... 23.png      137 x 137 RGBA
    FOLDER/ShapeNetRendering/<category>/<model>/rendering/rendering_metadata.txt  a line a picture
    FOLDER/ShapeNetVox32/<category>/<model>/model.binvox                          32^3

A line of the metadata holds azimuth, elevation, in-plane rotation (degrees), distance (a share of 1.75 units) and field
of view. The renderer never set the last, which is 25 in every line: pictures were taken with Blender's own 35 mm on a
32 mm sensor, as all later projects that project into them found.

Frame: models are y up. The renderer put the camera at azimuth 0 on the model's +x and turned it towards +z. In the
world's axes, z up, that is +x turning towards -y: R2N2's azimuth a is our azimuth 90 - a, where 0 is a camera at -y.
`agreement` measures on the data itself whether that holds.

ShapeNet's terms allow research only, and nobody may pass the data on: it stays with the user who has it.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

from ...geometry import frames
from . import binvox

CLASSES = {
    "02691156": "airplane", "02828884": "bench", "02933112": "cabinet", "02958343": "car", "03001627": "chair",
    "03211117": "display", "03636649": "lamp", "03691459": "speaker", "04090263": "rifle", "04256520": "sofa",
    "04379243": "table", "04401088": "telephone", "04530566": "watercraft",
}  # fmt: skip
"""The 13 categories that are scored, by their WordNet offsets."""
PICTURES, METADATA = "ShapeNetRendering", "rendering_metadata.txt"
VOXELS = "ShapeNetVox32"
FARTHEST = 1.75
FOCAL = 35 / 32
"""Focal length in picture widths."""
TRAINED = 0.8
"""Share of each category's models, sorted by name, that 3D-R2N2 trains on; the rest are its test set."""


@dataclass(frozen=True)
class View:
    """A picture and where it was taken from; azimuth as the file has it, degrees, distance in the model's units."""

    picture: Path
    azimuth: float
    elevation: float
    distance: float

    @property
    def turn(self) -> float:
        """The camera's azimuth in degrees as this project counts it: 0 at -y, 90 at +x."""
        return 90.0 - self.azimuth

    def pinhole(self, width: int, height: int) -> np.ndarray:
        """(3, 3) in pixels."""
        return np.array([[FOCAL * width, 0, width / 2], [0, FOCAL * width, height / 2], [0, 0, 1.0]])

    def rgba(self) -> np.ndarray:
        """(H, W, 4) float32 in [0, 1], straight alpha. Raises ValueError naming the picture."""
        try:
            with Image.open(self.picture) as opened:
                if opened.mode not in ("RGBA", "LA", "PA"):
                    raise ValueError(f"{self.picture} has no alpha; R2N2's renderings are RGBA")
                return np.asarray(opened.convert("RGBA"), np.float32) / 255
        except (OSError, SyntaxError) as error:
            raise ValueError(f"{self.picture} cannot be read as a picture: {error}") from None


@dataclass(frozen=True)
class Sample:
    """One model: where its pictures and its voxels lie. Nothing is read until it is asked for."""

    category: str
    model: str
    rendering: Path
    voxels: Path

    @property
    def kind(self) -> str:
        return CLASSES.get(self.category, self.category)

    def views(self, count: int) -> list[View]:
        """The first `count` pictures, as the published tests take them. Raises ValueError naming the sample."""
        path = self.rendering / METADATA
        try:
            lines = [line.split() for line in path.read_text("ascii").splitlines() if line.strip()]
            numbers = [[float(x) for x in line] for line in lines]
        except (OSError, ValueError) as error:
            raise ValueError(f"{path} cannot be read: {error}") from None
        if len(numbers) < count or any(len(line) != 5 for line in numbers[:count]):
            raise ValueError(f"{path} does not hold {count} lines of five numbers")
        found = []
        for index, (azimuth, elevation, rolled, distance, _) in enumerate(numbers[:count]):
            if not np.isfinite([azimuth, elevation, rolled, distance]).all() or abs(rolled) > 0.5:
                raise ValueError(f"{path} line {index + 1} is no upright camera: in-plane rotation {rolled:g}")
            found.append(View(self.rendering / f"{index:02d}.png", azimuth, elevation, distance * FARTHEST))
        return found

    def truth(self) -> np.ndarray:
        """(32, 32, 32) bool in the world's axes, canonical as stored. Raises ValueError naming the file."""
        stored = binvox.read(self.voxels).values
        if not stored.any():
            raise ValueError(f"{self.voxels} holds no filled voxel")
        return binvox.upright(stored)


def samples(folder: str | Path, part: str = "test", split: str | Path = "", categories=()) -> list[Sample]:
    """The samples of a part ("train", "val", "test" or "all"), category by category, models by name.

    Without a split file the part is 3D-R2N2's own rule (lib/data_io.py): the first 80 % of each category's model
    folders, sorted by name, are trained on, the rest tested. `split` names a JSON list of {"taxonomy_id", "train",
    "val", "test"} as Pix2Vox publishes it, or a CSV with columns synsetId, modelId and split, as ShapeNet's all.csv.
    Raises ValueError where the folder is not in this layout or the split names nothing in it.
    """
    folder = Path(folder)
    for needed in (PICTURES, VOXELS):
        if not (folder / needed).is_dir():
            raise ValueError(f"{folder} has no folder {needed}; R2N2's data is a folder with {PICTURES} and {VOXELS}")
    present = sorted(path.name for path in (folder / PICTURES).iterdir() if path.is_dir())
    wanted = [name for name in present if not categories or name in categories or CLASSES.get(name) in categories]
    chosen = read_split(split, part) if split else None
    found = []
    for category in wanted:
        if chosen is None:
            models = sorted(path.name for path in (folder / PICTURES / category).iterdir() if path.is_dir())
            cut = int(len(models) * TRAINED)
            parts = {"train": models[:cut], "test": models[cut:], "all": models}
            if part not in parts:
                raise ValueError(f"without a split file there are only train, test and all, no {part!r}")
            models = parts[part]
        else:
            models = chosen.get(category, [])
        found += [sample(folder, category, model) for model in models]
    if not found:
        raise ValueError(f"{folder} holds no {part} models" + (f" that {split} names" if split else ""))
    return found


def sample(folder: Path, category: str, model: str) -> Sample:
    rendering = folder / PICTURES / category / model / "rendering"
    return Sample(category, model, rendering, folder / VOXELS / category / model / "model.binvox")


def read_split(path: str | Path, part: str) -> dict[str, list[str]]:
    """{category: models} of a part, from a file. Raises ValueError naming it where it is neither kind."""
    path, chosen = Path(path), {}
    try:
        if path.suffix.lower() == ".json":
            for entry in json.loads(path.read_text("utf-8")):
                lists = [entry.get(name, []) for name in ("train", "val", "test")] if part == "all" else [entry[part]]
                chosen[str(entry["taxonomy_id"])] = [str(model) for models in lists for model in models]
        elif path.suffix.lower() == ".csv":
            with path.open(newline="", encoding="utf-8") as file:
                for row in csv.DictReader(file):
                    if part in (row["split"], "all"):
                        chosen.setdefault(row["synsetId"].zfill(8), []).append(row["modelId"])
        else:
            raise ValueError("a split is a .json or a .csv file")
    except (OSError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read as a split: {error}") from None
    return chosen


def agreement(one: Sample, view: View) -> float:
    """How well the true voxels, seen through the view's camera, cover what its picture shows: IoU of silhouettes.

    The voxels fatten shapes by up to a voxel, so 1 is never reached; a wrong frame falls far below the right one.
    """
    voxels, shown = binvox.read(one.voxels), view.rgba()[..., 3] > 0.5
    size = np.array(shown.shape)
    nodes = (np.stack(np.meshgrid(*[[-1, 0, 1]] * 3), -1).reshape(-1, 3)) / 3 * (voxels.scale / len(voxels.values))
    points = (voxels.centres()[:, None] + nodes).reshape(-1, 3)
    camera = frames.orbit(view.turn, view.elevation, view.distance)
    pixels, depth = frames.project(frames.y_up_to_z_up(points), camera, view.pinhole(*size[::-1]))
    places = np.floor(pixels[depth > 0]).astype(int)[:, ::-1]
    places = places[((places >= 0) & (places < size)).all(1)]
    drawn = np.zeros(shown.shape, bool)
    drawn[tuple(places.T)] = True
    drawn = ndimage.binary_closing(drawn, iterations=1) | drawn
    return float((drawn & shown).sum() / max((drawn | shown).sum(), 1))
