"""The differentiable outline: closed forms of a sphere, and gradients against finite differences."""

import dataclasses
import math

import pytest
import torch

from maquette.nets.camera import cell_centres, project
from maquette.nets.outline import Cameras, outline_iou, pixels, render, silhouettes

TRUNCATION = 0.1


def ball(radius=0.3, n=32, centre=(0.0, 0.0, 0.0), dtype=torch.float32):
    away = (cell_centres(n).to(dtype) - torch.tensor(centre, dtype=dtype)).norm(dim=1)
    return ((radius - away) / TRUNCATION).reshape(1, n, n, n)


def camera(azimuth=0.0, elevation=0.0, scale=1.6, shift=(0.0, 0.0), near=0.0, dtype=torch.float32):
    numbers = (azimuth, elevation, scale, shift, near)
    return Cameras(*(torch.tensor([number], dtype=dtype) for number in numbers))


@pytest.mark.parametrize("near", [0.0, 0.5])
def test_a_balls_silhouette_is_a_disc_and_its_front_is_nearest(near):
    """Parallel: radius r. From distance d: rays that touch it leave at asin(r / d)."""
    radius, scale, size = 0.3, 1.6, 96
    covered, depth = render(ball(radius, 64), camera(0.7, 0.4, scale, near=near), size, TRUNCATION, samples=128)
    true = scale * radius / math.sqrt(1 - (near * radius) ** 2)
    disc = pixels(size).norm(dim=1).reshape(size, size) < true
    assert math.sqrt(float(covered.sum()) / math.pi) * 2 / size == pytest.approx(true, abs=0.03)
    assert outline_iou(covered > 0.5, disc[None]) > 0.95
    assert outline_iou(silhouettes(ball(radius, 64), camera(0.7, 0.4, scale, near=near), size), disc[None]) > 0.97
    assert covered[0, 0, 0] < 1e-3 and covered[0, 48, 48] > 0.99
    assert float(depth[0, 48, 48]) == pytest.approx(-radius, abs=0.03)


def test_the_camera_is_that_of_a_cropped_picture_seen_from_the_front():
    places = torch.rand(50, 3) - 0.5
    theirs = project(places, torch.tensor([[0.4, math.log(1.7), 0.3, 0.1, -0.2]]))[0]
    ours = camera(0.0, 0.4, 1.7, (0.1, -0.2), 0.3).project(places)
    assert torch.allclose(ours, theirs, atol=1e-6)


def test_rays_run_through_what_is_projected():
    looking = camera(2.0, 0.4, 1.3, (0.1, -0.2), 0.4)
    uv = pixels(4)
    places = looking.along(uv, torch.tensor([-0.4, 0.0, 0.5]))
    for s in range(3):
        assert torch.allclose(looking.project(places[:, :, s]), uv[None], atol=1e-5)


def test_what_lies_to_the_right_is_seen_right_from_the_front_and_left_from_behind():
    aside = ball(0.1, centre=(0.3, 0, 0))
    u = pixels(32)[:, 0].reshape(32, 32)
    for azimuth, sign in ((0.0, 1), (math.pi, -1)):
        covered, _ = render(aside, camera(azimuth), 32, TRUNCATION)
        assert sign * float((covered * u).sum() / covered.sum()) == pytest.approx(0.48, abs=0.03)
    covered, _ = render(ball(0.1, centre=(0, -0.3, 0)), camera(math.pi / 2), 32, TRUNCATION)
    assert float((covered * u).sum() / covered.sum()) == pytest.approx(-0.48, abs=0.03), "from +x the front is left"


def test_gradients_are_those_of_finite_differences():
    field = ball(0.25, 16, dtype=torch.float64)
    field = field + 0.3 * torch.sin(7 * cell_centres(16).double().reshape(1, 16, 16, 16, 3)).prod(-1)
    target = torch.rand(1, 16, 16, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    names = [item.name for item in dataclasses.fields(Cameras)]

    def error(field, *numbers):
        covered, depth = render(field, Cameras(*numbers), 16, TRUNCATION, samples=24)
        return ((covered - target) ** 2).mean() + 0.1 * (depth * covered).mean()

    inputs = [field, *(getattr(camera(0.5, 0.3, 1.4, (0.05, -0.1), 0.3, torch.float64), name) for name in names)]
    for tensor in inputs:
        tensor.requires_grad_()
    found = torch.autograd.grad(error(*inputs), inputs)
    with torch.no_grad():
        for number, (tensor, gradient) in enumerate(zip(inputs, found, strict=True)):
            way = torch.randn(tensor.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(number))
            ahead, behind = ([*inputs[:number], tensor + s * 1e-6 * way, *inputs[number + 1 :]] for s in (1, -1))
            slope = (error(*ahead) - error(*behind)) / 2e-6
            assert float((gradient * way).sum()) == pytest.approx(float(slope), rel=1e-3, abs=1e-7)
            assert gradient.abs().sum() > 0
