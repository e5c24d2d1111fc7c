"""Without a window, with the real network: the installed zip beside only Blender and numpy, scripts, commands."""

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

HERE = Path(__file__).resolve().parent
LOAD = (
    "import sys, importlib.util as u\n"
    "root = sys.argv[1]\n"
    "spec = u.spec_from_file_location('maquette', root + '/__init__.py', submodule_search_locations=[root])\n"
    "maquette = sys.modules['maquette'] = u.module_from_spec(spec); spec.loader.exec_module(maquette)\n"
)


def run(python, *arguments, folder: Path, code: int = 0) -> subprocess.CompletedProcess:
    """Runs to the end and checks the exit code; a script of ours that hangs in its exit fails here."""
    settings = folder / "blender"
    settings.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment |= {"BLENDER_USER_RESOURCES": str(settings), "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [str(python), *map(str, arguments)],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory) -> Path:
    """A Python that has bpy and numpy and nothing else, as Blender's own."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = Path(subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True).stdout.strip())
    installed = Path(sysconfig.get_path("purelib"))
    for name in ("bpy", "numpy", "numpy.libs"):
        if (installed / name).exists():
            (place / name).symlink_to(installed / name)
    return python


@pytest.fixture(scope="session")
def archive(root, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("zip")
    done = run(sys.executable, root / ".ci" / "zip.py", folder, folder=folder)
    return Path(done.stdout.splitlines()[-1])


def test_the_installed_zip_beside_nothing_but_blender_and_numpy(bare_python, archive, tmp_path):
    verdict = tmp_path / "verdict"
    done = run(bare_python, HERE / "smoke.py", archive, sys.executable, verdict, folder=tmp_path)
    assert verdict.exists() and verdict.read_text() == "ok\n", done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr


def test_the_example_makes_a_row(root, tmp_path):
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("chair.png", "mug.png"):
        (pictures / name).write_bytes((root / "examples" / name).read_bytes())
    run(sys.executable, root / "examples" / "reconstruct_folder.py", pictures, tmp_path / "out", folder=tmp_path)
    found = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    assert set(found) == {"chair.glb", "mug.glb", "row.png", "row.blend"} and min(found.values()) > 10_000

    from PIL import Image

    with Image.open(tmp_path / "out" / "row.png") as picture:
        pixels = np.asarray(picture.convert("RGB"), float)
    assert pixels.std() > 10, "something is to be seen"


def test_the_example_captures_a_scene(root, tmp_path):
    """As it is but for the time it takes: few small pictures, a coarse mesh."""
    source = (root / "examples" / "capture_scene.py").read_text("utf-8")
    whole = 'VIEWS, PIXELS, SECONDS, RESOLUTION = 60, 400, 120, "128"'
    assert whole in source
    (tmp_path / "examples").mkdir()
    quick = source.replace(whole, 'VIEWS, PIXELS, SECONDS, RESOLUTION = 8, 64, 3, "64"')
    script = tmp_path / "examples" / "capture_scene.py"
    script.write_text(
        quick.replace("HERE = Path(__file__).resolve().parent", f"HERE = Path({str(root / 'x')!r})"), "utf-8"
    )
    run(sys.executable, script, tmp_path / "out", folder=tmp_path)
    assert (tmp_path / "out" / "captured.glb").stat().st_size > 10_000
    assert len(list((tmp_path / "out" / "views" / "images").iterdir())) == 8


def test_a_failing_script_ends_with_its_code(root, tmp_path):
    (tmp_path / "pictures").mkdir()
    script = root / "examples" / "reconstruct_folder.py"
    done = run(sys.executable, script, tmp_path / "pictures", tmp_path / "out", folder=tmp_path, code=1)
    assert "pictures holds no pictures" in done.stderr


def test_package_and_command_share_one_code(root, tmp_path):
    """`maquette.reconstruct(...)` and `blender --command maquette ...` on one picture, in one process: bit for bit."""
    script = LOAD + (
        "import bpy, json\n"
        "picture = sys.argv[1] + '/examples/mug.png'\n"
        "shape = maquette.reconstruct(picture, resolution=32, faces=900)\n"
        "print('saved', shape.save('api.ply'))\n"
        "assert maquette.remesh(shape.field, style='blocks').faces.shape[1] == 3\n"
        "maquette.register()\n"
        "settings = ['--resolution', '32', '--faces', '900', '--report', 'report.json']\n"
        "sys.exit(maquette._command(['reconstruct', picture, '-o', 'command.ply', *settings]))\n"
    )
    (tmp_path / "script.py").write_text(script)
    run(sys.executable, tmp_path / "script.py", root, folder=tmp_path)
    assert (tmp_path / "api.ply").read_bytes() == (tmp_path / "command.ply").read_bytes()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["watertight"] and report["faces"] > 100


def test_wrong_usage_of_the_command(root, tmp_path):
    script = LOAD + "import bpy\nmaquette.register()\nsys.exit(maquette._command(['reconstruct']))\n"
    (tmp_path / "script.py").write_text(script)
    done = run(sys.executable, tmp_path / "script.py", root, folder=tmp_path, code=2)
    assert "usage: maquette reconstruct" in done.stderr
