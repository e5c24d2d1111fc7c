"""Lumps on thin necks go; what is thin, or large, stays."""

import numpy as np

from maquette.geometry.frames import cell_centres
from maquette.geometry.knobs import without_knobs

CELLS = 64
AT = cell_centres((CELLS,) * 3).reshape((CELLS,) * 3 + (3,))


def ball(centre, radius):
    return radius - np.linalg.norm(AT - centre, axis=-1)


def neck(radius=1.0 / CELLS):
    """A rod along x, from the middle outwards."""
    along = np.maximum(AT[..., 0] - 0.4, -AT[..., 0])
    return np.minimum(radius - np.linalg.norm(AT[..., 1:], axis=-1), -along)


def test_a_lump_goes_and_its_ball_stays():
    main = ball([0, 0, 0], 0.22)
    found = without_knobs(np.maximum(np.maximum(main, neck()), ball([0.38, 0, 0], 0.05)), 1 / CELLS)
    assert not (found[AT[..., 0] > 0.32] > 0).any()
    kept = AT[..., 0] < 0.2
    assert np.array_equal(found[kept], np.maximum(main, neck())[kept])


def test_what_is_large_or_thin_stays():
    whole = np.maximum(np.maximum(ball([-0.15, 0, 0], 0.2), neck()), ball([0.33, 0, 0], 0.12))
    assert without_knobs(whole, 1 / CELLS) is whole
    thin = np.maximum(ball([0, 0, 0], 0.22), neck())
    assert without_knobs(thin, 1 / CELLS) is thin
