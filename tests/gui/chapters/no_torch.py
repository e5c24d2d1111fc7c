"""A fresh installation: no Python with torch is set, and the panel says where to set one."""

import bpy
from hands import PICTURES, press, result, shot, status, until


def scene_says_where_to_set_it():
    """The sentence in the panel, the same from the button, and nothing in the scene."""
    yield from until(lambda: not status().looking, "answer about torch", 30)
    yield 0.5
    yield from shot("no_torch-1-panel")
    assert not status().environment_ok
    assert "Preferences" in status().environment_note and "Python" in status().environment_note
    before = sorted(bpy.data.objects.keys())
    bpy.context.scene.maquette.filepath = str(PICTURES / "stool.png")
    yield 0.3
    yield from press("maquette.reconstruct")
    yield 1.0
    yield from shot("no_torch-2-pressed")
    assert not status().busy
    assert "Preferences" in status().error, status().error
    assert sorted(bpy.data.objects.keys()) == before


def scene_the_preferences_open():
    """The panel's button leads to the extension's preferences."""
    yield from until(lambda: not status().looking, "answer about torch", 30)
    windows = len(bpy.context.window_manager.windows)
    yield from press("maquette.show_preferences")
    yield from until(lambda: len(bpy.context.window_manager.windows) > windows, "preferences window", 10)
    yield 1.0
    yield from shot("no_torch-3-preferences")
    with bpy.context.temp_override(window=bpy.context.window_manager.windows[-1]):
        bpy.ops.wm.window_close()
    yield 0.5


def scene_set_there_it_works():
    """A Python that lacks torch is named as such; with the right one the panel turns ready and the button works."""
    preferences = bpy.context.preferences.addons["bl_ext.user_default.maquette"].preferences
    preferences.python = "/usr/bin/python3"
    yield from until(lambda: not status().looking, "answer about torch", 30)
    yield from shot("no_torch-4-wrong-python")
    assert "/usr/bin/python3" in status().environment_note and "torch" in status().environment_note
    preferences.python = "/opt/maquette/bin/python"
    yield from until(lambda: status().environment_ok, "Python with torch", 30)
    yield from shot("no_torch-5-ready")
    before = set(bpy.data.objects.keys())
    bpy.context.scene.maquette.filepath = str(PICTURES / "stool.png")
    yield 0.3
    yield from press("maquette.reconstruct")
    yield from until(lambda: status().busy, "job", 5)
    yield from until(lambda: not status().busy, "mesh", 90)
    assert not status().error, status().error
    assert len(result(before).data.polygons) > 500
