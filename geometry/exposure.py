"""What photographs of one thing differ by in brightness and tint."""

import numpy as np

from .colour import to_linear

DARK, BRIGHT = 0.01, 0.9
"""Linear light outside of which a pixel says nothing of the exposure: noise, or burnt out"""
TRUST = 20.0
"""Places that must agree before a photo's difference is believed by half"""
MOST = 0.7
"""Natural logarithm of light by which a photo is made brighter or darker at most"""
ROUNDS = 12


def gains(colours, weights):
    """(N, 3) factors on linear light that make photos agree, 1 on the whole.

    colours (N, P, 3) sRGB in [0, 1] of P places in N photos; weights (N, P), 0 where a photo does not show the place.
    Alternating least squares of logarithms, outliers counting less (highlights, what stands in the way).
    """
    light = to_linear(colours)
    usable = (weights > 0) & (light.min(axis=2) > DARK) & (light.max(axis=2) < BRIGHT)
    usable &= usable.sum(axis=0) > 1  # of what one photo alone shows nothing can be told
    weight = np.where(usable, weights / max(float(weights.max()), 1e-30), 0)[..., None]
    level = np.log(np.where(usable[..., None], light, 1.0))
    found, counts = np.zeros((len(colours), 1, 3)), weight
    for _ in range(ROUNDS):
        own = (counts * (level - found)).sum(axis=0) / np.maximum(counts.sum(axis=0), 1e-9)
        apart = level - own
        found = (counts * apart).sum(axis=1, keepdims=True) / (counts.sum(axis=1, keepdims=True) + TRUST)
        counts = weight / (1 + ((apart - found) / 0.1) ** 2)
    total = weight.sum(axis=1, keepdims=True)
    found -= (found * total).sum(axis=0) / np.maximum(total.sum(axis=0), 1e-9)
    return np.exp(-found[:, 0].clip(-MOST, MOST))
