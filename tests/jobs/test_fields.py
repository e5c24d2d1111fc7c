"""The cache of fields."""

import os
import subprocess
import sys

import numpy as np
import pytest

from maquette.geometry.field import Field
from maquette.jobs import environment, fields


@pytest.fixture(autouse=True)
def forget():
    """Each test reads from disk, not from what the one before left in memory."""
    fields._recent.clear()


def ball(radius: float = 0.4, resolution: int = 16, colour: bool = True) -> Field:
    """Negated distance to a sphere round the origin."""
    centres = (np.arange(resolution) + 0.5) / resolution - 0.5
    grid = np.stack(np.meshgrid(centres, centres, centres, indexing="ij"), axis=-1)
    paint = (grid + 0.5).astype(np.float32) if colour else None
    values = (radius - np.linalg.norm(grid, axis=-1)).astype(np.float32)
    return Field(values, 0.0, np.array([[-0.5] * 3, [0.5] * 3]), paint)


@pytest.mark.parametrize("colour", [True, False])
def test_what_is_stored_comes_back_bit_for_bit(tmp_path, colour):
    field = ball(colour=colour)
    key = fields.store(field, str(tmp_path))
    fields._recent.clear()
    back = fields.fetch(key, str(tmp_path))
    assert np.array_equal(back.values, field.values) and back.level == field.level
    assert np.array_equal(back.bounds, field.bounds)
    assert np.array_equal(back.colour, field.colour) if colour else back.colour is None
    assert os.listdir(tmp_path / "fields") == [f"{key}.npz"], "no leftovers"


def test_the_key_is_the_content(tmp_path):
    keys = [fields.store(field, str(tmp_path)) for field in (ball(), ball(), ball(0.3), ball(colour=False))]
    assert keys[0] == keys[1] and len(set(keys)) == 3
    moved = Field(ball().values, 0.0, np.array([[0.0] * 3, [1.0] * 3]), ball().colour)
    raised = Field(ball().values, 0.1, ball().bounds, ball().colour)
    assert len({fields.key_of(field) for field in (ball(), moved, raised)}) == 3


def test_a_path_serves_as_well_as_a_key(tmp_path):
    ball().save(tmp_path / "kugel ä.npz")
    assert np.array_equal(fields.fetch(str(tmp_path / "kugel ä.npz")).values, ball().values)


def test_a_field_that_is_gone_says_regenerate(tmp_path):
    with pytest.raises(ValueError, match="no longer in the cache: Regenerate"):
        fields.fetch("0" * 64, str(tmp_path))
    with pytest.raises(ValueError, match="no field at /nowhere/f.npz"):
        fields.fetch("/nowhere/f.npz")


@pytest.mark.parametrize("damage", ["truncated", "other content", "text", "empty"])
def test_a_damaged_field_says_regenerate_and_can_be_stored_anew(tmp_path, damage):
    key = fields.store(ball(), str(tmp_path))
    fields._recent.clear()
    path = tmp_path / "fields" / f"{key}.npz"
    if damage == "other content":
        ball(0.2).save(path)
    else:
        path.write_bytes({"truncated": path.read_bytes()[:-500], "text": b"hello", "empty": b""}[damage])
    with pytest.raises(ValueError, match="damaged on disk: Regenerate"):
        fields.fetch(key, str(tmp_path))
    assert fields.store(ball(), str(tmp_path)) == key
    fields._recent.clear()
    assert fields.fetch(key, str(tmp_path)).level == 0


def test_the_last_few_fields_need_no_disk(tmp_path):
    keys = [fields.store(ball(radius), str(tmp_path)) for radius in (0.1, 0.2, 0.3, 0.4, 0.45)]
    for path in (tmp_path / "fields").iterdir():
        path.unlink()
    assert fields.fetch(keys[-1], str(tmp_path)).level == 0
    with pytest.raises(ValueError, match="Regenerate"):
        fields.fetch(keys[0], str(tmp_path))


