"""A capture's objects moved together: mesh, cameras, box, and what hangs on them."""

from . import captured

SELECT = "Select the mesh of a capture"


class OfCapture:
    """What operators have that move the active capture."""

    @classmethod
    def poll(cls, context):
        if not captured.is_capture(context.object):
            cls.poll_message_set(SELECT)
            return False
        return True


def check(things):
    """Raises ValueError naming what cannot be changed here."""
    for thing in things:
        blocks = [thing, thing.data] if thing.type == "CAMERA" else [thing]
        if any(block.library or block.override_library for block in blocks):
            raise ValueError(f"{thing.name} is linked from another file; make it local first")


def place(context, wanted: dict):
    """Give objects their new matrices, of the world.

    Each has its new place once, whoever its parents are: where a parent takes it there, it is left alone."""
    for depth in sorted(set(map(parents, wanted))):
        for thing, matrix in wanted.items():
            if parents(thing) == depth and far(thing.matrix_world, matrix):
                thing.matrix_world = matrix
        context.view_layer.update()


def parents(thing) -> int:
    return 1 + parents(thing.parent) if thing.parent else 0


def far(matrix, other) -> bool:
    """Whether two matrices differ by more than rounding."""
    size = max(abs(number) for row in other for number in row)
    return any(abs(a - b) > 1e-6 * size for row, like in zip(matrix, other) for a, b in zip(row, like))
