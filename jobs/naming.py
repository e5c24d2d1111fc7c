"""What a shape looks like: the name of the kind of object that it most resembles."""

import functools

import numpy as np

from ..geometry.field import Field
from ..nets import catalog, checkpoint, shape_class

NETWORK = "shape_class"
SURE = 0.6
"""Probability below which nothing is said: the network knows few kinds and must name one of them"""


def looks_like(field: Field, where) -> dict | None:
    """{"name", "probability"}, or None where the network is unsure or was not bundled."""
    inside = field.values - np.float32(field.level)
    if not catalog.bundled(NETWORK) or not (inside > 0).any() or len(set(inside.shape)) > 1:
        return None
    name, probability = shape_class.name_of(loaded(str(where)), inside)
    return {"name": name, "probability": round(probability, 3)} if probability >= SURE else None


@functools.lru_cache(maxsize=2)
def loaded(where: str):
    """The network on a device, kept warm between requests."""
    return checkpoint.load(NETWORK, where)
