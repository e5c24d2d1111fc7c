"""The torch and the numba world are one world; their distances are those of the solids they name."""

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_dilation

from maquette.train.shapes import batched, fast, pictures, skies, world
from maquette.train.shapes import program as P
from maquette.train.shapes.camera import draw_setting
from maquette.train.shapes.program import Parts, bounds, posed


def one(build) -> np.ndarray:
    parts = Parts(1, np.random.default_rng(0))
    build(parts)
    return parts.table


def at(table, *points) -> np.ndarray:
    tensor = torch.tensor([points], dtype=torch.float32)
    slow = batched.distance(torch.from_numpy(table), tensor)[0][0].numpy()
    quick = [fast.distance(table[0], int((table[0, :, 0] != 0).sum()), *p)[0] for p in points]
    np.testing.assert_allclose(slow, quick, atol=2e-6)
    return slow


def test_closed_forms():
    box = one(lambda p: p.box((0, 0, 0), (1, 2, 3), bevel=0))
    assert at(box, (2, 0, 0), (0, 0, 0), (2, 3, 3)) == pytest.approx([1, -1, 2**0.5], abs=1e-5)
    ball = one(lambda p: p.ball((1, 0, 0), (0.5, 0.5, 0.5)))
    assert at(ball, (1, 0, 0), (3, 0, 0)) == pytest.approx([-0.5, 1.5], abs=1e-5)
    cylinder = one(lambda p: p.cone((0, 0, 0), 1, 0.5, 0.5, bevel=0))
    assert at(cylinder, (0, 0, 3), (2, 0, 0), (0, 0, 0.9)) == pytest.approx([2, 1.5, -0.1], abs=1e-5)
    rod = one(lambda p: p.rod(p.points(0, 0, 0), p.points(0, 0, 2), 0.25))
    assert at(rod, (0, 0, 3), (1, 0, 1)) == pytest.approx([0.75, 0.75], abs=1e-5)
    ring = one(lambda p: p.arc((0, 0, 0), 1, 0.1, np.pi))
    assert at(ring, (1, 0, 0), (0, 0, 0), (0, -2, 0)) == pytest.approx([-0.1, 0.9, 0.9], abs=1e-4)
    turned = one(lambda p: p.lathe((0, 0, 0), np.full((1, 8), 0.5), np.linspace(0, 2, 8)[None]))
    assert at(turned, (0, 0, 1), (1.5, 0, 1), (0, 0, 3)) == pytest.approx([-0.5, 1, 1], abs=1e-5)
    square = np.array([[(-1, -1), (1, -1), (1, 1), (-1, 1), (-1, 1), (-1, 1), (-1, 1), (-1, 1)]], float)
    prism = one(lambda p: p.prism(np.zeros((1, 3)), square, 0.5))
    assert at(prism, (0, 0, 0), (2, 0, 0), (0, 0, 2)) == pytest.approx([-0.5, 1, 1.5], abs=1e-5)


def test_unions_and_cuts():
    def build(p):
        p.ball((0, 0, 0), (1, 1, 1))
        p.box((1, 0, 0), (1, 2, 2), bevel=0, op=P.CUT)
    assert at(one(build), (0.5, 0, 0), (-0.5, 0, 0)) == pytest.approx([0.5, -0.5], abs=1e-5)


@pytest.mark.parametrize("family", world.FAMILIES)
def test_numba_and_torch_agree(family):
    rng = np.random.default_rng(3)
    shapes, _ = world.draw_shapes(rng, 3, [family])
    table, _ = posed(shapes.table, rng.uniform(0, 6, 3))
    points = rng.uniform(-0.55, 0.55, (3, 150, 3)).astype(np.float32)
    slow = batched.distance(torch.from_numpy(table), torch.from_numpy(points))[0].numpy()
    for i in range(3):
        used = int((table[i, :, 0] != 0).sum())
        quick = np.array([fast.distance(table[i], used, *p)[0] for p in points[i]])
        # Where a bounding sphere says that a part cannot matter, the quick one skips it: same sign, same near distances
        assert ((quick < 0) == (slow[i] < 0)).mean() > 0.995
        near = np.abs(slow[i]) < 0.03
        np.testing.assert_allclose(quick[near], slow[i][near], atol=2e-3)


@pytest.mark.parametrize("family", world.FAMILIES)
def test_objects_fill_their_cube(family):
    """Longest side 1, centred: what every score and every baseline assumes."""
    samples = world.sample(4, 3, "validation", [family], background=False)
    solid = samples.distance < 0
    for grid in solid:
        spans = [np.flatnonzero(grid.any(tuple(a for a in range(3) if a != axis))) for axis in range(3)]
        longest = max(s[-1] - s[0] + 1 for s in spans if len(s))
        assert longest >= 56, family
        for s in spans:
            assert abs((s[0] + s[-1]) / 2 - 31.5) < 3.5, family


def test_same_seed_same_world():
    first, again, other = (world.sample(seed, 3, background=False) for seed in (7, 7, 8))
    for name in world.Samples.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert (first.picture != other.picture).any()


@pytest.mark.parametrize("sky", [None, skies.Skies(1.0)], ids=["lamp", "sky"])
def test_pictures_agree(sky):
    """The two tracers see the same: outlines to a pixel, colours closely. Every second pixel, to be quick."""
    rng = np.random.default_rng([0, 5])
    shapes, family = world.draw_shapes(rng, 2, ["package", "vessel"])
    table, _ = posed(shapes.table, rng.uniform(0, 2 * np.pi, 2))
    setting = draw_setting(rng, bounds(table, np.zeros(2)), sky)
    quick = world.trace_all(table, family, setting, np.zeros((2, 3), np.float32))
    assert len(quick) == 2
    rows = torch.from_numpy(table)
    t = {k: torch.from_numpy(getattr(setting, k)) for k in ("camera", "light", "sky", "floor")}
    grid = batched.field(rows, 64)
    box = pictures.silhouette_box(grid, rows, t["camera"])
    centre, side = (box[:, :2] + box[:, 2:]) / 2, (box[:, 2:] - box[:, :2]).amax(1) / (1 - 2 * world.MARGIN)
    slow = pictures.picture(grid, rows, t["camera"], centre, side, t["light"], t["sky"], t["floor"], size=64).numpy()
    for i in range(2):
        half = quick.picture[i].reshape(64, 2, 64, 2, 4).mean((1, 3)) / 255
        mask, other = half[..., 3] > 0.5, slow[i, ..., 3] > 0.5
        assert (mask & ~binary_dilation(other)).sum() + (other & ~binary_dilation(mask)).sum() <= 0.01 * mask.sum()
        both = (half[..., 3] == 1) & other
        assert both.sum() > 200 and np.abs(half[..., :3] - slow[i, ..., :3])[both].mean() < 0.05


def test_a_batch_on_a_device_is_a_batch_of_the_world():
    drawn = pictures.sample_batch(3, 2, "train", "cpu", ["package"])
    again = pictures.sample_batch(3, 2, "train", "cpu", ["package"])
    assert drawn["picture"].shape[1:] == (128, 128, 4) and drawn["distance"].shape[1:] == (64, 64, 64)
    assert all(torch.equal(drawn[name], again[name]) for name in drawn)
    inside = (drawn["distance"] < 0).float().mean((1, 2, 3))
    assert len(inside) and (inside > 1e-3).all()
