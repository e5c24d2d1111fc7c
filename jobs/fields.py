"""The cache of fields: what a network made is kept, so that level, style and size can change without running it again.

Files are named by the hash of their content, so two Blenders can share a folder: whoever writes, writes the same.
"""

import contextlib
import hashlib
import os
import time
from collections import OrderedDict
from pathlib import Path

import numpy as np

from ..geometry.field import Field
from . import environment
from .requests import FIELD_KEY

LIMIT = 2 * 2**30
"""Bytes the cache may take; the fields that were not used for longest go first."""
_AT_HAND = 4
_recent: OrderedDict[str, Field] = OrderedDict()
"""The last few fields, so that a slider need not read a file at each step."""


def store(field: Field, folder: str = "") -> str:
    """Keep a field in the cache folder ("" is the system's); returns its key."""
    key = key_of(field)
    path = Path(environment.field_file(key, folder))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            field.save(path)
            sweep(path.parent, keep=path)
    except OSError as error:
        raise ValueError(f"The folder for fields {path.parent} cannot be made: {error.strerror or error}") from error
    _remember(key, field)
    return key


def keep(field: Field, folder: str = "") -> tuple[str, str]:
    """`store` where the mesh matters more: the key, and ""; or "", and a sentence about why there is no key."""
    try:
        return store(field, folder), ""
    except ValueError as error:
        return "", f"The field could not be kept, so Remesh will not be possible: {error}"


def fetch(field: str, folder: str = "") -> Field:
    """The field with this key, or in this .npz. Raises ValueError with a sentence when it is gone or damaged."""
    if not FIELD_KEY.fullmatch(field):
        if not os.path.isfile(field):
            raise ValueError(f"There is no field at {field}")
        return Field.load(field)
    if field in _recent:
        _recent.move_to_end(field)
        return _recent[field]
    path = environment.field_file(field, folder)
    found = _read(path, field)
    with contextlib.suppress(OSError):
        os.utime(path)  # used just now, so not the next to go; a read-only cache cannot know
    _remember(field, found)
    return found


def _read(path: str, key: str) -> Field:
    """The field in a file of the cache, if it is the one that the key promises."""
    try:
        found = Field.load(path)
        if key_of(found) == key:
            return found
    except ValueError as error:
        if not os.path.exists(path):  # swept, perhaps just now by another process
            gone = "The field of this object is no longer in the cache: Regenerate makes it anew"
            raise ValueError(gone) from error
    with contextlib.suppress(OSError):
        os.unlink(path)  # else storing it anew would find it there
    raise ValueError("The field of this object was damaged on disk: Regenerate makes it anew")


def key_of(field: Field) -> str:
    """sha256 of everything the field holds."""
    digest = hashlib.sha256(b"maquette field 1")
    parts = [field.values, np.float64(field.level), np.asarray(field.bounds, np.float64), field.colour]
    # What a field lacks changes nothing: fields of before have the keys they always had.
    for part in [*parts, *(more for more in (field.confidence, field.seen) if more is not None)]:
        array = np.zeros(0) if part is None else np.ascontiguousarray(part)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()


def sweep(folder: Path, limit: int | None = None, keep: Path | None = None):
    """Delete the fields that were unused for longest until the rest fits."""
    found = []
    for path in folder.glob("*.npz"):
        with contextlib.suppress(FileNotFoundError):  # another process sweeps too
            status = path.stat()
            found.append((status.st_mtime_ns, status.st_size, path))
    for path in folder.glob(".*.part"):  # of a process that was killed while writing
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > 3600:
                path.unlink()
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total <= (LIMIT if limit is None else limit):
            return
        if path != keep:
            path.unlink(missing_ok=True)
            total -= size


def _remember(key: str, field: Field):
    _recent[key] = field
    _recent.move_to_end(key)
    while len(_recent) > _AT_HAND:
        _recent.popitem(last=False)
