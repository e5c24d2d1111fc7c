"""How client and worker talk: one JSON object a line over the worker's stdin and stdout, arrays as .npy files.

In:   {"kind": "request", "job": 3, "request": {...}}   {"kind": "cancel", "job": 3}
      {"kind": "enough", "job": 3}: end soon with what there is by now, where the verb can
Out:  {"kind": "ready", ...} once; {"kind": "heartbeat"} every second;
      {"kind": "progress", "job": 3, "fraction": .4, "phase": "Network", "note": "", "preview": ""} any number of times,
      some with "shape": {...}, what there is by then;
      then exactly one {"kind": "done", "job": 3, "result": {...}}, {"kind": "error", "message": ...} or "cancelled";
      {"kind": "idle"} when the worker ends itself because nobody asked for anything.
"""

import json
import os
import re
import threading
from pathlib import Path

import numpy as np

LAST = ("done", "error", "cancelled")
_ARRAY_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,150}\.npy")
_LONGEST_LINE = 16 * 2**20


class Cancelled(BaseException):
    """Raised inside a verb, by progress(), when its job was cancelled.

    Not an Exception, so that a verb's own `except Exception` cannot swallow it."""


# --- lines ----------------------------------------------------------------------------------------------------------


class LineWriter:
    """Writes messages to a file descriptor; any thread may send."""

    def __init__(self, descriptor: int):
        self.descriptor = descriptor
        self._lock = threading.Lock()

    def send(self, message: dict):
        """Raises OSError when the other end is gone."""
        # The leading newline keeps a message whole even behind stray output that did not end its line.
        data = memoryview(b"\n" + json.dumps(message, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        with self._lock:
            while data:
                data = data[os.write(self.descriptor, data) :]


def lines(descriptor: int):
    """The lines that arrive at a file descriptor, as bytes, until it closes.

    os.read and not a buffered file: a thread blocked in a buffered read aborts the interpreter at its exit."""
    rest = b""
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            chunk = b""
        if not chunk:
            break
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line for line in whole if line.strip())
        if len(rest) > _LONGEST_LINE:  # no message is this long: stray output without end
            rest = b""
    if rest.strip():
        yield rest


def decode(line: bytes) -> dict | None:
    """The message in a line, or None when the line is none of ours."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) and isinstance(message.get("kind"), str) else None


def as_json(value):
    """`value` with what JSON cannot say (infinities, paths, numpy scalars) turned into what it can."""
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, np.generic):
        return as_json(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# --- arrays ---------------------------------------------------------------------------------------------------------


class Exchange:
    """The folder through which arrays travel; names can never lead out of it and nothing in it is ever unpickled."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def put(self, name: str, array: np.ndarray) -> str:
        """Write an array; returns the file name under which `get` finds it."""
        if array.dtype.hasobject:
            raise ValueError(f"{name} holds Python objects; only plain numbers travel")
        file = re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:150].lstrip(".-") + ".npy"
        self.folder.mkdir(parents=True, exist_ok=True)  # systems clear their temporary folder under us
        with open(self._inside(file), "wb") as stream:
            np.save(stream, np.ascontiguousarray(array), allow_pickle=False)
        return file

    def get(self, file: str) -> np.ndarray:
        """Read an array and delete its file. Raises ValueError when the name leads elsewhere or it is no array."""
        path = self._inside(file)
        try:
            with open(path, "rb") as stream:
                array = np.load(stream, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(f"The array {file} did not arrive whole: {error}") from None
        path.unlink(missing_ok=True)
        return array

    def discard(self, prefix: str):
        """Delete what an abandoned job left behind."""
        for path in self.folder.glob(f"{prefix}*.npy"):
            path.unlink(missing_ok=True)

    def _inside(self, file) -> Path:
        if not isinstance(file, str) or not _ARRAY_NAME.fullmatch(file):
            raise ValueError(f"{file!r} is no name for an array of the exchange folder")
        path = self.folder / file
        if path.is_symlink():
            raise ValueError(f"{file} is a link; arrays are plain files")
        return path
