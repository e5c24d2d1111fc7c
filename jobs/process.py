"""A worker process as its client holds it: its folder, its log, and the thread that reads what it says."""

import contextlib
import dataclasses
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from . import environment
from .protocol import Exchange, LineWriter, decode, lines

END_OF_FILE = object()
"""What follows the last message."""


@dataclasses.dataclass(frozen=True)
class Patience:
    """How long, in seconds, a client waits for what."""

    start: float = 60.0
    """From starting the process until it says ready."""
    silence: float = 90.0
    """Without a heartbeat; loading torch from a cold disk holds the heartbeat back too."""
    grace: float = 5.0
    """From asking a job to stop until its process is killed."""
    idle: float = 600.0
    """After the last job until the worker ends itself and gives its memory back; 0: never."""


class Process:
    """A worker process, its folder, its log and the thread that reads it."""

    def __init__(self, python: str, launch: str, patience: Patience):
        self.python, self.idle = python, patience.idle
        self.folder = Path(tempfile.mkdtemp(prefix="maquette-")).resolve()
        self.exchange = Exchange(self.folder)
        self.log = self.folder / "worker.log"
        self.ready = False
        self.started = self.heard = self.asked = time.monotonic()
        command = [python, launch, "--exchange", str(self.folder), "--parent", str(os.getpid())]
        command += ["--idle", str(patience.idle)]
        try:
            with open(self.log, "wb") as log:
                self.popen = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=log,
                    bufsize=0,
                    cwd=self.folder,
                    env=environment.child_environment(),
                    **environment.hidden_window(),
                )
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self._wire = LineWriter(self.popen.stdin.fileno())
        self._inbox = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._read, name="maquette worker's answers", daemon=True)
        self._thread.start()

    def _read(self):
        for line in lines(self.popen.stdout.fileno()):
            message = decode(line)
            self.heard = time.monotonic()
            if message is None:  # a library found a way round the claimed wire: keep its words, go on
                with contextlib.suppress(OSError), open(self.log, "ab") as log:
                    log.write(line[:2000] + b"\n")
            elif message["kind"] != "heartbeat":
                self._inbox.put(message)
        self._inbox.put(END_OF_FILE)

    def messages(self, wait: float):
        """What has arrived; waits up to `wait` seconds for the first message."""
        while True:
            try:
                message = self._inbox.get(timeout=wait) if wait else self._inbox.get_nowait()
            except queue.Empty:
                return
            wait = 0.0
            yield message

    def silent_for(self, now: float) -> float:
        """Seconds without a sign of life while somebody was listening: time in which this process itself stood still
        (a long render, a suspended laptop) does not count."""
        if now - self.asked > 5.0:
            self.heard = now
        self.asked = now
        return now - self.heard

    def differs(self, python: str, patience: Patience) -> bool:
        """Whether it was started otherwise than is wanted now; any Python will do for ""."""
        return (python or self.python, patience.idle) != (self.python, self.idle)

    def send(self, message: dict):
        """Raises OSError when the process is gone."""
        self._wire.send(message)

    def alive(self) -> bool:
        return self.popen.poll() is None

    def wait(self) -> int | None:
        """The exit code, shortly after the output closed; None when the process lives on."""
        try:
            return self.popen.wait(2.0)
        except subprocess.TimeoutExpired:
            return None

    def tail(self, count: int = 40) -> str:
        """The last lines of the log."""
        try:
            with open(self.log, "rb") as log:
                log.seek(max(0, log.seek(0, os.SEEK_END) - 16384))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return ""
        return "\n".join(line for line in text.splitlines()[-count:] if line.strip())

    def end(self, now: bool = False):
        """Close its stdin and wait a moment, or kill it; then clear up."""
        with contextlib.suppress(OSError):
            self.popen.stdin.close()
        if now or self.wait() is None:
            self.popen.kill()
        self.popen.wait()
        self._thread.join(2.0)
        if not self._thread.is_alive():  # else a grandchild holds the pipe open; closing under a reader is unsafe
            self.popen.stdout.close()
        shutil.rmtree(self.folder, ignore_errors=True)
