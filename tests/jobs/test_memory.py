"""Captures that memory cannot hold become smaller before they begin."""

import numpy as np
import pytest

from maquette.jobs import memory
from maquette.jobs.capture import capture
from maquette.jobs.capturing import Capture

GIB = 2**30
PHOTOS = [(4000, 3000)] * 100


def test_what_there_is_room_for_stays():
    assert memory.fitting(PHOTOS, 10, 192, 16 * GIB) == (memory.Scale(1024, 192), "")
    assert memory.fitting(PHOTOS, 10, 256, None)[0] == memory.Scale(1024, 256)


def test_the_estimate_is_of_pixels_and_cells():
    """Twice the photos take twice as much; those that are only scored take less; more cells take more."""
    scale = memory.Scale(1024, 192)
    one = memory.taken_by_photos(PHOTOS[:1], 0, scale)
    two = memory.taken_by_photos(PHOTOS[:2], 0, scale)
    assert two - one == memory.FITTED * 1024 * 768
    assert one < memory.taken_by_photos(PHOTOS[:2], 1, scale) < two
    fields = [memory.taken_by_field(memory.Scale(1024, n), "surface") for n in memory.RAYS]
    assert fields == sorted(fields) and 0.6 * GIB < fields[0] < fields[-1] < 4 * GIB
    assert fields[3] < memory.taken_by_field(scale, "density") < 1.5 * fields[3]


def test_less_memory_makes_smaller_steps():
    found = [memory.fitting(PHOTOS, 0, 256, int(gib * GIB)) for gib in np.arange(1.6, 8, 0.2)]
    sides, cells = [s.longest for s, _ in found], [s.resolution for s, _ in found]
    assert sides == sorted(sides) and cells == sorted(cells) and len(set(sides)) > 1 and len(set(cells)) > 1
    for (scale, note), gib in zip(found, np.arange(1.6, 8, 0.2)):
        needed = memory.taken_by_photos(PHOTOS, 0, scale) + memory.taken_by_field(scale)
        assert needed <= memory.SHARE * gib * GIB
        assert (scale == memory.Scale(1024, 256)) == (note == "")


def test_many_photos_are_reduced_before_the_resolution():
    scale, note = memory.fitting(PHOTOS * 20, 0, 128, 16 * GIB)
    assert scale.longest < 1024 and scale.resolution == 128
    assert note == f"With 16.0 GB of memory free, photos were reduced to {scale.longest} pixels."
    scale, note = memory.fitting(PHOTOS[:4], 0, 256, int(2.2 * GIB))
    assert scale.longest == 1024 and scale.resolution < 256 and f"resolution became {scale.resolution}" in note


def test_too_little_is_a_sentence():
    with pytest.raises(ValueError, match="100 photos need about .* and 0.5 GB are free; close other programs"):
        memory.fitting(PHOTOS, 0, 192, GIB // 2)


def test_this_machine_says_what_is_free():
    assert 2**26 < memory.free() < 2**50


def test_a_capture_says_what_it_made_smaller(ellipsoid, tmp_path, monkeypatch):
    needed = memory.taken_by_photos([(72, 72)] * 24, 4, memory.Scale(1024, 96)) + memory.taken_by_field(
        memory.Scale(1024, 96)
    )
    monkeypatch.setattr(memory, "free", lambda: int(needed * 0.97 / memory.SHARE))
    request = Capture(ellipsoid.folder, steps=4, resolution=96, cache=str(tmp_path))
    shape = capture(request, lambda *_: None, lambda: False)
    assert "resolution became 64" in shape.report["note"] and shape.provenance["settings"]["resolution"] == 64
    monkeypatch.setattr(memory, "free", lambda: 2**27)
    with pytest.raises(ValueError, match="24 photos need about"):
        capture(request, lambda *_: None, lambda: False)
