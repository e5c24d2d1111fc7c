"""What may be asked for a mesh that photographs show."""

from dataclasses import dataclass

import numpy as np

from . import checks

SIDES = (512, 4096)
"""Smallest and largest side of a texture in pixels"""
TEXTURED = ("glb", "obj")
"""Endings of mesh files that take one"""


def texture_size(value) -> int:
    """Pixels along a texture's side, or 0 for none. Raises ValueError for others."""
    value = checks.whole("Texture", value, 0, SIDES[1])
    if 0 < value < SIDES[0]:
        raise ValueError(f"Texture is {value}; it must be from {SIDES[0]} to {SIDES[1]}, or 0 for none")
    return value


@dataclass(frozen=True, eq=False)
class Texture:
    """A mesh and the photos that show it -> Shape with UVs and a texture of these photos."""

    VERB = "texture"
    cameras: tuple[dict, ...] = ()
    """Of each photo, as in Capture's report: name, path, matrix, size, focal, centre, distortion, mask, upright"""
    folder: str = ""
    """Where the photos are: instead of cameras, a folder that knows them; besides, where to look for moved photos."""
    path: str = ""
    """A mesh file, instead of:"""
    vertices: np.ndarray | None = None
    """(V, 3) float32, in the frame of the cameras"""
    faces: np.ndarray | None = None
    """(F, 3) int32"""
    together: np.ndarray | None = None
    """(F,) int32: triangles of one number stay side by side, as those of a quad must"""
    uvs: np.ndarray | None = None
    """(F, 3, 2) float32: lay the texture out so; None unwraps the mesh"""
    colours: np.ndarray | None = None
    """(V, 3) float32 sRGB in [0, 1]; what no picture shows keeps them where it was reconstructed from pictures"""
    size: int = 2048
    """Pixels along the texture's side"""
    picture: str = ""
    """PNG to write the texture to as well; "" writes none."""
    cache: str = ""

    def __post_init__(self):
        checks.put(self, "size", checks.whole("Size", self.size, *SIDES))
        checks.paths(self, "folder", "path", "picture", "cache")
        checks.put(self, "cameras", tuple(self.cameras))
        for row in self.cameras:
            camera(row)
        if not self.cameras and not self.folder:
            raise ValueError("No photos were named; give their folder, or the cameras of a capture's report")
        if not self.path:
            if self.vertices is None or self.faces is None:
                raise ValueError("No mesh was given; name a file, or select an object that has one")
            checks.mesh(self)
        if self.together is not None:
            checks.put(self, "together", np.ascontiguousarray(self.together, np.int32))
            if self.path or self.together.shape != (len(self.faces),):
                raise ValueError(f"Together is {self.together.shape}; it must be one number for each face")


def camera(row) -> None:
    """Raises ValueError where a row does not say a photo's camera."""
    if not isinstance(row, dict) or not isinstance(row.get("name"), str) or not isinstance(row.get("path"), str):
        raise ValueError("Cameras are rows with name, path, matrix, size, focal, centre and distortion")
    for name, count in (("size", 2), ("focal", 2), ("centre", 2), ("distortion", 4)):
        _numbers(row, name, row.get(name), count)
    matrix = row.get("matrix")
    if not isinstance(matrix, (list, tuple)) or len(matrix) != 4:
        raise ValueError(f"The camera of {row['name']} has no matrix of 4 x 4 numbers")
    for line in matrix:
        _numbers(row, "matrix", line, 4)
    if min(row["size"]) < 1 or min(row["focal"]) <= 0:
        raise ValueError(f"The camera of {row['name']} has a size or a focal length of nothing")


def _numbers(row, name: str, values, count: int):
    if not isinstance(values, (list, tuple)) or len(values) != count:
        raise ValueError(f"The camera of {row['name']} has {values!r} for its {name}; {count} numbers are expected")
    for value in values:
        checks.number(f"The camera of {row['name']}: {name}", value)
