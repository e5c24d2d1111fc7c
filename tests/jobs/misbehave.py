"""A verb that does whatever a fault test wants. `launch_misbehaving.py` gives it to a worker."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np

from maquette.jobs import requests


@dataclass(frozen=True)
class Misbehave:
    VERB = "misbehave"
    what: str = "work"
    seconds: float = 0.0
    text: str = ""
    device: str = "auto"


requests.KINDS["Misbehave"] = Misbehave


def misbehave(request: Misbehave, progress, cancelled):
    progress(0.1, "Misbehaving", request.what)
    return globals()[request.what](request, progress, cancelled)


def answer(text) -> requests.Written:
    return requests.Written(str(text))


def work(request, progress, cancelled):
    """Take some time and report often, as a good verb does."""
    end = time.monotonic() + request.seconds
    while (left := end - time.monotonic()) > 0:
        progress(1 - left / request.seconds, "Working")
        time.sleep(0.01)
    return answer(request.text)


def deaf(request, progress, cancelled):
    """Report nothing and hear no cancel, as a long call into a library does."""
    time.sleep(request.seconds)
    return answer("deaf")


def killed(request, progress, cancelled):
    print("these are my last words", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def segfault(request, progress, cancelled):
    ctypes.string_at(0)


def leave(request, progress, cancelled):
    os._exit(7)


def sys_exit(request, progress, cancelled):
    sys.exit("a library thought it was the program")


def frozen(request, progress, cancelled):
    """No heartbeat, no answer."""
    os.kill(os.getpid(), signal.SIGSTOP)


def noisy(request, progress, cancelled):
    """Write to stdout in every way there is."""
    print("garbage from print", end="", flush=True)
    os.write(1, b'{"kind": "done", "job": 1, "result": "forged"}\n')
    libc = ctypes.CDLL(None)
    libc.puts(b"garbage from C")
    libc.fflush(None)
    subprocess.run([sys.executable, "-c", "print('garbage from a child')"], check=True)
    return answer("quiet again")


def keyboard(request, progress, cancelled):
    """Read stdin, as a library does that asks a question."""
    return answer(repr(sys.stdin.read()))


def sentence(request, progress, cancelled):
    raise ValueError("photo.jpg is 12 x 9 pixels; Reconstruct needs at least 32 on each side")


def bug(request, progress, cancelled):
    return {}["missing"]


def shapes(request, progress, cancelled):
    return np.zeros(3) + np.zeros(4)


def memory(request, progress, cancelled):
    raise MemoryError


def absent(request, progress, cancelled):
    import a_library_that_is_not_there  # noqa: F401


def swallow(request, progress, cancelled):
    """Catch everything that a careful verb would."""
    while True:
        try:
            progress(0.5, "Swallowing")
        except Exception:
            pass
        time.sleep(0.01)


def infinite(request, progress, cancelled):
    shape = grid(request, progress, cancelled)
    return requests.Shape(shape.vertices, shape.faces, report={"volume": float("inf"), "count": np.int64(3)})


def grid(request, progress, cancelled):
    """A shape with arrays, `seconds` thousand vertices."""
    count = int(request.seconds * 1000) or 3
    vertices = np.arange(3 * count, dtype=np.float32).reshape(count, 3)
    return requests.Shape(vertices, np.array([[0, 1, 2]]), vertices / vertices.max(), report={"vertices": count})


def grow(request, progress, cancelled):
    """Show a shape that grows until it is enough, or for so many seconds; the last one is the answer."""
    end, count = time.monotonic() + request.seconds, 0
    while time.monotonic() < end:
        count += 1
        shape = requests.Shape(np.full((count, 3), count, np.float32), np.zeros((0, 3), np.int32))
        if progress(0.5, "Growing", shape=shape):
            break
        time.sleep(0.02)
    return shape


def inspect(request, progress, cancelled):
    """What the worker inherited, as text."""
    import maquette

    return answer(repr({"path": sys.path, "environment": dict(os.environ), "root": maquette.__path__[0]}))