def test_the_field_unused_for_longest_goes_first(tmp_path, monkeypatch):
    keys = [fields.store(ball(radius), str(tmp_path)) for radius in (0.2, 0.3, 0.4)]
    files = [tmp_path / "fields" / f"{key}.npz" for key in keys]
    for age, path in zip((30, 20, 10), files, strict=True):
        os.utime(path, (1000 - age, 1000 - age))
    fields._recent.clear()
    fields.fetch(keys[0], str(tmp_path))  # the oldest was just used: now the second one is
    new = ball(0.45)
    new.save(tmp_path / "new.npz")
    kept = (files[0], files[2], tmp_path / "new.npz")
    monkeypatch.setattr(fields, "LIMIT", sum(path.stat().st_size for path in kept))  # room for all but one
    fields.store(new, str(tmp_path))
    assert [path.exists() for path in files] == [True, False, True]


def test_a_new_field_stays_even_when_it_alone_is_too_large(tmp_path, monkeypatch):
    old = fields.store(ball(0.2), str(tmp_path))
    monkeypatch.setattr(fields, "LIMIT", 10)
    key = fields.store(ball(), str(tmp_path))
    assert os.listdir(tmp_path / "fields") == [f"{key}.npz"] and key != old


def test_what_a_killed_process_left_goes_but_not_what_another_is_writing(tmp_path):
    fields.store(ball(0.2), str(tmp_path))
    left, writing = (tmp_path / "fields" / f".{name}.npz.1.part" for name in "ab")
    left.write_bytes(b"half"), writing.write_bytes(b"half")
    os.utime(left, (1000, 1000))
    fields.store(ball(), str(tmp_path))
    assert writing.exists() and not left.exists()


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="cannot be made"):
        fields.store(ball(), str(tmp_path / "file"))


@pytest.mark.skipif(sys.platform == "win32", reason="only Unix can limit a process's files")
def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path):
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))  # writing ends in the middle, as on a full disk
    try:
        key, sentence = fields.keep(ball(), str(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert key == "" and sentence.startswith("The field could not be kept, so Remesh will not be possible: ")
    assert "cannot be written" in sentence and "\n" not in sentence
    assert not os.listdir(tmp_path / "fields")
    assert fields.keep(ball(), str(tmp_path)) == (fields.key_of(ball()), "")


def test_outside_blender_the_cache_is_the_systems(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    if os.name == "posix" and os.uname().sysname == "Darwin":
        pytest.skip("macOS has no variable for it")
    key = fields.store(ball())
    assert environment.field_file(key).startswith(str(tmp_path)) and os.path.isfile(environment.field_file(key))


STORM = """
import runpy, sys
sys.path.insert(0, sys.argv[1])
runpy.run_path(sys.argv[1] + "/conftest.py")
runpy.run_path(sys.argv[1] + "/jobs/test_fields.py", run_name="storm")["storm"](sys.argv[2], int(sys.argv[3]))
"""


def storm(folder: str, seed: int):
    """Store and fetch in a cache that is too small, as one of several processes."""
    fields.LIMIT = 60_000
    for step in range(40):
        key = fields.store(ball(0.1 + 0.01 * ((seed * 7 + step) % 12)), folder)
        fields._recent.clear()
        try:
            assert fields.key_of(fields.fetch(key, folder)) == key
        except ValueError as error:  # another one swept it
            assert "no longer in the cache" in str(error), error


def test_several_processes_share_a_cache_that_is_too_small(root, tmp_path):
    command = [sys.executable, "-B", "-c", STORM, str(root / "tests"), str(tmp_path)]
    processes = [subprocess.Popen([*command, str(seed)]) for seed in range(4)]
    assert [process.wait(120) for process in processes] == [0] * 4
    assert all(path.suffix == ".npz" and path.name[0] != "." for path in (tmp_path / "fields").iterdir())


def test_another_confidence_is_another_field():
    plain = ball(colour=False)
    keys = {fields.key_of(plain)}
    for sure in (0.25, 0.5):
        confidence = np.full(plain.values.shape, sure, np.float32)
        keys.add(fields.key_of(Field(plain.values, plain.level, plain.bounds, confidence=confidence)))
    assert len(keys) == 3
