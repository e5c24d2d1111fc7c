"""What masks of posed photographs leave of space: the visual hull (Laurentini 1994), and the box round an object."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import distance_transform_edt, maximum_filter

from .frames import cell_centres
from .scene import Photo

OBJECT = 127
"""Mask values above this are the object."""
WITNESSES = 0.3
"""Share of the photos that must show a place within the object for it to count."""


@dataclass(frozen=True)
class Similarity:
    """The captured world and the cube [-.5, .5]^3 that a field is fitted in: cube = (world - centre) / side."""

    centre: tuple[float, float, float]
    side: float

    def to_cube(self, points):
        return (np.asarray(points, np.float64) - self.centre) / self.side

    def to_world(self, points):
        return np.asarray(points, np.float64) * self.side + self.centre


def project(photo: Photo, points):
    """World points (P, 3) -> pixels (P, 2) as (column, row) through the lens, and depth (P,), in front > 0."""
    local = (np.asarray(points, np.float64) - photo.camera[:3, 3]) @ photo.camera[:3, :3]
    depth = -local[:, 2]
    safe = np.where(depth > 1e-9, depth, np.inf)
    x, y = distorted(local[:, 0] / safe, -local[:, 1] / safe, photo.distortion)
    k = photo.pinhole
    return np.stack([k[0, 0] * x + k[0, 1] * y + k[0, 2], k[1, 1] * y + k[1, 2]], -1), depth


def distorted(x, y, distortion):
    """OPENCV's model with k1, k2, p1, p2, on normalised places, y down."""
    k1, k2, p1, p2 = distortion
    if not any(distortion):
        return x, y
    r = np.minimum(x * x + y * y, 4.0)  # the polynomial folds back far outside the picture
    radial = 1 + r * (k1 + r * k2)
    return (
        x * radial + 2 * p1 * x * y + p2 * (r + 2 * x * x),
        y * radial + p1 * (r + 2 * y * y) + 2 * p2 * x * y,
    )


def visual_hull(photos, similarity: Similarity, resolution: int, slack: float = 1.0, misses: int = 0) -> np.ndarray:
    """(N, N, N) bool: cells that no more than `misses` photos see beside the object, and enough photos see in it.

    Photos without a mask say nothing. Masks are widened by as much as `slack` cells cover, so that what is thinner than
    a cell stays. A photo that cuts the object off says nothing against what lies outside it, but a share of WITNESSES
    must show a cell within the object.
    """
    points = similarity.to_world(cell_centres(resolution).reshape(-1, 3))
    against, within = np.zeros(len(points), np.int16), np.zeros(len(points), np.int16)
    masked = [photo for photo in photos if photo.mask is not None]
    index = np.arange(len(points))
    for photo in masked:
        if not len(index):
            break
        pixels, depth = project(photo, points[index])
        reach = slack * similarity.side / resolution * photo.pinhole[0, 0] / max(float(np.median(depth)), 1e-6)
        wide = widened(photo.mask, round(reach / 2))
        column, row = np.floor(pixels).astype(np.int64).T
        height, width = wide.shape
        shown = (depth > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height)
        object_ = np.zeros(len(index), bool)
        object_[shown] = wide[row[shown], column[shown]]
        within[index] += object_
        against[index] += ~object_ if is_whole(photo.mask) else shown & ~object_
        index = index[against[index] <= misses]
    return ((against <= misses) & (within >= max(1, WITNESSES * len(masked)))).reshape((resolution,) * 3)


def widened(mask: np.ndarray, pixels: int) -> np.ndarray:
    """mask (H, W) uint8 -> bool (H, W): the object, and what is within `pixels` of it along rows and columns."""
    return maximum_filter(mask > OBJECT, size=2 * max(pixels, 0) + 1)


def is_whole(mask: np.ndarray) -> bool:
    """The object ends within the picture."""
    return not any((side > OBJECT).any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def box_from_masks(photos, resolution: int = 64, margin: float = 0.06) -> Similarity:
    """A cube round the visual hull. Raises ValueError where masks and cameras agree on nothing."""
    masked = [p for p in photos if p.mask is not None and (p.mask > OBJECT).any()]
    if not masked:
        raise ValueError("no photo has a mask that shows an object")
    centre, side = meeting_place(masked)
    for _ in range(2):
        around = Similarity(tuple(centre), side)
        hull = visual_hull(masked, around, resolution, misses=len(masked) // 50)
        if not hull.any():
            raise ValueError("masks and cameras contradict each other: no point in space is inside all masks")
        cells = np.argwhere(hull)
        low, high = cells.min(0) / resolution - 0.5, (cells.max(0) + 1) / resolution - 0.5
        centre = around.to_world((low + high) / 2)
        side = float((high - low).max()) * side * (1 + 2 * margin)
    return Similarity(tuple(float(c) for c in centre), side)


def box_from_cameras(photos, share: float = 1.6) -> Similarity:
    """A cube where most cameras look, as large as `share` of what their pictures' shorter sides hold there.

    Close-ups may be among them: it does not reach the nearest camera.
    """
    origins = np.array([photo.camera[:3, 3] for photo in photos])
    ways = np.array([-photo.camera[:3, 2] for photo in photos])
    across = np.eye(3) - ways[:, :, None] * ways[:, None]
    centre = np.linalg.lstsq(across.sum(0), (across @ origins[:, :, None]).sum(0)[:, 0], rcond=1e-4)[0]
    away = np.linalg.norm(origins - centre, axis=1)
    spans = [min(p.image.shape[0] / p.pinhole[1, 1], p.image.shape[1] / p.pinhole[0, 0]) for p in photos]
    side = float(min(np.median(away * spans) * share, 1.7 * away.min()))
    if not np.isfinite(side) or side <= 0:
        raise ValueError("the cameras stand in one place, so there is no telling how far away anything is")
    return Similarity(tuple(float(c) for c in centre), side)


def meeting_place(photos):
    """The point nearest to the lines of sight through the masks' middles, and a side that holds what they show."""
    origins, ways, spans = [], [], []
    for photo in photos:
        rows, columns = np.nonzero(photo.mask > OBJECT)
        middle = np.array([(columns.min() + columns.max() + 1) / 2, (rows.min() + rows.max() + 1) / 2, 1.0])
        local = np.linalg.solve(photo.pinhole, middle) * [1, -1, -1]
        ways.append(photo.camera[:3, :3] @ (local / np.linalg.norm(local)))
        origins.append(photo.camera[:3, 3])
        spans.append(max(np.ptp(rows) / photo.pinhole[1, 1], np.ptp(columns) / photo.pinhole[0, 0]))
    origins, ways = np.array(origins), np.array(ways)
    across = np.eye(3) - ways[:, :, None] * ways[:, None]
    centre = np.linalg.lstsq(across.sum(0), (across @ origins[:, :, None]).sum(0)[:, 0], rcond=None)[0]
    away = np.linalg.norm(origins - centre, axis=1)
    return centre, float(np.max(away * spans) * 2)


def signed_distance(inside: np.ndarray) -> np.ndarray:
    """(N, N, N) bool -> distance to the boundary in cells, float32, inside > 0."""
    deep, far = distance_transform_edt(inside), distance_transform_edt(~inside)
    return (np.where(inside, deep - 0.5, 0.5 - far)).astype(np.float32)
