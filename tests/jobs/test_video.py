"""Frames from a video: sharp ones, upright, and videos that are none."""

import struct
import sys

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from maquette.geometry.picture import read_picture
from maquette.geometry.sharpness import sharpness, weakness
from maquette.jobs.video import sharp_frames, sharpest


def quiet(*_):
    pass


def frame(number, blur=0.0):
    """(96, 128, 3) uint8: soft noise, brighter from frame to frame on the right."""
    pixels = np.random.default_rng(number).uniform(0, 200, (96, 128, 1)).repeat(3, axis=2)
    pixels[:, 64:] += 2 * number
    return gaussian_filter(pixels, (0.7 + blur, 0.7 + blur, 0)).astype(np.uint8)


def write_video(path, frames):
    av = pytest.importorskip("av", reason="PyAV is not installed: pip install -e .[test]")
    with av.open(str(path), "w") as video:
        stream = video.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt, stream.bit_rate = 128, 96, "yuv420p", 8_000_000
        for pixels in frames:
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                video.mux(packet)
        for packet in stream.encode():
            video.mux(packet)


def test_the_sharpest_frame_of_each_stretch_is_taken(tmp_path):
    blurs = [0 if number in (3, 12, 27, 31) else 1.5 for number in range(40)]
    write_video(tmp_path / "film.mp4", [frame(number, blur) for number, blur in enumerate(blurs)])
    said = []
    paths, notes = sharp_frames(tmp_path / "film.mp4", tmp_path / "out", 4, lambda *state: said.append(state[0]))
    assert [path.name for path in paths] == ["frame_00003.png", "frame_00012.png", "frame_00027.png", "frame_00031.png"]
    assert notes == []
    assert said == sorted(said) and said[-1] == 1
    shown = read_picture(paths[0]).rgba[..., :3] * 255
    assert np.abs(shown - frame(3)).mean() < 12


def test_blurred_stretches_are_dropped_and_said(tmp_path):
    write_video(tmp_path / "film.mov", [frame(number, 4 * (10 <= number < 20)) for number in range(40)])
    paths, notes = sharp_frames(tmp_path / "film.mov", tmp_path / "out", 4, quiet)
    assert len(paths) == 3
    assert notes == ["1 of 4 frames of film.mov were blurred and are left out"]


def test_fewer_frames_than_asked_for(tmp_path):
    write_video(tmp_path / "film.mp4", [frame(number) for number in range(5)])
    assert len(sharp_frames(tmp_path / "film.mp4", tmp_path / "out", 100, quiet)[0]) == 5


def test_stretches_are_of_time_not_of_frames():
    times = np.array([0, 0.1, 0.2, 5, 9, 10.0])
    assert sharpest(times, np.array([1, 3, 2, 9, 1, 2.0]), 2) == [1, 3]
    assert sharpest(np.zeros(3), np.array([1, 5, 2.0]), 4) == [1]


def test_videos_that_phones_hold_upright(tmp_path):
    """A phone's file says in its track header that its frames are to be turned a quarter clockwise."""
    write_video(tmp_path / "film.mp4", [frame(number) for number in range(3)])
    data = bytearray((tmp_path / "film.mp4").read_bytes())
    matrix = data.index(b"tkhd") + 44  # of a track header of version 0
    one = 1 << 16
    assert struct.unpack(">9i", data[matrix : matrix + 36]) == (one, 0, 0, 0, one, 0, 0, 0, one << 14)
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 96 * one, 0, one << 14)
    (tmp_path / "turned.mp4").write_bytes(data)
    plain, _ = sharp_frames(tmp_path / "film.mp4", tmp_path / "plain", 1, quiet)
    turned, _ = sharp_frames(tmp_path / "turned.mp4", tmp_path / "turned", 1, quiet)
    np.testing.assert_array_equal(read_picture(turned[0]).rgba, np.rot90(read_picture(plain[0]).rgba, -1))


def test_files_that_are_no_video(tmp_path):
    pytest.importorskip("av", reason="PyAV is not installed: pip install -e .[test]")
    (tmp_path / "film.mp4").write_bytes(b"no video at all" * 99)
    with pytest.raises(ValueError, match="^film.mp4 cannot be read as a video: "):
        sharp_frames(tmp_path / "film.mp4", tmp_path / "out", 4, quiet)


def test_without_pyav_the_way_out_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ValueError, match="film.mp4 is a video, and reading it needs PyAV: install that"):
        sharp_frames(tmp_path / "film.mp4", tmp_path / "out", 4, quiet)


def test_blur_lowers_sharpness_and_is_told_from_plainness():
    pixels = frame(1)
    values = [sharpness(gaussian_filter(pixels[..., 0].astype(np.float32), blur)) for blur in (0, 1, 2, 4)]
    assert values == sorted(values, reverse=True) and values[0] > 100 * values[3]
    steps = np.kron(np.random.default_rng(0).integers(40, 220, (6, 8, 1)), np.ones((40, 40, 3)))
    assert weakness(gaussian_filter(steps, (6, 6, 0)).astype(np.uint8)) == "it is blurred"
    assert weakness(np.full((96, 128, 3), 128, np.uint8)) == "what it shows is too plain"
    assert weakness(np.full((96, 128, 3), 250, np.uint8)) == "it is too bright"
