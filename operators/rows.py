"""Many results beside each other."""

import math

GAP = 0.25
"""Space between the objects of a row, as a share of their size."""


def row(widths, size: float):
    """x of the middle of each object of a row that begins at 0, with `widths` and gaps that go by `size`."""
    places, reach = [], 0.0
    for number, width in enumerate(widths):
        places.append(reach + width / 2 if number else 0.0)
        reach = places[-1] + width / 2 + GAP * size
    return places


def grid(count: int, width: float, depth: float):
    """(x, y) of the middle of each object of a square grid that begins at 0 and goes to the right, then away."""
    side = math.ceil(math.sqrt(count))
    step = (width + GAP * max(width, depth), depth + GAP * max(width, depth))
    return [(number % side * step[0], number // side * step[1]) for number in range(count)]
