"""What the modal half of a job operator answers to events. The bpy module runs no modal operators, so the events are
given by hand; the window test presses real keys."""

from types import SimpleNamespace

import pytest

TIMER = SimpleNamespace(type="TIMER", value="NOTHING")
ESC = SimpleNamespace(type="ESC", value="PRESS")
MOUSE = SimpleNamespace(type="MOUSEMOVE", value="NOTHING")


@pytest.fixture
def begin(bpy, scene, pictures):
    """begin("ball.png") -> a job operator as invoke() leaves it, which notes what it receives and reports."""
    from maquette.jobs.requests import Reconstruct
    from maquette.operators import tasks
    from maquette.operators.base import JobOperator

    class Noting(JobOperator):
        bl_label = "Noting"

        def __init__(self, names):
            self.received, self.reported = [], []
            asked = [Reconstruct(images=(pictures(name),), resolution=32) for name in names]
            self._task = tasks.start(self.bl_label, asked)
            manager = bpy.context.window_manager
            self._timer = manager.event_timer_add(0.05, window=bpy.context.window)

        def receive(self, context, answers):
            self.received += [answer.request.images[0] for answer in answers]

        def report(self, kind, text):
            self.reported.append((*kind, text))

    yield lambda *names: Noting(names)
    tasks.drop()


def test_the_artist_works_on_until_the_result_is_there(bpy, begin, until):
    operator = begin("ball.png")
    for event in (TIMER, MOUSE):
        assert operator.modal(bpy.context, event) == {"PASS_THROUGH"}
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, MOUSE) == {"PASS_THROUGH"} and not operator.received
    assert operator.modal(bpy.context, TIMER) == {"FINISHED"} and len(operator.received) == 1
    assert not bpy.context.window_manager.maquette.busy


def test_escape_cancels_and_nothing_is_received(bpy, begin, until):
    operator = begin("slow ball.png")
    assert operator.modal(bpy.context, ESC) == {"RUNNING_MODAL"}
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"CANCELLED"}
    assert not operator.received and operator.reported == [("INFO", "Noting was cancelled")]
    assert not bpy.context.window_manager.maquette.error, "what the artist wanted is no error"


def second_runs(operator, until):
    """Turn until the first of a row is finished and the second is in the works."""
    until(lambda: len(operator._task.answers) == 1 and operator._task.phase == "Network")


def test_escape_in_a_row_keeps_what_is_finished(bpy, begin, until):
    operator = begin("ball.png", "slow ball.png", "box.png")
    second_runs(operator, until)
    operator.modal(bpy.context, ESC)
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"FINISHED"}
    assert [path.endswith("ball.png") for path in operator.received] == [True]
    assert operator.reported == [("INFO", "Noting was cancelled: 1 of 3 were finished and are kept")]
    assert not bpy.context.window_manager.maquette.busy and not bpy.context.window_manager.maquette.error


def test_escape_in_a_row_whose_first_failed_is_only_a_cancel(bpy, begin, until):
    operator = begin("bad.png", "slow ball.png")
    second_runs(operator, until)
    operator.modal(bpy.context, ESC)
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"CANCELLED"} and not operator.received
    assert operator.reported == [("INFO", "Noting was cancelled")]


def test_a_cancelled_row_waits_for_the_end_of_edit_mode_too(bpy, begin, until):
    """The first Cancel stops the work; a second one gives up what waits."""
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    operator = begin("ball.png", "slow ball.png")
    second_runs(operator, until)
    bpy.ops.maquette.cancel()
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"PASS_THROUGH"}
    assert "leave this mode" in bpy.context.window_manager.maquette.note
    bpy.ops.maquette.cancel()
    assert operator.modal(bpy.context, TIMER) == {"CANCELLED"} and not operator.received


def test_a_cancel_that_comes_too_late_loses_nothing(bpy, begin, until):
    operator = begin("ball.png", "box.png")
    until(lambda: operator._task.ended)
    bpy.ops.maquette.cancel()
    assert operator.modal(bpy.context, TIMER) == {"FINISHED"} and len(operator.received) == 2
    assert not operator.reported


def test_a_result_waits_for_the_end_of_edit_mode(bpy, begin, until):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    operator = begin("ball.png")
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"PASS_THROUGH"} and not operator.received
    assert "leave this mode" in bpy.context.window_manager.maquette.note
    bpy.ops.object.mode_set(mode="OBJECT")
    assert operator.modal(bpy.context, TIMER) == {"FINISHED"} and operator.received


def test_a_waiting_result_can_be_cancelled(bpy, begin, until):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    operator = begin("ball.png")
    until(lambda: operator._task.ended)
    operator.modal(bpy.context, TIMER)
    bpy.ops.maquette.cancel()
    assert operator.modal(bpy.context, TIMER) == {"CANCELLED"} and not operator.received


def test_an_error_does_not_wait(bpy, begin, until):
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.mode_set(mode="EDIT")
    operator = begin("bad.png")
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"CANCELLED"}
    assert operator.reported == [("ERROR", "bad.png shows nothing")]


def test_one_failure_among_several_is_a_warning(bpy, begin, until):
    operator = begin("ball.png", "bad.png", "dies.png", "box.png")
    until(lambda: operator._task.ended)
    assert operator.modal(bpy.context, TIMER) == {"FINISHED"} and len(operator.received) == 2
    (bad, dead) = operator.reported
    assert bad == ("WARNING", "bad.png shows nothing") and dead[1].startswith("dies.png: The worker ended")


def test_a_window_that_closes_takes_its_job_along(bpy, begin):
    operator = begin("slow ball.png")
    operator.cancel(bpy.context)
    assert operator._task.cancelled and not bpy.context.window_manager.maquette.busy


@pytest.mark.parametrize("names", [["slow ball.png"], ["ball.png", "slow ball.png"]])
def test_a_file_load_ends_the_operator(bpy, begin, until, names):
    """Nothing arrives in the new file, not even what was finished."""
    operator = begin(*names)
    until(lambda: operator._task.phase == "Network" and len(operator._task.answers) == len(names) - 1)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    operator._timer = bpy.context.window_manager.event_timer_add(0.05, window=bpy.context.window)
    assert operator.modal(bpy.context, TIMER) == {"CANCELLED"} and not operator.received
