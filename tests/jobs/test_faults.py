"""What goes wrong between Blender and its worker, each with a real process: an error and never a hang."""

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import make_dataclass, replace
from pathlib import Path

import pytest

from maquette.jobs.client import JobCancelled, JobError, Worker
from maquette.jobs.misbehave import Misbehave

HERE = Path(__file__).resolve().parent


def works(worker) -> bool:
    """The next click gets its result."""
    return worker.run(Misbehave("work", 0.05, "fine")).path == "fine"


# --- the worker dies ------------------------------------------------------------------------------------------------


def test_a_worker_killed_in_mid_job_is_an_error_with_its_last_words(worker):
    with pytest.raises(JobError, match=r"killed \(signal 9\).*these are my last words") as error:
        worker.run(Misbehave("killed"))
    assert "\n" not in str(error.value)
    assert "these are my last words" in error.value.log
    assert works(worker)


def test_a_worker_killed_while_idle_is_replaced_unseen(worker, until):
    assert works(worker)
    first = worker.pid
    os.kill(first, signal.SIGKILL)
    assert works(worker)
    assert worker.pid != first


@pytest.mark.parametrize("what, said", [("segfault", "signal 11"), ("leave", "exit code 7")])
def test_a_crash_in_a_library_is_an_error(worker, what, said):
    with pytest.raises(JobError, match=said):
        worker.run(Misbehave(what))
    assert works(worker)


def test_a_segfault_leaves_its_place_in_the_log(worker):
    with pytest.raises(JobError) as error:
        worker.run(Misbehave("segfault"))
    assert "Segmentation fault" in error.value.log and "misbehave.py" in error.value.log


def test_a_library_that_exits_does_not_take_the_worker_down(worker):
    with pytest.raises(JobError, match="a library thought it was the program"):
        worker.run(Misbehave("sys_exit"))
    assert worker.running and works(worker)


def test_a_worker_without_heartbeat_is_ended(make_worker):
    worker = make_worker(silence=3.0)
    with pytest.raises(JobError, match="no sign of life"):
        worker.run(Misbehave("frozen"))
    worker.patience = replace(worker.patience, silence=60)
    assert works(worker)


def test_a_long_job_with_heartbeat_is_left_alone(make_worker):
    """Silent about its progress for longer than `silence`, but alive."""
    assert make_worker(silence=8.0).run(Misbehave("deaf", 10.0)).path == "deaf"


# --- it does not start ----------------------------------------------------------------------------------------------


def test_a_worker_that_dies_at_start_says_why(worker, monkeypatch):
    monkeypatch.setenv("MAQUETTE_TEST", "dead at start")
    with pytest.raises(JobError, match="I never came to life"):
        worker.run(Misbehave())
    monkeypatch.delenv("MAQUETTE_TEST")
    assert works(worker)


def test_a_worker_stuck_at_start_is_ended(make_worker, monkeypatch):
    monkeypatch.setenv("MAQUETTE_TEST", "stuck at start")
    with pytest.raises(JobError, match="did not start within 1 second"):
        make_worker(start=1.0).run(Misbehave())


def test_a_python_that_is_none_is_named(tmp_path):
    worker = Worker(str(tmp_path / "no python"))
    with pytest.raises(JobError, match="no python"):
        worker.run(Misbehave())
    assert not list(Path(os.environ.get("TMPDIR", "/tmp")).glob(f"maquette-{os.getpid()}*"))


# --- the wire -------------------------------------------------------------------------------------------------------


def test_garbage_on_stdout_breaks_nothing(worker):
    assert worker.run(Misbehave("noisy")).path == "quiet again"
    log = worker.log_tail()
    assert all(f"garbage from {who}" in log for who in ("print", "C", "a child"))


def test_garbage_before_the_wire_is_claimed_breaks_nothing(worker, monkeypatch):
    monkeypatch.setenv("MAQUETTE_TEST", "noisy at start")
    assert works(worker)
    assert "greets you" in worker.log_tail()


def test_nothing_can_read_the_requests_from_stdin(worker):
    assert worker.run(Misbehave("keyboard")).path == "''"
    assert works(worker)


def test_garbage_in_the_requests_is_skipped(worker):
    assert works(worker)
    for line in (
        b"not json\n",
        b"[]\n",
        b'{"kind": "request"}\n',
        b'{"kind": "dance", "job": 1}\n',
        b"\xff\n",
        b"\n\n",
    ):
        os.write(worker._process.popen.stdin.fileno(), line)
    assert works(worker)


