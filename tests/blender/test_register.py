"""Enabling and disabling leave nothing behind; importing loads nothing heavy."""

import subprocess
import sys

import pytest

import maquette

NAMES = (
    "cancel choose_pictures copy_report doctor edit_mask mask_preview pack_field reconstruct regenerate release remesh "
    "reset_mask sample sample_between sample_encode sample_fit sample_grid sample_load sample_random sample_reset "
    "sample_row sample_save sample_update sample_vary show_preferences"
).split()


def ours(bpy) -> set[str]:
    """Everything that Blender knows of us."""
    handlers = bpy.app.handlers
    found = {name for name in dir(bpy.types) if name.lower().startswith("maquette")}
    found |= {
        name
        for name in ("Scene", "WindowManager", "Object")
        if {"maquette", "maquette_sample"} & set(dir(getattr(bpy.types, name)))
    }
    found |= {
        f"{kind} {function.__module__}"
        for kind in dir(handlers)
        if isinstance(getattr(handlers, kind), list)
        for function in getattr(handlers, kind)
        if "maquette" in function.__module__
    }
    return found | set(dir(bpy.ops.maquette))


def test_twice(bpy, scene):
    there = ours(bpy)
    assert set(NAMES) <= there
    maquette.unregister()
    assert ours(bpy) == set()
    maquette.register()
    assert ours(bpy) == there


def test_three_names_agree(bpy, scene):
    """Class, id and file."""
    for name in NAMES:
        kind = getattr(bpy.types, f"MAQUETTE_OT_{name}")
        python = bpy.types.Operator.bl_rna_get_subclass_py(kind.__name__)
        assert python.bl_idname == f"maquette.{name}" and python.__module__ == f"maquette.operators.{name}"
        assert python.__doc__ and not python.__doc__.endswith(".")


def test_only_what_may_run_again_has_redo(bpy, scene):
    def options(name):
        return bpy.types.Operator.bl_rna_get_subclass_py(f"MAQUETTE_OT_{name}").bl_options

    assert "REGISTER" not in options("reconstruct") and "REGISTER" not in options("regenerate")
    assert options("remesh") == {"REGISTER", "UNDO"}


def test_the_settings_match_what_may_be_asked(bpy, scene):
    """Every setting of the sidebar makes a request; defaults are those of the request."""
    from maquette.jobs.capturing import Capture
    from maquette.jobs.requests import Meshing, Reconstruct

    assert scene.maquette.meshing() == Meshing(size=1.0)  # what "auto" stands for where there is no size of its own
    capture, asked = scene.maquette.capture, Capture("photos")
    assert (capture.budget, int(capture.resolution), capture.faces) == (asked.budget, asked.resolution, 0)
    assert int(scene.maquette.resolution) == Reconstruct(images=("x",)).resolution


@pytest.mark.parametrize("lines", ["import maquette", "import maquette; maquette.reconstruct, maquette.Shape"])
def test_importing_loads_neither_blender_nor_torch(lines, root):
    script = (
        "import sys, importlib.util as u\n"
        f"spec = u.spec_from_file_location('maquette', {str(root / '__init__.py')!r},"
        f" submodule_search_locations=[{str(root)!r}])\n"
        "module = sys.modules['maquette'] = u.module_from_spec(spec); spec.loader.exec_module(module)\n"
        f"{lines}\n"
        "assert not {'bpy', 'torch'} & set(sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], timeout=120).returncode == 0


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'sculpt'"):
        maquette.sculpt  # noqa: B018


def test_an_unknown_setting_is_an_error_before_any_work():
    with pytest.raises(TypeError, match="colour"):
        maquette.reconstruct("x.png", colour=3)
    with pytest.raises(ValueError, match="Style is 'cubes'"):
        maquette.remesh("0" * 64, style="cubes")
