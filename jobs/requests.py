"""Everything that may be asked of the worker and everything it may answer, as plain dataclasses.

Only numpy is imported here, so Blender, the command line and the worker all share these. Each class checks itself when
made and raises ValueError with one sentence. `to_json` and `from_json` carry any of them over the wire: arrays go where
the caller's `put` stores them and come back through its `get`; the rest is plain JSON.

Paths become absolute when a request is made, because the worker has a current folder of its own.
"""

import dataclasses
import os
import re
from dataclasses import dataclass, fields, is_dataclass

import numpy as np

from . import checks
from .capturing import Capture, Look, Looked
from .sampling import Encode, Encoded, Fit, Point, Sample
from .settings import DEVICES, Meshing, View
from .settings import STYLES as STYLES
from .settings import VIEW_LIMITS as VIEW_LIMITS
from .texturing import Texture, texture_size

RESOLUTIONS = (32, 64, 128)
FORMATS = ("glb", "ply", "obj", "stl")
EXPORTED = ("vertices", "faces", "colours", "confidence", "uvs", "texture", "polygons")
"""What of a Shape goes into files"""
MOST_VIEWS = 24
"""Pictures of one object that Reconstruct takes"""
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".tga", ".heic", ".heif", ".avif")
"""Endings of the files in a folder that are taken for pictures; one that is named is read whatever it is called."""
FIELD_KEY = re.compile(r"[0-9a-f]{64}")


def even_turns(count: int, way: str = "right") -> tuple[float, ...]:
    """Turns of pictures that were taken evenly all round an object, walking to the right or to the left."""
    return tuple((1 if way == "right" else -1) * 360.0 * k / count for k in range(count))


