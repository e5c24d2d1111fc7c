"""The work in progress: one task at a time, driven by one timer, read by everybody.

Nothing here holds a datablock, so undo and file load cannot pull anything from under it. Status lives in Python and the
panels' properties read it: were it stored in a property, it would be saved with the file.
"""

import os
import threading
import time
from dataclasses import dataclass, field

import bpy
from bpy.app.handlers import persistent

from ..jobs.client import JobCancelled, JobError
from . import compute, provenance


@dataclass
class Answer:
    """What became of one request: a result, or a sentence about why there is none."""

    request: object
    result: object = None
    error: str = ""

    def named_error(self, among_others: bool) -> str:
        """The error; among others it begins with the picture's name unless it says it anyway."""
        name = os.path.basename(next(iter(getattr(self.request, "images", ())), ""))
        return f"{name}: {self.error}" if among_others and name not in self.error else self.error


def sentences(answers: list[Answer]) -> list[str]:
    """What went wrong, a sentence each; only one where all failed for the same reason."""
    errors = [answer.error for answer in answers if answer.error]
    if len(answers) > 1 and len(errors) == len(answers) and len(set(errors)) == 1:
        return errors[:1]
    return [answer.named_error(len(answers) > 1) for answer in answers if answer.error]


def notes(results: list) -> list[str]:
    """What results have to tell, each sentence once: no memory, no room for the field, no way to so few faces."""
    reports = [getattr(result, "report", {}) for result in results]
    return list(dict.fromkeys(text for report in reports for text in provenance.notes(report)))


@dataclass
class Task:
    """Requests that belong together, asked one after another."""

    label: str
    requests: list
    answers: list[Answer] = field(default_factory=list)
    job: object = None
    cancelled: bool = False
    ending: bool = False
    """What there is by now is enough."""
    dropped: bool = False
    """Nobody waits for the results any more, not for the finished ones either."""
    log: str = ""
    held: str = ""
    """Why the results, which are there, are not placed yet."""

    @property
    def ended(self) -> bool:
        return self.cancelled and self.job is None or len(self.answers) == len(self.requests)

    @property
    def cut_short(self) -> bool:
        """Cancelled before all of it was done."""
        return self.cancelled and len(self.answers) < len(self.requests)

    @property
    def fraction(self) -> float:
        own = self.job.fraction if self.job else 0.0
        return min(1.0, (len(self.answers) + own) / max(1, len(self.requests)))

    @property
    def phase(self) -> str:
        return self.job.phase if self.job else "Starting"

    @property
    def note(self) -> str:
        """What to write on the progress bar."""
        if self.held:
            return self.held
        if self.cancelled:
            return "Cancelling"
        if self.ending:
            return f"Keeping what there is: {self.phase}"
        detail = f": {self.job.note}" if self.job and self.job.note else ""
        count = len(self.requests)
        place = f"{len(self.answers) + 1} of {count}, " if count > 1 else ""
        return f"{place}{self.phase}{detail}"

    def step(self):
        """Take in what the worker said, hand it the next request; never waits."""
        if self.ended:
            return
        if self.job is None:
            self.job = compute.connect().submit(self.requests[len(self.answers)])
        self.job.poll()
        if not self.job.finished:
            return
        job, self.job = self.job, None
        try:
            self.answers.append(Answer(job.request, job.value()))
        except JobCancelled:
            self.cancelled = True
        except JobError as error:
            self.log = error.log
            self.answers.append(Answer(job.request, error=str(error)))

    def cancel(self):
        """Ask the worker to stop. What is finished already is kept, unless it was only waiting to be placed."""
        self.dropped = self.dropped or bool(self.held)
        self.cancelled = True
        if self.job:
            self.job.cancel()

    @property
    def ends_early(self) -> bool:
        """What runs could end with what there is by now."""
        return bool(self.job and getattr(self.job.request, "ENDS_EARLY", False)) and not (self.ending or self.cancelled)

    def enough(self):
        """Have what runs end with what there is by now."""
        self.ending = True
        if self.job:
            self.job.enough()

    def drop(self):
        """Stop, and keep nothing."""
        self.dropped = True
        self.cancel()