def test_a_request_of_another_version_is_refused(worker):
    with pytest.raises(JobError, match="Dance.* is nothing that this version of Maquette knows"):
        worker.run(make_dataclass("Dance", [])())
    assert works(worker)


# --- cancel ---------------------------------------------------------------------------------------------------------


def test_cancel_during_start(worker, monkeypatch):
    monkeypatch.setenv("MAQUETTE_TEST", "slow to answer")
    job = worker.submit(Misbehave("work", 600))
    assert job.poll() == "waiting"
    job.cancel()
    assert job.poll() == "cancelled"
    assert works(worker)  # the same process, come up meanwhile


def test_cancel_during_load(make_worker, monkeypatch, until):
    monkeypatch.setenv("MAQUETTE_TEST", "slow to load 1.0")
    worker = make_worker(grace=60)
    job = worker.submit(Misbehave("work", 600))
    until(lambda: job.poll() and job.phase == "Loading")
    pid = worker.pid
    job.cancel()
    assert job.poll() == "running" and job.note == "Cancelling"
    until(lambda: job.poll() == "cancelled")
    assert works(worker) and worker.pid == pid


def test_cancel_during_a_load_without_end(make_worker, monkeypatch, until, ended):
    monkeypatch.setenv("MAQUETTE_TEST", "slow to load 600")
    worker = make_worker(grace=0.5)
    job = worker.submit(Misbehave("work", 0.1))
    until(lambda: job.poll() and job.phase == "Loading")
    pid = worker.pid
    job.cancel()
    until(lambda: job.poll() == "cancelled")
    until(lambda: ended(pid))
    monkeypatch.delenv("MAQUETTE_TEST")
    assert works(worker)


def test_cancel_during_the_run(worker, until):
    job = worker.submit(Misbehave("work", 600))
    until(lambda: job.poll() and job.phase == "Working")
    pid = worker.pid
    job.cancel()
    job.cancel()
    until(lambda: job.poll() == "cancelled")
    assert works(worker) and worker.pid == pid, "asking was enough: the worker stays warm"
    with pytest.raises(JobCancelled):
        job.value()


@pytest.mark.parametrize("what", ["deaf", "frozen"])
def test_a_job_that_hears_no_cancel_is_killed_after_the_grace_time(worker, until, ended, what):
    job = worker.submit(Misbehave(what, 600))
    until(lambda: job.poll() and job.phase == "Misbehaving")
    pid = worker.pid
    job.cancel()
    until(lambda: job.poll() == "cancelled")
    until(lambda: ended(pid))
    assert works(worker)


def test_cancel_cannot_be_swallowed(worker, until):
    job = worker.submit(Misbehave("swallow"))
    until(lambda: job.poll() and job.phase == "Swallowing")
    pid = worker.pid
    job.cancel()
    until(lambda: job.poll() == "cancelled")
    assert works(worker) and worker.pid == pid


def test_cancel_after_the_end_changes_nothing(worker, until):
    job = worker.submit(Misbehave("work", 0.01, "kept"))
    until(lambda: job.poll() == "done")
    job.cancel()
    assert job.poll() == "done" and job.value().path == "kept"
    assert works(worker)


def test_a_result_that_was_on_its_way_when_cancelled_is_dropped(worker, until):
    job = worker.submit(Misbehave("work", 0.01, "late"))
    until(lambda: worker.current is job or worker.pump())
    time.sleep(1.0)  # the answer lies in the inbox, unread
    job.cancel()
    until(lambda: job.poll() == "cancelled")
    assert job.result is None
    assert works(worker)


def test_ctrl_c_cancels_the_job_and_keeps_the_worker(worker):
    def interrupt(fraction, phase, note):
        if phase == "Working":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.run(Misbehave("work", 600), interrupt)
    assert works(worker)


def test_ctrl_c_in_the_terminal_does_not_reach_the_worker(worker):
    assert works(worker)
    pid = worker.pid
    os.kill(pid, signal.SIGINT)
    assert works(worker) and worker.pid == pid


