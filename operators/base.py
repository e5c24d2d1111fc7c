"""What operators that ask the worker have in common: scripts wait here and now, people see progress and can cancel."""

import bpy

from ..jobs.client import JobCancelled, JobError
from . import datablocks, provenance, sampled, tasks

ONCE = {"SKIP_SAVE"}
"""Options of a property that says what one call means: what it leaves out comes from the sidebar, not the last call."""


def given(operator, *names) -> dict:
    """What the call said, by name; what it did not name is left out."""
    return {name: getattr(operator, name) for name in names if operator.properties.is_property_set(name)}


def told(operator, settings, *names) -> list:
    """Of each name what the call said, else what the sidebar's settings say."""
    called = given(operator, *names)
    return [called[name] if name in called else getattr(settings, name) for name in names]


class OnResult:
    """Mix-in for operators that work on the active object, which Maquette must have made."""

    @classmethod
    def poll(cls, context):
        if not provenance.is_result(context.object):
            cls.poll_message_set(provenance.SELECT)
            return False
        return True


class OnSample:
    """Mix-in for operators that work on the active object, which Sample must have made."""

    @classmethod
    def poll(cls, context):
        if not sampled.is_sample(context.object):
            cls.poll_message_set(sampled.SELECT)
            return False
        return True


class JobOperator:
    """Mix-in for operators: say what to ask in `requests`, place what came back in `receive`.

    `execute` blocks until the end and reports one sentence; `invoke` runs modal, and Esc or the Cancel button ends it;
    of several requests, those that are finished by then are received all the same.
    `undoable`: the results change objects, which only Object Mode can undo.

    Either way the scene changes only in `receive`, at the very end, so that there is one undo step, or none."""

    undoable = True

    def requests(self, context) -> list:
        """What to ask the worker, in order. Raises ValueError with one sentence."""
        raise NotImplementedError

    def receive(self, context, answers: list) -> None:
        """Put the answers' results where they belong; each answer (tasks.Answer) has its request too.

        Raises ValueError with one sentence, before anything is changed."""
        raise NotImplementedError

    def execute(self, context):
        manager = context.window_manager
        manager.progress_begin(0, 1)
        try:
            return self._take(context, tasks.run(self.bl_label, self.requests(context), manager.progress_update))
        except (JobError, ValueError) as error:
            return self._fail(error)
        finally:
            manager.progress_end()

    def invoke(self, context, event):
        if bpy.app.background or context.window is None:
            return self.execute(context)
        try:
            self._task = tasks.start(self.bl_label, self.requests(context))
        except (JobError, ValueError) as error:
            return self._fail(error)
        self._timer = context.window_manager.event_timer_add(0.05, window=context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context, event):
        if event.type == "ESC" and event.value == "PRESS" and not self._task.ended:
            self._task.cancel()
            tasks.redraw()
            return {"RUNNING_MODAL"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        if self._task is tasks.Status.task and not self._task.ended:
            return {"PASS_THROUGH"}
        arrived = any(not answer.error for answer in self._task.answers) and not self._task.dropped
        if arrived and self.undoable and context.mode != "OBJECT":
            # An undo step of another mode would not hold what changes here: the result waits for its artist.
            self._task.held = "Done: leave this mode to receive it"
            return {"PASS_THROUGH"}
        self.cancel(context)
        if self._task.dropped or self._task.cut_short and not arrived:
            self.report({"INFO"}, f"{self.bl_label} was cancelled")
            return {"CANCELLED"}
        try:
            return self._take(context, self._task)
        except (JobError, ValueError) as error:
            return self._fail(error)

    def cancel(self, context):
        """Also called by Blender when the window closes under a running operator."""
        context.window_manager.event_timer_remove(self._timer)
        if not self._task.ended:
            self._task.drop()
        tasks.finish(self._task)
        tasks.redraw()

    def _take(self, context, task):
        """Place what there is; name what failed. One failure among several is a warning, all of them an error."""
        good = [answer for answer in task.answers if not answer.error]
        errors = tasks.sentences(task.answers)
        tasks.Status.error = "\n".join(errors)
        if not good:
            return self._fail(tasks.Status.error)
        self.receive(context, good)
        for warning in [*errors, *tasks.notes([answer.result for answer in good])]:
            self.report({"WARNING"}, warning)
        if task.cut_short:
            kept = f"{len(good)} of {len(task.requests)} were finished and are kept"
            self.report({"INFO"}, f"{self.bl_label} was cancelled: {kept}")
        return {"FINISHED"}

    def _fail(self, error):
        if not isinstance(error, JobCancelled):
            tasks.Status.error = str(error)
            tasks.Status.log = getattr(error, "log", "") or tasks.Status.log
        tasks.redraw()
        self.report({"ERROR"}, str(error))
        return {"CANCELLED"}


class InPlace(JobOperator):
    """Mix-in for operators that make the active object anew where it is: say what to ask in `request`."""

    def request(self, context, thing):
        """What to ask the worker. Raises ValueError with one sentence."""
        raise NotImplementedError

    def requests(self, context):
        thing = context.object
        datablocks.check_editable(thing)
        self._name = thing.name  # by name: an undo meanwhile replaces the object itself
        return [self.request(context, thing)]

    def receive(self, context, answers):
        thing, answer = bpy.data.objects.get(self._name), answers[0]
        if not provenance.is_result(thing):
            raise ValueError(f"{self._name} was removed meanwhile")
        if sampled.is_sample(thing):
            sampled.place(thing, answer.result, answer.request)
            return
        datablocks.check_editable(thing)
        datablocks.fill_mesh(thing.data, answer.result, answer.request.meshing.style)
        provenance.write(thing, answer.result, answer.request)
