"""Several pictures of each object: they show one object, and the frames between them are right."""

import numpy as np
import pytest
import torch

from maquette.nets.camera import cell_centres, project
from maquette.nets.several_views import fitted
from maquette.train.recipes import disturb, shard_batches
from maquette.train.recipes import image_to_field as recipe
from maquette.train.shapes import shards
from maquette.train.shapes.views import sample_views


@pytest.fixture(scope="module")
def views():
    return sample_views(3, 6, 3, "validation", ["car", "seat"])


def share_seen(distance, pictures, cameras, fits):
    """Share of what is a cell inside that each picture's mask shows, (N, V)."""
    points, shares = cell_centres(64), []
    for i in range(len(distance)):
        inside = points[(distance[i].flatten() > 1 / 64)]
        uv, _ = project(fitted(inside, fits[i]), cameras[i])
        pixels = ((uv + 1) * 64).long().clamp(0, 127)
        shares.append([float((p[q[:, 1], q[:, 0]] > 0.5).float().mean()) for p, q in zip(pictures[i], pixels)])
    return np.array(shares)


def batch_of(views):
    return {name: torch.from_numpy(getattr(views, name)) for name in shard_batches.ViewBatches.FIELDS}


def still():
    return torch.tensor([[[0.0, 1, 0, 0, 0]]])


@pytest.mark.parametrize("augment", [False, True])
def test_every_view_shows_the_first_ones_object(views, augment, monkeypatch):
    """As stored, and as training mirrors it."""
    monkeypatch.setattr(disturb, "disturb", lambda picture: picture)
    torch.manual_seed(1)
    ready = recipe.prepare(batch_of(views), augment)
    pictures = torch.cat([ready["picture"][:, None], ready["view_picture"]], 1)[:, :, 3]
    cameras = torch.cat([ready["camera"][:, None], ready["view_camera"]], 1)
    fits = torch.cat([still().expand(len(views), -1, -1), ready["fit"]], 1)
    assert share_seen(ready["distance"], pictures, cameras, fits).min() > 0.97
    turned = fits * torch.tensor([-1.0, 1, 1, 1, 1])
    assert share_seen(ready["distance"], pictures, cameras, turned)[:, 1:].min() < 0.9, "the test can fail"


def test_the_first_view_is_as_the_world_draws_it(views):
    assert views.picture.shape == (6, 3, 128, 128, 4) and views.distance.shape == (6, 64, 64, 64)
    assert np.allclose(views.fit[:, 0], [0, 1, 0, 0, 0], atol=1e-6)
    inside = views.distance < 0
    assert all(np.ptp(np.argwhere(one), axis=0).max() > 58 for one in inside), "the longest side fills the cube"


def test_they_are_kept_in_shards(views, tmp_path):
    shards.save(views, tmp_path / "shard-00000.npz")
    again = shards.load(tmp_path / "shard-00000.npz", shards.Views)
    assert all(np.array_equal(getattr(again, name), getattr(views, name)) for name in shard_batches.ViewBatches.FIELDS)
    with pytest.raises(ValueError, match="is not a whole shard"):
        (tmp_path / "shard-00001.npz").write_bytes((tmp_path / "shard-00000.npz").read_bytes()[:5000])
        shards.load(tmp_path / "shard-00001.npz", shards.Views)


def test_the_same_seed_draws_the_same():
    one, again = (sample_views(5, 2, 2, "validation", ["vessel"]) for _ in range(2))
    assert np.array_equal(one.picture, again.picture) and np.array_equal(one.fit, again.fit)
