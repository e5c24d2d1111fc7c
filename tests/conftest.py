"""Fixtures that several rooms' tests share."""

import os
import sys
from pathlib import Path

import pytest

# Where tests run side by side (`make test`), each process and those that it starts have their share of the cores alone.
if beside := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0)):
    os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // beside)))

ROOT = Path(__file__).resolve().parents[1]

# The tests are about this checkout, installed or not and whatever its folder is called.
if "maquette" not in sys.modules:
    from importlib.util import module_from_spec, spec_from_file_location

    _spec = spec_from_file_location("maquette", ROOT / "__init__.py", submodule_search_locations=[str(ROOT)])
    sys.modules["maquette"] = module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["maquette"])


@pytest.fixture(scope="session")
def root() -> Path:
    """The extension's folder."""
    return ROOT


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory):
    """Caches and Blender's settings of the tests stay out of the user's."""
    folder = tmp_path_factory.mktemp("home")
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA", "BLENDER_USER_RESOURCES"):
        os.environ[name] = str(folder / name.lower())
        Path(os.environ[name]).mkdir()


@pytest.fixture(scope="session")
def ellipsoid(tmp_path_factory):
    """Pictures of a striped ellipsoid off the origin, traced exactly: twenty to fit, four held out, as NeRF's lie."""
    import json
    from types import SimpleNamespace

    import numpy as np

    from maquette.geometry import frames
    from maquette.geometry.picture import write_picture

    centre, radii, side, fov = np.array([3.0, -2.0, 5.0]), np.array([0.7, 0.5, 0.4]), 72, 40.0

    def seen_from(camera):
        """(side, side, 4) sRGB in [0, 1], straight alpha."""
        origin, ways = frames.rays(camera, frames.intrinsics(fov, side, side), side, side)
        start, way = (origin - centre) / radii, ways / radii
        a, b, c = (way**2).sum(-1), (way * start).sum(-1), (start**2).sum() - 1
        inside = b * b - a * c > 0
        along = (-b - np.sqrt(np.maximum(b * b - a * c, 0))) / a
        point = start + along[..., None] * way
        stripe = np.sin(9 * point[..., 2:]) > 0
        colour = np.where(stripe, [0.9, 0.3, 0.1], [0.1, 0.4, 0.8]) * (0.75 + 0.25 * point[..., :1])
        return np.concatenate([np.clip(colour, 0, 1), inside[..., None]], -1).astype(np.float32)

    root = tmp_path_factory.mktemp("ellipsoid")
    for split, count, shift in (("train", 20, 0), ("test", 4, 10)):
        (root / split).mkdir()
        rows = []
        for i in range(count):
            camera = frames.orbit(shift + 360 * i / count, 50 * np.sin(2.4 * i + shift), 2.6, centre)
            write_picture(seen_from(camera), root / split / f"r_{i}.png")
            rows.append({"file_path": f"./{split}/r_{i}", "transform_matrix": camera.tolist()})
        text = json.dumps({"camera_angle_x": np.radians(fov), "frames": rows})
        (root / f"transforms_{split}.json").write_text(text, "utf-8")
    return SimpleNamespace(folder=root, centre=centre, radii=radii, seen_from=seen_from)
