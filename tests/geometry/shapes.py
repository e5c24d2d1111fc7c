"""Fields whose volume, place and topology are known in closed form."""

import numpy as np

from maquette.geometry.field import Field
from maquette.geometry.frames import UNIT_CUBE, cell_centres


def signed(distance, resolution=64, bounds=UNIT_CUBE, colour=None):
    """A field of a function of places (X, Y, Z, 3) that gives distances, negative inside."""
    places = cell_centres(resolution, bounds)
    return Field(-distance(places), 0.0, bounds, None if colour is None else colour(places))


def ball(centre=(0, 0, 0), radius=0.4):
    return lambda places: np.linalg.norm(places - np.array(centre, np.float32), axis=-1) - radius


def box(centre, half):
    def distance(places):
        q = np.abs(places - np.array(centre, np.float32)) - np.array(half, np.float32)
        return np.linalg.norm(np.maximum(q, 0), axis=-1) + np.minimum(q.max(axis=-1), 0)

    return distance


def ring(major=0.3, minor=0.12):
    def distance(places):
        across = np.linalg.norm(places[..., :2], axis=-1) - major
        return np.hypot(across, places[..., 2]) - minor

    return distance


def union(*distances):
    return lambda places: np.minimum.reduce([distance(places) for distance in distances])


def cut(first, second):
    return lambda places: np.maximum(first(places), -second(places))


def chair():
    """A seat, a back and four legs."""
    legs = [box((x, y, -0.25), (0.035, 0.035, 0.25)) for x in (-0.2, 0.2) for y in (-0.2, 0.2)]
    return union(box((0, 0, 0), (0.24, 0.24, 0.03)), box((0, 0.22, 0.25), (0.24, 0.03, 0.25)), *legs)


def rainbow(places):
    return np.clip(places + 0.5, 0, 1)


def blocks_of(*cells, shape=(6, 6, 6)):
    """An occupancy field with these cells filled, each a cubic metre."""
    values = np.zeros(shape, np.float32)
    for cell in cells:
        values[cell] = 1
    return Field(values, 0.5, np.array([[0, 0, 0], shape], float))
