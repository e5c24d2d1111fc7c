"""Surfaces where nothing is known of them: a fog fitted to photos without masks, and the object that is thick in it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.frames import cell_centres
from ..geometry.hull import Similarity, project, signed_distance, widened
from ..geometry.looked_at import best_parts, few, filled, looked_at
from ..geometry.scene import Photo
from ..geometry.wall import Plane, wall_of
from .fit_stage import Fitted, Run, Stage
from .fused import surface_in
from .pixels import every_ray, small
from .radiance_field import RadianceField
from .surface_volume import at_corners, band
from .surroundings import RESOLUTION, WITHIN, Surroundings, density
from .voxel_grid import VoxelGrid

CELLS = RESOLUTION // 2
"""Of the fog along the cube's side."""
ALIKE, CLEARING, GATHERED, DECIDED = 1e-3, 2e-3, 1e-2, 2e-3
"""Weights of neighbours with like densities, of no fog, of fog in one place of a ray, and of all or nothing."""
RATE = 0.1
NEAR = 0.4
"""Nothing lies nearer to a camera than this share of its way to the cube's middle."""
THICK = 0.25
"""Opacity of a cell above which it is taken for a surface."""
LOOKED_AT = 0.25
"""Share of the cameras, of those that see the best seen cell, that must show a part of the object."""
LEFT = 0.2
"""Share of an object's worth that must be left where a wall was cut off, or it was no wall but the object itself"""
FINE = 64
"""Cells along the cube's side among which the object is picked."""


class SearchRun(Run):
    """The first stage where there are no masks: a fog that thickens where surfaces are."""

    def groups(self) -> list[dict]:
        return [{"params": [self.fitted.around.table], "lr": RATE}]

    def refresh(self) -> None:
        self.fitted.around.close()

    def loss(self) -> Tensor:
        """The fog alone, of one colour from everywhere; gathered, and cleared where nothing wants it.

        It is too rough to tell photos' exposures by.
        """
        origins, ways, colours, *_ = self.pixels.draw(self.stage.rays)
        around = self.fitted.around
        around.close()
        seen = around.look(origins, ways, torch.rand_like(ways[:, 0]))
        error = (seen.colour - colours).square().mean()
        self.error = error.detach()
        low = RESOLUTION // 4
        stored = around.table[0, 0, low:-low, low:-low, low:-low]
        bends = sum(stored.diff(dim=axis).abs().mean() for axis in range(3))
        through = 1 - seen.weight.sum(1)
        decided = (through * (1 - through)).mean()
        return error + ALIKE * bends + CLEARING * density(stored).mean() + GATHERED * spread(seen) + DECIDED * decided


def spread(seen) -> Tensor:
    """How far a ray's fog is scattered along it (the distortion of Barron 2022, arXiv:2111.12077)."""
    weight, along = seen.weight, seen.along.detach()
    before, moment = torch.cumsum(weight, 1) - weight, torch.cumsum(weight * along, 1) - weight * along
    apart = 2 * weight * (along * before - moment)
    width = (along[:, -1:] - along[:, :1]) / (WITHIN - 1)
    return (apart + weight.square() * width / 3).sum(1).mean()


def barred(around: Surroundings, photos: list[Photo], similarity: Similarity) -> Tensor:
    """(N, N, N) bool of what is stored: too close before a camera, or, in the cube, shown by one photo at most."""
    places = around.places()
    largest = places.abs().amax(-1, keepdim=True)
    outside = places / largest.clamp_min(1e-6) / (4 - 4 * largest).clamp_min(1e-3)
    points = torch.where(largest > 0.5, outside, places)
    close = torch.zeros(points.shape[:3], dtype=torch.bool, device=points.device)
    for photo in few(photos, 60):
        origin = torch.as_tensor(similarity.to_cube(photo.camera[:3, 3]), dtype=torch.float32).to(points.device)
        close |= (points - origin).square().sum(-1) < (NEAR * origin.norm()) ** 2
    low = RESOLUTION // 4
    inner = points[low:-low, low:-low, low:-low].reshape(-1, 3).cpu().numpy()
    number, _ = looked_at(inner, few(photos, 60), similarity)
    shown_once = torch.from_numpy(number < 2).reshape((RESOLUTION - 2 * low,) * 3)
    close[low:-low, low:-low, low:-low] |= shown_once.to(close.device)
    return close


