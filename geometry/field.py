"""A field: what every generator returns before there is a mesh."""

import io
import zipfile
import zlib
from dataclasses import dataclass

import numpy as np

from .atomic import replacing
from .frames import UNIT_CUBE

NAMES = ("values", "level", "bounds", "colour", "confidence", "seen", "turn", "up")
KINDS = {
    "values": np.float32,
    "bounds": np.float64,
    "colour": np.float32,
    "confidence": np.float32,
    "seen": bool,
    "up": np.float64,
}
UNREADABLE = (OSError, ValueError, TypeError, AttributeError, EOFError, zipfile.BadZipFile, zlib.error)
"""What numpy raises for files that are broken or hold something else."""
LARGEST = 512
"""Cells along one side; a file that claims more is not one of ours."""


@dataclass(frozen=True, eq=False)
class Field:
    """A sampled scalar field: inside where values > level. Raises ValueError where its arrays do not fit together."""

    values: np.ndarray
    """(X, Y, Z) float32, sampled at cell centres"""
    level: float
    """.5 for occupancy, 0 for a negated signed distance"""
    bounds: np.ndarray
    """(2, 3) metres, the outer faces of the grid"""
    colour: np.ndarray | None = None
    """(X, Y, Z, 3) float32 sRGB in [0, 1]"""
    confidence: np.ndarray | None = None
    """(X, Y, Z) float32 in [0, 1]: how sure it is where the surface lies, from 0, a guess"""
    seen: np.ndarray | None = None
    """(X, Y, Z) bool: meshes leave out faces where it is False; None leaves them whole and closed"""
    turn: float | None = None
    """Radians by which the grid, bounds and all, is turned about the world's z axis; None: it is not"""
    up: np.ndarray | None = None
    """(3,) what is up in it: meshes are turned so that this is z, and stand on z = 0; None: they stay as they lie"""

    def __post_init__(self):
        for name, dtype in KINDS.items():
            if getattr(self, name) is not None:
                object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype))
        object.__setattr__(self, "level", float(self.level))
        if self.turn is not None:
            object.__setattr__(self, "turn", float(self.turn))
        if self.values.ndim != 3 or not all(2 <= n <= LARGEST for n in self.values.shape):
            raise ValueError(f"a field has three sides of 2 to {LARGEST} cells, not {self.values.shape}")
        if self.bounds.shape != (2, 3) or not (self.bounds[1] > self.bounds[0]).all():
            raise ValueError("a field's bounds are its lowest and its highest corner")
        if self.colour is not None and self.colour.shape != (*self.values.shape, 3):
            raise ValueError(f"a field of {self.values.shape} cells cannot take colours of {self.colour.shape}")
        if self.confidence is not None and self.confidence.shape != self.values.shape:
            raise ValueError(f"a field of {self.values.shape} cells cannot take confidence of {self.confidence.shape}")
        if self.seen is not None and self.seen.shape != self.values.shape:
            raise ValueError(f"a field of {self.values.shape} cells cannot tell what was seen of {self.seen.shape}")
        if self.up is not None and (self.up.shape != (3,) or not np.linalg.norm(self.up) > 0):
            raise ValueError("what is up in a field is a direction of three numbers")
        for name in NAMES:
            if getattr(self, name) is not None and not np.isfinite(getattr(self, name)).all():
                raise ValueError(f"the field's {name} holds values that are not finite numbers")

    @property
    def has_place(self) -> bool:
        """It knows where it is and how large, as captures do; what a network guessed fills the unit cube."""
        return not np.array_equal(self.bounds, UNIT_CUBE)

    def save(self, path):
        """Write a compressed .npz; the file is whole or not there."""
        # numpy compresses at level 6, which takes three times as long for a few percent of these bytes.
        with replacing(path) as out, zipfile.ZipFile(out, "w") as file:
            for name in NAMES:
                if getattr(self, name) is not None:
                    array = io.BytesIO()
                    np.lib.format.write_array(array, np.asarray(getattr(self, name)), allow_pickle=False)
                    entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))  # the same field is the same file
                    file.writestr(entry, array.getbuffer(), zipfile.ZIP_DEFLATED, compresslevel=1)

    @classmethod
    def load(cls, path):
        """Read what save wrote; ValueError names the file that is missing, broken or something else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                missing = [name for name in NAMES[:3] if name not in file]
                if missing:
                    raise ValueError(f"it has no {missing[0]}")
                return cls(**{name: file[name] for name in NAMES if name in file})
        except FileNotFoundError as error:
            raise ValueError(f"{path} does not exist") from error
        except UNREADABLE as error:
            raise ValueError(f"{path} is not a field that Maquette wrote: {error}") from error
