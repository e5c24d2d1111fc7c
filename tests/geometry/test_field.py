"""The field's file, and what it refuses."""

import numpy as np
import pytest

from maquette.geometry.field import Field
from maquette.geometry.frames import UNIT_CUBE

from .shapes import ball, rainbow, signed


def test_a_field_comes_back_bit_for_bit(tmp_path):
    field = signed(ball(), 16, colour=rainbow)
    field.save(tmp_path / "bärchen.npz")
    back = Field.load(tmp_path / "bärchen.npz")
    for name in ("values", "bounds", "colour"):
        np.testing.assert_array_equal(getattr(back, name), getattr(field, name))
        assert getattr(back, name).dtype == getattr(field, name).dtype
    assert back.level == 0.0
    assert [path.name for path in tmp_path.iterdir()] == ["bärchen.npz"]


def test_a_turn_comes_back(tmp_path):
    plain = signed(ball(), 8)
    Field(plain.values, plain.level, plain.bounds + 3, turn=0.5).save(tmp_path / "a.npz")
    assert Field.load(tmp_path / "a.npz").turn == 0.5 and plain.turn is None


def test_the_same_field_is_the_same_file_and_it_is_compressed(tmp_path):
    field = signed(ball(), 32, colour=lambda places: np.full_like(places, 0.5))
    for name in ("a.npz", "b.npz"):
        field.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "a.npz").stat().st_size < 0.5 * (field.values.nbytes + field.colour.nbytes)


def test_confidence_is_kept_without_colours_too(tmp_path):
    plain = signed(ball(), 16)
    sure = np.random.default_rng(0).random(plain.values.shape).astype(np.float32)
    Field(plain.values, plain.level, plain.bounds, confidence=sure).save(tmp_path / "a.npz")
    back = Field.load(tmp_path / "a.npz")
    np.testing.assert_array_equal(back.confidence, sure)
    assert back.colour is None


@pytest.mark.parametrize(
    "change, words",
    [
        ({"values": np.zeros((4, 4))}, "three sides"),
        ({"values": np.full((4, 4, 4), np.nan)}, "values holds values that are not finite"),
        ({"bounds": UNIT_CUBE[::-1]}, "lowest and its highest"),
        ({"bounds": np.zeros(3)}, "lowest and its highest"),
        ({"colour": np.zeros((4, 4, 4))}, "cannot take colours"),
        ({"confidence": np.zeros((4, 4, 5))}, "cannot take confidence"),
        ({"level": np.inf}, "level"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change, words):
    good = {"values": np.zeros((4, 4, 4)), "level": 0.5, "bounds": UNIT_CUBE, "colour": None}
    Field(**good)
    with pytest.raises(ValueError, match=words):
        Field(**(good | change))


def broken_files(folder):
    signed(ball(), 16).save(folder / "whole.npz")
    whole = (folder / "whole.npz").read_bytes()
    yield "empty.npz", b""
    yield "text.npz", b"not a field"
    yield "truncated.npz", whole[: len(whole) // 2]
    yield "flipped.npz", whole[:500] + bytes([whole[500] ^ 255]) + whole[501:]
    yield "picture.npz", b"\x89PNG\r\n\x1a\n" + b"0" * 100


def test_broken_files_are_named(tmp_path):
    for name, data in broken_files(tmp_path):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=name):
            Field.load(tmp_path / name)
    np.savez(tmp_path / "other.npz", weights=np.zeros(3))
    with pytest.raises(ValueError, match="other.npz is not a field that Maquette wrote: it has no values"):
        Field.load(tmp_path / "other.npz")
    np.savez(tmp_path / "pickled.npz", values=np.array([{}], object), level=0, bounds=UNIT_CUBE)
    with pytest.raises(ValueError, match="pickled.npz"):
        Field.load(tmp_path / "pickled.npz")
    with pytest.raises(ValueError, match="missing.npz does not exist"):
        Field.load(tmp_path / "missing.npz")
    with pytest.raises(ValueError, match="not a field|cannot be read|directory"):
        Field.load(tmp_path)


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(ValueError, match="the folder .*nowhere does not exist"):
        signed(ball(), 8).save(tmp_path / "nowhere" / "f.npz")
