"""The extension's zip: Blender's own tool builds and validates it, and it holds the extension and nothing else."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MANIFEST = tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))

# Everything that may be in it; whatever else turns up is a leftover that the manifest should exclude.
WELCOME = re.compile(
    r"""
      (__init__|__main__|preferences)\.py
    | (operators|panels|properties|jobs|geometry|nets|cli)/[a-z_]+\.py
    | nets/weights/[a-z_0-9]+\.(safetensors|json)
    | blender_manifest\.toml | LICENSE | THIRD_PARTY\.md
    """,
    re.VERBOSE,
)


def build(source: Path, folder: Path) -> Path:
    """Builds the zip of the checkout `source` into `folder` as `make zip` does, in a Python of its own."""
    run = subprocess.run(
        [sys.executable, str(source / ".ci" / "zip.py"), str(folder)], capture_output=True, text=True, timeout=300
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return Path(run.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    return build(ROOT, tmp_path_factory.mktemp("zip"))


@pytest.fixture(scope="module")
def names(archive):
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        return {name for name in opened.namelist() if not name.endswith("/")}


def test_it_is_named_after_id_and_version(archive):
    assert archive.name == f"{MANIFEST['id']}-{MANIFEST['version']}.zip"


def test_it_holds_nothing_but_the_extension(names):
    assert sorted(name for name in names if not WELCOME.fullmatch(name)) == []


def test_every_module_of_its_rooms_is_in(names):
    rooms = ("operators", "panels", "jobs", "geometry", "nets")
    sources = [*ROOT.glob("*.py"), *(path for room in rooms for path in (ROOT / room).glob("*.py"))]
    assert {path.relative_to(ROOT).as_posix() for path in sources} <= names


def test_notices_and_licence_are_in(names):
    assert {"THIRD_PARTY.md", "LICENSE", "blender_manifest.toml"} <= names


def test_the_weights_are_in_and_whole(archive, names):
    """Every network ships its weights with a card, byte for byte, 16 MiB at most a file."""
    files = [path for path in (ROOT / "nets" / "weights").iterdir() if path.suffix in (".safetensors", ".json")]
    assert {"nets/weights/image_to_field.safetensors", "nets/weights/image_to_field.json"} <= names
    with zipfile.ZipFile(archive) as opened:
        for path in files:
            content = opened.read(path.relative_to(ROOT).as_posix())
            assert content == path.read_bytes()
            assert len(content) <= 16 * 2**20


@pytest.mark.parametrize("card", sorted((ROOT / "nets" / "weights").glob("*.json")), ids=lambda path: path.stem)
def test_cards_name_no_folder_of_the_machine_that_trained(card):
    assert re.findall(r'"(?:/|~|[A-Z]:\\)[^"]*"', card.read_text("utf-8")) == []


def test_everything_in_it_is_committed(names):
    """A stray file in the tree must not ship. Outside a clone there is nothing to ask."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a clone: git knows nothing of this folder")
    assert sorted(names - set(listing.stdout.split("\0"))) == []


def test_leftovers_stay_out(tmp_path):
    """Caches, environments, outputs and notes that lie in a used checkout do not ship."""
    checkout = tmp_path / "a checkout.of any-name"
    for name in (
        *("__init__.py", "jobs/__init__.py", "nets/weights/net.safetensors"),
        *(".venv/lib/x.py", ".git/config", ".ci-cache/x", ".ruff_cache/x", ".bpy-5.0.1/x", ".DS_Store"),
        *("jobs/__pycache__/x.cpython-311.pyc", "geometry/ruff.toml", "tests/test_x.py", "train/loop.py"),
        *("docs/guide.md", "examples/chair.png", "out/chair.glb", "runs/1/last.pt", "shards/0.pt", "build/lib/x.py"),
        *("dist/maquette-0.0.9.zip", "maquette-0.0.9.zip", "maquette.egg-info/PKG-INFO", "worker.log", "Makefile"),
        *("pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE", "THIRD_PARTY.md"),
    ):
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    for name in ("blender_manifest.toml", ".ci/zip.py"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_bytes((ROOT / name).read_bytes())
    with zipfile.ZipFile(build(checkout, tmp_path / "dist")) as opened:
        assert {name for name in opened.namelist() if not name.endswith("/")} == {
            *("__init__.py", "jobs/__init__.py", "nets/weights/net.safetensors"),
            *("blender_manifest.toml", "LICENSE", "THIRD_PARTY.md"),
        }


def test_permissions_give_their_reasons():
    assert set(MANIFEST["permissions"]) == {"files", "network", "clipboard"}
    assert all(len(reason) <= 64 and reason[-1].isalnum() for reason in MANIFEST["permissions"].values())
    assert MANIFEST["schema_version"] == "1.0.0"
    assert MANIFEST["blender_version_min"] == "4.2.0"
    assert MANIFEST["license"] == ["SPDX:GPL-3.0-or-later"]
