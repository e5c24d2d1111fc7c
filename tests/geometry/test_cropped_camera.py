"""Five numbers and a crop as a photograph's camera: both show a place in the same pixel."""

import numpy as np
import pytest
import torch

from maquette.geometry.crop import Crop
from maquette.geometry.cropped_camera import pinhole_camera
from maquette.geometry.frames import project
from maquette.nets.camera import project as cropped
from maquette.nets.several_views import fitted

STILL = (0.0, 1.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("fit", [STILL, (2.1, 1.2, 0.05, -0.1, 0.02), (-0.7, 0.8, 0.0, 0.2, 0.1)])
@pytest.mark.parametrize("numbers", [(0.4, 0.6, 0.35, 0.1, -0.05), (-0.1, 0.2, 0.01, 0, 0)])
def test_both_show_a_place_in_the_same_pixel(numbers, fit):
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (20, 3))
    crop = Crop(30.5, -12.0, 140.0, 128)
    camera, pinhole = pinhole_camera(numbers, crop, fit)
    seen, _ = project(points, camera, pinhole)
    own = fitted(torch.tensor(points, dtype=torch.float32), torch.tensor([fit]))
    uv = cropped(own, torch.tensor([numbers]))[0][0].numpy()
    np.testing.assert_allclose(seen, crop.to_picture((uv + 1) * 64), atol=0.02)
    np.testing.assert_allclose(np.linalg.det(camera[:3, :3]), 1)
