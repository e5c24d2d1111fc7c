"""Blender as a Python module with Maquette registered, an empty scene, and a worker whose Reconstruct is a stub."""

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import maquette

STUB = str(Path(__file__).resolve().parent / "launch_stub.py")


@pytest.fixture(scope="session")
def bpy(own_folders):
    """Imported only now, when Blender's settings have a folder of their own."""
    import bpy

    return bpy


@pytest.fixture(scope="session")
def worker(bpy):
    """One warm worker for all tests, as for an artist; whoever kills it costs the next test a start."""
    from maquette.jobs import client

    # The cache, the preferences' Python and so on are those of the product; only the verb is another.
    client._shared = client.Worker(sys.executable, launch=STUB)
    yield client._shared
    client._shared.close()
    client._shared = None


@pytest.fixture
def scene(bpy, worker):
    """An empty scene in a fresh file, Maquette registered."""
    from maquette.jobs import client

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    maquette.register()
    yield bpy.context.scene
    client._shared = None  # unregistering ends the worker; the next test wants it warm
    maquette.unregister()
    client._shared = worker


@pytest.fixture
def pictures(tmp_path, bpy):
    """make("red ball.png", (200, 40, 40)) -> path of a picture of that one colour."""

    def make(name: str, colour=(200, 40, 40)) -> str:
        from PIL import Image

        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (64, 64), colour).save(path)
        return str(path)

    return make


@pytest.fixture
def until(scene):
    """Turn Maquette's timer by hand, as Blender's event loop would, until a condition holds."""
    from maquette.operators import tasks

    def turn(condition, seconds: float = 60.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            tasks.pump()
            time.sleep(0.01)

    return turn


@pytest.fixture
def everything(bpy, vertices):
    """A picture of all datablocks, to compare before with after: names and users, vertex positions."""

    def state():
        kinds = ("objects", "meshes", "materials", "images", "collections", "scenes")
        found = {kind: [(block.name, block.users) for block in getattr(bpy.data, kind)] for kind in kinds}
        return found | {"vertices": [vertices(mesh).tobytes() for mesh in bpy.data.meshes]}

    return state


@pytest.fixture(scope="session")
def vertices():
    """vertices(mesh) -> (V, 3) positions."""

    def read(mesh) -> np.ndarray:
        found = np.zeros(len(mesh.vertices) * 3, np.float32)
        mesh.vertices.foreach_get("co", found)
        return found.reshape(-1, 3)

    return read


os.environ.setdefault("OMP_NUM_THREADS", "1")
