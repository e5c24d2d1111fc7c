"""While a job runs: cancel, undo, file load, a second click, the worker's death. The timer is turned by hand, for the
bpy module runs no event loop; the window test presses the real buttons."""

import os
import signal

import pytest


@pytest.fixture
def running(bpy, scene, pictures, until):
    """A Reconstruct that goes on for ten seconds, begun as the modal operator begins it."""
    from maquette.jobs.requests import Reconstruct
    from maquette.operators import tasks

    task = tasks.start("Reconstruct", [Reconstruct(images=(pictures("slow ball.png"),), resolution=32)])
    status = bpy.context.window_manager.maquette
    until(lambda: status.phase == "Network")
    yield task
    tasks.drop()


def test_status_tells_how_far_it_is(bpy, running):
    status = bpy.context.window_manager.maquette
    assert status.busy and status.phase == "Network" and status.note.startswith("Network: step")
    assert 0.1 < status.fraction < 1


def test_cancel_ends_it_and_the_worker_stays_warm(bpy, running, until, worker):
    pid = worker.pid
    assert bpy.ops.maquette.cancel() == {"FINISHED"}
    assert bpy.context.window_manager.maquette.note == "Cancelling"
    until(lambda: running.ended)
    assert running.cancelled and not running.answers and worker.pid == pid


def test_cancel_with_nothing_to_cancel(bpy, scene):
    assert bpy.ops.maquette.cancel() == {"CANCELLED"}


def test_a_second_click_is_told_to_wait(bpy, running, pictures):
    for verb in (bpy.ops.maquette.reconstruct, bpy.ops.maquette.mask_preview):
        with pytest.raises(RuntimeError, match="still busy .Reconstruct.; wait for it or press Cancel"):
            verb(filepath=pictures("ball.png"))
    assert not running.ended


def test_loading_a_file_cancels_it(bpy, running, tmp_path):
    from maquette.operators import tasks

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert running.cancelled and not tasks.busy()
    status = bpy.context.window_manager.maquette
    assert not status.busy and status.fraction == 0


def test_the_timer_survives_loading_a_file(bpy, running):
    from maquette.operators import tasks

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    assert bpy.app.timers.is_registered(tasks.pump)


def test_a_saved_file_is_not_busy_when_opened(bpy, running, tmp_path):
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "busy.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "busy.blend"))
    assert not bpy.context.window_manager.maquette.busy


def test_undo_meanwhile_is_safe(bpy, running, until):
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="One")
    bpy.ops.object.empty_add()
    bpy.ops.ed.undo_push(message="Two")
    bpy.ops.ed.undo()
    assert len(bpy.data.objects) == 1
    status = bpy.context.window_manager.maquette
    here = status.fraction
    until(lambda: status.fraction > here)


def test_a_killed_worker_is_an_error_with_a_report(bpy, running, until, worker):
    os.kill(worker.pid, signal.SIGKILL)
    until(lambda: running.ended)
    assert "signal 9" in running.answers[0].error and running.answers[0].result is None


def test_release_ends_the_worker(bpy, running, worker):
    assert bpy.ops.maquette.release() == {"FINISHED"}
    assert not worker.running and running.cancelled
    assert bpy.ops.maquette.release() == {"CANCELLED"}


def test_unregistering_ends_the_task(bpy, running):
    import maquette

    maquette.unregister()
    assert running.cancelled
    maquette.register()
