"""The worker process: takes requests one after another, imports the verb each one needs, answers over the wire.

Threads: the main one runs the verbs; one reads requests; one sends heartbeats and watches the parent. The process ends
when its stdin closes, its parent dies, or nobody has asked for anything for the idle time.
"""

import argparse
import faulthandler
import importlib
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback

from . import environment, requests
from .protocol import Cancelled, Exchange, LineWriter, as_json, decode, lines

HEARTBEAT = 1.0
"""Seconds between heartbeats."""
FAREWELL = 3.0
"""Seconds a running job has to end by itself once nobody is there to take its result."""
BETWEEN_PROGRESS = 0.03
"""Seconds; more messages than this an artist cannot see and Blender need not read."""


def main(incoming: int, outgoing: int, argv=None) -> int:
    """Serve until told to end; returns the exit code."""
    parser = argparse.ArgumentParser(prog="maquette worker")
    parser.add_argument("--exchange", required=True, help="folder for arrays")
    parser.add_argument("--parent", type=int, default=0, help="process to end with; 0 is the one that started this")
    parser.add_argument("--idle", type=float, default=0, help="seconds without a request before ending; 0: never")
    options = parser.parse_args(argv)
    # Ctrl-C in a terminal reaches the whole group; the client cancels in good order, so it is not for the worker.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    faulthandler.enable()  # a crash in a C library leaves its last words in the log
    return Server(incoming, outgoing, options.exchange, options.parent, options.idle).serve()


class Server:
    """One worker's side of the wire."""

    def __init__(self, incoming: int, outgoing: int, exchange, parent: int = 0, idle: float = 0):
        self.incoming = incoming
        self.wire = LineWriter(outgoing)
        self.exchange = Exchange(exchange)
        self.idle = idle or None
        self.parent_lives = watch(parent or os.getppid())
        self.waiting = queue.SimpleQueue()
        self.cancelled = set()
        self.enough = set()
        self.leaving = threading.Event()

    def serve(self) -> int:
        """Answer requests until told to end; returns the exit code."""
        self.wire.send({"kind": "ready", "pid": os.getpid(), "python": sys.executable})
        threading.Thread(target=self._listen, name="maquette requests", daemon=True).start()
        threading.Thread(target=self._beat, name="maquette heartbeat", daemon=True).start()
        while not self.leaving.is_set():
            try:
                message = self.waiting.get(timeout=self.idle)
            except queue.Empty:
                self.wire.send({"kind": "idle"})
                return 0
            if message is not None:
                self._answer(message["job"], message.get("request"))
        self._clear_up()
        return 0

    def _answer(self, job: int, data):
        """Run one request; sends exactly one last message, whatever happens."""
        task = Task(self, job)
        try:
            task.progress(0, "Loading")
            request = requests.from_json(data, self.exchange.get)
            result = verb(request)(request, task.progress, task.cancelled)
            task.progress(1, "Done")
            put = lambda name, array: self.exchange.put(f"job{job}-out-{name}", array)  # noqa: E731
            last = {"kind": "done", "result": requests.to_json(result, put)}
        except Cancelled:
            last = {"kind": "cancelled"}
        except BaseException as error:
            traceback.print_exc()  # to the log, which the client quotes
            last = {"kind": "error"} | explain(error, data)
        sys.stdout.flush()
        sys.stderr.flush()
        self.cancelled.discard(job)
        self.enough.discard(job)
        self._send({"job": job} | as_json(last))

    def _send(self, message: dict):
        try:
            self.wire.send(message)
        except OSError:  # the client is gone
            self._leave()

    def _listen(self):
        """Sort what arrives: requests to the queue, words about running jobs to their sets; at the wire's end, end."""
        for line in lines(self.incoming):
            message = decode(line)
            if message is None or not isinstance(message.get("job"), int):
                print(f"maquette: not a message: {line[:200]!r}", file=sys.stderr)
            elif message["kind"] == "request":
                self.waiting.put(message)
            elif message["kind"] == "cancel":
                self.cancelled.add(message["job"])
            elif message["kind"] == "enough":
                self.enough.add(message["job"])
        self._leave()

    def _beat(self):
        """Say now and then that this process lives, and see that its parent does."""
        while self.parent_lives():
            self._send({"kind": "heartbeat"})
            time.sleep(HEARTBEAT)
        self._leave()

    def _leave(self):
        """End: an idle worker at once, a busy one when its job next reports progress, or after FAREWELL."""
        if self.leaving.is_set():
            return
        self.leaving.set()
        self.waiting.put(None)

        def insist():
            self._clear_up()
            os._exit(1)

        timer = threading.Timer(FAREWELL, insist)
        timer.daemon = True
        timer.start()

    def _clear_up(self):
        """Nobody else is left to delete the exchange folder."""
        os.chdir(os.path.dirname(os.path.abspath(self.exchange.folder)))
        shutil.rmtree(self.exchange.folder, ignore_errors=True)


