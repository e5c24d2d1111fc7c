"""A cache of samples on disk for training on CPUs: shard-00042.npz holds one seed's samples and is never half-written."""

from __future__ import annotations

import os
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np

from .closer import Closer, sample_closer
from .skies import Skies
from .views import Views, sample_views
from .world import Samples, sample

SHARD = 64


def write_shards(folder: str | Path, split: str, start: int, stop: int, minutes: float = 1e9, step: int = 1,
                 views: int = 1, closer: bool = False, skies: Skies | None = None, families=None) -> int:
    """Write the shards of seeds start, start + step, ... below stop that are not there yet; -> how many were written.

    With several views of each object they hold `Views`, closer by `Closer`. skies light a share of the pictures.
    families: names (`world.FAMILIES`) of those that are drawn alone.
    """
    folder, written, end = Path(folder), 0, time.monotonic() + 60 * minutes
    folder.mkdir(parents=True, exist_ok=True)
    for seed in range(start, stop, step):
        path = folder / f"shard-{seed:05d}.npz"
        if path.exists():
            continue
        if time.monotonic() > end:
            break
        save(drawn(seed, split, views, closer, skies, families), path)
        written += 1
    return written


def drawn(seed: int, split: str, views: int, closer: bool, skies: Skies | None = None,
          families=None) -> Samples | Views | Closer:
    if closer:
        return sample_closer(seed, SHARD, split, families, skies)
    if views == 1:
        return sample(seed, SHARD, split, families, background=False, skies=skies)
    return sample_views(seed, SHARD, views, split, families, skies)


def save(samples: Samples | Views | Closer, path: Path) -> None:
    """Lightly compressed npz (level 1: distances saturate away from the surface and pack 6:1), put in place when whole."""
    part = path.with_suffix(f".{os.getpid()}.part")
    with zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in type(samples).__dataclass_fields__:
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, getattr(samples, name), allow_pickle=False)
    part.replace(path)


def load(path: Path, kind: type = Samples):
    """A shard as `kind`: Samples, Views or Closer. Raises ValueError naming the shard when it cannot be read."""
    try:
        with np.load(path, allow_pickle=False) as arrays:
            stored = kind(*(arrays[name] for name in kind.__dataclass_fields__))
        if len({len(getattr(stored, name)) for name in kind.__dataclass_fields__}) != 1:
            raise ValueError("its arrays differ in length")
        if not np.isfinite(stored.camera).all():
            raise ValueError("not all its cameras are numbers")
        return stored
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f"{path} is not a whole shard ({error}); delete it and make it again") from error
