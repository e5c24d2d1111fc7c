"""The other end of the wire: starts the worker, asks, and gives back results. Runs in Blender, so numpy at most.

    job = worker().submit(Reconstruct(images=("vase.jpg",)))    then, from a timer:    job.poll()
    shape = worker().run(Reconstruct(images=("vase.jpg",)))     or all at once, in scripts

A thread per worker process reads its messages into a queue and touches nothing else. Everything that changes a job
happens in `poll` or `run`, in the caller's own thread.
"""

import atexit
import contextlib
import dataclasses
import os
import time
from collections import deque

from . import environment, requests
from .process import END_OF_FILE, Patience, Process
from .protocol import LAST

LAUNCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")
FINISHED = ("done", "error", "cancelled")


class JobError(RuntimeError):
    """A job that failed: the text is one plain sentence; `log` holds the worker's last words."""

    def __init__(self, message: str, log: str = ""):
        super().__init__(message)
        self.log = log


class JobCancelled(JobError):
    """The job was cancelled before it had a result."""


class Job:
    """One request on its way. Read its state; change it by `poll` and `cancel` alone."""

    def __init__(self, owner: "Worker", number: int, request, on_progress=None, latest: bool = False):
        self.owner, self.number, self.request = owner, number, request
        self.on_progress, self.latest = on_progress, latest
        self.state = "waiting"
        """"waiting", "running", then one of "done", "error", "cancelled"."""
        self.fraction, self.phase, self.note, self.preview = 0.0, "Starting", "", ""
        self.shape = None
        """What there was when the worker last showed it, where the request asks for that."""
        self.ending = False
        """What there is by now is enough."""
        self.result = None
        self.error, self.log = "", ""
        self.cancelling = False
        self.sent_again = False

    @property
    def finished(self) -> bool:
        """True once the state will not change any more."""
        return self.state in FINISHED

    def poll(self) -> str:
        """Take in whatever the worker has said; returns the state. Never waits."""
        if not self.finished:
            self.owner.pump()
        return self.state

    def cancel(self):
        """Ask it to stop; after the grace time its worker is killed. A finished job stays as it is."""
        self.owner.cancel(self)

    def enough(self):
        """Ask it to end with what there is by now; a job that cannot goes on to its end."""
        self.owner.enough(self)

    def value(self):
        """The result of a finished job. Raises JobCancelled or JobError."""
        if self.state == "cancelled":
            raise JobCancelled(f"{type(self.request).__name__} was cancelled", self.log)
        if self.state == "error":
            raise JobError(self.error, self.log)
        return self.result


