"""The sharp frames of a video, as pictures: one of each stretch of time, blurred ones dropped."""

from pathlib import Path

import numpy as np

from ..geometry.picture import write_picture
from ..geometry.sharpness import sharpness

BLURRED = 0.3
"""A frame below this share of the usual sharpness is dropped"""
WIDTH = 480
"""Pixels across at which sharpness is measured"""


def sharp_frames(path, folder, most: int, progress) -> tuple[list[Path], list[str]]:
    """Write the sharpest frame of each of `most` stretches of a video to `folder` as PNG; (their paths, notes).

    Raises ValueError with a sentence where the video cannot be read, or PyAV is not installed.
    """
    path, folder = Path(path), Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    times, values = measured(path, progress)
    chosen = sharpest(times, values, most)
    usual = np.median(values[chosen])
    kept = [frame for frame in chosen if values[frame] >= BLURRED * usual]
    dropped = len(chosen) - len(kept)
    notes = [f"{dropped} of {len(chosen)} frames of {path.name} were blurred and are left out"] if dropped else []
    return written(path, folder, kept, progress), notes


def measured(path, progress):
    """Times in seconds and sharpness (F,) of all frames."""
    times, values = [], []
    for number, (frame, length) in enumerate(_frames(path)):
        height = max(1, round(frame.height * WIDTH / frame.width))
        values.append(sharpness(frame.reformat(width=WIDTH, height=height, format="gray").to_ndarray()))
        times.append(frame.time if frame.time is not None else number / 30)
        if number % 10 == 0:
            progress(0.7 * min(1.0, times[-1] / length) if length else 0.35, f"frame {number}")
    if not values:
        raise ValueError(f"{path.name} holds no pictures; is it damaged or cut short?")
    return np.array(times), np.array(values)


def sharpest(times, values, most) -> list[int]:
    """The number of the sharpest frame in each of `most` stretches of equal time."""
    span = max(times[-1] - times[0], 1e-6)
    stretch = np.minimum(((times - times[0]) / span * most).astype(int), most - 1)
    return [int(some[np.argmax(values[some])]) for s in np.unique(stretch) for some in [np.flatnonzero(stretch == s)]]


def written(path, folder, numbers, progress) -> list[Path]:
    """The frames of these numbers, turned as the video says, as frame_00012.png."""
    wanted, paths = set(numbers), []
    for number, (frame, _) in enumerate(_frames(path)):
        if number not in wanted:
            continue
        pixels = frame.to_ndarray(format="rgb24")
        quarter = round(getattr(frame, "rotation", 0) / 90) % 4
        paths.append(folder / f"frame_{number:05}.png")
        write_picture(np.ascontiguousarray(np.rot90(pixels, quarter)), paths[-1])
        progress(0.7 + 0.3 * len(paths) / len(wanted), paths[-1].stem)
        if len(paths) == len(wanted):
            break
    return paths


def _frames(path):
    """Each frame of the first picture track with the video's length in seconds, 0 where unknown."""
    try:
        import av
    except ImportError as error:
        raise ValueError(
            f"{path.name} is a video, and reading it needs PyAV: install that (pip install av), or give photos instead"
        ) from error
    try:
        with av.open(str(path)) as video:
            if not video.streams.video:
                raise ValueError(f"{path.name} holds sound but no pictures")
            stream = video.streams.video[0]
            stream.thread_type = "AUTO"
            length = video.duration / av.time_base if video.duration else 0.0
            for frame in video.decode(stream):
                yield frame, length
    except av.FFmpegError as error:
        raise ValueError(f"{path.name} cannot be read as a video: {error.strerror}") from error
