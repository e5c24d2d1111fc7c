"""launch.py for a worker whose Reconstruct, Encode and Fit run no network: the picture's name says what becomes of it.

    ball.png, red ball.png ...  a ball of the picture's mean colour, surer the higher
    box.png                     a box, twice as high as wide
    with lenses                 twice as large, its middle at (-1, 5, 1)
    faint ball.png              the same ball, whose field is at its surface at level .35
    slow.png                    a ball, after many small steps
    bad.png                     an error
    dies.png                    the process dies

Encode finds seed 5 of the family (chair), turned by 90 degrees, half as large and 1 m up; Fit finds seed 7, and reports
how much of the mask is white.

So operators are tested for what they do, whatever the weights are like; the real verb has tests of its own.
"""

import importlib.util
import os
import sys
import time
import types
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def reconstruct(request, progress, cancelled):
    from dataclasses import asdict, replace

    import numpy as np
    from PIL import Image

    from maquette.geometry.field import Field
    from maquette.jobs import fields
    from maquette.jobs.remesh import shape_from_field

    name = os.path.basename(request.images[0])
    progress(0.1, "Picture", name)
    if "bad" in name:
        raise ValueError(f"{name} shows nothing")
    if "dies" in name:
        print("my last words", file=sys.stderr, flush=True)
        os._exit(3)
    for step in range(200 if "slow" in name else 1):
        time.sleep(0.05 if "slow" in name else 0)
        progress(0.1 + step / 400, "Network", f"step {step}")
    n = min(request.resolution, 64)  # tests look at what becomes of a field, not at how fine it is
    x, y, z = np.meshgrid(*[(np.arange(n) + 0.5) / n - 0.5] * 3, indexing="ij")
    if "box" in name:
        values = np.minimum(np.minimum(0.2 - abs(x), 0.2 - abs(y)), 0.4 - abs(z))
    else:
        values = 0.4 - np.sqrt(x**2 + y**2 + z**2)
    with Image.open(request.images[0]) as picture:
        colour = np.asarray(picture.convert("RGB")).mean((0, 1)) / 255
    colour = np.broadcast_to(colour, (n, n, n, 3))
    level = 0.35 if "faint" in name else 0.5
    sure = np.clip(z + 0.5, 0, 1)  # from nothing at the cube's floor to all at its ceiling
    bounds = np.array([[4, 0, 0], [6, 2, 2.0]]) if request.lenses else np.array([[-0.5] * 3, [0.5] * 3])
    turn = np.pi / 2 if request.lenses else None
    field = Field(values / 0.4 + level, level, bounds, colour, sure, turn=turn)
    shape = shape_from_field(field, request.meshing, progress)
    provenance = {"verb": "reconstruct", "settings": asdict(request.meshing), "device": "cpu"}
    key, unkept = fields.keep(field, request.cache)
    view = request.view
    camera = {"elevation": 23.0 if view.elevation is None else view.elevation, "depth": view.depth or 0.95}
    report = shape.report | {"device": "cpu", "seconds": 0.0, "camera": camera} | ({"note": unkept} if unkept else {})
    if request.lenses and not request.meshing.size:
        report["in_place"] = True
    if len(request.images) == 1:
        report["cameras"] = [seen_from_the_front(request, report["placement"])]
    if len(request.images) > 1:
        names, turns = map(os.path.basename, request.images), request.turns or (0,) * len(request.images)
        views = [{"image": name, "turn": turn, "found": None, "used": True} for name, turn in zip(names, turns)]
        report["views"] = [view | {"agreement": 0.8} for view in views]
    return replace(shape, field=key, report=report, provenance=provenance)


def seen_from_the_front(request, placement):
    """The row of a picture whose camera stands before the cube, which fills nine tenths of it."""
    import numpy as np
    from PIL import Image

    from maquette.geometry.crop import Crop
    from maquette.geometry.cropped_camera import pinhole_camera
    from maquette.geometry.frames import carried_camera

    with Image.open(request.images[0]) as picture:
        width, height = picture.size
    camera, pinhole = pinhole_camera((0.0, 0.6, 0.3, 0.0, 0.0), Crop(0, 0, width, width))
    return {
        "name": os.path.basename(request.images[0]),
        "path": request.images[0],
        "matrix": carried_camera(camera, np.array(placement)).tolist(),
        "size": [width, height],
        "focal": [pinhole[0, 0], pinhole[1, 1]],
        "centre": [pinhole[0, 2], pinhole[1, 2]],
        "distortion": [0.0, 0.0, 0.0, 0.0],
        "mask": request.mask,
        "upright": True,
        "apart": True,
    }


def encode(request, progress, cancelled):
    from maquette.jobs.requests import Encoded, Point

    report = {"iou": 0.75, "family": request.family or "chair", "turn": 90.0, "scale": 0.5, "centre": [0.0, 0.0, 1.0]}
    report["bounds"] = [request.vertices.min(0).tolist(), request.vertices.max(0).tolist()]
    report["faces"] = len(request.faces)
    return Encoded(Point(report["family"], 5), report)


def fit(request, progress, cancelled):
    import numpy as np
    from PIL import Image

    from maquette.jobs.requests import Encoded, Point

    if "bad" in os.path.basename(request.image):
        raise ValueError(f"{os.path.basename(request.image)} shows nothing")
    white = 0.0
    if request.mask:
        with Image.open(request.mask) as mask:
            white = float((np.asarray(mask.convert("L")) > 127).mean())
    return Encoded(Point(request.family or "chair", 7), {"iou": white, "family": request.family or "chair"})


def load(name, path):
    spec = importlib.util.spec_from_file_location(name, path)
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    launch = load("launch", ROOT / "jobs" / "launch.py")
    incoming, outgoing = launch.claim_wire()
    launch.load_root(str(ROOT))
    for verb in (reconstruct, encode, fit):
        name = f"maquette.jobs.{verb.__name__}"
        stub = sys.modules[name] = types.ModuleType(name)
        setattr(stub, verb.__name__, verb)

    from maquette.jobs import worker

    code = worker.main(incoming, outgoing, sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)
