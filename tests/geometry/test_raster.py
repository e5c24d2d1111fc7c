"""Triangles over points: all at once or in batches, the same."""

import numpy as np

from maquette.geometry.raster import batches, covered


def test_batches_hold_every_face_once_and_not_too_many_points():
    flat = np.random.default_rng(0).uniform(0, 50, (200, 3, 2))
    flat[7] = [[0, 0], [0, 49], [49, 0]]
    slices = list(batches(flat, 3000))
    assert [part.start for part in slices] == [0, *(part.stop for part in slices[:-1])] and slices[-1].stop == 200
    assert len(slices) > 20
    for part in slices:
        sides = np.ptp(flat[part], axis=1) + 1
        assert part.stop - part.start == 1 or (sides[:-1].prod(axis=1)).sum() <= 3000
    whole = covered(flat, (50, 50))[:2]
    parts = [(face + part.start, place) for part in slices for face, place, _, _ in [covered(flat[part], (50, 50))]]
    for one, other in zip(whole, (np.concatenate(part) for part in zip(*parts))):
        np.testing.assert_array_equal(one, other)
