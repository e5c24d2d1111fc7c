"""What may be asked of the networks that sample shapes; `requests` has these too.

A Point is a place in such a network's latent space, said the way an artist came there. Presets are Points in a file,
or the way from one to another.
"""

import dataclasses
import json
import math
import os
from dataclasses import dataclass

import numpy as np

from . import checks
from .settings import Meshing

RESOLUTIONS = (32, 64)
TRUNCATION = 0.7
"""How far from the family's mean shapes are drawn by default: 1 is as far as those that the network learned from."""
LATENT = 4096
"""Numbers of a latent, at most"""


@dataclass(frozen=True)
class Point:
    """A shape of a family: drawn by a seed or given as a latent, then varied, then moved by sliders."""

    family: str = ""
    """"" takes the model's first."""
    seed: int = 0
    truncation: float = TRUNCATION
    """From 0, the family's mean shape, to 1.5, as strange as can be"""
    variation: int = 0
    """Seed of the step away from there"""
    amount: float = 0.0
    """Length of that step: 0 stays, 1 goes as far as two shapes differ"""
    latent: tuple[float, ...] = ()
    """In place of the seed, as Encode and Fit give it; () goes by the seed."""
    sliders: dict[str, float] = dataclasses.field(default_factory=dict)
    """Values, in their own units, of the sliders that were moved; the others are what the shape says."""

    def __post_init__(self):
        if not isinstance(self.family, str):
            raise ValueError(f"Family is {self.family!r}; it must be a name")
        checks.put(self, "seed", checks.whole("Seed", self.seed, 0, 2**31 - 1))
        checks.put(self, "variation", checks.whole("Variation", self.variation, 0, 2**31 - 1))
        for name, most in (("truncation", 1.5), ("amount", 3.0)):
            value = checks.number(name.capitalize(), getattr(self, name))
            if not 0 <= value <= most:
                raise ValueError(f"{name.capitalize()} is {value:g}; it must be from 0 to {most:g}")
            checks.put(self, name, value)
        checks.put(self, "latent", _latent(self.latent))
        checks.check(self, "Sliders", self.sliders, dict)
        checks.put(self, "sliders", {str(n): checks.number(f"Slider {n}", v) for n, v in self.sliders.items()})


@dataclass(frozen=True)
class Sample:
    """A place in a sampler's latent space -> Shape, standing on z = 0 in metres, its front towards -y."""

    VERB = "sample"
    model: str = "shape_vae"
    point: Point = dataclasses.field(default_factory=Point)
    other: Point | None = None
    """The other end of an interpolation"""
    factor: float = 0.0
    """From 0, at `point`, to 1, at `other`"""
    resolution: int = 64
    meshing: Meshing = dataclasses.field(default_factory=lambda: Meshing(smoothing=0))
    device: str = "auto"
    keep: bool = True
    """Keep the field in the cache, for Remesh; off while a slider moves."""
    preview: str = ""
    save_field: str = ""
    cache: str = ""

    def __post_init__(self):
        checks.check(self, "Model", self.model, str)
        checks.check(self, "Point", self.point, Point)
        if self.other is not None:
            checks.check(self, "Other", self.other, Point)
        checks.put(self, "factor", checks.number("Factor", self.factor))
        if not 0 <= self.factor <= 1:
            raise ValueError(f"Factor is {self.factor:g}; it must be from 0 to 1")
        if self.resolution not in RESOLUTIONS or isinstance(self.resolution, bool):
            raise ValueError(f"Resolution is {self.resolution}; choose one of {checks.listed(RESOLUTIONS)}")
        checks.check(self, "Meshing", self.meshing, Meshing)
        checks.put(self, "keep", checks.truth("Keep", self.keep))
        checks.paths(self, "preview", "save_field", "cache")


@dataclass(frozen=True, eq=False)
class Encode:
    """A mesh -> the place in a sampler's latent space that is most like it: Encoded."""

    VERB = "encode"
    model: str = "shape_vae"
    path: str = ""
    """Mesh file (.glb .obj .ply .off .stl); "" takes the arrays."""
    vertices: np.ndarray | None = None
    """(V, 3) float32 metres, z up"""
    faces: np.ndarray | None = None
    """(F, 3) int32"""
    family: str = ""
    """"" tries all of them."""
    device: str = "auto"

    def __post_init__(self):
        checks.check(self, "Model", self.model, str)
        checks.check(self, "Family", self.family, str)
        checks.paths(self, "path")
        if not self.path:
            if self.vertices is None or self.faces is None:
                raise ValueError("No mesh was given; name a file, or select an object that has one")
            checks.mesh(self)


