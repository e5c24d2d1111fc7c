"""Models that artists made, unlike any that the network was trained on: KayKit's, by the list in artists.txt."""

import zlib
from pathlib import Path

import numpy as np

from ..readers import meshes
from ..readers.shards import sample
from .measure import Case

LIST = Path(__file__).with_name("artists.txt")


def listed() -> list[str]:
    """Paths within KayKit's folder."""
    lines = LIST.read_text("utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def cases(folder, surface, views=2):
    """A Case for each view of each model, from a random side in a light of its own; what is missing is a ValueError.

    surface: stored distances (64, 64, 64) -> Mesh. Sides and lights are the same whatever else is on the list.
    """
    for within in listed():
        path = Path(folder) / within
        if not path.is_file():
            raise ValueError(f"{path} is missing; artists.txt lists KayKit's models")
        painted, name = meshes.read(path), path.name.split(".")[0]
        for view in range(views):
            random = np.random.default_rng([zlib.crc32(within.encode()), view])
            picture, distance, *_ = sample(painted, random)
            yield Case(name, name, np.float32(picture) / 255, surface(distance), str(view))
