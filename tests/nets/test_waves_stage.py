"""The coarse stage on cosine waves."""

import numpy as np
import torch
from scipy.fft import dctn

from maquette.geometry.folder import read_scene
from maquette.geometry.hull import box_from_masks
from maquette.nets.fit_radiance import fit, from_masks, plan
from maquette.nets.fit_stage import Clock, Fitted
from maquette.nets.pixels import Pixels
from maquette.nets.waves_stage import WavesRun, cosines, transformed


def test_it_is_the_cosine_transform():
    volume = torch.rand(2, 9, 9, 9)
    ours = transformed(volume, cosines(9, 5).T)
    np.testing.assert_allclose(ours[1], dctn(volume[1].numpy())[:5, :5, :5] / 8, atol=1e-3)


def test_low_waves_come_first_and_tables_follow(ellipsoid):
    photos = list(read_scene(ellipsoid.folder).photos)
    box, stage = box_from_masks(photos), plan(64)[0]
    fitted = Fitted(*from_masks(photos, box, stage), box, stage)
    run = WavesRun(fitted, Pixels(photos, box, "cpu"), Clock(60, 100), None, None)
    before = fitted.field.distance.detach().clone()
    run.refresh()
    run.anneal(0.0)
    run.step()
    moved = run.coefficients.detach().abs().amax(0) > 0
    assert moved[:4, :4, :4].all() and not moved[4:].any() and not moved[:, 4:].any()
    change = torch.zeros(65, 65, 65)
    x, y, z = fitted.field.grid.places.unbind(1)
    waves = transformed((run.coefficients * run.slower)[:1].detach(), cosines(65, 24))[0]
    rate = fitted.field.groups()[0]["lr"]
    change[x, y, z] = fitted.field.distance.detach() - before
    torch.testing.assert_close(change[x, y, z], rate * waves[x, y, z], atol=1e-5, rtol=1e-3)


def test_a_fit_on_waves_gets_better(ellipsoid):
    photos = list(read_scene(ellipsoid.folder).photos)
    fitted = fit(photos, box_from_masks(photos), plan(64), steps=40, waves=True)
    assert fitted.log[-1]["psnr"] > fitted.log[0]["psnr"] + 1