class Status:
    """What the panels show."""

    task: Task | None = None
    error = ""
    """Why the last task failed, "" when it did not."""
    log = ""
    """The worker's last words at that."""
    shown = None
    """What the panels were last told to draw."""


ONE_AT_A_TIME = threading.RLock()
"""Who talks to the worker: the timer, or a render, which runs in a thread of its own."""
each_tick = []
"""What else the timer calls: the sliders. They return whether they want to be called again at once."""
AT_ONCE, SOON, IDLE = 0.005, 0.02, 0.25
"""Seconds until the timer calls again: while a hand waits for a mesh, while something runs, and else"""


def busy() -> bool:
    return Status.task is not None


def ends_early() -> bool:
    """Whether what runs could end with what there is by now."""
    return busy() and Status.task.ends_early


def so_far():
    """The Shape of what there is by now, where the worker shows one; else None."""
    task = Status.task
    return task.job.shape if task and task.job and not task.cancelled else None


def start(label: str, requests: list) -> Task:
    """Begin a task; the timer drives it. Raises ValueError while another one runs, or without a Python with torch."""
    if busy():
        raise ValueError(f"Maquette is still busy ({Status.task.label}); wait for it or press Cancel")
    compute.connect()
    Status.error = Status.log = ""
    Status.task = Task(label, requests)
    Status.task.step()
    return Status.task


def run(label: str, requests: list, progress=None) -> Task:
    """Begin a task and wait for its end; progress(fraction) is called now and then. Ctrl-C cancels it.

    Raises JobCancelled when it was cancelled, by Ctrl-C of a worker's or from another script, before any result."""
    task = start(label, requests)
    try:
        while not task.ended:
            time.sleep(0.005)
            task.step()
            if progress:
                progress(task.fraction)
    finally:
        if not task.ended:
            task.cancel()
        Status.task = None
    if task.dropped or task.cut_short and all(answer.error for answer in task.answers):
        raise JobCancelled(f"{label} was cancelled")
    Status.log = task.log
    return task


def finish(task: Task):
    """The operator that began `task` has taken its answers."""
    if Status.task is task:
        Status.task = None
        Status.log = task.log


def drop():
    """Cancel what runs and forget it: its operator is gone or its scene is."""
    if Status.task:
        Status.task.drop()
        Status.task = None


def cancel():
    if Status.task:
        Status.task.cancel()


def pump():
    """The one timer: drives the task and has the panels drawn again when there is something new to see."""
    if not ONE_AT_A_TIME.acquire(blocking=False):
        return 0.1
    try:
        return _drive()
    finally:
        ONE_AT_A_TIME.release()


def _drive() -> float:
    task = Status.task
    if task:
        try:
            task.step()
        except ValueError as error:  # the Python with torch went away between two pictures
            task.answers += [Answer(request, error=str(error)) for request in task.requests[len(task.answers) :]]
    again = SOON if task else IDLE
    for step in each_tick:
        again = AT_ONCE if step() else again
    seen = (task and (task.fraction, task.note), compute.Found.note, compute.warm(), Status.error)
    if seen != Status.shown:
        Status.shown = seen
        redraw()
    return again


def hurry():
    """Have the timer call soon, for something to do has come up between two of its calls."""
    if bpy.app.timers.is_registered(pump):
        bpy.app.timers.unregister(pump)
        bpy.app.timers.register(pump, first_interval=0.0, persistent=True)


def redraw():
    """Have the places drawn again where Maquette shows something."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in {"VIEW_3D", "PREFERENCES"}:
                area.tag_redraw()


@persistent
def _leave_file(*_):
    drop()
    Status.error = Status.log = ""


def register():
    bpy.app.timers.register(pump, first_interval=0.5, persistent=True)
    bpy.app.handlers.load_pre.append(_leave_file)


def unregister():
    drop()
    Status.error = Status.log = ""
    bpy.app.handlers.load_pre.remove(_leave_file)
    if bpy.app.timers.is_registered(pump):
        bpy.app.timers.unregister(pump)
