"""A texture out of the photographs of a mesh, each place from the few that show it best.

Photos are judged at the vertices of a finer mesh, so that what a texel takes from each changes without a step; the next
best photo's share goes to nothing before another takes its place (Buehler 2001, unstructured lumigraph). Details come
from these few; how bright a place is on the whole comes from all photos that show it (two bands, after Baumberg 2002).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.ndimage import map_coordinates

from .colour import to_bytes
from .depth import every
from .finer import finer
from .hull import OBJECT, project
from .mixture import Mixture, table_of
from .sharpness import grey, sharpness
from .sights import Surface, seen
from .texels import Texels, filled

SMALL = 1024
"""Pixels along the longer side of photos while they are judged"""
EDGE = 10
"""Texels along the longest edges of the mesh at whose vertices photos are judged"""
BLURRED = 0.5
"""Share of the usual sharpness below which a photo counts less"""


@dataclass(frozen=True)
class Baked:
    """A texture and how it came about."""

    texture: np.ndarray
    """(S, S, 3) uint8 sRGB, first row on top"""
    seen: float
    """Share of the surface that some photo shows"""
    used: int
    """Photos that it is made of"""


def bake(mesh, count, read, size=2048, progress=None, guess=None) -> Baked:
    """The texture of a mesh with UVs; what no photo shows takes the colours of what lies around, or `guess` (V, 3),
    sRGB in [0, 1] of the mesh's vertices, into which photos then pass over where they show it askew.

    count: photos; read(number, longest) -> Photo number 0, 1, ... , its longer side at most `longest` pixels. Photos
    are read twice, one at a time: small ones say what shows where, large ones give the colours.
    `progress(fraction, note)`. Raises ValueError where no photo shows the mesh.
    """
    say = progress or (lambda fraction, note: None)
    density = texels_per_metre(mesh, size)
    coloured = replace(mesh, colours=None if guess is None else np.float32(guess))
    surface = Surface(finer(coloured, EDGE / density), density, mesh.is_watertight)
    sights, longest, sharp = [], [], []
    for number in range(count):
        photo = read(number, SMALL)
        say(0.45 * number / count, photo.name)
        sights.append(seen(photo, surface))
        longest.append(as_fine(photo, surface, sights[-1]))
        sharp.append(sharpness(grey(photo.image)))
    for sight, own in zip(sights, sharp):
        sight.quality[:] *= min(1.0, own / max(BLURRED * float(np.median(sharp)), 1e-9))
    mixture = Mixture(sights, surface)
    if not len(mixture.used):
        raise ValueError("no photo shows the mesh: its cameras look elsewhere, or it was moved away from them")
    canvas = Canvas(surface.mesh, size)
    for done, number in enumerate(mixture.used):
        photo = read(number, longest[number])
        say(0.45 + 0.45 * done / len(mixture.used), photo.name)
        canvas.add(photo, mixture.gains[number], mixture.shares[number].toarray()[0])
    say(0.9, "brightness")
    canvas.correct(mixture.correction)
    say(0.95, "between the charts")
    return Baked(canvas.texture(), area_share(surface.mesh, mixture.mass), len(mixture.used))


class Canvas:
    """A texture while it is painted."""

    def __init__(self, mesh, size):
        self.mesh, self.texels = mesh, Texels(mesh.uvs, size)
        self.colours = np.zeros((size * size, 3), np.float32)

    def add(self, photo, gain, share):
        """A photo's part; share (V,) of it in each vertex."""
        pixels = pixels_of(photo, gain)
        for texel, face, weights in self.texels.on(~every(share == 0, self.mesh.faces)):
            corners = self.mesh.faces[face]
            part = np.einsum("pc,pc->p", weights, share[corners])
            some = np.flatnonzero(part > 0)
            places = np.einsum("pc,pcx->px", weights[some], self.mesh.vertices[corners[some]])
            self.colours[texel[some]] += part[some, None] * sampled(pixels, photo, places)

    def correct(self, difference):
        """Add colours (V, 3) of the vertices."""
        for texel, face, weights in self.texels.on():
            self.colours[texel] += np.einsum("pc,pcx->px", weights, difference[self.mesh.faces[face]])

    def texture(self):
        """(S, S, 3) uint8, filled between the charts."""
        known = self.texels.known
        return to_bytes(filled(self.colours.reshape(*known.shape, 3).clip(0, 1), known))


def texels_per_metre(mesh, size):
    """On the whole."""
    a, b, c = mesh.vertices[mesh.faces.T].astype(np.float64)
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum()
    b, c = (np.float64(mesh.uvs[:, corner] - mesh.uvs[:, 0]) for corner in (1, 2))
    return size * np.sqrt(np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]).sum() / max(area, 1e-30))


def as_fine(photo, surface, sight):
    """Pixels along the longer side at which a photo is as fine as the texture: more would only flicker."""
    if not len(sight.vertices):
        return 1
    _, depth = project(photo, surface.mesh.vertices[sight.vertices])
    return int(np.ceil(max(photo.image.shape) * surface.density * np.median(depth) / photo.pinhole[0, 0]))


def pixels_of(photo, gain):
    """(H, W, 3) float32 sRGB of a photo in the exposure of all; beyond its mask the object's colours go on."""
    table = table_of(gain)
    pixels = np.stack([table[photo.image[..., c], c] for c in range(3)], axis=-1)
    return pixels if photo.mask is None else filled(pixels, photo.mask > OBJECT)


def sampled(pixels, photo, points):
    """Colours (P, 3) that pixels (H, W, 3) of a photo show at points (P, 3) in the world."""
    at = project(photo, points)[0][:, ::-1].T - 0.5
    return np.stack([map_coordinates(pixels[..., c], at, order=1, mode="nearest") for c in range(3)], axis=-1)


def area_share(mesh, chosen):
    """How much of the surface lies at vertices that are chosen (V,) bool."""
    a, b, c = mesh.vertices[mesh.faces.T].astype(np.float64)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    return float((areas * chosen[mesh.faces].mean(axis=1)).sum() / max(areas.sum(), 1e-30))