@torch.no_grad()
def thick(around: Surroundings) -> np.ndarray:
    """(FINE,) * 3 bool: where the fog is."""
    points = torch.from_numpy(cell_centres(FINE).reshape(-1, 3)).to(around.table.device)
    fog = density(around.stored(points)[0]).cpu().numpy().reshape((FINE,) * 3)
    return 1 - np.exp(-fog) > THICK


def object_in(
    dense: np.ndarray, clear: np.ndarray, photos: list[Photo], similarity: Similarity, half=None
) -> tuple[np.ndarray, Plane | None]:
    """Of surfaces (FINE,) * 3 bool those of the object that most cameras look at, with its inside; clear: what is seen.

    Of several parts those count that lie near the middle of many pictures, rather than those that are large; and the
    wall or the table from which it was cut off comes along, if there is one. Where somebody said where it is, `half`
    (3,) the sides of a box in the cube, all of its larger parts count, and nothing is cut off.
    """
    some, points = few(photos, 60), cell_centres(FINE).reshape(-1, 3)
    number, central = looked_at(points, some, similarity)
    origins = similarity.to_cube([photo.camera[:3, 3] for photo in photos])
    radius = min(0.5, 0.8 * float(np.linalg.norm(origins, axis=1).min()))
    within = (number >= LOOKED_AT * number.max()) & (np.linalg.norm(points, axis=1) < radius)
    worth = (central / len(some)) ** 2
    if half is not None:
        within, worth = (np.abs(points) <= half).all(1), np.ones(len(points), np.float32)
    cube = (FINE,) * 3
    within, worth = within.reshape(cube), worth.reshape(cube)
    shell, plane = best_parts(dense & within, worth), None
    found = wall_of(dense, origins) if half is None else None
    if found:
        before = (points @ found[0] > found[1]).reshape(cube)
        free = best_parts(dense & within & before, worth)
        if worth[free].sum() > LEFT * worth[shell].sum():
            shell, within, plane = free, within & before, in_world(*found, similarity)
    if not shell.any():
        where = "in the box" if half is not None else "where the cameras look"
        raise ValueError(f"nothing solid was found {where}; more photos, or a longer budget, may help")
    return filled(shell, clear, within), plane


def in_world(normal: np.ndarray, offset: float, similarity: Similarity) -> Plane:
    """A plane of the cube."""
    away = offset * similarity.side + normal @ np.array(similarity.centre)
    return Plane(tuple(float(x) for x in normal), float(away))


@torch.no_grad()
def seen_through(around: Surroundings, photos: list[Photo], similarity: Similarity, longest: int = 72) -> np.ndarray:
    """(FINE,) * 3 bool: cells that some camera sees, in the air or just at a surface."""
    points = cell_centres(FINE).reshape(-1, 3)
    world, seen = similarity.to_world(points), np.zeros(FINE**3, bool)
    for photo in few(photos, 40):
        lens = small(photo, longest)
        depth = first_surface(around, lens, similarity)
        pixels, away = project(lens, world)
        column, row = np.floor(pixels).astype(np.int64).T
        height, width = depth.shape
        index = np.flatnonzero((away > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height))
        far = np.linalg.norm(points[index] - similarity.to_cube(lens.camera[:3, 3]), axis=1)
        seen[index] |= far < depth[row[index], column[index]] + 0.5 / FINE
    return seen.reshape((FINE,) * 3)


def first_surface(around: Surroundings, lens: Photo, similarity: Similarity) -> np.ndarray:
    """(H, W) distance in the cube at which half of the light is gone, infinite where it goes on beyond."""
    origins, ways = every_ray(lens, similarity, around.table.device)
    seen = around.look(origins, ways)
    gone = torch.cumsum(seen.weight, 1) > 0.5
    depth = torch.gather(seen.along, 1, gone.int().argmax(1, keepdim=True))[:, 0]
    depth = torch.where(gone.any(1), depth, torch.full_like(depth, float("inf")))
    return depth.reshape(lens.image.shape[:2]).cpu().numpy()


