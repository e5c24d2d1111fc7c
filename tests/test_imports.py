"""The floors: each room imports only what its row names, besides the standard library.

Every import is read from the syntax tree, so those inside functions count, and so do
`importlib.import_module("...")` and `__import__("...")` with a literal name.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BLENDER = frozenset({"bpy", "bpy_extras", "bmesh", "mathutils", "gpu", "gpu_extras", "blf", "addon_utils", "bl_ui"})
LIGHT = ("requests", "settings", "sampling", "capturing", "texturing", "checks")
LIGHT += ("client", "process", "environment", "protocol")
LIGHT_JOBS = frozenset(f"jobs.{name}" for name in LIGHT)
GEOMETRY = frozenset({"numpy", "scipy", "skimage", "trimesh", "PIL", "pillow_heif", "fast_simplification", "xatlas"})
NETS = frozenset({"torch", "numpy", "safetensors"})
TRAIN = frozenset({"lightning_fabric", "lightning", "torchmetrics", "tensorboard", "tqdm", "numba"})


@dataclass(frozen=True)
class Floor:
    """What a room may import: modules or whole rooms of ours, and other people's packages."""

    ours: frozenset[str] = frozenset()
    theirs: frozenset[str] = frozenset()
    only_in_functions: bool = False
    """Importing the module itself loads nothing: everything named is for function bodies."""


IN_BLENDER = Floor(
    LIGHT_JOBS | {"nets.catalog", "geometry.frames", "geometry.upright", "operators", "properties", "preferences"},
    BLENDER | {"numpy"},
)
# The longest matching name wins, so a module can have a row of its own within its room. The modules that
# Blender's process may import keep their row's narrow floor, and so do the __init__ files on the way to them.
FLOORS = {
    "": Floor(
        LIGHT_JOBS | {"operators", "panels", "properties", "preferences", "cli"}, BLENDER, only_in_functions=True
    ),
    "__main__": Floor(frozenset({"cli"})),
    "cli": Floor(LIGHT_JOBS | {"nets.catalog", "cli"}),
    "operators": IN_BLENDER,
    "properties": IN_BLENDER,
    "preferences": IN_BLENDER,
    "panels": Floor(frozenset({"panels"}), BLENDER),
    "jobs": Floor(frozenset({"jobs", "nets", "geometry"}), frozenset({"numpy", "pycolmap", "av"})),
    "jobs.__init__": Floor(LIGHT_JOBS),
    # It loads the root folder under this name, whatever the folder is called, and then the worker by it.
    "jobs.launch": Floor(theirs=frozenset({"maquette"})),
    **{name: Floor(LIGHT_JOBS, frozenset({"numpy"})) for name in LIGHT_JOBS},
    "nets": Floor(frozenset({"nets", "geometry"}), NETS),
    "nets.__init__": Floor(frozenset({"nets.catalog"})),
    "nets.catalog": Floor(),
    # Loaded by nets.lookup alone, where Triton is there.
    "nets.lookup_triton": Floor(frozenset({"nets", "geometry"}), NETS | {"triton"}),
    "geometry": Floor(frozenset({"geometry"}), GEOMETRY),
    "geometry.__init__": Floor(frozenset({"geometry.frames"})),
    "geometry.frames": Floor(theirs=frozenset({"numpy"})),
    "geometry.upright": Floor(frozenset({"geometry.frames"}), frozenset({"numpy"})),
    # Training stands above nets and geometry, so their packages are its own too.
    "train": Floor(frozenset({"train", "nets", "geometry"}), TRAIN | NETS | GEOMETRY | BLENDER),
}
OUTSIDE = {"tests", "docs", "examples", "out", "runs", "shards", "build", "dist"}


@dataclass(frozen=True)
class Import:
    line: int
    name: str
    ours: bool
    in_function: bool

    def __str__(self) -> str:
        return f"line {self.line}: {'maquette.' if self.ours else ''}{self.name}"


def modules() -> dict[str, Path]:
    """Dotted name inside the package -> file, of every module that is not a test, a document or a leftover."""
    tops = [path for path in ROOT.iterdir() if path.name not in OUTSIDE and not path.name.startswith(".")]
    files = [top for top in tops if top.suffix == ".py"] + [path for top in tops for path in top.rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sorted(files)}


