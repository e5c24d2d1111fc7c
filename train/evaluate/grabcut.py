"""A baseline that needs no training: GrabCut (Rother 2004) with mean-field smoothing in place of the graph cut.

Two Gaussian mixtures in L*a*b*, one for each side, are fitted in turn with the labels that they and their neighbours
suggest. It starts, as GrabCut does, from a rectangle outside which everything is background.
"""

import numpy as np
from scipy.ndimage import uniform_filter

from ...geometry.background import largest
from ...geometry.colour import to_lab
from ...geometry.crop import resized

WORKING = 128
COMPONENTS = 5


def grabcut(rgb, box=None, rounds=6):
    """Which pixels (H, W) bool of rgb (H, W, 3) are the object's.

    box: (top, bottom, left, right) as shares of the picture outside which all is background; the picture without a
    margin of a twelfth where it is None.
    """
    lab = to_lab(resized(rgb, WORKING, WORKING))
    top, bottom, left, right = (np.array((1 / 12, 11 / 12) * 2 if box is None else box) * WORKING).round().astype(int)
    maybe = np.zeros((WORKING, WORKING), bool)
    maybe[max(top, 0) : bottom, max(left, 0) : right] = True
    if maybe.all():  # the background must be seen somewhere
        maybe[[0, -1]], maybe[:, [0, -1]] = False, False
    share, flat = maybe.astype(float), lab.reshape(-1, 3).astype(float)
    random = np.random.default_rng(0)
    for _ in range(rounds):
        sides = [mixture(flat, weight.ravel(), random) for weight in (share, 1 - share)]
        odds = (likelihood(flat, *sides[0]) - likelihood(flat, *sides[1])).reshape(maybe.shape)
        share = np.where(maybe, smoothed(np.clip(odds, -12, 12), lab), 0.0)
        if share.sum() < 20:
            break
    return resized(largest(share > 0.5).astype(np.float32), *rgb.shape[:2]) > 0.5


def mixture(points, weight, random, rounds=4):
    """Shares (K,), means (K, 3), covariances (K, 3, 3) of points (N, 3) by hard assignment, as GrabCut fits them."""
    weight = weight + 1e-9
    means = points[random.choice(len(points), COMPONENTS, p=weight / weight.sum())]
    for _ in range(rounds):
        nearest = ((points[:, None] - means) ** 2).sum(-1).argmin(1)
        mass = np.array([weight[nearest == k].sum() for k in range(COMPONENTS)])
        means = np.stack(
            [
                np.average(points[nearest == k], 0, weight[nearest == k]) if mass[k] > 0 else means[k]
                for k in range(COMPONENTS)
            ]
        )
    spread = [
        np.cov(points[nearest == k].T, aweights=weight[nearest == k]) if (nearest == k).sum() > 4 else np.eye(3)
        for k in range(COMPONENTS)
    ]
    return mass / mass.sum(), means, np.stack(spread) + 4 * np.eye(3)


def likelihood(points, shares, means, covariances):
    """Log density (N,) of a mixture."""
    off = points[:, None] - means
    far = np.einsum("nki,kij,nkj->nk", off, np.linalg.inv(covariances), off)
    return np.log((shares * np.exp(-0.5 * far) / np.sqrt(np.linalg.det(covariances))).sum(1) + 1e-30)


def smoothed(odds, lab, rounds=8, strength=3.0):
    """Shares (H, W) after mean-field steps in which neighbours of like colour agree."""
    steps = ((0, 1), (1, 0), (0, -1), (-1, 0))
    apart = [((lab - np.roll(lab, step, (0, 1))) ** 2).sum(-1) for step in steps]
    near = [np.exp(-a / (2 * uniform_filter(a, 31) + 1e-6)) for a in apart]
    share = 1 / (1 + np.exp(-odds))
    for _ in range(rounds):
        pull = sum(n * (2 * np.roll(share, step, (0, 1)) - 1) for n, step in zip(near, steps))
        share = 1 / (1 + np.exp(-np.clip(odds + strength * pull, -30, 30)))
    return share
