"""The object in a picture, as all verbs see it: a given mask, the picture's alpha, a plain background, the network."""

from __future__ import annotations

import functools

from ..geometry import background
from ..geometry.picture import Picture
from ..nets import catalog, checkpoint, device, matting

NETWORK = "matting"


def isolate(picture: Picture, mask: Picture | None = None, asked: str = "auto") -> tuple[background.Isolated, str]:
    """The object, and a sentence where the network was wanted and is not there ("" otherwise).

    Raises ValueError with a sentence where no object is found, or where the mask does not fit."""
    if mask:
        return background.cut_out(picture, mask), ""
    notes: list[str] = []

    def network(small):
        try:
            return foreground(small, asked)
        except ValueError as error:
            notes.append(f"the background of {picture.name} is not plain, and {error}; look at the mask")
            return None

    try:
        found = background.isolate(picture, network)
    except ValueError as error:
        raise ValueError(str(error) + "".join(f" ({note})" for note in notes)) from None
    return found, "" if found.sure else " ".join(notes)


def foreground(rgb, asked: str = "auto"):
    """Which pixels (H, W) bool of rgb (H, W, 3) the network takes for the object. Raises ValueError without weights."""
    if not catalog.bundled(NETWORK):
        raise ValueError("this copy of Maquette has no network for such backgrounds")
    where = device.pick(asked)
    sure = device.with_less_memory(lambda there, chunks: matting.foreground(loaded(str(there)), rgb), where, (1,))
    return sure > float(catalog.card(NETWORK).get("level", 0.5))


@functools.lru_cache(maxsize=2)
def loaded(where: str):
    """The network on a device, kept warm between requests."""
    return checkpoint.load(NETWORK, where)
