"""Fixtures that several rooms' tests share."""

import os
import sys
from pathlib import Path

import pytest

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