@torch.no_grad()
def from_fog(
    inside: np.ndarray,
    around: Surroundings,
    old: Similarity,
    new: Similarity,
    stage: Stage,
    plane=None,
    kind=RadianceField,
    maps=None,
):
    """A field of a kind in the new cube with the picked object's surface and colours, and its distances at all corners.

    The fog keeps what lies around, and is cleared of the object, but not behind the plane that it was cut off from.
    """
    n, device = stage.resolution, around.table.device
    side = torch.linspace(-0.5, 0.5, n + 1)
    corners = torch.stack(torch.meshgrid(side, side, side, indexing="ij"), -1).reshape(-1, 3)
    places = torch.from_numpy(old.to_cube(new.to_world(corners.numpy())).astype(np.float32))
    places = places.to(device)
    distance = torch.from_numpy(signed_distance(inside)).to(device)[None, None] / FINE * (old.side / new.side)
    looked = F.grid_sample(
        distance, 2 * places.flip(-1)[None, :, None, None], padding_mode="border", align_corners=False
    )
    volume = looked.reshape((n + 1,) * 3)
    volume = (surface_in(volume, maps, old, new) if maps else volume).clamp(-8 / n, 8 / n)
    # Also of a density, which begins as thick as a surface here: thin fog would take the colours of what is behind it
    grid = VoxelGrid(band(volume, stage.band))
    field = kind(grid, at_corners(grid, volume))
    x, y, z = grid.places.unbind(1)
    field.colour[:, :3] = around.stored(places.reshape(n + 1, n + 1, n + 1, 3)[x, y, z])[1:].T
    stored = around.places()
    at = F.max_pool3d(torch.from_numpy(inside.astype(np.float32)).to(device)[None, None], 5, 1, 2)
    taken = F.grid_sample(at, 2 * stored.flip(-1)[None], mode="nearest", padding_mode="zeros", align_corners=False)
    taken = taken[0, 0] > 0.5
    if plane:
        taken &= torch.from_numpy(plane.before(old.to_world(stored.cpu().numpy())) > 0).to(device)
    around.close(taken)
    around.move(old, new)
    return field, volume


def places_in(fitted: Fitted) -> np.ndarray:
    """(P, 3) places of the cube in what was fitted."""
    n = fitted.stage.resolution
    return np.argwhere((fitted.volume > -1 / n).cpu().numpy()) / n - 0.5


def silhouettes(points: np.ndarray, photos: list[Photo], similarity: Similarity, longest: int = 96) -> list[np.ndarray]:
    """(H, W) bool of each photo: roughly where an object of points (P, 3) of the cube may be seen."""
    world = similarity.to_world(points)
    found = []
    for photo in photos:
        lens = small(photo, longest)
        shown = np.zeros(lens.image.shape[:2], bool)
        pixels, away = project(lens, world)
        column, row = np.floor(pixels).astype(np.int64).T
        held = (away > 0) & (column >= 0) & (column < shown.shape[1]) & (row >= 0) & (row < shown.shape[0])
        shown[row[held], column[held]] = True
        shown = widened(shown * np.uint8(255), 3)
        height, width = photo.image.shape[:2]
        rows, columns = (np.arange(height) * len(shown)) // height, (np.arange(width) * shown.shape[1]) // width
        found.append(shown[rows][:, columns])
    return found


def reduced(photos: list[Photo], longest: int = 160) -> list[Photo]:
    """The photos with few pixels, each the mean of those it stands for: no finer than fog can be."""
    made = []
    for photo in photos:
        lens = small(photo, longest)
        picture = torch.from_numpy(np.ascontiguousarray(photo.image)).permute(2, 0, 1)[None].float()
        shown = F.interpolate(picture, lens.image.shape[:2], mode="area")[0].permute(1, 2, 0)
        made.append(replace(lens, image=shown.round().to(torch.uint8).numpy()))
    return made