class Worker:
    """A warm worker process and the jobs that wait for it; one runs at a time.

    python: the interpreter to run, "" to look for one when needed; device: for requests that leave it on auto."""

    def __init__(self, python: str = "", device: str = "auto", patience: Patience | None = None, launch: str = LAUNCH):
        self.python, self.device, self.launch = python, device, launch
        self.patience = patience or Patience()
        self.waiting: deque[Job] = deque()
        self.current: Job | None = None
        """The job the process is busy with; it may already be abandoned."""
        self._process: Process | None = None
        self._count = 0
        self._deadline = None
        """When to kill the process because the current job was asked to stop."""

    # --- asking

    def submit(self, request, on_progress=None, latest: bool = False) -> Job:
        """Queue a request and return its Job at once.

        on_progress(fraction, phase, note) is called from poll. With latest=True every earlier latest=True job of the
        same kind that is not finished is abandoned: the way of sliders."""
        if getattr(request, "device", None) == "auto" and self.device != "auto":
            request = dataclasses.replace(request, device=self.device)
        if latest:
            for job in [self.current, *self.waiting]:
                if job and job.latest and not job.finished and type(job.request) is type(request):
                    self._abandon(job)
        self._count += 1
        job = Job(self, self._count, request, on_progress, latest)
        self.waiting.append(job)
        self.pump()
        return job

    def run(self, request, progress=None, enough=None):
        """The result of a request, waiting for it. Raises JobError with one sentence and the worker's last words.

        Interrupting it (Ctrl-C, or an exception from `progress`) cancels the job. Where `enough` is given, the first
        Ctrl-C calls it and asks for what there is by now."""
        job = self.submit(request, progress)
        try:
            while not job.finished:
                try:
                    self.pump(wait=0.1)
                except KeyboardInterrupt:
                    if enough is None or job.ending:
                        raise
                    job.enough()
                    enough()
        except BaseException:
            job.on_progress = None
            self._abandon(job)
            raise
        return job.value()

    def cancel(self, job: Job):
        """Ask a job to stop; one that was not begun is cancelled at once."""
        if job.finished or job.cancelling:
            return
        if job is not self.current:
            self._finish(job, "cancelled")
            return
        job.cancelling = True
        job.note = "Cancelling"
        self._ask_to_stop(self.patience.grace)

    def enough(self, job: Job):
        """What this job has by now is enough; one that was not begun says so when it is."""
        if job.finished or job.cancelling or job.ending:
            return
        job.ending = True
        if job is self.current:
            self._send_enough(job)

    def adopt(self, python: str | None = None, device: str | None = None, idle: float | None = None):
        """Change what is not None; a process that was started otherwise ends as soon as no job runs in it."""
        self.python = self.python if python is None else python
        self.device = self.device if device is None else device
        if idle is not None:
            self.patience = dataclasses.replace(self.patience, idle=float(idle))

    def close(self):
        """End the process and cancel every job; the next request starts a fresh one."""
        for job in [self.current, *self.waiting]:
            if job and not job.finished:
                self._finish(job, "cancelled")
        self.waiting.clear()
        self._drop_process()

    @property
    def running(self) -> bool:
        """Whether a process is up, busy or not."""
        return self._process is not None and self._process.alive()

    @property
    def busy(self) -> bool:
        """Whether any job is waiting or running."""
        return bool(self.waiting) or (self.current is not None and not self.current.finished)

    @property
    def pid(self) -> int | None:
        """The process, for reports."""
        return self._process.popen.pid if self.running else None

    def log_tail(self, count: int = 40) -> str:
        """The last lines of the worker's log."""
        return self._process.tail(count) if self._process else ""

    # --- the pump

    def pump(self, wait: float = 0.0):
        """Take in all messages, waiting up to `wait` seconds for the first; start what can start, kill what hangs."""
        if self._process:
            for message in self._process.messages(wait):
                self._take(message)
                if not self._process:
                    break
        if self._process:
            self._check_times()
        if self.current is None:
            self._next()

    def _take(self, message):
        if message is END_OF_FILE:
            self._process_ended()
        elif message["kind"] == "ready":
            self._process.ready = True
        elif self.current and message.get("job") == self.current.number:
            self._hear(self.current, message)
        elif message["kind"] in LAST:  # of a job that nobody remembers
            self._process.exchange.discard(f"job{message.get('job')}-")

    def _hear(self, job: Job, message: dict):
        """One message about the current job, which may be abandoned already."""
        job.state = "running" if job.state == "waiting" else job.state
        if message["kind"] == "progress":
            if not job.finished and not job.cancelling:
                job.fraction, job.phase = message["fraction"], message["phase"]
                job.note, job.preview = message.get("note", ""), message.get("preview", "")
                if message.get("shape"):
                    self._show(job, message["shape"])
                if job.on_progress:
                    job.on_progress(job.fraction, job.phase, job.note)
        elif message["kind"] in LAST:
            self.current, self._deadline = None, None
            if not job.finished:
                self._conclude(job, message)
            self._process.exchange.discard(f"job{job.number}-")

    def _show(self, job: Job, data):
        with contextlib.suppress(ValueError):  # the one before stays: another follows soon
            job.shape = requests.from_json(data, self._process.exchange.get)

    def _conclude(self, job: Job, message: dict):
        """The last message of a job that is still wanted."""
        if job.cancelling or message["kind"] == "cancelled":
            self._finish(job, "cancelled")
        elif message["kind"] == "error":
            self._fail(job, message.get("message") or "The worker failed without saying why", self.log_tail())
        else:
            try:
                job.result = requests.from_json(message.get("result"), self._process.exchange.get)
            except ValueError as error:
                self._fail(job, f"The worker's answer cannot be used: {error}", self.log_tail())
            else:
                job.fraction = 1.0
                self._finish(job, "done")

    def _next(self):
        """Hand the next waiting job to a process that is ready, starting one if there is none."""
        while self.waiting and self.waiting[0].finished:
            self.waiting.popleft()
        if not self.waiting:
            return
        if self._process and self._process.differs(self.python, self.patience):
            self._drop_process()
        if self._process is None:
            self._start()
        if self._process and self._process.ready:
            self.current = self.waiting.popleft()
            self._send_current()

    def _start(self):
        job = self.waiting[0]
        try:
            python = self.python or environment.find_python().python
            self._process = Process(python, self.launch, self.patience)
        except (OSError, ValueError) as error:
            self.waiting.popleft()
            named = f"The worker did not start: {error}" if isinstance(error, OSError) else str(error)
            self._fail(job, named, "")

    def _send_current(self):
        job = self.current
        try:
            put = lambda name, array: self._process.exchange.put(f"job{job.number}-in-{name}", array)  # noqa: E731
            self._process.send({"kind": "request", "job": job.number, "request": requests.to_json(job.request, put)})
        except (OSError, ValueError) as error:
            if self._process.alive():
                self.current = None
                self._fail(job, f"The request could not be handed to the worker: {error}", "")
            # else it has just ended: its end of file is on the way and says what to do
        if job.ending and self.current is job:
            self._send_enough(job)

    def _send_enough(self, job: Job):
        with contextlib.suppress(OSError):  # a dead process has ended anyhow, and its end of file follows
            self._process.send({"kind": "enough", "job": job.number})

    # --- when things go wrong

    def _check_times(self):
        process, now = self._process, time.monotonic()
        if self._deadline is not None and now > self._deadline:
            self._kill("")
        elif not process.ready and now - process.started > self.patience.start:
            self._kill(f"The worker did not start within {self.patience.start:.0f} seconds")
        elif process.ready and process.silent_for(now) > self.patience.silence:
            self._kill(f"The worker gave no sign of life for {self.patience.silence:.0f} seconds and was ended")

    def _process_ended(self):
        """Its output closed: whoever waited for an answer learns why, the next job gets a fresh process."""
        process, job = self._process, self.current
        code, tail, was_ready = process.wait(), process.tail(), process.ready
        self._drop_process()
        if not was_ready and job is None and self.waiting:
            job = self.waiting.popleft()  # it would never start: do not try again and again
        if job is None or job.finished:
            return
        if job.cancelling:
            self._finish(job, "cancelled")
        elif job.state == "waiting" and was_ready and not job.sent_again:
            # It was never begun: the process ended just as it was asked, idle or killed. Ask a fresh one, once.
            job.sent_again = True
            self.waiting.appendleft(job)
        else:
            self._fail(job, last_words(job, code, tail), tail)

    def _kill(self, sentence: str):
        """End the process now. The current job fails with `sentence`, or counts as cancelled when there is none."""
        job, tail = self.current or (self.waiting.popleft() if self.waiting else None), self._process.tail()
        self._drop_process(now=True)
        if job and not job.finished:
            if sentence and not job.cancelling:
                self._fail(job, sentence, tail)
            else:
                self._finish(job, "cancelled")

    def _abandon(self, job: Job):
        """Nobody wants this job any more: it is over for us at once; the process gets longer to stop than by cancel,
        for a kill would cost the next job the warm start."""
        running = job is self.current
        self._finish(job, "cancelled")
        if running:
            self._ask_to_stop(max(self.patience.grace, 20.0) if job.latest else self.patience.grace)

    def _ask_to_stop(self, grace: float):
        if self._deadline is None:
            self._deadline = time.monotonic() + grace
            with contextlib.suppress(OSError):  # a dead process has stopped, and its end of file follows
                self._process.send({"kind": "cancel", "job": self.current.number})

    def _drop_process(self, now: bool = False):
        process, self._process, self.current, self._deadline = self._process, None, None, None
        if process:
            process.end(now)

    def _finish(self, job: Job, state: str):
        job.state = state
        if job in self.waiting:
            self.waiting.remove(job)

    def _fail(self, job: Job, sentence: str, log: str):
        job.error, job.log = sentence, log
        self._finish(job, "error")


def last_words(job: Job, code: int | None, log: str) -> str:
    """One sentence about a process that ended while a job waited for it."""
    doing = f"during {type(job.request).__name__}" + (f" ({job.phase})" if job.state == "running" else "")
    if code is not None and code < 0:
        how = f"was killed (signal {-code})" + (", perhaps for want of memory" if code == -9 else "")
    else:
        how = f"ended (exit code {code})" if code is not None else "closed its output"
    words = log.splitlines()[-1].strip()[:300] if log else ""
    return f"The worker {how} {doing}" + (f"; its last words: {words}" if words else "")


# --- the shared worker ----------------------------------------------------------------------------------------------

_shared: Worker | None = None


def shared() -> Worker | None:
    """The shared worker if anybody has asked for it yet."""
    return _shared


def worker(python: str | None = None, device: str | None = None, idle: float | None = None) -> Worker:
    """The worker that everybody in this process shares; it starts at the first request and stays warm.

    What is None stays as it was."""
    global _shared
    if _shared is None:
        _shared = Worker()
        atexit.register(_shared.close)
    _shared.adopt(python, device, idle)
    return _shared