# --- settings and requests ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reconstruct:
    """Pictures of one object -> Shape, as the first picture shows it."""

    VERB = "reconstruct"
    images: tuple[str, ...]
    """The first gives the frame; the order of the others says nothing."""
    resolution: int = 128
    """Cells of the field along each side; 128 are 64 where the weights that refine it are not at hand."""
    meshing: Meshing = dataclasses.field(default_factory=Meshing)
    device: str = "auto"
    preview: str = ""
    """PNG to write a picture of the result to; "" writes none."""
    save_field: str = ""
    """.npz to write the field to, besides the cache; "" writes none."""
    cache: str = ""
    """Folder of the field cache; "" is the system's."""
    view: View = dataclasses.field(default_factory=View)
    mask: str = ""
    """Picture of the picture's proportions, bright where the object is; "" finds the object by itself."""
    masks: tuple[str, ...] = ()
    """Of several pictures: the mask of each, "" where the object is to be found."""
    turns: tuple[float | None, ...] = ()
    """Of each picture: degrees that its camera stands round the object from the first's, to the right; None and () are
    searched for."""
    elevations: tuple[float | None, ...] = ()
    """Of each picture: degrees from which its camera looks down; None and () are judged from the picture."""
    poses: str = ""
    """File, or folder, that knows the pictures' cameras: transforms.json or a COLMAP model; in place of turns."""
    cameras: tuple[tuple[float, ...], ...] = ()
    """Of each picture: its camera, 16 numbers row by row, world (z up) from camera (OpenGL); in place of turns."""
    lenses: tuple[tuple[float, ...], ...] = ()
    """Of each of `cameras`: its focal length and its shifts to the right and up, over one side of the picture, and
    which: 0 the longer, 1 its width, 2 its height. () where not known: then cameras only say from which side."""
    texture: int = 0
    """Pixels along the side of a texture of the pictures, from 512 to 4096; 0 makes none."""

    def __post_init__(self):
        images = [self.images] if isinstance(self.images, (str, os.PathLike)) else self.images
        checks.put(self, "images", tuple(checks.path("Images", image) for image in images))
        if not self.images:
            raise ValueError("No picture was given; choose at least one")
        if self.resolution not in RESOLUTIONS or isinstance(self.resolution, bool):
            raise ValueError(f"Resolution is {self.resolution}; choose one of {checks.listed(RESOLUTIONS)}")
        checks.check(self, "View", self.view, View)
        checks.check(self, "Meshing", self.meshing, Meshing)
        checks.one_of("Device", self.device, DEVICES)
        checks.paths(self, "mask", "poses", "preview", "save_field", "cache")
        checks.put(self, "texture", texture_size(self.texture))
        self._check_views()

    def _check_views(self):
        count = len(self.images)
        if count > MOST_VIEWS:
            raise ValueError(f"{count} pictures of one object are too many; choose {MOST_VIEWS}, or use Capture")
        if self.mask and count > 1:
            raise ValueError("Mask belongs to one picture; give several pictures their masks, one each")
        if twice := next((image for i, image in enumerate(self.images) if image in self.images[:i]), ""):
            raise ValueError(f"{os.path.basename(twice)} was given twice; each picture counts once")
        checks.put(self, "masks", tuple(checks.path("Masks", mask) if mask else "" for mask in self.masks))
        turns = (None if turn in (None, "auto") else checks.number("Turns", turn) for turn in self.turns)
        checks.put(self, "turns", tuple(None if turn is None else 180 - (180 - turn) % 360 for turn in turns))
        known = (None if e in (None, "auto") else checks.number("Elevations", e) for e in self.elevations)
        checks.put(self, "elevations", tuple(known))
        checks.put(
            self, "cameras", tuple(tuple(checks.number("Cameras", n) for n in camera) for camera in self.cameras)
        )
        if any(len(camera) != 16 for camera in self.cameras):
            raise ValueError("Cameras are matrices of 16 numbers, row by row")
        lenses = tuple(tuple(checks.number("Lenses", n) for n in lens) for lens in self.lenses)
        checks.put(self, "lenses", lenses)
        if any(len(lens) != 4 or lens[0] <= 0 or lens[3] not in (0, 1, 2) for lens in lenses):
            raise ValueError("Lenses are four numbers: focal length, shifts right and up, and the side they are over")
        if lenses and not self.cameras:
            raise ValueError("Lenses belong to cameras; give those, too")
        if sum(map(bool, (self.turns, self.poses, self.cameras))) > 1:
            raise ValueError("Turns, poses and cameras all say where pictures were taken; give one of them")
        for name in ("masks", "turns", "elevations", "cameras", "lenses"):
            given = getattr(self, name)
            if given and len(given) != count:
                raise ValueError(f"{name.capitalize()} are {len(given)} for {count} pictures; give one for each")
        if self.turns and self.turns[0]:
            raise ValueError(f"Turns begin with {self.turns[0]:g}; the first picture's is 0, the others count from it")


@dataclass(frozen=True)
class Remesh:
    """A field that was made before -> Shape, without running a network."""

    VERB = "remesh"
    field: str
    """Key in the cache, or path of an .npz."""
    meshing: Meshing = dataclasses.field(default_factory=Meshing)
    cache: str = ""
    preview: str = ""

    def __post_init__(self):
        if not isinstance(self.field, (str, os.PathLike)) or not os.fspath(self.field):
            raise ValueError("No field was named; this object was not made by Maquette, so Reconstruct it first")
        if not FIELD_KEY.fullmatch(os.fspath(self.field)):
            checks.put(self, "field", checks.path("Field", self.field))
        checks.check(self, "Meshing", self.meshing, Meshing)
        checks.paths(self, "cache", "preview")


@dataclass(frozen=True, eq=False)
class Export:
    """A mesh -> a file whose ending decides the format -> Written."""

    VERB = "export"
    path: str
    vertices: np.ndarray
    """(V, 3) float32 metres, z up"""
    faces: np.ndarray
    """(F, 3) int32"""
    colours: np.ndarray | None = None
    """(V, 3) float32 sRGB in [0, 1]"""
    confidence: np.ndarray | None = None
    """(V,) float32 in [0, 1], for .ply"""
    uvs: np.ndarray | None = None
    """(F, 3, 2) float32 of each face's corners, u to the right, v up"""
    texture: np.ndarray | None = None
    """(S, S, 3) uint8 sRGB, for .glb and .obj; the others keep the colours"""
    polygons: np.ndarray | None = None
    """(F,) int32: two faces of one number, beside each other, are the halves a, b, c and a, c, d of a quad"""

    def __post_init__(self):
        checks.put(self, "path", checks.path("Path", self.path))
        checks.mesh(self)