def test_whatever_is_cancelled_whenever_every_job_ends_once_and_the_worker_stays(make_worker, until):
    """Jobs, sliders, cancels and two murders in a random order, the same each time."""
    worker, chance = make_worker(grace=5), random.Random(0)
    jobs, ends = [], {}
    for step in range(120):
        act = chance.choice(["job", "job", "slider", "cancel", "wait", "wait"])
        if act in ("job", "slider"):
            jobs.append(
                worker.submit(Misbehave("work", chance.uniform(0, 0.03), str(len(jobs))), latest=act == "slider")
            )
        elif act == "cancel" and jobs:
            chance.choice(jobs).cancel()
        elif act == "wait":
            time.sleep(chance.uniform(0, 0.05))
        if step in (50, 90) and worker.pid:
            os.kill(worker.pid, signal.SIGKILL)
        for job in jobs:
            if job.poll() in ("done", "error", "cancelled"):
                assert ends.setdefault(job.number, job.state) == job.state, "a job ends once"
    until(lambda: all([job.poll() in ("done", "error", "cancelled") for job in jobs]))
    assert sum(job.state == "error" for job in jobs) <= 2, "one for each murder at most"
    assert all(job.result.path == job.request.text for job in jobs if job.state == "done")
    assert works(worker)


# --- the parent goes ------------------------------------------------------------------------------------------------

PARENT = f"""
import runpy, sys, time
sys.path.insert(0, {str(HERE.parent)!r})
runpy.run_path({str(HERE.parent / "conftest.py")!r})
runpy.run_path({str(HERE / "conftest.py")!r})
from maquette.jobs.client import Worker
from maquette.jobs.misbehave import Misbehave
worker = Worker(sys.executable, launch={str(HERE / "launch_misbehaving.py")!r})
worker.run(Misbehave("work", 0.01))
if sys.argv[1] != "idle":
    job = worker.submit(Misbehave(sys.argv[1], 600))
    while job.phase not in ("Working", "Misbehaving"):
        job.poll()
print(worker.pid, worker._process.folder, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("what", ["idle", "work", "deaf"])
def test_the_worker_ends_within_seconds_of_its_parent(what, until, ended):
    parent = subprocess.Popen([sys.executable, "-c", PARENT, what], stdout=subprocess.PIPE, text=True)
    try:
        pid, _, folder = parent.stdout.readline().strip().partition(" ")
        assert not ended(int(pid))
    finally:
        parent.kill()
        parent.wait()
    until(lambda: ended(int(pid)), 30)
    assert not Path(folder).exists(), "nobody else would ever delete it"


def test_the_parent_is_watched_even_when_stdin_stays_open(until, ended, tmp_path):
    """Somebody else holds the other end of the pipe: a process forked from Blender, for instance."""
    read, write = os.pipe()
    script = (
        "import os, subprocess, sys, time\n"
        f"p = subprocess.Popen([sys.executable, {str(HERE / 'launch_misbehaving.py')!r}, '--exchange', sys.argv[1],\n"
        "    '--parent', str(os.getpid())], stdin=int(sys.argv[2]), stdout=subprocess.DEVNULL)\n"
        "print(p.pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    folder = tmp_path / "exchange"
    folder.mkdir()
    command = [sys.executable, "-c", script, str(folder), str(read)]
    parent = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[read])
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    until(lambda: ended(pid), 30)
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("busy", [False, True])
def test_closed_stdin_ends_the_worker_in_good_order(worker, until, busy):
    assert works(worker)
    process = worker._process
    if busy:
        job = worker.submit(Misbehave("work", 600))
        until(lambda: job.poll() and job.phase == "Working")
    process.popen.stdin.close()
    assert process.popen.wait(30) == 0


# --- warmth ---------------------------------------------------------------------------------------------------------


def test_an_idle_worker_ends_itself_and_the_next_request_starts_another(make_worker, until, ended):
    worker = make_worker(idle=1.0)
    assert works(worker)
    pid = worker.pid
    until(lambda: ended(pid), 30)
    assert works(worker)


def test_requests_in_the_moment_of_idle_exit_are_not_lost(make_worker):
    worker = make_worker(idle=0.3)
    for pause in (0.25, 0.28, 0.3, 0.32, 0.35):
        assert works(worker)
        time.sleep(pause)
    assert works(worker)


def test_two_clients_at_once_have_workers_of_their_own(make_worker, until):
    one, two = make_worker(), make_worker()
    first, second = one.submit(Misbehave("work", 1.0, "one")), two.submit(Misbehave("work", 1.0, "two"))
    until(lambda: first.poll() == "done" and second.poll() == "done")
    assert (first.value().path, second.value().path) == ("one", "two")
    assert one.pid != two.pid


def test_closing_cancels_and_leaves_nothing_behind(make_worker, until, ended):
    worker = make_worker()
    job = worker.submit(Misbehave("work", 600))
    until(lambda: job.poll() and job.phase == "Working")
    pid, folder = worker.pid, worker._process.folder
    worker.close()
    assert job.state == "cancelled" and ended(pid) and not folder.exists()
    assert works(worker)
