"""What may be asked of photographs that are captured, and about them before; and what is answered."""

import dataclasses
from dataclasses import dataclass

import numpy as np

from . import checks
from .settings import DEVICES, Meshing
from .texturing import texture_size

CAPTURE_RESOLUTIONS = (64, 96, 128, 192, 256)
UNSEEN = ("close", "cull")
METHODS = ("auto", "density", "surface")
UPS = ("keep", "cameras", "floor")


@dataclass(frozen=True)
class Capture:
    """A folder of photographs -> Shape in their cameras' own frame."""

    VERB = "capture"
    ENDS_EARLY = True
    """Told that it is enough, it ends with what there is by then."""
    folder: str
    budget: float = 180.0
    """Seconds of fitting; reading and meshing come on top."""
    steps: int = 0
    """Steps of fitting, in place of the budget: the same number gives the same mesh again; 0 goes by the budget."""
    resolution: int = 192
    """Cells along the box that holds the object."""
    holdout: int = 0
    """Every so manieth photo is kept for the scores where the folder has no test views of its own; 0 keeps none."""
    meshing: Meshing = dataclasses.field(default_factory=Meshing)
    seed: int = 0
    renders: str = ""
    """Folder for each held-out view as the field shows it, <stem>.png; "" draws none."""
    preview: str = ""
    save_field: str = ""
    cache: str = ""
    resume: bool = False
    """Go on from where the last capture of these photos at this resolution stopped, for the budget or so many steps."""
    live: float = 0.0
    """Seconds between two meshes of what there is so far, for somebody who watches; 0 shows none."""
    unseen: str = "close"
    """What becomes of parts that no photo shows: "close" keeps the mesh whole, "cull" leaves them out."""
    box: tuple[float, ...] = ()
    """Centre x, y, z and size x, y, z of what is wanted, in the cameras' frame and along its axes; () finds it."""
    up: str = "keep"
    """Whether the mesh is turned upright: "keep" leaves it in the cameras' own frame; "cameras" goes by how they were
    held, "floor" also by what the object stands on. Cameras in the report are turned along, its box
    stays in the cameras' own frame, as the request's."""
    texture: int = 0
    """Pixels along the side of a texture of the photos, from 512 to 4096; 0 makes none."""
    device: str = "auto"
    method: str = "auto"
    """What is fitted: "density", a fog, which comes closer to photos that are cut out, and to what is thin; "surface",
    a signed distance, which is smoother where photos say little; "auto", a density of fine cells where there are masks,
    else a surface."""
    backgrounds: str = ""
    """Folder for copies of photos that Blender would not show as they are, named in the cameras' rows; "" has none."""

    def __post_init__(self):
        checks.put(self, "folder", checks.path("Folder", self.folder))
        checks.one_of("Method", self.method, METHODS)
        checks.one_of("Device", self.device, DEVICES)
        if not isinstance(self.resume, bool):
            raise ValueError(f"Resume is {self.resume!r}; it must be true or false")
        checks.put(self, "live", checks.number("Live", self.live))
        checks.put(self, "budget", checks.number("Budget", self.budget))
        if not 1 <= self.budget <= 86_400:
            raise ValueError(f"Budget is {self.budget:g} seconds; it must be from 1 to 86400")
        if self.resolution not in CAPTURE_RESOLUTIONS or isinstance(self.resolution, bool):
            raise ValueError(f"Resolution is {self.resolution}; choose one of {checks.listed(CAPTURE_RESOLUTIONS)}")
        checks.put(self, "steps", checks.whole("Steps", self.steps, 0, 10_000_000))
        checks.put(self, "holdout", checks.whole("Holdout", self.holdout, 0, 1000))
        checks.put(self, "seed", checks.whole("Seed", self.seed, 0, 2**31 - 1))
        checks.put(self, "box", checks.box("Box", self.box))
        checks.check(self, "Meshing", self.meshing, Meshing)
        checks.one_of("Unseen", self.unseen, UNSEEN)
        checks.one_of("Up", self.up, UPS)
        checks.put(self, "texture", texture_size(self.texture))
        checks.paths(self, "renders", "preview", "save_field", "cache", "backgrounds")


@dataclass(frozen=True)
class Look:
    """What a folder of photographs, or a video, holds for Capture -> Looked."""

    VERB = "look"
    folder: str
    find: bool = False
    """Find the cameras too where nobody says them, which takes as long as it takes; else what is quickly seen."""
    cache: str = ""
    backgrounds: str = ""
    """As Capture's"""

    def __post_init__(self):
        checks.put(self, "folder", checks.path("Folder", self.folder))
        if not isinstance(self.find, bool):
            raise ValueError(f"Find is {self.find!r}; it must be true or false")
        checks.paths(self, "cache", "backgrounds")


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
