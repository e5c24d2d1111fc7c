"""What `make test` says when Blender's module does not load: the packages to install, by name."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture
def check_bpy():
    path = Path(__file__).resolve().parents[1] / ".ci" / "check_bpy.py"
    spec = importlib.util.spec_from_file_location("check_bpy", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_missing_libraries_become_packages(check_bpy):
    listing = """
        linux-vdso.so.1 (0x00007ffd)
        libXi.so.6 => not found
        libSM.so.6 => not found
        libX11.so.6 => /lib/x86_64-linux-gnu/libX11.so.6 (0x00007f0c)
        libsurprise.so.2 => not found
    """
    assert check_bpy.missing_packages(listing) == ["libsm6", "libsurprise.so.2", "libxi6"]


def test_nothing_missing_is_nothing_to_install(check_bpy):
    assert check_bpy.missing_packages("libX11.so.6 => /lib/libX11.so.6 (0x00007f0c)") == []
