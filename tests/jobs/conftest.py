"""A client whose worker can misbehave."""

import importlib.util
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from maquette.jobs.client import Patience, Worker

HERE = Path(__file__).resolve().parent
LAUNCH = str(HERE / "launch_misbehaving.py")

if "maquette.jobs.misbehave" not in sys.modules:  # both ends must know the request
    _spec = importlib.util.spec_from_file_location("maquette.jobs.misbehave", HERE / "misbehave.py")
    sys.modules["maquette.jobs.misbehave"] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules["maquette.jobs.misbehave"])

PATIENT = Patience(start=60, silence=60, grace=1.0, idle=0)


@pytest.fixture(scope="package", autouse=True)
def own_cache(tmp_path_factory):
    """The system's cache folder is another one here: cameras that were found there would not be found again."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture
def make_worker():
    """Workers that are closed again, with waiting times to choose."""
    made = []

    def make(**patience) -> Worker:
        made.append(Worker(sys.executable, patience=replace(PATIENT, **patience), launch=LAUNCH))
        return made[-1]

    yield make
    for worker in made:
        worker.close()


@pytest.fixture
def worker(make_worker) -> Worker:
    return make_worker()


@pytest.fixture
def until():
    """Wait for a condition; fails when it does not come true in time, however busy the machine."""

    def wait(condition, seconds: float = 60.0):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "waited in vain"
            time.sleep(0.02)

    return wait


@pytest.fixture
def ended():
    """Whether a process has ended; one that only waits to be reaped has."""

    def has(pid: int) -> bool:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        return state in "ZX"

    return has


@pytest.fixture
def closed_forms(monkeypatch):
    """Shapes of which all is known in place of the trained shape_vae."""
    from maquette.nets import sampler

    from ..nets import analytic

    real = sampler.load
    mine = lambda name, where: analytic.model() if name == "shape_vae" else real(name, where)  # noqa: E731
    monkeypatch.setattr(sampler, "load", mine)