class Task:
    """What a verb sees of its job: two functions."""

    def __init__(self, server: Server, job: int):
        self.server, self.job = server, job
        self.last_sent, self.last_phase = 0.0, None
        self.shapes = 0

    def progress(self, fraction: float, phase: str, note: str = "", preview: str = "", shape=None) -> bool:
        """Report how far the job is; raises Cancelled when it should stop, True when what there is by now is enough.

        `preview` is the path of a picture, `shape` a Shape of what there is by now."""
        if self.cancelled():
            raise Cancelled
        now, enough = time.monotonic(), self.job in self.server.enough
        if (phase, note) == self.last_phase and now - self.last_sent < BETWEEN_PROGRESS and not (preview or shape):
            return enough
        self.last_sent, self.last_phase = now, (phase, note)
        fraction = min(max(float(fraction), 0.0), 1.0)
        message = {"kind": "progress", "job": self.job, "fraction": fraction, "phase": phase, "note": note}
        if shape is not None:
            message["shape"] = self._by_now(shape)
        self.server._send(message | ({"preview": preview} if preview else {}))
        return enough

    def _by_now(self, shape) -> dict:
        self.shapes += 1
        put = lambda name, array: self.server.exchange.put(f"job{self.job}-now{self.shapes}-{name}", array)  # noqa: E731
        return as_json(requests.to_json(shape, put))

    def cancelled(self) -> bool:
        """True when nobody wants the result any more."""
        return self.job in self.server.cancelled or self.server.leaving.is_set()


def verb(request):
    """The function that serves a request: `<verb>` in the module `jobs/<verb>.py`, imported when first asked for."""
    name = getattr(request, "VERB", None)
    if name is None:
        raise ValueError(f"{type(request).__name__} is nothing that a worker can be asked for")
    return getattr(importlib.import_module(f".{name}", __package__), name)


def explain(error: BaseException, asked) -> dict:
    """{"message": one sentence, "expected": True when it is about what was asked and not about a fault of ours}."""
    asked = asked.get("kind", "The job") if isinstance(asked, dict) else "The job"
    text = " ".join(str(error).split())
    if isinstance(error, ImportError) and (error.name or "").split(".")[0] != "maquette":
        missing = error.name or text
        sentence = f"{sys.executable} cannot load {missing}; install it there, or {environment.WHERE_TO_SET_IT}"
        return {"message": sentence, "expected": True}
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        sentence = f"{asked} ran out of memory; close other programs or choose a lower resolution"
        return {"message": sentence, "expected": True}
    if isinstance(error, OSError) and error.filename and error.strerror:
        return {"message": f"{error.filename}: {error.strerror}", "expected": True}
    if isinstance(error, (ValueError, OSError, RuntimeError)) and text and raised_by_us(error.__traceback__):
        return {"message": text, "expected": True}
    return {"message": f"{asked} failed unexpectedly: {type(error).__name__}: {text}".rstrip(": "), "expected": False}


def raised_by_us(trace) -> bool:
    """Whether a `raise` in this package made the error: then its text is a sentence for the artist.

    Otherwise a library complained about something that we should not have given it."""
    last = traceback.extract_tb(trace)[-1]
    inside = os.path.abspath(last.filename).removeprefix(str(environment.ROOT) + os.sep)
    return not os.path.isabs(inside) and "site-packages" not in inside and (last.line or "").startswith("raise ")


# --- the parent -----------------------------------------------------------------------------------------------------


def watch(parent: int):
    """A function that says whether the process `parent` still lives."""
    if os.name == "nt":
        return _watch_windows(parent)
    if parent == os.getppid():  # sure even if the number is given to another process later
        return lambda: os.getppid() == parent
    return lambda: _exists(parent)  # started through a wrapper, or the parent died just now


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _watch_windows(parent: int):
    import ctypes

    synchronize, still_running = 0x00100000, 0x102
    kernel = ctypes.windll.kernel32
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(synchronize, False, parent)
    if not handle:
        return lambda: True  # not ours to see; the closed stdin will tell
    return lambda: kernel.WaitForSingleObject(ctypes.c_void_p(handle), 0) == still_running
