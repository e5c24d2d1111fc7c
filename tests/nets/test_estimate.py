"""What is made of a field in the end: how far its surface reaches."""

import math

import numpy as np
import pytest
import torch

from maquette.nets import camera
from maquette.nets.estimate import estimate
from maquette.nets.image_to_field import Prediction
from maquette.nets.look import Looker

CAMERA = torch.tensor([[0.0, math.log(1.8), 0.1, 0.0, 0.0]])


def ellipsoid(longest: int) -> Prediction:
    """Ends 2.5 cells of 64 before the cube's faces along one axis, half as wide along the others."""
    half = torch.full((3,), 0.23)
    half[longest] = 0.46
    distance = (1 - (camera.cell_centres(64) / half).norm(dim=1)) * 0.23
    logits = (distance * 200).reshape(1, 1, 64, 64, 64)
    coarse = logits[:, :, ::2, ::2, ::2]
    return Prediction(coarse, coarse, logits, logits, torch.zeros(1, 3, 32, 32, 32))


def cells(found, longest: int) -> int:
    inside = found.occupancy > found.level
    return int(np.ptp(np.flatnonzero(inside.any(tuple({0, 1, 2} - {longest}))))) + 1


@pytest.fixture
def all_over():
    return Looker(torch.ones(1, 4, 128, 128), CAMERA)


@pytest.mark.parametrize("longest", [0, 1, 2])
def test_what_fills_its_cube_reaches_its_ends(all_over, longest):
    whole, sure = ellipsoid(longest), torch.ones(64, 64, 64)
    assert cells(estimate(whole, sure, [all_over], 1.0, 64), longest) >= 63
    assert cells(estimate(whole, sure, [all_over], 1.0, 64, fills=False), longest) <= 60, "of known cameras, it stays"


def test_a_mask_says_where_a_shape_ends_across_the_picture(all_over):
    points = camera.cell_centres(64)
    uv = camera.project(points, CAMERA)[0][0][points[:, 0].abs() < 0.46]
    wide = uv[:, 0].abs().max().item()
    columns = torch.linspace(-1, 1, 128).abs() <= 0.93 * wide
    narrow = Looker(torch.ones(1, 4, 128, 128) * columns[None, None, None], CAMERA)
    sure = torch.ones(64, 64, 64)
    free, bound = (cells(estimate(ellipsoid(0), sure, [one], 1.0, 64), 0) for one in (all_over, narrow))
    assert bound <= free - 2
    assert cells(estimate(ellipsoid(1), sure, [narrow], 1.0, 64), 1) >= 63, "how deep it is no mask says"
