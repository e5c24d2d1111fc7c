"""Cubes that are not those that shapes fill: shape, cameras and fits go with them."""

import pytest
import torch
import torch.nn.functional as F

from maquette.nets.camera import cell_centres, project
from maquette.nets.image_to_field import TRUNCATION
from maquette.nets.several_views import fitted
from maquette.train.recipes import loosened
from maquette.train.recipes.field_samples import prepare
from maquette.train.shapes.views import sample_views

COUNT, VIEWS = 6, 3


@pytest.fixture(scope="module")
def ready():
    views = sample_views(3, COUNT, VIEWS, "train", ["package", "bottle"])
    names = "picture", "distance", "colour", "camera", "fit"
    return prepare({name: torch.from_numpy(getattr(views, name)) for name in names}, augment=False)


def beside(batch, cameras):
    """How far (B, V) the shape's outermost cells are from its mask's, at most, in half pictures."""
    pictures = torch.cat([batch["picture"][:, None], batch["view_picture"]], 1)
    fits = torch.cat([torch.tensor([0.0, 1, 0, 0, 0]).expand(COUNT, 1, 5), batch["fit"]], 1)
    found = torch.zeros(COUNT, VIEWS)
    for i in range(COUNT):
        inside = cell_centres(64)[(batch["distance"][i, 0] > 0).flatten()]
        for v in range(VIEWS):
            uv = project(fitted(inside, fits[i, v : v + 1]), cameras[i, v : v + 1])[0][0]
            shown = (pictures[i, v, 3] > 0.5).nonzero().flip(1) / 64 - 1
            ends = [torch.stack([one.amin(0), one.amax(0)]) for one in (uv, shown)]
            found[i, v] = (ends[0] - ends[1]).abs().max()
    return found


def larger(count, device):
    """Cubes that no shape leaves."""
    more = 0.4 * torch.rand(count)
    return 0.6 * (torch.rand(count, 3) - 0.5) * more[:, None], 1 + more


@pytest.mark.parametrize("seed", range(3))
def test_shapes_cameras_and_fits_stay_together(ready, monkeypatch, seed):
    monkeypatch.setattr(loosened, "drawn", larger)
    torch.manual_seed(seed)
    given = loosened.loosened(ready, torch.ones(COUNT, dtype=torch.bool))
    filled = torch.cat([ready["camera"][:, None], ready["view_camera"]], 1)
    apart, before = beside(given, given["known_camera"]), beside(ready, filled)
    assert apart.mean() < before.mean() + 0.03 and apart.max() < before.max() + 0.15
    assert beside(given, filled).mean() > 2 * apart.mean()
    torch.testing.assert_close(given["camera"], ready["camera"])  # what a picture alone is to say
    torch.testing.assert_close(given["view_camera"], ready["view_camera"])


def test_a_cube_twice_as_large_holds_the_shape_at_half_its_size(ready, monkeypatch):
    monkeypatch.setattr(loosened, "drawn", lambda count, device: (torch.zeros(count, 3), torch.full((count,), 2.0)))
    given = loosened.loosened(ready, torch.ones(COUNT, dtype=torch.bool))
    cells = [(one["distance"] > 0).sum((1, 2, 3, 4)) for one in (ready, given)]
    torch.testing.assert_close(cells[1] / cells[0], torch.full((COUNT,), 1 / 8), atol=0.015, rtol=0)
    # Distances are in the new cube's units: half as many, and no more than the truncation far away
    old = F.interpolate(ready["distance"], 32, mode="trilinear")
    new = given["distance"][..., 16:48, 16:48, 16:48]
    near = old.abs() < 0.08
    torch.testing.assert_close(new[near], old[near] / 2, atol=0.004, rtol=0)
    assert given["distance"][..., :8, :, :].allclose(torch.tensor(-TRUNCATION))
    assert given["painted"].max() == 1 and set(given["painted"].unique().tolist()) == {0.0, 1.0}
    torch.testing.assert_close(given["fit"][..., 1:], torch.tensor([1.0, 0, 0, 0]).expand(COUNT, VIEWS - 1, 4))


def test_a_smaller_cube_cuts_the_shape_off(ready, monkeypatch):
    monkeypatch.setattr(loosened, "drawn", lambda count, device: (torch.zeros(count, 3), torch.full((count,), 0.5)))
    given = loosened.loosened(ready, torch.ones(COUNT, dtype=torch.bool))
    inside = [one["distance"] > 0 for one in (ready, given)]
    middle = F.interpolate(inside[0].float()[..., 16:48, 16:48, 16:48], 64) > 0.5
    assert (middle == inside[1]).float().mean() > 0.95


def test_cubes_are_a_little_astray():
    torch.manual_seed(0)
    middle, side = loosened.drawn(500, "cpu")
    assert 0.1 < side.log().std() < 0.14 and abs(side.log().mean()) < 0.02
    assert 0.035 < middle.std() < 0.045 and middle.shape == (500, 3)


def test_what_is_not_chosen_stays(ready):
    some = torch.arange(COUNT) == 1
    given = loosened.loosened(ready, some)
    for name, value in ready.items():
        torch.testing.assert_close(given[name][~some], value[~some])
    assert (given["distance"][1] != ready["distance"][1]).any()