@dataclass(frozen=True)
class Mask:
    """What Reconstruct would take for the object in a picture, as a PNG to look at and to paint on -> Masked."""

    VERB = "mask"
    image: str
    path: str
    """PNG to write: the picture, over half as bright where the object is, under half where it is not."""
    device: str = "auto"

    def __post_init__(self):
        checks.put(self, "image", checks.path("Image", self.image))
        checks.put(self, "path", checks.path("Path", self.path))
        checks.one_of("Device", self.device, DEVICES)


@dataclass(frozen=True)
class Doctor:
    """What runs here -> Diagnosis."""

    VERB = "doctor"
    device: str = "auto"
    """"auto" tries every device there is."""
    cache: str = ""

    def __post_init__(self):
        checks.one_of("Device", self.device, DEVICES)
        checks.paths(self, "cache")


# --- results --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Shape:
    """A finished mesh, z up, metres: standing on z = 0, centred in x and y; a capture in its cameras' own frame."""

    vertices: np.ndarray
    """(V, 3) float32 metres"""
    faces: np.ndarray
    """(F, 3) int32, counter-clockwise from outside"""
    colours: np.ndarray | None = None
    """(V, 3) float32 sRGB in [0, 1]"""
    field: str = ""
    """Key of the field in the cache."""
    report: dict = dataclasses.field(default_factory=dict)
    """seconds, device, vertices, faces, watertight, components, bounds, volume ..."""
    provenance: dict = dataclasses.field(default_factory=dict)
    """verb, settings, weights' sha256, inputs and hashes, version, torch, threads, device: enough to regenerate"""
    mask: str = ""
    """PNG of the mask that was used, when there is one."""
    confidence: np.ndarray | None = None
    """(V,) float32 in [0, 1]: how sure the surface is there, from 0, a guess; None where nothing is said"""
    uvs: np.ndarray | None = None
    """(F, 3, 2) float32 of each face's corners in the texture, u to the right, v up, in [0, 1]"""
    texture: np.ndarray | None = None
    """(S, S, 3) uint8 sRGB, the first row on top"""
    polygons: np.ndarray | None = None
    """(F,) int32: two faces of one number, beside each other, are the halves a, b, c and a, c, d of a quad"""

    def __post_init__(self):
        checks.mesh(self)
        checks.check(self, "Report", self.report, dict)
        checks.check(self, "Provenance", self.provenance, dict)

    def save(self, path) -> str:
        """Write the mesh as .glb, .ply, .obj or .stl, as the ending says; returns the absolute path.

        A texture goes into the .glb, or beside the .obj with an .mtl; .ply keeps vertex colours in its place.

        Raises JobError with one sentence (unknown ending, folder missing or not writable)."""
        from .client import worker

        return worker().run(export_of(self, os.fspath(path))).path


def export_of(shape: Shape, path: str) -> Export:
    """What to ask to have a shape written."""
    return Export(path, **{name: getattr(shape, name) for name in EXPORTED})


@dataclass(frozen=True)
class Written:
    """A file that now exists."""

    path: str


@dataclass(frozen=True)
class Masked:
    """The mask preview that was written."""

    path: str
    method: str
    """How the object was told from the background: "alpha", "plain", "network"."""
    coverage: float
    """Share of the picture that the object fills, in [0, 1]."""
    note: str = ""
    """A sentence where the mask is doubtful."""


