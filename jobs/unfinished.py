"""What a capture leaves to be resumed from: one file for each folder, resolution and box, the oldest out first."""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from ..geometry.scene import Scene
from ..nets import half_fitted
from . import environment
from .capturing import Capture

LIMIT = 2**30
"""Bytes that all of them may take."""


class Unfinished:
    """The file of one capture, which is kept while it runs and read when it is resumed."""

    def __init__(self, request: Capture):
        asked = request.folder, request.resolution, request.holdout
        self.path = Path(environment.capture_file(*asked, request.cache, request.box, request.method))
        self.of = {"resolution": request.resolution}
        self.note = ""
        """Why there will be nothing to resume"""

    def longest(self) -> int:
        """Pixels along the longer side that the photos of what was stopped were reduced to; 0 where nobody knows."""
        longest = half_fitted.kept_of(self.path).get("longest", 0)
        return longest if isinstance(longest, int) and longest > 0 else 0

    def about(self, scene: Scene, longest: int) -> None:
        """Which photos these are, and how large: only with the same can a capture go on."""
        self.of |= {"photos": digest(scene), "longest": longest}

    def load(self, device):
        return half_fitted.load(self.path, self.of, device)

    def keep(self, fitted) -> None:
        """Never fails: the mesh matters more."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            half_fitted.save(self.path, fitted, self.of)
            self.note = ""
            sweep(self.path.parent, self.path)
        except (ValueError, OSError) as error:
            self.note = f"Resume will not be possible: {error}"


def digest(scene: Scene) -> str:
    """Of every photo that is fitted to, and of its camera."""
    found = hashlib.sha256()
    for photo in scene.photos:
        found.update(photo.name.encode())
        for array in (photo.image, photo.mask, photo.camera, photo.pinhole):
            found.update(b"" if array is None else array.tobytes())
    return found.hexdigest()


def sweep(folder: Path, kept: Path) -> None:
    """Delete the oldest until the rest fits."""
    found = []
    for path in folder.glob("*.safetensors"):
        with contextlib.suppress(FileNotFoundError):  # another process sweeps too
            found.append((path.stat().st_mtime_ns, path.stat().st_size, path))
    total = sum(size for _, size, _ in found)
    for _, size, path in sorted(found):
        if total > LIMIT and path != kept:
            path.unlink(missing_ok=True)
            total -= size