def imports(source: str, module: str, known: set[str]) -> Iterator[Import]:
    """Each import in `source`, the text of `module` (dotted, packages as `x.__init__`), with relative ones resolved."""
    package = module.split(".")[:-1]
    packages = {name.removesuffix(".__init__") for name in known if name.endswith("__init__")}

    def resolve(base: list[str], names: list[str], line: int, inside: bool) -> Iterator[Import]:
        for name in names:
            full = ".".join([*base, name])
            target = full if full in known or full in packages else ".".join(base)
            # `from .. import __package__` reads the root's own name and loads nothing.
            if target or not (name.startswith("__") and name.endswith("__")):
                yield Import(line, target or name, True, inside)

    def visit(node: ast.AST, inside: bool) -> Iterator[Import]:
        match node:
            case ast.Import(names=names):
                yield from (outer(alias.name, node.lineno, inside) for alias in names)
            case ast.ImportFrom(level=0, module=name):
                yield outer(name, node.lineno, inside)
            case ast.ImportFrom(level=level, module=name, names=names):
                base = package[: len(package) - level + 1] + (name.split(".") if name else [])
                yield from resolve(base, [alias.name for alias in names], node.lineno, inside)
            case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]):
                called = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
                if called in ("import_module", "__import__"):
                    level = len(name) - len(name.lstrip("."))
                    base = package[: len(package) - level + 1] if level else []
                    relative = Import(node.lineno, ".".join([*base, name.lstrip(".")]), True, inside)
                    yield relative if level else outer(name, node.lineno, inside)
        inside = inside or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for child in ast.iter_child_nodes(node):
            yield from visit(child, inside)

    def outer(name: str, line: int, inside: bool) -> Import:
        return Import(line, name.split(".")[0], False, inside)

    yield from visit(ast.parse(source), False)


def floor(module: str) -> Floor:
    """The row of the table that binds `module`."""
    parts = module.split(".")
    for size in range(len(parts), 0, -1):
        if (name := ".".join(parts[:size])) in FLOORS:
            return FLOORS[name]
    if module == "__init__":
        return FLOORS[""]
    raise AssertionError(f"{module} stands in no room: give it a row in tests/test_imports.py, or move it")


def allowed(found: Import, row: Floor) -> bool:
    if not found.ours and found.name in sys.stdlib_module_names:
        return True
    if row.only_in_functions and not found.in_function:
        return False
    if not found.ours:
        # An absolute `maquette` is another copy of us, or none: inside Blender the package has another name.
        return found.name in row.theirs
    return any(found.name == name or found.name.startswith(name + ".") for name in row.ours)


def broken(module: str, source: str, known: set[str]) -> list[str]:
    """The imports of `module` that its floor does not carry, as text."""
    row = floor(module)
    return [str(found) for found in imports(source, module, known) if not allowed(found, row)]


MODULES = modules()
KNOWN = set(MODULES) | {
    "__init__",
    *(f"{room}.__init__" for room in ("jobs", "nets", "geometry", "operators", "panels", "train")),
    *LIGHT_JOBS,
    *("jobs.worker", "jobs.reconstruct", "nets.catalog", "nets.image_to_field", "geometry.frames", "geometry.mesh"),
    *("operators.base", "panels.sidebar", "properties", "preferences", "cli"),
}


@pytest.mark.parametrize("module", MODULES)
def test_every_module_stands_on_its_floor(module):
    assert not broken(module, MODULES[module].read_text("utf-8"), KNOWN)


def test_one_training_module_at_most_knows_blender():
    guilty = [
        name
        for name, path in MODULES.items()
        if name.startswith("train")
        and any(not i.ours and i.name in BLENDER for i in imports(path.read_text("utf-8"), name, KNOWN))
    ]
    assert len(guilty) <= 1


