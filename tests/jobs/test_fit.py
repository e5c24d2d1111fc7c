"""Fit: a drawn outline is found again; pictures that cannot be used get one sentence."""

import math

import numpy as np
import pytest
import torch
from PIL import Image

from maquette.jobs import fit as job
from maquette.jobs.requests import Fit
from maquette.nets.outline import Cameras, silhouettes

from ..nets import analytic

quiet = lambda *_: None  # noqa: E731


@pytest.fixture(autouse=True)
def known_elevation(closed_forms, monkeypatch):
    """In place of the network that reads it off pictures too."""
    monkeypatch.setattr(job, "seen_from", lambda crop, where: 20.0)


def picture(path, azimuth=30, elevation=20, shift=(0.0, 0.0), scale=1.8):
    """A red bench before white."""
    numbers = (math.radians(azimuth), math.radians(elevation), scale, 0.4)
    azimuth, elevation, scale, near = (torch.tensor([number]) for number in numbers)
    camera = Cameras(azimuth, elevation, scale, torch.tensor([shift]), near)
    seen = silhouettes(analytic.field("bench", (0.4, 0.2, -0.4))[None], camera, 160)[0].numpy()
    Image.fromarray(np.where(seen[..., None], (200, 30, 30), 255).astype(np.uint8)).save(path)
    return str(path), seen


def fit(image, **settings):
    return job.fit(Fit(image, **{"device": "cpu"} | settings), quiet, lambda: False)


def test_a_photo_gives_family_side_and_latent(tmp_path):
    path, _ = picture(tmp_path / "Bank ä.png")
    found = fit(path)
    assert found.point.family == found.report["family"] == "bench" and len(found.point.latent) == 3
    assert found.report["iou"] > 0.88 and "note" not in found.report
    assert {"seconds", "device", "azimuth", "elevation", "families", "mask"} <= set(found.report)
    assert -10 < found.report["elevation"] < 50


def test_a_given_mask_is_followed(tmp_path):
    path, seen = picture(tmp_path / "bench.png")
    Image.new("RGB", seen.shape[::-1], (90, 120, 90)).save(tmp_path / "plain.png")
    Image.fromarray((seen * 255).astype(np.uint8)).save(tmp_path / "mask.png")
    found = fit(str(tmp_path / "plain.png"), mask=str(tmp_path / "mask.png"), family="bench")
    assert found.report["iou"] > 0.85 and found.report["mask"] == "given"


def test_a_photo_without_an_object_is_one_sentence(tmp_path):
    Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / "plain.png")
    with pytest.raises(ValueError, match="no object stands out from the background of plain.png") as error:
        fit(str(tmp_path / "plain.png"))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name, said",
    [("gone.png", "does not exist"), ("text.png", "is not a picture"), ("small.png", "at least 32")],
)
def test_files_that_are_no_pictures_are_one_sentence(tmp_path, name, said):
    (tmp_path / "text.png").write_text("hello")
    Image.new("RGB", (12, 9)).save(tmp_path / "small.png")
    with pytest.raises(ValueError, match=f"{name}.*{said}"):
        fit(str(tmp_path / name))


def test_unknown_names_are_refused_with_those_that_there_are(tmp_path):
    path, _ = picture(tmp_path / "bench.png")
    with pytest.raises(ValueError, match="no family 'boat'; it has bench, pillar"):
        fit(path, family="boat")
    with pytest.raises(ValueError, match="There is no sampler 'matting'"):
        fit(path, model="matting")


def test_an_object_that_is_cut_off_or_unknown_is_told(tmp_path):
    path, _ = picture(tmp_path / "cut.png", shift=(0.75, 0.0))
    assert "is cut off at the edge of cut.png" in fit(path, family="bench").report["note"]
    y, x = np.mgrid[-80:80, -80:80]
    cross = ((abs(x - y) < 9) | (abs(x + y) < 9)) & (np.hypot(x, y) < 70)
    Image.fromarray(np.where(cross[..., None], (30, 30, 200), 255).astype(np.uint8)).save(tmp_path / "cross.png")
    found = fit(str(tmp_path / "cross.png"), mask="", family="pillar").report
    assert found["iou"] < job.ALIKE and "nothing this model knows has the outline in cross.png" in found["note"]


def test_a_cancel_ends_it(tmp_path):
    class Cancelled(Exception):
        pass

    def progress(fraction, *said):
        if fraction > 0.5:
            raise Cancelled

    path, _ = picture(tmp_path / "bench.png")
    with pytest.raises(Cancelled):
        job.fit(Fit(path, device="cpu"), progress, lambda: True)
