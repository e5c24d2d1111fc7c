"""Encode and Fit against shapes in closed form, whose latents are known."""

import math

import numpy as np
import pytest
import torch

from maquette.geometry.distance import signed_distance
from maquette.geometry.frames import unit
from maquette.geometry.mesh import Mesh
from maquette.nets import from_outline, inverse, whitened
from maquette.nets.camera import cell_centres
from maquette.nets.outline import Cameras, silhouettes
from maquette.nets.solid import Solid

from .analytic import Analytic, field, mesh, model


def solid(shape) -> Solid:
    vertices = np.asarray(shape.vertices)
    values = signed_distance(Mesh(unit(vertices), np.asarray(shape.faces, np.int32)))
    return Solid(torch.from_numpy(values), float(np.ptp(vertices, axis=0).max()))


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_a_turned_and_scaled_bench_is_found_among_all_families(turn):
    found = inverse.find(model(), solid(mesh("bench", (0.6, -0.5, 0.4), turn, 1.7)), model().families)
    assert found.place.family.name == "bench" == found.tried[0][0]
    assert abs((found.turn - turn + 180) % 360 - 180) < 1e-3
    assert found.iou > 0.8
    assert len(found.tried) == 2 and found.tried[0][1] > found.tried[1][1] + 0.1


def test_gradient_steps_come_closer_than_the_encoder_and_stay_near_the_family():
    true = (1.5, -0.8, 1.2)
    seen = solid(mesh("bench", true))
    family = model().family("bench")
    guess = inverse.encoded(model(), seen, inverse.likely(model(), seen, [family], lambda *_: None), lambda _: None)
    start = guess.take(guess.iou.argmax()[None])
    better = inverse.refined(model(), seen, start, lambda _: None, steps=40)
    assert float(better.iou) > float(start.iou) + 0.1 and float(better.iou) > 0.8
    far = whitened.priors(model(), torch.tensor([0])).held(torch.full((1, 3), 9.0))
    assert far.square().mean().sqrt() == pytest.approx(whitened.FARTHEST)


def test_a_network_without_an_encoder_goes_by_its_examples(monkeypatch):
    monkeypatch.delattr(Analytic, "encode")
    found = inverse.find(model(), solid(mesh("bench", (0.6, -0.5, 0.4), 90, 1.7)), model().families)
    assert found.place.family.name == "bench" and found.iou > 0.8


def test_a_mesh_in_its_own_metres_keeps_them():
    found = inverse.find(model(), solid(mesh("pillar", (0.0, 0.0, 0.3))), [model().family("pillar")])
    true = 0.6 * math.exp(0.15 * 0.3)
    assert found.size == pytest.approx(true, rel=1e-3) and found.iou > 0.8


def test_distances_go_on_outside_the_cube():
    ball = 0.5 - (cell_centres(32).norm(dim=1)).reshape(32, 32, 32)
    seen = Solid(ball, 1.0)
    away = seen.at(torch.tensor([[[0.0, 0.0, 0.9], [0.0, 0.0, 0.0], [0.2, 0.0, 0.0]]]))[0]
    assert torch.allclose(away, torch.tensor([-0.4, 0.5, 0.3]), atol=0.03)


def test_the_search_can_be_cancelled():
    def stop(fraction, note):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        inverse.find(model(), solid(mesh("pillar", (0, 0, 0))), model().families, stop)


def mask_of(family, latent, azimuth, elevation):
    values = field(family, latent)[None]
    numbers = (math.radians(azimuth), math.radians(elevation), 2.2, 0.4)
    azimuth, elevation, scale, near = (torch.tensor([number]) for number in numbers)
    return from_outline.square(
        silhouettes(values, Cameras(azimuth, elevation, scale, torch.zeros(1, 2), near), 128)[0].float()
    )


@pytest.mark.parametrize("family, latent", [("bench", (0.5, 0.3, -0.6)), ("pillar", (0.4, 0.4, -0.5))])
def test_an_outline_is_fitted_and_its_family_told_apart(family, latent):
    mask = mask_of(family, latent, 30, 20)
    found = from_outline.fit(model(), mask, model().families)
    assert found.place.family.name == family
    assert found.iou > 0.87
    assert found.iou > max(iou for _, iou in found.tried) - 0.02
    if family == "bench":  # seen from the right or, mirrored, from the left; a pillar says nothing
        assert min(abs(abs(found.azimuth) - 30), abs(abs(found.azimuth) - 150)) < 20


def test_the_outline_is_that_of_the_latent_that_is_given_back():
    """What is reported can be drawn again from the answer alone."""
    mask = mask_of("bench", (0.5, 0.3, -0.6), -50, 12)
    found = from_outline.fit(model(), mask, [model().family("bench")])
    shape = field("bench", found.place.latent.tolist())[None]
    seen = silhouettes(shape, found.camera, from_outline.JUDGED)[0]
    wanted = mask >= 0.5
    assert float((seen & wanted).sum() / (seen | wanted).sum()) == pytest.approx(found.iou, abs=1e-3)
    assert math.degrees(float(found.camera.elevation)) == pytest.approx(found.elevation, abs=1e-4)


def test_a_mask_is_cut_to_the_square_round_the_object():
    wide = torch.zeros(50, 90)
    wide[10:20, 30:70] = 1
    rows, columns = ((from_outline.square(wide) >= 0.5).any(axis).nonzero()[:, 0] for axis in (1, 0))
    assert columns[-1] - columns[0] + 1 == pytest.approx(0.875 * from_outline.JUDGED, abs=3)
    assert rows[-1] - rows[0] + 1 == pytest.approx(0.875 * from_outline.JUDGED / 4, abs=3)
    assert columns[0] + columns[-1] == pytest.approx(from_outline.JUDGED - 1, abs=2)
