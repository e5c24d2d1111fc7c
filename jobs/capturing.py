"""What may be asked about photographs before they are captured, and what is answered."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from . import checks


@dataclass(frozen=True)
class Look:
    """What a folder of photographs, or a video, holds for Capture -> Looked."""

    VERB = "look"
    folder: str
    find: bool = False
    """Find the cameras too where nobody says them, which takes as long as it takes; else what is quickly seen."""
    cache: str = ""

    def __post_init__(self):
        checks.put(self, "folder", checks.path("Folder", self.folder))
        if not isinstance(self.find, bool):
            raise ValueError(f"Find is {self.find!r}; it must be true or false")
        checks.paths(self, "cache")


@dataclass(frozen=True, eq=False)
class Looked:
    """What was found."""

    photos: int
    """That can be used; of a video none until it is taken apart"""
    source: str = ""
    """Who says the cameras: a file's name, "COLMAP model", "photos" where they were found; "" where nobody does"""
    video: str = ""
    """Name of the video that is taken apart into photos"""
    masks: int = 0
    held_out: int = 0
    size: tuple[int, int] = (0, 0)
    """Width and height in pixels of the largest photo"""
    notes: tuple[str, ...] = ()
    """What is left out and why, and what is doubtful, one sentence each"""
    report: dict = dataclasses.field(default_factory=dict)
    """box (centre, side) round the object and cameras, as in Capture's report, where cameras are known"""
    points: np.ndarray | None = None
    """(P, 3) float32 places on surfaces, in the cameras' own frame"""

    def lines(self) -> list[str]:
        """As an artist reads it: photos, cameras, masks."""
        return [self._photos(), self._cameras(), self._masks()] if self.photos else [self._photos()]

    def _photos(self) -> str:
        if self.video and not self.photos:
            return f"{self.video}: its sharpest frames are taken"
        width, height = self.size
        more = f", {self.held_out} more for scores" if self.held_out else ""
        return f"{self.photos} photos{more}, {width} × {height}"

    def _cameras(self) -> str:
        if not self.source:
            return "Cameras are found from the photos"
        return "Cameras found from the photos" if self.source == "photos" else f"Cameras from {self.source}"

    def _masks(self) -> str:
        if not self.masks:
            return "No masks: the object is found by itself"
        return "All with masks" if self.masks == self.photos else f"{self.masks} of them with masks"
