"""What a sampled object shows and holds, and whether all that was wished for is there."""

import json


def shows(thing) -> bool:
    from maquette.operators import sampled

    return sampled.shows(thing)


def idle() -> bool:
    from maquette.operators import follow
    from maquette.operators.live import Live

    return Live.wish is None and not follow.Follow.changed


def recorded(thing) -> dict:
    return json.loads(thing["maquette"])["request"]