@dataclass(frozen=True)
class Fit:
    """A photo of an object -> the place in a sampler's latent space whose outline is most like it: Encoded."""

    VERB = "fit"
    image: str
    model: str = "shape_vae"
    mask: str = ""
    """Picture that is bright where the object is; "" finds the object by itself."""
    family: str = ""
    """"" tries all of them."""
    device: str = "auto"

    def __post_init__(self):
        checks.put(self, "image", checks.path("Image", self.image))
        checks.check(self, "Model", self.model, str)
        checks.check(self, "Family", self.family, str)
        checks.paths(self, "mask")


@dataclass(frozen=True)
class Encoded:
    """Where in latent space something was found."""

    point: Point
    report: dict = dataclasses.field(default_factory=dict)
    """seconds, device, iou (of solids, or of outlines), family, families tried, note; of meshes: turn (degrees about
    z), scale, centre: what takes the sampled shape to where the mesh is; of photos: azimuth, elevation"""

    def __post_init__(self):
        checks.check(self, "Point", self.point, Point)
        checks.check(self, "Report", self.report, dict)


# --- presets --------------------------------------------------------------------------------------------------------


def write_preset(path: str, weights: str, sample: Sample) -> None:
    """JSON with the model, its weights' sha256, the point and the other end, whole or not at all. Raises ValueError."""
    part = f"{path}.part"
    preset = {"maquette preset": 1, "model": sample.model, "weights": weights, **dataclasses.asdict(sample.point)}
    if sample.other:
        preset |= {"other": dataclasses.asdict(sample.other), "factor": sample.factor}
    try:
        with open(part, "w", encoding="utf-8") as stream:
            json.dump(preset, stream, indent=2, ensure_ascii=False)
            stream.write("\n")
        os.replace(part, path)
    except OSError as error:
        raise ValueError(f"The preset {path} cannot be written: {error.strerror}") from error


def read_preset(path: str, model: str = "", weights: str = "") -> Sample:
    """-> the model, the point and, if there is one, the other end and the factor of a preset file.

    model, weights: refuse one that was made with others; "" takes any. Raises ValueError with a sentence."""
    name = os.path.basename(path)
    try:
        with open(path, encoding="utf-8") as stream:
            preset = json.loads(stream.read(1_000_000))
    except OSError as error:
        raise ValueError(f"The preset {name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"{name} is not a preset of Maquette: it is not JSON ({error})") from None
    if not isinstance(preset, dict) or preset.pop("maquette preset", None) != 1:
        raise ValueError(f"{name} is not a preset of Maquette")
    theirs, made_with = preset.pop("model", ""), preset.pop("weights", "")
    if model and theirs != model:
        raise ValueError(f"{name} is a preset of {theirs}, not of {model}")
    if weights and made_with != weights:
        raise ValueError(f"{name} was made with another version of {theirs}: its shape would be another one")
    other, factor = preset.pop("other", None), preset.pop("factor", 0.0)
    ends = [_point(values, name) for values in (preset, other) if values is not None]
    return Sample(theirs, *ends, factor=factor) if len(ends) == 2 else Sample(theirs, *ends)


def _point(values, name: str) -> Point:
    """The Point of a preset of this name."""
    if not isinstance(values, dict):
        raise ValueError(f"{name} is not a preset of Maquette")
    unknown = sorted(set(values) - {item.name for item in dataclasses.fields(Point)})
    if unknown:
        raise ValueError(f"{name} holds {unknown[0]!r}, which this version of Maquette does not know")
    return Point(**values)


def _latent(values) -> tuple[float, ...]:
    if len(values) > LATENT:
        raise ValueError(f"A latent of {len(values)} numbers is longer than any model's")
    if any(isinstance(v, bool) or not isinstance(v, (int, float, np.number)) or not math.isfinite(v) for v in values):
        raise ValueError("The latent holds values that are not finite numbers")
    return tuple(float(v) for v in values)
