"""How near two sets of shapes are to each other: does a sampler make what the designs make, and all of it?

1-NNA (Lopez-Paz & Oquab 2016, for shapes Yang 2019, arXiv:1906.12320): the share of shapes whose nearest other shape is
of their own set; 50 % where the sets cannot be told apart. COV and MMD (Achlioptas 2018, arXiv:1707.02392): the share
of the references that are nearest to some generated shape, and the mean distance from a reference to the nearest one.
The distance is Chamfer's, of points on the surfaces: the two mean squared distances to the nearest point, added. The
Frechet distance (Heusel 2017, arXiv:1706.08500) is between Gaussians of a classifier's features.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from scipy.spatial import cKDTree

from ...geometry.mesh import Mesh
from .metrics import sample


@dataclass(frozen=True)
class SetScores:
    """nna and coverage in [0, 1]; mmd in squared sides of the cube; frechet has no unit, NaN where it was not asked."""

    nna: float
    coverage: float
    mmd: float
    frechet: float = float("nan")

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def clouds(meshes: list[Mesh], points: int, seed: int = 0) -> np.ndarray:
    """(N, P, 3) float32, evenly over each surface, as the meshes stand: size and place count too."""
    return np.stack([sample(mesh, points, [seed, i])[0] for i, mesh in enumerate(meshes)]).astype(np.float32)


def chamfer_between(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Clouds (M, P, 3) and (N, P, 3) -> (M, N) squared distances; one pair is in memory at a time."""
    trees = [cKDTree(cloud) for cloud in left], [cKDTree(cloud) for cloud in right]
    return np.array([[_chamfer(a, b) for b in trees[1]] for a in trees[0]])


def chamfer_within(one: np.ndarray) -> np.ndarray:
    """Clouds (N, P, 3) -> (N, N), 0 on the diagonal; each pair is measured once."""
    trees = [cKDTree(cloud) for cloud in one]
    found = np.zeros((len(one), len(one)))
    for i, j in zip(*np.triu_indices(len(one), 1)):
        found[i, j] = found[j, i] = _chamfer(trees[i], trees[j])
    return found


def _chamfer(a: cKDTree, b: cKDTree) -> float:
    return float(np.square(a.query(b.data)[0]).mean() + np.square(b.query(a.data)[0]).mean())


def set_scores(within: np.ndarray, between: np.ndarray, references: np.ndarray) -> SetScores:
    """Distances within the generated (M, M), between generated and references (M, N), within the references (N, N)."""
    nearest = between.argmin(1)
    return SetScores(
        neighbours_of_own(within, between, references),
        len(np.unique(nearest)) / between.shape[1],
        float(between.min(0).mean()),
    )


def neighbours_of_own(within: np.ndarray, between: np.ndarray, references: np.ndarray) -> float:
    """The share, over both sets, of shapes whose nearest other one is of the same set; a tie counts half."""
    right, count = 0.0, 0
    for own, other in ((within, between), (references, between.T)):
        own = own + np.diag(np.full(len(own), np.inf, own.dtype))
        mine, theirs = own.min(1), other.min(1)
        right += (mine < theirs).sum() + 0.5 * (mine == theirs).sum()
        count += len(own)
    return float(right / count)


def frechet(left: np.ndarray, right: np.ndarray) -> float:
    """Squared Frechet distance between Gaussians fitted to features (M, F) and (N, F).

    |a - b|^2 + tr(A + B - 2 (A B)^(1/2)); the last trace is the sum of the roots of A^(1/2) B A^(1/2)'s eigenvalues.
    """
    apart = np.square(left.mean(0) - right.mean(0)).sum()
    a, b = (np.atleast_2d(np.cov(x, rowvar=False)) for x in (left.astype(np.float64), right.astype(np.float64)))
    values, vectors = np.linalg.eigh(a)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ b @ root), 0)).sum()
    return float(apart + np.trace(a) + np.trace(b) - 2 * shared)