@dataclass(frozen=True)
class Diagnosis:
    """What the compute environment can do."""

    ok: bool
    """Nothing is wrong: every library and network loads, and a kernel ran right on `device`."""
    device: str
    """What "auto" chooses, or the device asked for; "none" when no kernel ran."""
    report: dict
    """versions, devices (name, label, ok, seconds, note), weights (name, ok, note), folders"""

    def lines(self) -> list[str]:
        """The report as an artist or an issue thread reads it."""
        rows = list(self.report.get("versions", {}).items())
        for row in self.report.get("devices", []):
            state = f"ok, {row['seconds'] * 1000:.1f} ms" if row["ok"] else f"FAILED: {row['note']}"
            rows.append((row["name"], state + (f" ({row['label']})" if row.get("label") else "")))
        for row in self.report.get("weights", []):
            rows.append((row["name"], row["note"] or "ok" if row["ok"] else f"FAILED: {row['note']}"))
        rows += self.report.get("folders", {}).items()
        return [f"{name:<20} {text}" for name, text in rows]

    def trouble(self) -> list[str]:
        """What is wrong, one sentence each; empty when all is well."""
        versions = self.report.get("versions", {})
        found = [f"{name} does not load: {text}" for name, text in versions.items() if text.startswith("MISSING")]
        for row in [*self.report.get("devices", []), *self.report.get("weights", [])]:
            if not row["ok"]:
                found.append(f"{row['name']} does not work: {row['note']}")
        return found


KINDS = {kind.__name__: kind for kind in (Meshing, View, Reconstruct, Capture, Remesh, Export, Mask, Doctor)}
KINDS |= {kind.__name__: kind for kind in (Look, Looked, Texture)}
KINDS |= {kind.__name__: kind for kind in (Point, Sample, Encode, Fit, Encoded)}
KINDS |= {kind.__name__: kind for kind in (Shape, Written, Masked, Diagnosis)}


# --- over the wire --------------------------------------------------------------------------------------------------


def to_json(message, put=None) -> dict:
    """A request or result as plain JSON with its class under "kind".

    `put(name, array)` stores an array and returns the text it can be found by; without it arrays are an error."""
    data = {"kind": type(message).__name__}
    for item in fields(message):
        data[item.name] = _plain(item.name, getattr(message, item.name), put)
    return data


def from_json(data, get=None, kinds=KINDS):
    """The request or result that `to_json` wrote; `get(text)` returns an array that `put` stored.

    Raises ValueError for an unknown kind, an unknown or missing field, or a value that the class refuses."""
    if not isinstance(data, dict) or data.get("kind") not in kinds:
        named = data.get("kind") if isinstance(data, dict) else type(data).__name__
        raise ValueError(f"{named!r} is nothing that this version of Maquette knows")
    kind = kinds[data["kind"]]
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(data) - known - {"kind"})
    if unknown:
        raise ValueError(f"{data['kind']} has no setting {unknown[0]!r}; it has {checks.listed(sorted(known))}")
    values = {name: _rich(value, get, kinds) for name, value in data.items() if name != "kind"}
    try:
        return kind(**values)
    except TypeError as error:
        raise ValueError(f"{data['kind']} is incomplete: {error}") from None


def _plain(name: str, value, put):
    if is_dataclass(value):
        return to_json(value, put)
    if isinstance(value, np.ndarray):
        if put is None:
            raise ValueError(f"{name} is an array and there is nowhere to put it")
        return {"array": put(name, value)}
    if isinstance(value, (list, tuple)):
        return [_plain(name, item, put) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(f"{name}-{key}", item, put) for key, item in value.items()}
    if isinstance(value, np.generic):
        return value.item()
    return value


def _rich(value, get, kinds):
    if isinstance(value, list):
        return [_rich(item, get, kinds) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"array"} and get is not None:
        return get(value["array"])
    if value.get("kind") in kinds:
        return from_json(value, get, kinds)
    return {key: _rich(item, get, kinds) for key, item in value.items()}


# --- folders --------------------------------------------------------------------------------------------------------


def pictures_in(folder: str) -> list[str]:
    """The pictures in a folder by name, hidden files left out. Raises ValueError when there are none."""
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith(PICTURES) and name[0] != ".")
    if not names:
        raise ValueError(f"The folder {folder} holds no pictures ({', '.join(PICTURES)})")
    return [os.path.join(folder, name) for name in names]
