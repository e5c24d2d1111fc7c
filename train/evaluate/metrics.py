"""How close one shape is to another: IoU, Chamfer-L1, F-score and normal consistency.

Shapes are compared after each is scaled uniformly to longest side 1 and its bounds are centred on the origin; nothing
is aligned by search. IoU@N fills both solidly at the N^3 cell centres of the cube [-.5, .5]^3. The point metrics sample
both surfaces by area, from a seed, and follow the definitions of Occupancy Networks (Mescheder 2019, arXiv:1812.03828)
and Tatarchenko 2019 (arXiv:1905.03678).
"""

from dataclasses import asdict, dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...geometry.mesh import Mesh
from ...geometry.voxelise import voxelise

POINTS = 50_000
"""Points drawn on each surface: about .008 apart on a cube's, so that F at 1 % is not limited by the drawing."""


@dataclass(frozen=True)
class Scores:
    """iou, f1 and f2 (F-score at 1 % and 2 % of the longest side) and normals in [0, 1]; chamfer in longest sides."""

    iou: float
    chamfer: float
    f1: float
    f2: float
    normals: float

    def as_dict(self):
        return asdict(self)


NOTHING = Scores(0.0, float("nan"), 0.0, 0.0, 0.0)
"""What an empty answer scores; its Chamfer distance has no value."""


def score(mesh, truth, resolution=32, points=POINTS, seed=0):
    """All metrics of mesh against truth, both of any size and place."""
    mesh, truth = normalise(mesh), normalise(truth)
    overlap = iou(occupancy(mesh, resolution), occupancy(truth, resolution))
    return Scores(overlap, *surface_scores(*sample(mesh, points, seed), *sample(truth, points, seed + 1)))


def normalise(mesh):
    """The mesh with its longest side 1 and its bounds centred on the origin."""
    if len(mesh.vertices) == 0 or len(mesh.faces) == 0:
        raise ValueError("a mesh without faces has no size to normalise")
    used = mesh.vertices[np.unique(mesh.faces)].astype(np.float64)
    low, high = used.min(0), used.max(0)
    longest = (high - low).max()
    if not np.isfinite(longest) or longest <= 0:
        raise ValueError(f"a mesh with longest side {longest} has no size to normalise")
    vertices = ((mesh.vertices - (low + high) / 2) / longest).astype(np.float32)
    return Mesh(vertices, mesh.faces, mesh.colours)


def turn(mesh, degrees):
    """The mesh turned about z, counter-clockwise as seen from above."""
    a = np.radians(degrees)
    rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    return Mesh((mesh.vertices @ rotation.T).astype(np.float32), mesh.faces, mesh.colours)


def occupancy(mesh, resolution):
    """(N, N, N) bool: the cell centres of [-.5, .5]^3 that lie inside a normalised mesh."""
    return voxelise(mesh, resolution)


def iou(a, b):
    """Intersection over union of two boolean grids of one shape; of two empty ones, 1."""
    if a.shape != b.shape:
        raise ValueError(f"grids of {a.shape} and {b.shape} cannot be compared")
    union = np.count_nonzero(a | b)
    return float(np.count_nonzero(a & b) / union) if union else 1.0


def sample(mesh, count, seed):
    """Points on the surface, evenly by area.

    Returns points (count, 3) and unit normals (count, 3) of the faces they lie on.
    """
    random = np.random.default_rng(seed)
    corners = mesh.vertices[mesh.faces].astype(np.float64)  # F 3 xyz
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(cross, axis=1)
    total = np.cumsum(doubled)
    if total[-1] <= 0:
        raise ValueError("a mesh without area cannot be sampled")
    # Stratified along the summed area: the same count a face each time, to within one.
    where = (np.arange(count) + random.random(count)) / count * total[-1]
    face = np.minimum(np.searchsorted(total, where, side="right"), len(total) - 1)
    u, v = random.random((2, count, 1))
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    a, b, c = corners[face].transpose(1, 0, 2)
    return a + u * (b - a) + v * (c - a), cross[face] / np.maximum(doubled[face], 1e-30)[:, None]


def surface_scores(points, normals, true_points, true_normals, tolerances=(0.01, 0.02)):
    """Chamfer-L1, an F-score for each tolerance, and normal consistency between two sampled surfaces.

    Chamfer-L1 is the mean of the two mean distances (accuracy and completeness); F the harmonic mean of the two shares
    of points within the tolerance; consistency the mean absolute cosine between normals of nearest points.
    """
    accuracy, nearest_true = cKDTree(true_points).query(points)
    completeness, nearest = cKDTree(points).query(true_points)
    chamfer = (accuracy.mean() + completeness.mean()) / 2
    scores = [f_score((accuracy < t).mean(), (completeness < t).mean()) for t in tolerances]
    there = np.abs((normals * true_normals[nearest_true]).sum(1)).mean()
    back = np.abs((true_normals * normals[nearest]).sum(1)).mean()
    return float(chamfer), *map(float, scores), float((there + back) / 2)


def f_score(precision, recall):
    """The harmonic mean, 0 where both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
