"""The ordinary life of a job: progress, order, arrays, latest wins; and what the worker inherits."""

import ast
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from maquette.jobs import client as clients
from maquette.jobs.client import JobError, Worker
from maquette.jobs.misbehave import Misbehave
from maquette.jobs.requests import Doctor


def test_progress_comes_in_order_with_phases(worker):
    seen = []
    worker.run(Misbehave("work", 0.3), lambda *what: seen.append(what))
    fractions, phases = [step[0] for step in seen], [step[1] for step in seen]
    assert list(dict.fromkeys(phases)) == ["Loading", "Misbehaving", "Working", "Done"]
    assert fractions[2:] == sorted(fractions[2:]) and fractions[-1] == 1
    assert ("work" in seen[1][2]) and len(seen) < 40, "throttled: Blender redraws at each"


def test_jobs_run_one_after_another_in_order(worker, until):
    jobs = [worker.submit(Misbehave("work", 0.05, str(number))) for number in range(4)]
    until(lambda: [job.poll() for job in jobs].count("done") == 4)
    assert [job.result.path for job in jobs] == ["0", "1", "2", "3"]


def test_arrays_come_back_bit_for_bit_and_leave_no_files(worker):
    shape = worker.run(Misbehave("grid", 20))
    expected = np.arange(60000, dtype=np.float32).reshape(-1, 3)
    assert np.array_equal(shape.vertices, expected) and shape.vertices.dtype == np.float32
    assert np.array_equal(shape.colours, expected / expected.max())
    assert shape.faces.tolist() == [[0, 1, 2]] and shape.report == {"vertices": 20000}
    assert not list(worker._process.folder.glob("*.npy"))


def test_what_there_is_so_far_is_shown_and_leaves_no_files(worker, until):
    job = worker.submit(Misbehave("grow", 600))
    until(lambda: job.poll() and job.shape is not None and len(job.shape.vertices) > 3)
    assert (job.shape.vertices == len(job.shape.vertices)).all()
    job.enough()
    until(lambda: job.poll() == "done")
    assert len(job.result.vertices) >= len(job.shape.vertices)
    assert not list(worker._process.folder.glob("*.npy"))


def test_enough_is_remembered_until_the_job_begins(worker, until):
    first, second, third = (worker.submit(Misbehave("grow", seconds)) for seconds in (0.2, 600, 0.2))
    second.enough()
    until(lambda: third.poll() == "done")
    assert [job.state for job in (first, second)] == ["done", "done"]
    assert len(second.result.vertices) < 50, "it ends as soon as that has arrived"
    assert len(third.result.vertices) > 1, "another job's end is not its own"


def test_enough_does_not_end_what_cannot_end_early(worker):
    job = worker.submit(Misbehave("work", 0.3, "whole"))
    job.enough()
    while not job.finished:
        worker.pump(0.1)
    assert job.value().path == "whole"


def test_shapes_of_an_abandoned_job_leave_no_files(worker, until):
    job = worker.submit(Misbehave("grow", 600))
    until(lambda: job.poll() and job.shape is not None)
    job.cancel()
    until(lambda: job.poll() == "cancelled")
    worker.run(Misbehave("work", 0.01))
    assert not list(worker._process.folder.glob("*.npy"))


def test_numbers_that_json_lacks_do_not_break_the_answer(worker):
    assert worker.run(Misbehave("infinite")).report == {"volume": None, "count": 3}


@pytest.mark.parametrize(
    "what, message",
    [
        ("sentence", r"^photo.jpg is 12 x 9 pixels; Reconstruct needs at least 32 on each side$"),
        ("bug", r"^Misbehave failed unexpectedly: KeyError: 'missing'$"),
        ("shapes", r"^Misbehave failed unexpectedly: ValueError: operands could not be broadcast"),
        ("memory", r"^Misbehave ran out of memory"),
        ("absent", r"cannot load a_library_that_is_not_there"),
    ],
)
def test_an_error_is_one_sentence_and_its_log_holds_the_traceback(worker, what, message):
    with pytest.raises(JobError, match=message) as error:
        worker.run(Misbehave(what))
    assert "Traceback" in error.value.log
    assert worker.running, "a failed job costs nobody the warm worker"


