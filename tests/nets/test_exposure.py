"""Photos that were exposed differently, by known factors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from maquette.geometry.folder import read_scene
from maquette.geometry.hull import box_from_masks
from maquette.nets.bake_radiance import view
from maquette.nets.exposure import POWER, TOE, Exposure
from maquette.nets.fit_radiance import fit, plan


def exposed(photo, gain):
    """The photo in gain (3,) times the light."""
    shown = (photo.image / 255 + TOE) * np.asarray(gain) ** (1 / POWER) - TOE
    return replace(photo, image=(np.clip(shown, 0, 1) * 255).round().astype(np.uint8))


def test_a_gain_is_a_factor_of_light():
    from maquette.geometry.colour import to_linear, to_srgb

    made, colour = Exposure(2), torch.tensor([[0.5, 0.6, 0.3]])
    made.log[0] = torch.tensor([0.2, -0.1, 0.3])
    shown = made(colour, torch.tensor([0]))[0].numpy()
    np.testing.assert_allclose(shown, to_srgb(to_linear(colour[0].numpy()) * made.gains()[0].numpy()), atol=1e-3)
    half = made(colour * 0.5, torch.tensor([0]), torch.tensor([[0.5]]))[0].numpy()
    np.testing.assert_allclose(half, shown / 2, atol=1e-6)


def test_gains_are_the_least_squares():
    """Of colours that are known: at once, but for the prior, and with mean zero."""
    made, colour, photo = Exposure(3), torch.rand(900, 3), torch.arange(900) % 3
    log = torch.tensor([[0.3, 0.0, -0.1], [-0.1, 0.2, 0.0], [-0.2, -0.2, 0.1]])
    truth = (colour + TOE) * log[photo].exp() - TOE
    for _ in range(100):
        shown = made(colour, photo)
        made.learn(shown, truth - shown, photo)
    np.testing.assert_allclose(made.log, log, atol=0.03)
    np.testing.assert_allclose(made.log.sum(0), 0, atol=1e-6)
    ways = torch.eye(3)
    assert made.matters(ways) and not Exposure(3).matters(ways)


@pytest.mark.parametrize("count", [6, 20, 64])
def test_what_changes_smoothly_from_side_to_side_is_none(count):
    """A colour that depends on the direction of view says the same; what differs from photo to photo does not."""
    angle = torch.arange(count) * 2.4
    ways = torch.nn.functional.normalize(torch.stack([angle.cos(), angle.sin(), 0.3 + 0 * angle], 1), dim=1)
    smooth, rough = Exposure(count), Exposure(count)
    smooth.log[:] = 0.1 * ways[:, :1]
    rough.log[:] = 0.1 * (-1.0) ** torch.arange(count)[:, None]
    assert rough.matters(ways) and smooth.matters(ways) == (count == 6)  # of so few nobody knows


@pytest.fixture(scope="module")
def darkened(ellipsoid):
    """The scene of the ellipsoid, its photos darkened by known factors (P, 3) of light."""
    scene = read_scene(ellipsoid.folder)
    number = np.arange(len(scene.photos))[:, None]
    factors = 0.65 + 0.3 * np.sin(5 * number + [0, 0.3, 0.6])  # of exposure, and a little of white balance
    photos = [exposed(photo, factor) for photo, factor in zip(scene.photos, factors)]
    return photos, scene.held_out, factors


def test_known_factors_come_back(darkened):
    photos, held_out, factors = darkened
    fitted = fit(photos, box_from_masks(photos), plan(64), steps=110)
    mean = np.exp(np.log(factors).mean(0))
    off = np.log(fitted.exposure.gains().numpy() * mean / factors)
    assert np.abs(off).max() < 0.25 and np.sqrt((off**2).mean()) < 0.1 < np.log(factors / mean).std() / 3
    wanted = exposed(held_out[0], mean)
    colour, opacity, _ = view(fitted, wanted)
    inside = (wanted.mask > 250) & (opacity > 0.99)
    error = (colour - wanted.image / 255)[inside]
    assert np.abs(error.mean(0)).max() < 0.04 and np.sqrt((error**2).mean()) < 0.1


def test_photos_alike_have_none(ellipsoid):
    """Off where it would hurt: what little is found after a stage is forgotten."""
    photos = read_scene(ellipsoid.folder).photos
    assert fit(photos, box_from_masks(photos), plan(64), steps=80).exposure is None


def test_it_can_be_left_out(ellipsoid):
    photos = read_scene(ellipsoid.folder).photos
    assert fit(photos, box_from_masks(photos), plan(64), steps=2, exposure=False).exposure is None
