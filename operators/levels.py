"""The level that Automatic stands for: of a result its field's own, of what is still to be made the network's."""

from ..nets import catalog
from . import provenance

NETWORK = "image_to_field"


def of_network() -> float:
    """Where the network's surface is, by its card; the worker says what is wrong with a card that cannot be read."""
    try:
        return float(catalog.card(NETWORK).get("level", 0.5))
    except ValueError:
        return 0.5


def of_field(thing) -> float:
    """Where the surface of a result's field is; results from before this was recorded have the network's."""
    return float(provenance.read(thing)["report"].get("field_level", of_network()))
