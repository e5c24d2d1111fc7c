"""The search for sides: sights turned the right way, pairs that agree, and what is expected where nothing is known."""

import math

import numpy as np
import pytest
import torch

from maquette.nets import camera, checkpoint, sides, turns
from maquette.nets.several_views import fitted

from .test_several_views import boomerang


def painted(turn, resolution=16):
    """The sight (SIGHT, N, N, N) of a boomerang turned, seen whole, its own x and y in its colours."""
    still, fit = boomerang(0.0), turns.fit_of(boomerang(0.0), torch.tensor([turn]))
    shape = boomerang(turn, resolution)
    own = fitted(camera.cell_centres(resolution), turns.inverse(fit))[0] + 0.5
    colour = torch.cat([own[:, :2], torch.full((len(own), 1), 0.5)], 1).T.reshape(3, *shape.shape)
    assert len(still) == 32
    return torch.cat([shape[None], shape[None], colour * shape])


def unlike(first, other):
    """What a judge would say that looks at colours alone where both saw something."""
    both = first[:, 1] * other[:, 1]
    off = (first[:, 2:] - other[:, 2:]).abs().sum(1) * both
    missed = (first[:, 0] - other[:, 0]).abs()
    return 6 - 60 * (off + missed).mean((1, 2, 3))


@pytest.mark.parametrize("turn", [0.0, 40.0, 165.0, -100.0])
def test_what_is_laid_over_lies_where_it_was(turn):
    """The true turn is the best of all, to the angle between the finer candidates, from both ends."""
    sights = [painted(0.0), painted(math.radians(turn))]
    for pair, true in ((sights, turn), (sights[::-1], -turn)):
        found, sure = sides.find(unlike, pair)
        assert abs((math.degrees(found[0]) - true + 180) % 360 - 180) < 5
        assert sure[0] > 0.6


def test_all_pictures_are_found_together():
    angles = [0.0, 95.0, -130.0, 20.0]
    found, sure = sides.find(unlike, [painted(math.radians(angle)) for angle in angles])
    for angle, true in zip(found.tolist(), angles[1:]):
        assert abs((math.degrees(angle) - true + 180) % 360 - 180) < 9
    assert len(sure) == 3


def test_pairs_outvote_one_that_is_wrong():
    """The third picture seems to stand opposite the first, but fits the second, which is sure, from beside it only."""
    bins = 24

    def peak(*at):
        return [0.9 if k in at else 0.1 for k in range(bins)]

    doubtful = [0.55 if k == 12 else 0.5 if k == 8 else 0.1 for k in range(bins)]
    pairs = {(0, 1): peak(6), (0, 2): doubtful, (1, 2): peak(2)}
    assert sides.together(pairs, 3) == [0, 6, 8]
    # From the larger number to the smaller, bins run the other way round
    assert sides.together({(0, 1): peak(20), (0, 2): peak(3), (1, 2): peak(7)}, 3) == [0, 20, 3]


def test_of_many_pictures_the_first_ones_speak(monkeypatch):
    """Pairs that nobody judged are no matter; with all of them found the answer is the same."""
    monkeypatch.setattr(sides, "ANCHORS", 2)
    asked = []

    def counted(first, other):
        asked.append(len(first))
        return unlike(first, other)

    angles = [0.0, 95.0, -130.0, 20.0]
    found, sure = sides.find(counted, [painted(math.radians(angle)) for angle in angles])
    assert len(asked) == (3 + 2) + 3, "three pairs with the first, two with the second; then each more closely"
    for angle, true in zip(found.tolist(), angles[1:]):
        assert abs((math.degrees(angle) - true + 180) % 360 - 180) < 9
    assert len(sure) == 3


def test_what_is_told_holds_the_others():
    bins = 24
    level = [0.5] * bins
    pairs = {(0, 1): level, (0, 2): level, (1, 2): [0.9 if k == 5 else 0.1 for k in range(bins)]}
    assert sides.together(pairs, 3, {1: 10}) == [0, 10, 15]


def test_a_sight_is_what_the_camera_saw():
    """Of a red box before a camera at -y, the near side is seen, red; the far one is not."""
    box = torch.zeros(32, 32, 32)
    box[8:24, 8:24, 8:24] = 1
    pixels = torch.zeros(1, 4, 128, 128)
    pixels[:, 0, 40:88, 40:88], pixels[:, 3, 40:88, 40:88] = 1, 1
    seen = sides.sight(box, torch.tensor([[0.0, math.log(1.2), 0.3, 0.0, 0.0]]), pixels)
    assert seen.shape == (sides.SIGHT, 16, 16, 16)
    near, far = seen[:, 8, 4, 8], seen[:, 8, 11, 8]
    assert near[0] > 0.9 and near[1] > 0.5 and near[2] > 0.5 and near[3] < 0.1
    assert far[0] > 0.9 and far[1] < 0.1


def test_untrained_it_is_of_no_opinion():
    network = checkpoint.build("sides", {"width": 4}).eval()
    logits = sides.judged(network, painted(0.0), painted(1.0), turns.candidates())
    assert logits.shape == (24,) and bool(torch.isfinite(logits).all())
    assert np.ptp(logits.detach().numpy()) < 1
