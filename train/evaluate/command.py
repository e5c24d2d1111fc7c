"""`python -m maquette.train evaluate NETWORK ...`: each network's measure has a module of its name beside this one."""

import importlib
import sys

MEASURES = (
    *("image_to_field", "refiner", "several", "sides", "confidence", "designs", "matting", "capture", "poses"),
    *("shape_vae", "shape_gan", "head_vae", "shape_class", "encode", "fit"),
)


def main(argv):
    if not argv or argv[0] not in MEASURES:
        print(f"usage: maquette.train evaluate {{{','.join(MEASURES)}}} [...]", file=sys.stderr)
        return 0 if argv[:1] in (["-h"], ["--help"]) else 2
    try:
        importlib.import_module(f".{argv[0]}", __package__).main(argv[1:])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0