BREAKS = [
    ("panels.sidebar", "import numpy", "numpy"),
    ("panels.sidebar", "from ..jobs import client", "maquette.jobs.client"),
    ("panels.sidebar", "from ..operators.base import JobOperator", "maquette.operators.base"),
    ("operators.reconstruct", "def f():\n    import torch", "torch"),
    ("operators.reconstruct", "class A:\n    def f(self):\n        from skimage import io", "skimage"),
    ("operators.reconstruct", "from ..jobs import worker", "maquette.jobs.worker"),
    ("operators.reconstruct", "from ..jobs.reconstruct import reconstruct", "maquette.jobs.reconstruct"),
    ("operators.reconstruct", "from ..geometry.mesh import Mesh", "maquette.geometry.mesh"),
    ("operators.reconstruct", "from ..geometry import frames, mesh", "maquette.geometry.mesh"),
    ("operators.reconstruct", "from ..nets import image_to_field", "maquette.nets.image_to_field"),
    ("operators.reconstruct", "import maquette.jobs.client", "maquette"),
    ("operators.reconstruct", "from .. import reconstruct", "maquette.reconstruct"),
    ("properties", "from scipy.ndimage import zoom", "scipy"),
    ("preferences", "try:\n    import trimesh\nexcept ImportError:\n    pass", "trimesh"),
    ("jobs.client", "import bpy", "bpy"),
    ("jobs.client", "from ..geometry import frames", "maquette.geometry.frames"),
    ("jobs.client", "from . import worker", "maquette.jobs.worker"),
    ("jobs.requests", "from ..nets.catalog import CATALOG", "maquette.nets.catalog"),
    ("jobs.__init__", "from .worker import main", "maquette.jobs.worker"),
    ("jobs.reconstruct", "import torch", "torch"),
    ("jobs.reconstruct", "import bpy", "bpy"),
    ("jobs.reconstruct", "from ..train.shapes import chairs", "maquette.train.shapes"),
    ("cli.shared", "import numpy", "numpy"),
    ("cli.shared", "import importlib\nimportlib.import_module('torch')", "torch"),
    (
        "cli.shared",
        "import importlib\nimportlib.import_module('..geometry.mesh', __package__)",
        "maquette.geometry.mesh",
    ),
    ("cli.shared", "def f():\n    __import__('bpy')", "bpy"),
    ("cli.shared", "from ..nets.image_to_field import ImageToField", "maquette.nets.image_to_field"),
    ("nets.image_to_field", "from ..jobs.requests import Shape", "maquette.jobs.requests"),
    ("nets.image_to_field", "import bpy", "bpy"),
    ("nets.image_to_field", "import scipy", "scipy"),
    ("nets.catalog", "import torch", "torch"),
    ("nets.__init__", "from .image_to_field import ImageToField", "maquette.nets.image_to_field"),
    ("geometry.mesh", "import torch", "torch"),
    ("geometry.mesh", "from mathutils import Vector", "mathutils"),
    ("geometry.frames", "import scipy", "scipy"),
    ("geometry.__init__", "from .mesh import Mesh", "maquette.geometry.mesh"),
    ("train.loop", "from ..jobs import reconstruct", "maquette.jobs.reconstruct"),
    ("train.loop", "import pandas", "pandas"),
    ("__init__", "import bpy", "bpy"),
    ("__init__", "if True:\n    from . import operators", "maquette.operators"),
    ("__init__", "def register():\n    import torch", "torch"),
    ("__main__", "from . import operators", "maquette.operators"),
]


@pytest.mark.parametrize("module, source, culprit", BREAKS)
def test_a_broken_floor_is_seen(module, source, culprit):
    assert [text.split(": ")[1] for text in broken(module, source, KNOWN)] == [culprit]


HOLDS = [
    ("operators.remesh", "import bpy, numpy as np\nfrom ..jobs import client, requests\nfrom . import base"),
    ("operators.remesh", "from ..geometry.frames import UP\nfrom ..nets import catalog\nfrom .. import __package__"),
    ("panels.sidebar", "import bpy\nfrom bpy.types import Panel\nfrom . import sidebar"),
    ("jobs.reconstruct", "from ..geometry.mesh import Mesh\nfrom ..nets import image_to_field\nfrom . import requests"),
    ("jobs.worker", "import importlib\ndef load(verb):\n    return importlib.import_module(f'.{verb}', __package__)"),
    ("nets.image_to_field", "import torch.nn.functional as F\nfrom ..geometry import frames"),
    ("train.loop", "from torch.utils.tensorboard import SummaryWriter\nfrom ..nets.image_to_field import ImageToField"),
    ("__init__", "import os\ndef register():\n    import bpy\n    from . import operators, panels"),
    ("cli.shared", "import argparse\nfrom ..jobs.client import worker\nfrom ..nets import catalog"),
]


@pytest.mark.parametrize("module, source", HOLDS)
def test_a_kept_floor_is_quiet(module, source):
    assert broken(module, source, KNOWN) == []


def test_a_stranger_needs_a_row():
    with pytest.raises(AssertionError, match="stands in no room"):
        floor("helpers.utils")


def test_the_light_modules_load_nothing_heavy():
    """What Blender's process imports, imported for real: the table above cannot see what a package drags in."""
    script = """
import importlib, importlib.util, sys
root = sys.argv[1]
spec = importlib.util.spec_from_file_location("maquette", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["maquette"] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
for name in sys.argv[2:]:
    importlib.import_module("maquette." + name)
heavy = {"bpy", "torch", "scipy", "skimage", "trimesh", "PIL", "fast_simplification", "xatlas", "safetensors"}
heavy &= set(sys.modules)
assert not heavy, sorted(heavy)
"""
    light = [name for name in (*sorted(LIGHT_JOBS), "nets.catalog", "geometry.frames", "cli") if name in MODULES]
    run = subprocess.run(
        [sys.executable, "-B", "-c", script, str(ROOT), *light], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
