"""The worker as whoever writes to its stdin sees it: what it says, and how often."""

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from maquette.jobs import requests
from maquette.jobs.misbehave import Misbehave
from maquette.jobs.process import END_OF_FILE, Patience, Process
from maquette.jobs.protocol import LAST

LAUNCH = str(Path(__file__).resolve().parent / "launch_misbehaving.py")


@pytest.fixture
def process():
    """A worker process without a client."""
    made = Process(sys.executable, LAUNCH, Patience(idle=0))
    yield made
    made.end(now=True)


def ask(process, job: int, *arguments):
    process.send({"kind": "request", "job": job, "request": requests.to_json(Misbehave(*arguments))})


def hear(process, count: int) -> list[dict]:
    """All messages until `count` last ones have come, and those of another moment, in which there should be none."""
    heard = []
    end = time.monotonic() + 60
    while sum(message["kind"] in LAST for message in heard) < count:
        assert time.monotonic() < end, heard
        heard += process.messages(0.1)
    time.sleep(0.3)
    return heard + list(process.messages(0))


def test_every_job_has_exactly_one_last_message_and_it_is_its_last(process):
    whats = ["work", "bug", "sentence", "sys_exit", "memory", "noisy", "absent", "infinite"]
    for job, what in enumerate(whats, 1):
        ask(process, job, what)
    heard = hear(process, len(whats))
    assert heard[0]["kind"] == "ready"
    assert Counter(message["job"] for message in heard if message["kind"] in LAST) == Counter(range(1, len(whats) + 1))
    for job in range(1, len(whats) + 1):
        kinds = [message["kind"] for message in heard if message.get("job") == job]
        assert kinds[0] == "progress" and kinds[-1] in LAST and set(kinds[:-1]) == {"progress"}


def test_a_job_cancelled_before_during_and_after_has_one_last_message(process):
    process.send({"kind": "cancel", "job": 1})
    ask(process, 1, "work", 600)
    ask(process, 2, "work", 600)
    process.send({"kind": "cancel", "job": 2})
    ask(process, 3, "work", 0.01)
    heard = hear(process, 3)
    process.send({"kind": "cancel", "job": 3})
    ask(process, 4, "work", 0.01)
    heard += hear(process, 1)
    last = {message["job"]: message["kind"] for message in heard if message["kind"] in LAST}
    assert last == {1: "cancelled", 2: "cancelled", 3: "done", 4: "done"}
    assert sum(message["kind"] in LAST for message in heard) == 4


def test_it_beats_while_idle_and_while_a_job_is_deaf(process):
    hear(process, 0)
    ask(process, 1, "deaf", 600)
    for _ in range(2):
        before = process.heard
        end = time.monotonic() + 60
        while process.heard == before:
            assert time.monotonic() < end, "no heartbeat"
            time.sleep(0.05)


def test_an_idle_worker_says_so_and_exits_with_0():
    process = Process(sys.executable, LAUNCH, Patience(idle=0.3))
    kinds = []
    end = time.monotonic() + 60
    while not kinds or kinds[-1] is not END_OF_FILE:
        assert time.monotonic() < end
        kinds += [message if message is END_OF_FILE else message["kind"] for message in process.messages(0.1)]
    assert kinds == ["ready", "idle", END_OF_FILE]
    assert process.wait() == 0
    process.end()


def test_a_worker_that_nobody_listens_to_leaves(tmp_path):
    """Its stdout was closed and its stdin was not: the next heartbeat finds out."""
    folder = tmp_path / "exchange"
    folder.mkdir()
    command = [sys.executable, LAUNCH, "--exchange", str(folder), "--parent", str(os.getpid())]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while b"ready" not in process.stdout.readline():
        pass
    process.stdout.close()
    assert process.wait(30) == 0
    process.stdin.close()
    assert not folder.exists()
