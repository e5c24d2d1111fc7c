"""The pip package: the root of a checkout, whatever its folder is called, is `maquette`; as a wheel and editable."""

import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LISTED = set(PROJECT["tool"]["setuptools"]["packages"])
NO_PACKAGE = {"tests", "docs", "examples", "out", "runs", "shards", "build", "dist"}


def packages() -> set[str]:
    """Dotted names of all folders with an __init__.py, under the name `maquette`."""
    tops = [path for path in ROOT.iterdir() if path.name not in NO_PACKAGE and not path.name.startswith(".")]
    inits = [path for top in tops for path in top.rglob("__init__.py")]
    return {"maquette", *(".".join(("maquette", *path.parent.relative_to(ROOT).parts)) for path in inits)}


def run(*command: object, cwd: Path) -> str:
    """Runs to the end without this process's import path; returns stdout, shows all on failure."""
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of the committed and the new files, in a folder with a dot and a space in its name."""
    copy = tmp_path_factory.mktemp("package") / "my checkout.of-this"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True
    )
    if listed.returncode != 0:
        pytest.skip("not a clone: git cannot list the files")
    for name in filter(None, listed.stdout.decode().split("\0")):
        source = ROOT / name
        if source.is_file() and not name.startswith(("tests/", "docs/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            (copy / name).write_bytes(source.read_bytes())
    return copy


def wheel(hook: str, checkout: Path, folder: Path) -> Path:
    """Calls setuptools' hook as pip does: no network, no build environment."""
    folder.mkdir()
    script = f"from setuptools import build_meta; print(build_meta.{hook}({str(folder)!r}))"
    return folder / run(sys.executable, "-c", script, cwd=checkout).splitlines()[-1]


ASK = """
import site, sys
site.addsitedir(sys.argv[1])
sys.path.append(sys.argv[2])
import maquette, maquette.jobs, maquette.nets, maquette.geometry, maquette.cli
from pathlib import Path
assert callable(maquette.cli.main)
print(Path(maquette.__file__).resolve().parent)
"""


def imported_from(site: Path, cwd: Path) -> Path:
    """The folder that `import maquette` finds where `site` is installed, seen from `cwd`.

    -S keeps this environment's own editable install out; numpy's folder is added without it."""
    libraries = Path(numpy.__file__).parents[1]
    return Path(run(sys.executable, "-I", "-S", "-B", "-c", ASK, site, libraries, cwd=cwd).splitlines()[-1])


def test_every_package_is_listed():
    assert packages() == LISTED


def test_versions_agree():
    manifest = tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))
    assert manifest["version"] == PROJECT["project"]["version"]
    assert f"## {manifest['version']} " in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_a_wheel_holds_the_package_and_imports(checkout, tmp_path):
    built = wheel("build_wheel", checkout, tmp_path / "dist")
    with zipfile.ZipFile(built) as opened:
        names = set(opened.namelist())
        opened.extractall(tmp_path / "site")
    assert {
        *(
            "maquette/__init__.py",
            "maquette/cli/__init__.py",
            "maquette/jobs/launch.py",
            "maquette/blender_manifest.toml",
        ),
        *("maquette/nets/weights/image_to_field.safetensors", "maquette/nets/weights/image_to_field.json"),
    } <= names
    folders = {name.split("/")[0] for name in names}
    assert folders == {"maquette", f"maquette-{PROJECT['project']['version']}.dist-info"}
    assert not [name for name in names if name.startswith(("maquette/tests", "maquette/docs", "maquette/build"))]
    assert imported_from(tmp_path / "site", tmp_path) == (tmp_path / "site" / "maquette").resolve()


def test_an_editable_install_is_the_checkout_itself(checkout, tmp_path):
    built = wheel("build_editable", checkout, tmp_path / "dist")
    site = tmp_path / "site"
    with zipfile.ZipFile(built) as opened:
        opened.extractall(site)
    assert imported_from(site, tmp_path) == checkout.resolve()


def test_the_command_is_declared():
    assert PROJECT["project"]["scripts"] == {"maquette": "maquette.cli:main"}
