"""What goes wrong while a job runs: each time one sentence at most, the scene as it was, and the next click works."""

import bpy
import hands
from hands import PICTURES, key, press, result, shot, status, undo, until


def everything():
    """What must not change: objects and meshes by name, and where the cube is."""
    return sorted(bpy.data.objects.keys()), sorted(bpy.data.meshes.keys()), tuple(bpy.data.objects["Cube"].location)


def start(what=PICTURES / "shelf"):
    """The button pressed on a folder: a job long enough to do something else meanwhile."""
    bpy.context.scene.maquette.filepath = str(what)
    yield 0.3
    yield from press("maquette.reconstruct")
    yield from until(lambda: status().busy, "job", 5)


def running():
    """Waits till the worker is in the middle of the job."""
    yield from until(lambda: status().fraction > 0.1 or not status().busy, "progress", 60, every=0.02)
    assert status().busy, f"it ended too early: {status().error}"


def ended(seconds=15):
    yield from until(lambda: not status().busy, "end of the job", seconds)


def the_next_click_works():
    before = set(bpy.data.objects.keys())
    yield from start(PICTURES / "stool.png")
    yield from ended(90)
    assert not status().error, status().error
    assert len(result(before).data.polygons) > 500


def scene_escape():
    """Esc cancels; nothing is left behind and nothing is said to be wrong."""
    before = everything()
    yield from start()
    yield from running()
    yield from key("ESC")
    yield from ended()
    yield from shot("faults-1-escaped")
    assert everything() == before and not status().error, status().error


def scene_cancel_button():
    """The Cancel button under the progress bar does the same."""
    before = everything()
    yield from start()
    yield from running()
    with hands.frozen():
        x, y = yield from hands.find("maquette.cancel")
    yield from hands.click(x, y)
    yield from ended()
    assert everything() == before and not status().error, status().error


def scene_cancel_while_the_worker_starts():
    """Esc right after the click, with a cold worker."""
    bpy.ops.maquette.release()
    before = everything()
    yield from start()
    yield from key("ESC")
    yield from ended()
    assert everything() == before and not status().error, status().error
    yield from the_next_click_works()


def scene_cancel_a_frozen_worker():
    """A worker that does not react to Cancel is ended after the grace time."""
    before = everything()
    yield from start()
    yield from running()
    with hands.frozen():
        yield from press("maquette.cancel")
        yield from ended(20)
    assert everything() == before


def scene_undo_meanwhile():
    """Ctrl+Z during the job undoes what the artist did before; the result still arrives, as one step."""
    with hands.over("WINDOW"):
        bpy.data.objects["Cube"].location.x = -3
        bpy.ops.ed.undo_push(message="The cube is moved")
    before = set(bpy.data.objects.keys())
    yield from start(PICTURES / "stool.png")
    yield from until(hands.worker, "worker process", 20)
    with hands.frozen():
        yield from undo()
        assert status().busy, "undo should not end the job"
        assert bpy.data.objects["Cube"].location.x == 0
    yield from ended(90)
    assert not status().error, status().error
    thing = result(before)
    assert len(thing.data.polygons) > 500
    yield from shot("faults-2-undone-meanwhile")
    yield from undo()
    assert set(bpy.data.objects.keys()) == before
    assert bpy.data.objects["Cube"].location.x == 0


def scene_edit_mode_meanwhile():
    """The artist is in Edit Mode when the result is there: the panel says so, and it arrives in Object Mode."""
    before = set(bpy.data.objects.keys())
    yield from start(PICTURES / "stool.png")
    yield from key("TAB")
    assert bpy.context.mode == "EDIT_MESH", bpy.context.mode
    yield from until(lambda: "leave this mode" in status().note or status().error, "word of the result", 90)
    yield from shot("faults-3-edit-mode")
    assert not status().error and set(bpy.data.objects.keys()) == before, status().error
    yield from key("TAB")
    yield from ended()
    assert not status().error, status().error
    assert len(result(before).data.polygons) > 500


def scene_new_file_meanwhile():
    """Loading a file cancels the job; nothing of it arrives in the new one."""
    yield from start()
    yield from running()
    yield from hands.new_file()
    assert not status().busy
    before = everything()
    yield 2.0
    assert everything() == before and not status().busy and not status().error


def scene_saved_file_meanwhile():
    """The same with a file of the artist's own."""
    bpy.ops.wm.save_as_mainfile(filepath="/tmp/own.blend", copy=True)
    yield from start()
    yield from running()
    bpy.ops.wm.open_mainfile(filepath="/tmp/own.blend")
    yield 2.0
    assert not status().busy and not status().error
    yield from hands.open_tab()
    yield from the_next_click_works()


def scene_worker_killed_in_a_row():
    """SIGKILL while the first of several is made: a sentence about that one, and a fresh worker makes the others."""
    before = everything()
    yield from start()
    yield from running()
    hands.kill_worker()
    yield from ended(90)
    yield from shot("faults-4-killed")
    assert "worker" in status().error and "killed" in status().error, status().error
    assert set(bpy.data.objects.keys()) - set(before[0]) == {f"thing {number}" for number in range(1, 3)}


def scene_worker_killed():
    """SIGKILL in mid-job: one sentence in the panel, no object, and the next click starts a fresh worker."""
    before = everything()
    yield from start(PICTURES / "stool.png")
    yield from until(hands.worker, "worker process", 20)
    hands.kill_worker()
    yield from ended(30)
    yield from shot("faults-5-killed-alone")
    assert status().error and "\n" not in status().error, status().error
    assert everything() == before
    yield from the_next_click_works()


def scene_worker_killed_while_idle():
    """Nobody notices: the next click starts another one."""
    yield from the_next_click_works()
    hands.kill_worker()
    yield 1.0
    assert not status().error, status().error
    yield from hands.new_file()
    yield from the_next_click_works()


def scene_not_a_picture():
    """A text file named .png: one sentence that names it."""
    before = everything()
    bpy.context.scene.maquette.filepath = str(PICTURES / "shelf" / "thing 3.png")
    yield 0.3
    yield from press("maquette.reconstruct")
    yield from until(lambda: status().error, "sentence", 20)  # a warm worker refuses it before anyone sees it busy
    yield from ended()
    yield from shot("faults-6-not-a-picture")
    assert "thing 3.png" in status().error and "\n" not in status().error, status().error
    assert everything() == before


def scene_disabled_meanwhile():
    """Disabling the extension during a job ends the worker; enabling it again, it works."""
    before = everything()
    yield from start()
    yield from running()
    python = bpy.context.preferences.addons["bl_ext.user_default.maquette"].preferences.python
    bpy.ops.preferences.addon_disable(module="bl_ext.user_default.maquette")
    yield from until(lambda: not hands.worker(), "end of the worker", 20)
    yield 1.0
    bpy.ops.preferences.addon_enable(module="bl_ext.user_default.maquette")
    bpy.context.preferences.addons["bl_ext.user_default.maquette"].preferences.python = python  # disabling forgets them
    yield from hands.open_tab()
    assert everything() == before
    yield from the_next_click_works()


def scene_quit_meanwhile():
    """The window closes under a running job: session.sh sees that no worker is left."""
    yield from start()
    yield from running()
