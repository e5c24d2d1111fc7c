"""The built zip in other releases of Blender, each in a Python that holds Blender's module and numpy alone.

The worker runs in the environment of these tests. MAQUETTE_BLENDERS names a folder made by `.ci/blenders FOLDER`;
without it nothing is tried here.
"""

import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SMOKE = ROOT / "tests" / "blender" / "smoke.py"
VERSIONS = ("4.2.23", "5.0.1", "5.2.3")
WORKERS_OWN = ("torch", "scipy", "skimage", "trimesh", "PIL", "fast_simplification", "xatlas", "safetensors")
WORKERS_OWN += ("maquette",)


def skip(why: str):
    warnings.warn(f"THE EXTENSION WAS NOT TRIED IN THIS BLENDER: {why}", stacklevel=1)
    pytest.skip(why)


@pytest.fixture(params=VERSIONS)
def blender(request) -> tuple[str, Path]:
    """Version, and the Python that holds it."""
    folder = os.environ.get("MAQUETTE_BLENDERS", "")
    if not folder:
        skip(f"Blender {request.param}: `.ci/blenders FOLDER` makes it, MAQUETTE_BLENDERS=FOLDER tries it")
    folder = Path(folder).resolve()
    absent = folder / f"{request.param}.absent"
    if absent.exists():
        skip(absent.read_text("utf-8").strip())
    python = folder / request.param / "bin" / "python"
    assert python.exists(), f"{folder} has no Blender {request.param}: run .ci/blenders {folder}"
    return request.param, python


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    """The extension's zip, as `make zip` builds it."""
    folder = tmp_path_factory.mktemp("zip")
    run = subprocess.run([sys.executable, ROOT / ".ci" / "zip.py", folder], capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return Path(run.stdout.splitlines()[-1])


def inside(python: Path, *arguments: object, folder: Path) -> str:
    """Runs `python` with nothing of ours on its path and settings of its own; returns what it printed."""
    leaks = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in leaks}
    environment |= {"BLENDER_USER_RESOURCES": str(folder / "blender"), "XDG_CACHE_HOME": str(folder / "cache")}
    (folder / "blender").mkdir(exist_ok=True)
    run = subprocess.run(
        [str(python), *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, f"exit {run.returncode}\n{run.stdout[-6000:]}\n{run.stderr[-6000:]}"
    return run.stdout


def test_it_holds_blender_and_numpy_alone(blender, tmp_path):
    version, python = blender
    script = (
        "import importlib.util as u, bpy, numpy\n"
        f"print([n for n in {WORKERS_OWN!r} if u.find_spec(n)], bpy.app.version_string.split()[0])"
    )
    assert inside(python, "-c", script, folder=tmp_path).splitlines()[-1] == f"[] {version}"


def test_the_zip_works_there(blender, archive, tmp_path):
    """Install, enable, run every operator, draw the panels, disable; smoke.py writes its verdict last."""
    _, python = blender
    verdict = tmp_path / "verdict"
    printed = inside(python, SMOKE, archive, sys.executable, verdict, folder=tmp_path)
    assert verdict.exists() and verdict.read_text("utf-8").strip() == "ok", printed[-6000:]
