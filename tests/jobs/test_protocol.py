"""Lines and arrays, whatever arrives."""

import os

import numpy as np
import pytest

from maquette.jobs.protocol import Exchange, LineWriter, as_json, decode, lines


def read_back(*chunks: bytes) -> list[bytes]:
    """What `lines` makes of bytes that arrive in these pieces."""
    read, write = os.pipe()
    for chunk in chunks:
        os.write(write, chunk)
    os.close(write)
    found = list(lines(read))
    os.close(read)
    return found


def test_lines_are_whole_however_they_arrive():
    assert read_back(b"one\ntw", b"o\n\n", b"three") == [b"one", b"two", b"three"]


def test_a_message_survives_stray_output_before_it():
    read, write = os.pipe()
    os.write(write, b"no newline")
    LineWriter(write).send({"kind": "done", "note": "ä\n"})
    os.close(write)
    assert [decode(line) for line in lines(read)] == [None, {"kind": "done", "note": "ä\n"}]
    os.close(read)


@pytest.mark.parametrize("line", [b"hello", b"\xff", b"{", b"[1]", b"3", b'{"job": 1}', b'{"kind": 3}', b"[" * 100_000])
def test_what_is_no_message_is_none(line):
    assert decode(line) is None


def test_a_closed_wire_is_an_error_for_the_writer():
    read, write = os.pipe()
    os.close(read)
    with pytest.raises(OSError):
        LineWriter(write).send({"kind": "heartbeat"})
    os.close(write)


def test_json_holds_what_python_has():
    value = {"a": np.float32(0.5), 1: float("inf"), "c": (np.int64(3), True, None), "d": float("nan")}
    assert as_json(value) == {"a": 0.5, "1": None, "c": [3, True, None], "d": None}


@pytest.mark.parametrize(
    "array", [np.arange(6).reshape(2, 3)[:, ::-1], np.zeros((0, 3), np.float32), np.asfortranarray(np.eye(3))]
)
def test_arrays_cross_unchanged_and_their_file_goes(tmp_path, array):
    exchange = Exchange(tmp_path)
    back = exchange.get(exchange.put("job1-out-x", array))
    assert np.array_equal(back, array) and back.dtype == array.dtype
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "name", ["../x.npy", "/etc/x.npy", "a/b.npy", "a\\b.npy", "", ".npy", "..npy", "x.npz", None, 3]
)
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    with pytest.raises(ValueError, match="is no name for an array"):
        Exchange(tmp_path / "inside").get(name)


def test_hostile_names_are_tamed_when_written(tmp_path):
    exchange = Exchange(tmp_path)
    file = exchange.put("job1-in-../../ä b", np.zeros(3))
    assert (tmp_path / file).is_file() and exchange.get(file).shape == (3,)


def test_links_are_not_followed(tmp_path):
    np.save(tmp_path / "secret.npy", np.ones(3))
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "x.npy").symlink_to(tmp_path / "secret.npy")
    with pytest.raises(ValueError, match="is a link"):
        Exchange(inside).get("x.npy")


def test_nothing_is_ever_unpickled(tmp_path):
    exchange = Exchange(tmp_path)
    with pytest.raises(ValueError, match="Python objects"):
        exchange.put("x", np.array([{}]))
    np.save(tmp_path / "x.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="did not arrive whole"):
        exchange.get("x.npy")


@pytest.mark.parametrize("size", [0, 10, 200])
def test_a_truncated_array_is_an_error(tmp_path, size):
    file = Exchange(tmp_path).put("x", np.arange(1000))
    path = tmp_path / file
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match="did not arrive whole"):
        Exchange(tmp_path).get(file)
