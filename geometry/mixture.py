"""What each vertex of a mesh takes from which photograph."""

import numpy as np
from scipy.sparse import csr_matrix

from .colour import to_linear, to_srgb
from .exposure import gains

BEST = 3
"""Photos that a place is made of"""
SHARP = 6
"""Power of a view's quality that it counts by: more is sharper, less hides what photos differ in"""
PLACES = 4000
"""At which photos are compared for their exposure"""
BROAD = 40
"""Rounds of means over neighbours by which brightness is corrected broadly, and details left as they are"""
USUAL = 0.8
"""Quantile of qualities that is called good"""
PASSING = 0.15, 0.5
"""Shares of a good quality between which photos pass over into the colours that a mesh has itself"""
EVENED = 4
"""Rounds of means over neighbours by which that is evened"""
SPREAD = 300
"""Rounds in which colours even out where nobody sees the surface"""


class Mixture:
    """The shares of photos, their exposures, and what is missing to the right brightness."""

    def __init__(self, sights, surface):
        count = len(surface.mesh.vertices)
        self.shares = shares(sights, count)
        """(N, V) sparse: of the photos in each vertex; over the photos they add up to 1, or to 0 where none shows it"""
        self.mass = np.asarray(self.shares.sum(axis=0))[0] > 0
        """(V,) bool: what some photo shows"""
        self.gains = exposures(sights, count)
        """(N, 3) factors on the photos' light"""
        self.used = np.flatnonzero(np.diff(self.shares.indptr))
        """Numbers of the photos that something is made of"""
        self.correction = self._correction(sights, surface)
        """(V, 3) sRGB to be added to the mixed photos: where none shows a vertex, all of its colour"""
        if surface.mesh.colours is not None:
            self._pass_over(certainty(sights, surface), surface.mesh.colours)

    def _pass_over(self, sure, colours):
        """From photos to colours (V, 3), where it is less than sure (V,) in [0, 1] that photos show a vertex well."""
        self.shares = self.shares.multiply(sure).tocsr()
        self.shares.eliminate_zeros()
        sure = sure[:, None]
        self.correction = (sure * self.correction + (1 - sure) * colours).astype(np.float32)

    def _correction(self, sights, surface):
        """What all photos show, less what the chosen ones do, on the whole."""
        total, weight = np.zeros((len(self.mass), 3)), np.zeros((len(self.mass), 1))
        chosen = np.zeros((len(self.mass), 3))
        for number, sight in enumerate(sights):
            colours = table_of(self.gains[number])[sight.colours, [0, 1, 2]]
            total[sight.vertices] += sight.quality[:, None] * colours
            weight[sight.vertices] += sight.quality[:, None]
            share = self.shares[number].toarray()[0][sight.vertices]
            chosen[sight.vertices] += share[:, None] * colours
        known = self.mass[:, None]
        every = total / np.maximum(weight, 1e-30)
        near = surface.evened(self.mass.astype(np.float32), BROAD)[:, None]
        broad = surface.evened(np.where(known, every - chosen, 0), BROAD) / np.maximum(near, 1e-6)
        return np.where(known, broad, spread(every, self.mass, surface)).astype(np.float32)


def certainty(sights, surface):
    """(V,) in [0, 1]: 1 where some photo shows a vertex about as well as any shows any, 0 where none does."""
    best = np.zeros(len(surface.mesh.vertices), np.float32)
    for sight in sights:
        best[sight.vertices] = np.maximum(best[sight.vertices], sight.quality)
    if not best.any():
        return best
    least, enough = (share * np.quantile(best[best > 0], USUAL) for share in PASSING)
    part = surface.evened(((best - least) / (enough - least)).clip(0, 1), EVENED)
    return part * part * (3 - 2 * part) * (best > 0)


def shares(sights, count):
    """(N, V) sparse. A photo's share goes to 0 before another takes its place among the best."""
    best, number = np.zeros((count, BEST + 1), np.float32), np.zeros((count, BEST + 1), np.int32)
    for index, sight in enumerate(sights):
        worst = best[sight.vertices].argmin(axis=1)
        better = np.flatnonzero(sight.quality > best[sight.vertices, worst])
        place = sight.vertices[better], worst[better]
        best[place], number[place] = sight.quality[better], index
    order = np.argsort(-best, axis=1)
    best, number = (np.take_along_axis(values, order, axis=1) for values in (best, number))
    power = (best / np.maximum(best[:, :1], 1e-30)) ** SHARP
    share = power[:, :BEST] - power[:, BEST:]
    alike = (share.sum(axis=1) < 1e-6) & (best[:, 0] > 0)  # more photos than that are all as good
    share[alike] = 1
    share /= np.maximum(share.sum(axis=1, keepdims=True), 1e-30)
    kept = share > 0
    vertex = np.broadcast_to(np.arange(count)[:, None], share.shape)
    return csr_matrix((share[kept], (number[:, :BEST][kept], vertex[kept])), (len(sights), count))


def exposures(sights, count):
    """(N, 3), from vertices chosen at random."""
    some = np.sort(np.random.default_rng(0).permutation(count)[:PLACES])
    colours, weights = np.zeros((len(sights), len(some), 3)), np.zeros((len(sights), len(some)))
    for index, sight in enumerate(sights):
        _, here, there = np.intersect1d(some, sight.vertices, assume_unique=True, return_indices=True)
        colours[index, here], weights[index, here] = sight.colours[there] / 255, sight.quality[there]
    return gains(colours, weights)


def spread(values, known, surface):
    """values (V, 3) with those of vertices that are not known (V,) bool made from the known ones round about."""
    if known.all() or not known.any():
        return values
    values, reached = np.where(known[:, None], values, 0), known.astype(np.float32)
    while True:
        near = surface.beside @ reached
        new = (reached == 0) & (near > 0)
        if not new.any():
            break
        values[new] = (surface.beside @ values)[new] / near[new, None]
        reached[new] = 1
    values[reached == 0] = values[known].mean(axis=0)  # pieces that no photo shows at all
    for _ in range(SPREAD):
        values[~known] = (surface.beside @ values)[~known] / surface.neighbours[~known, None]
    return values


def table_of(gain):
    """(256, 3) float32 sRGB in [0, 1]: what a photo's bytes are in the exposure of all."""
    return to_srgb(to_linear(np.arange(256)[:, None] / 255) * gain).astype(np.float32)