def test_the_latest_request_wins(worker, until):
    jobs = [worker.submit(Misbehave("work", 1.0, str(number)), latest=True) for number in range(5)]
    until(lambda: jobs[-1].poll() == "done")
    assert [job.state for job in jobs] == ["cancelled"] * 4 + ["done"]
    assert jobs[-1].result.path == "4"


def test_the_latest_request_wins_over_one_that_runs_and_its_late_message_is_dropped(worker, until):
    heard = []
    first = worker.submit(Misbehave("deaf", 1.5), lambda *what: heard.append(what), latest=True)
    until(lambda: first.poll() and first.phase == "Misbehaving")
    pid, before = worker.pid, len(heard)
    second = worker.submit(Misbehave("work", 0.01, "second"), latest=True)
    assert first.state == "cancelled"
    until(lambda: second.poll() == "done")
    assert first.result is None and len(heard) == before
    assert worker.pid == pid, "a slider does not cost the warm worker"


def test_latest_spares_what_is_not_a_slider(worker, until):
    kept = worker.submit(Misbehave("work", 0.3, "kept"))
    slider = worker.submit(Misbehave("work", 0.01, "slider"), latest=True)
    until(lambda: kept.poll() == "done" and slider.poll() == "done")


def test_the_worker_chooses_the_device_for_requests_on_auto(worker):
    worker.device = "cpu"
    assert worker.submit(Misbehave()).request.device == "cpu"
    assert worker.submit(Misbehave(device="cuda")).request.device == "cuda"
    worker.close()


def test_another_python_takes_over_once_the_job_is_done(worker, until, tmp_path):
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    job = worker.submit(Misbehave("work", 0.5, "old"))
    until(lambda: job.poll() == "running")
    pid = worker.pid
    worker.adopt(python=sys.executable, device="cpu", idle=worker.patience.idle)
    same = worker.submit(Misbehave("work", 0.01, "same"))
    until(lambda: same.poll() == "done")
    assert worker.pid == pid, "nothing differs: it stays warm"
    job = worker.submit(Misbehave("work", 0.5, "old"))
    worker.adopt(python=str(other))
    follower = worker.submit(Misbehave("work", 0.01, "new"))
    until(lambda: follower.poll() == "done")
    assert job.result.path == "old" and worker.pid != pid


def test_the_shared_worker_is_one(monkeypatch):
    monkeypatch.setattr(clients, "_shared", None)
    assert clients.worker() is clients.worker(device="cpu")
    assert clients.worker().device == "cpu"


# --- what the worker inherits ---------------------------------------------------------------------------------------


def test_no_python_of_ours_leaks_into_the_worker(worker, monkeypatch, tmp_path):
    (tmp_path / "numpy.py").write_text("raise ImportError('the wrong numpy')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "start.py"))
    inherited = ast.literal_eval(worker.run(Misbehave("inspect")).path)
    assert not {"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"} & set(inherited["environment"])
    assert not [entry for entry in inherited["path"] if entry.rstrip("/").endswith("/jobs")]


@pytest.mark.parametrize("name", ["maquette", "main", "my add-on 1.2.3", "ma maquette à moi", "模型", "class"])
def test_the_root_loads_whatever_its_folder_is_called_and_stays_clean(root, tmp_path, name):
    copy = tmp_path / name
    copy.mkdir()
    for part in ("__init__.py", "blender_manifest.toml"):
        shutil.copy(root / part, copy)
    for room in ("jobs", "nets", "geometry"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__", "*.safetensors"))
    before = sorted(copy.rglob("*"))
    worker = Worker(sys.executable, launch=str(copy / "jobs" / "launch.py"))
    try:
        diagnosis = worker.run(Doctor(device="cpu"))
    finally:
        worker.close()
    assert Path(diagnosis.report["folders"]["extension"]) == copy
    assert sorted(copy.rglob("*")) == before, "no bytecode, no caches"
