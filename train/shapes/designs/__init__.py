"""Objects designed by named numbers, for Sample: what a number is called here is what its slider is called.

A design draws each named number evenly from its documented range; a few more it draws without naming them, which the
network has to find. The object stands in a cube of fixed size in metres, z up, its front towards -y, on the floor or (aircraft) in the
middle: a seat's height in centimetres is then the same height in the grid for every chair. Left mirrors right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..program import Parts, refit

UNITS = {"cm": 0.01, "m": 1.0, "°": np.pi / 180, "": 1.0}
FLOOR = -0.5 + 1 / 32
"""Where the floor lies in the unit cube"""


@dataclass(frozen=True)
class Design:
    name: str
    """Lower case, plural is not needed: "chair"."""
    build: Callable[[Numbers], None]
    side: float
    """The cube, metres"""
    share: float = 1.0
    """How often it is drawn for training, against the others"""


@dataclass(frozen=True)
class Range:
    """Of one named number, in its own unit."""

    low: float
    high: float
    unit: str


class Numbers(Parts):
    """Parts of `count` objects at once, with a register of what was drawn.

    given (count, P): the numbers to build with, in their order and units, instead of drawing them."""

    def __init__(self, count: int, rng: np.random.Generator, given: np.ndarray | None = None):
        super().__init__(count, rng)
        self.given, self.ranges = given, {}

    def number(self, name: str, low: float, high: float, unit: str = "") -> np.ndarray:
        """(count,) in metres, radians or plain."""
        drawn = self.rng.uniform(low, high, self.count)
        value = drawn if self.given is None else self.given[:, len(self.ranges)]
        self.ranges[name] = Range(low, high, unit)
        self.parameters[name] = value
        return value * UNITS[unit]

    def unnamed(self, low: float, high: float) -> np.ndarray:
        """(count,) of what no slider is promised for."""
        return self.rng.uniform(low, high, self.count)


def designs() -> dict[str, Design]:
    """All of them by name, in the order in which networks count them."""
    from . import machines, rooms, seats, table_ware

    rows = (*seats.DESIGNS, *rooms.DESIGNS, *table_ware.DESIGNS, *machines.DESIGNS)
    return {row.name: row for row in rows}


def ranges(design: Design) -> dict[str, Range]:
    """The numbers of a design, in order."""
    numbers = Numbers(1, np.random.default_rng(0))
    design.build(numbers)
    return numbers.ranges


def tables(design: Design, count: int, rng: np.random.Generator, given: np.ndarray | None = None):
    """-> tables (count, K, WIDTH) in the unit cube and the numbers (count, P) they were built with."""
    numbers = Numbers(count, rng, given)
    design.build(numbers)
    unit = refit(numbers.table.reshape(-1, numbers.table.shape[-1]), np.zeros(3), 1 / design.side)
    unit = unit.reshape(numbers.table.shape)
    unit[..., 8] += np.where(unit[..., 0] != 0, FLOOR, 0)  # z of the centres
    return unit, np.stack(list(numbers.parameters.values()), 1)
