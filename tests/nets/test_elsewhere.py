"""A field is fitted where it is told to be: every tensor of it lies on one device, and the answer is the same."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from maquette.geometry.folder import read_scene
from maquette.geometry.hull import box_from_cameras, box_from_masks
from maquette.nets import bake_radiance, half_fitted
from maquette.nets.fit_radiance import fit, plan

from .elsewhere import NAME, Elsewhere


@pytest.fixture
def photos(ellipsoid):
    return list(read_scene(ellipsoid.folder).photos)


def same(one, other):
    for ours, theirs in zip(bake_radiance.volumes(one), bake_radiance.volumes(other)):
        np.testing.assert_allclose(ours, theirs, atol=2e-3)


def test_it_knows_what_mixes():
    with Elsewhere():
        there = torch.ones(3, device=NAME)
        assert (there + 1).device.type == NAME and (there + 1).cpu().tolist() == [2, 2, 2]
        for wrong in (lambda: there + torch.ones(3), lambda: torch.ones(3)[torch.zeros(1, device=NAME).long()]):
            with pytest.raises(RuntimeError, match="mixes devices"):
                wrong()


def test_photos_with_masks(photos):
    box = box_from_masks(photos)
    plain = fit(photos, box, plan(96), steps=12)
    with Elsewhere():
        fitted = fit(photos, box, plan(96), steps=12, device=NAME)
        held = [fitted.volume, *fitted.field.parameters(), *fitted.field.buffers(), fitted.field.grid.rows]
        assert {tensor.device.type for tensor in held} == {NAME} and fitted.steps == 12
        same(fitted, plain)
        pictures = [bake_radiance.view(one, photos[0]) for one in (fitted, plain)]
        np.testing.assert_allclose(pictures[0][0], pictures[1][0], atol=2e-2)


def test_photos_without_masks(photos):
    bare = [replace(photo, mask=None) for photo in photos]
    box = box_from_cameras(bare)
    plain = fit(bare, box, plan(64), steps=60)
    with Elsewhere():
        fitted = fit(bare, box, plan(64), steps=60, device=NAME)
        assert {tensor.device.type for tensor in (fitted.volume, fitted.around.table)} == {NAME}
        assert bake_radiance.view(fitted, bare[0])[0].shape == bare[0].image.shape
    assert fitted.similarity.side == pytest.approx(plain.similarity.side, rel=0.1)


def test_what_was_stopped_goes_on_elsewhere(photos, tmp_path):
    """A capture that a graphics card began can be resumed without it, and the other way round."""
    box = box_from_masks(photos)
    with Elsewhere():
        begun = fit(photos, box, plan(64), steps=6, device=NAME)
        half_fitted.save(tmp_path / "f", begun, {})
    here = half_fitted.load(tmp_path / "f", {})
    assert here.volume.device.type == "cpu"
    assert fit(photos, box, plan(64), steps=6, begun=here).steps == 12
    with Elsewhere():
        there = half_fitted.load(tmp_path / "f", {}, NAME)
        assert fit(photos, box, plan(64), steps=6, begun=there, device=NAME).steps == 12


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no graphics card")
def test_a_graphics_card_makes_the_same_shape(photos):
    box = box_from_masks(photos)
    same(fit(photos, box, plan(64), steps=40, device="cuda"), fit(photos, box, plan(64), steps=40))
