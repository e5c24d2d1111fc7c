"""A capture that was stopped goes on where it was, and says so where it cannot."""

import shutil

import numpy as np
import pytest

from maquette.jobs import unfinished
from maquette.jobs.capture import capture
from maquette.jobs.capturing import Capture
from maquette.jobs.protocol import Cancelled


def quiet(*_):
    pass


def never():
    return False


def asked(folder, cache, steps=30, **more):
    return Capture(folder, steps=steps, resolution=64, cache=str(cache), **more)


@pytest.fixture(scope="module")
def stopped(ellipsoid, tmp_path_factory):
    """(cache, Shape) of a capture that was cancelled."""
    cache, told = tmp_path_factory.mktemp("cache"), []

    def soon():
        told.append(1)
        return len(told) > 20

    return cache, capture(asked(ellipsoid.folder, cache, 1000), quiet, soon)


@pytest.fixture
def cache(stopped, tmp_path):
    shutil.copytree(stopped[0], tmp_path / "cache")
    return tmp_path / "cache"


def left(cache):
    (path,) = (cache / "captures").glob("*")
    return path


def test_a_stopped_capture_goes_on(ellipsoid, stopped, cache):
    before = stopped[1].report
    after = capture(asked(ellipsoid.folder, cache, resume=True), quiet, never).report
    assert before["steps"] < 30 and after["steps"] == before["steps"] + 30
    assert after["psnr"] > before["psnr"] and after["box"] == before["box"]


def test_it_goes_on_with_photos_as_large_as_they_were(ellipsoid, tmp_path, monkeypatch):
    """Whatever memory is free by then: photos of another size are not those that were fitted."""
    from maquette.jobs import memory

    for longest, resume in ((48, False), (1024, True)):
        scale = memory.Scale(longest, 64), "small" if longest == 48 else ""
        monkeypatch.setattr(memory, "fitting", lambda *_, scale=scale: scale)
        report = capture(asked(ellipsoid.folder, tmp_path, 12, resume=resume), quiet, never).report
    assert report["steps"] == 24 and report["cameras"][0]["size"] == [48, 48]


def test_what_is_kept_is_what_was_fitted(ellipsoid, stopped, cache):
    """Resumed for no time at all, the mesh is the same."""
    again = capture(asked(ellipsoid.folder, cache, resume=True), quiet, lambda: True)
    assert np.allclose(again.vertices, stopped[1].vertices, atol=1e-6)


@pytest.mark.parametrize("at", ["dB", "shape"])
def test_who_cancels_while_being_told_loses_nothing(ellipsoid, tmp_path, at):
    """The word of progress, and the mesh so far, come back as Cancelled: what there is by then is kept all the same."""
    gone = []

    def progress(fraction, phase, note="", shape=None, **_):
        if gone or (shape is not None if at == "shape" else at in note):
            gone.append(phase)
            raise Cancelled

    with pytest.raises(Cancelled):
        capture(asked(ellipsoid.folder, tmp_path, 1000, live=0.001), progress, lambda: bool(gone))
    assert gone[0] == "Fitting"
    again = capture(asked(ellipsoid.folder, tmp_path, resume=True), quiet, never)
    assert 30 < again.report["steps"] < 100


def test_nothing_to_resume_is_a_sentence(ellipsoid, tmp_path):
    with pytest.raises(ValueError, match="nothing to resume"):
        capture(asked(ellipsoid.folder, tmp_path, resume=True), quiet, never)


@pytest.mark.parametrize("size", [0, 5, 400, 100_000])
def test_a_truncated_file_is_a_sentence(ellipsoid, cache, size):
    path = left(cache)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="damaged on disk; capture without Resume"):
        capture(asked(ellipsoid.folder, cache, resume=True), quiet, never)


def test_a_foreign_file_is_a_sentence(ellipsoid, cache):
    import torch
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(3)}, left(cache))
    with pytest.raises(ValueError, match="another version"):
        capture(asked(ellipsoid.folder, cache, resume=True), quiet, never)


def test_other_photos_are_a_sentence(ellipsoid, cache, monkeypatch):
    monkeypatch.setattr(unfinished, "digest", lambda scene: "others")
    with pytest.raises(ValueError, match="photos are not those"):
        capture(asked(ellipsoid.folder, cache, resume=True), quiet, never)


def test_the_files_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(unfinished, "LIMIT", 25)
    for name in "abc":
        (tmp_path / f"{name}.safetensors").write_bytes(bytes(10))
    unfinished.sweep(tmp_path, tmp_path / "a.safetensors")
    assert sorted(path.stem for path in tmp_path.glob("*")) == ["a", "c"]


def test_a_capture_that_is_left_alone_is_kept(make_worker, until, ended, ellipsoid, tmp_path):
    """As when Blender is closed meanwhile: the worker ends, and what it had can be resumed."""
    worker = make_worker()
    job = worker.submit(asked(ellipsoid.folder, tmp_path, 1_000_000))
    until(lambda: job.poll() and "dB" in job.note)
    pid = worker.pid
    worker.close()
    until(lambda: ended(pid), 30)
    assert left(tmp_path).stat().st_size > 10_000
    again = capture(asked(ellipsoid.folder, tmp_path, resume=True), quiet, never)
    assert again.report["steps"] > 30
