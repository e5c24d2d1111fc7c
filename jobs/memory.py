"""How much memory a capture takes at most, what the machine has left, and what becomes smaller where that is less."""

from __future__ import annotations

import ctypes
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from ..geometry.picture import size_of
from ..geometry.views import shrunk
from .capturing import CAPTURE_RESOLUTIONS

LONGER = (1024, 768, 512, 384)
"""Pixels along the longer side that photos are reduced to: the first where there is room"""
SHARE = 0.9
"""Of what is free that may be taken"""
GIB = 2**30

# What is held at the worst moment, counted from the code and checked against peaks of whole runs.
LIBRARIES = 400 * 2**20
"""torch, scikit-image and the rest"""
FITTED, SCORED = 14, 4
"""Bytes a pixel of photos: picture, mask, both once more in one row, and the numbers of those near the object"""
READING = 28
"""Bytes a pixel of the largest photo while it is read"""
CORNER = 64
"""Bytes a corner of the whole grid when distances and colours are made into a field"""
ACTIVE, SPREAD = 280, 20
"""Bytes a corner near the surface with its gradients and moments, and how many there are of them, times R squared"""
SAMPLES = 16_000
"""Bytes a ray of a step"""
RAYS = {64: 2048, 96: 3072, 128: 4096, 192: 6144, 256: 8192}
IN_FOG = 1.5
"""A density's active corners and samples, over a surface's: light comes back from deeper inside"""
SURROUNDINGS = 250 * 2**20
"""Where photos have no masks: the grid of what lies around, and the samples in it"""


@dataclass(frozen=True)
class Scale:
    """How large photos and field may be."""

    longest: int
    resolution: int

    def smaller(self, photos: int, field: int) -> Scale | None:
        """One step less of what takes more of the two; None where both are as small as they get."""
        longer = next((side for side in LONGER if side < self.longest), None)
        coarser = max((n for n in CAPTURE_RESOLUTIONS if n < self.resolution), default=None)
        if longer and (photos >= field or not coarser):
            return replace(self, longest=longer)
        return replace(self, resolution=coarser) if coarser else None


def taken_by_photos(sizes, scored, scale: Scale) -> int:
    """Bytes of photos of these sizes (width, height), the last so many of which are only scored."""
    pixels = [width * height for width, height in (shrunk(size, scale.longest) for size in sizes)]
    fitted = len(pixels) - scored
    reading = READING * max((width * height for width, height in sizes), default=0)
    return FITTED * sum(pixels[:fitted]) + SCORED * sum(pixels[fitted:]) + reading


def taken_by_field(scale: Scale, method: str = "surface") -> int:
    n = scale.resolution
    seen = ACTIVE * SPREAD * n * n + SAMPLES * RAYS[n]
    if method != "surface":
        seen = int(IN_FOG * seen)
    return CORNER * (n + 1) ** 3 + seen + SURROUNDINGS + LIBRARIES


def fitting(sizes, scored: int, resolution: int, free: int | None, method: str = "surface") -> tuple[Scale, str]:
    """The largest Scale that `free` bytes hold, and a sentence where it is less than was asked for.

    Raises ValueError with a sentence where even the smallest is too large. free None: nobody knows, so all is tried.
    """
    asked = scale = Scale(LONGER[0], resolution)
    while True:
        photos, field = taken_by_photos(sizes, scored, scale), taken_by_field(scale, method)
        if free is None or photos + field <= SHARE * free:
            return scale, told(asked, scale, free)
        less = scale.smaller(photos, field)
        if less is None:
            raise ValueError(
                f"{len(sizes)} photos need about {(photos + field) / GIB:.1f} GB of memory even at the coarsest, and "
                f"{free / GIB:.1f} GB are free; close other programs, or give fewer or smaller photos"
            )
        scale = less


def told(asked: Scale, scale: Scale, free) -> str:
    if scale == asked:
        return ""
    smaller = []
    if scale.longest != asked.longest:
        smaller.append(f"photos were reduced to {scale.longest} pixels")
    if scale.resolution != asked.resolution:
        smaller.append(f"the resolution to {scale.resolution}" if smaller else f"resolution became {scale.resolution}")
    return f"With {free / GIB:.1f} GB of memory free, {' and '.join(smaller)}."


def sizes_of(views) -> list[tuple[int, int]]:
    """Width and height of the pictures of views, by their first bytes; what cannot be read is small."""
    return [size_of(view.path) for view in views]


# --- what is free ---------------------------------------------------------------------------------------------------


def free() -> int | None:
    """Bytes that this process could take; None where the system does not say."""
    if sys.platform == "win32":
        return _windows()
    if Path("/proc/meminfo").exists():
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        return min(int(rows["MemAvailable"].split()[0]) * 1024, *_limits())
    try:  # macOS says what there is and not what is free: half of it usually can be had
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    except (ValueError, OSError):
        return None


def _limits() -> list[int]:
    """What containers leave to this process (control groups, version 2 and 1)."""
    found = [2**62]
    for limit, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        paths = [Path("/sys/fs/cgroup") / name for name in (limit, used)]
        if all(path.is_file() for path in paths):
            most, taken = (path.read_text("ascii").strip() for path in paths)
            if most.isdecimal():
                found.append(max(int(most) - int(taken), 0))
    return found


def _windows() -> int | None:
    class Status(ctypes.Structure):
        """MEMORYSTATUSEX of the Windows API"""

        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong)
            for name in ("physical", "available", "paged", "page_left", "virtual", "virtual_left", "extended")
        ]

    status = Status(length=ctypes.sizeof(Status))
    return int(status.available) if ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else None
