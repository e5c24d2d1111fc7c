"""Settings that several requests share; `requests` has them too."""

from dataclasses import dataclass

from . import checks

DEVICES = ("auto", "cpu", "cuda", "mps")
STYLES = ("smooth", "blocks")
VIEW_LIMITS = {"elevation": (-20.0, 75.0), "depth": (0.6, 3.0)}


@dataclass(frozen=True)
class Meshing:
    """How a field becomes a mesh; changing these never runs a network again."""

    level: float | None = None
    """The field's value at the surface; None ("auto") takes the field's own."""
    style: str = "smooth"
    smoothing: int = 2
    """Smoothing passes over the finished surface."""
    faces: int = 0
    """Triangles to keep at most; 0 keeps all."""
    islands: bool = False
    """Keep pieces that float apart from the largest one."""
    size: float | None = None
    """Longest side in metres, standing on z = 0; None ("auto") leaves captures as they were captured, others take 1."""

    def __post_init__(self):
        level = None if self.level in (None, "auto") else checks.number("Level", self.level)
        checks.put(self, "level", level)
        checks.one_of("Style", self.style, STYLES)
        checks.put(self, "smoothing", checks.whole("Smoothing", self.smoothing, 0, 200))
        checks.put(self, "faces", checks.whole("Faces", self.faces, 0, 100_000_000))
        if 0 < self.faces < 4:
            raise ValueError(f"Faces is {self.faces}; a closed mesh needs at least 4 (0 keeps them all)")
        checks.put(self, "islands", checks.truth("Islands", self.islands))
        checks.put(self, "size", None if self.size in (None, "auto") else checks.number("Size", self.size))
        if self.size is not None and self.size <= 0:
            raise ValueError(f"Size is {self.size:g} metres; it must be above 0")

    def keywords(self) -> dict:
        """What geometry's mesh_from_field takes; Size is applied afterwards."""
        return {name: getattr(self, name) for name in ("level", "style", "smoothing", "faces", "islands")}


@dataclass(frozen=True)
class View:
    """What is known of how the picture shows the object; what is None, the network finds."""

    elevation: float | None = None
    """Degrees from which the camera looks down on the object; below 0 it looks up."""
    depth: float | None = None
    """The object's longest side, as a multiple of its larger side in the picture: over 1, it reaches away from us."""
    symmetry: bool = False
    """The object's two halves mirror each other; each shows what the other hides."""

    def __post_init__(self):
        for name, (low, high) in VIEW_LIMITS.items():
            value = getattr(self, name)
            value = None if value in (None, "auto") else checks.number(name.capitalize(), value)
            if value is not None and not low <= value <= high:
                raise ValueError(f"{name.capitalize()} is {value:g}; it must be from {low:g} to {high:g}")
            checks.put(self, name, value)
        checks.put(self, "symmetry", checks.truth("Symmetry", self.symmetry))
