"""Baselines on silhouettes whose answers are known."""

import numpy as np
import pytest

from maquette.geometry.isosurface import mesh_from_field
from maquette.train.evaluate import baselines, measure, metrics


def disc(size=101, radius=0.3, at=(0.5, 0.5)):
    y, x = (np.mgrid[:size, :size] + 0.5) / size
    return (np.hypot(x - at[0], y - at[1]) < radius).astype(np.float32)


def rectangle(height, width, size=120):
    alpha = np.zeros((size, size), np.float32)
    alpha[10 : 10 + height, 7 : 7 + width] = 1
    return alpha


def filled(field, resolution=32):
    return metrics.occupancy(metrics.normalise(mesh_from_field(field, smoothing=0)), resolution)


def test_a_silhouette_is_cut_to_its_bounds():
    mask = baselines.silhouette(disc(at=(0.35, 0.6)), 28)
    assert mask.shape == (28, 28) and mask[14, 14] == 1 and mask[0, 0] == 0
    assert mask.mean() == pytest.approx(np.pi / 4, rel=0.02)
    assert np.allclose(mask, mask[::-1], atol=0.35)


def test_a_tall_silhouette_keeps_its_proportions():
    mask = baselines.silhouette(rectangle(80, 20), 28)
    assert mask.mean() == pytest.approx(0.25, abs=0.01)
    assert (mask[:, :9] == 0).all() and (mask[:, 13:15] == 1).all()


def test_nothing_to_see_is_refused():
    with pytest.raises(ValueError, match="no object"):
        baselines.silhouette(np.zeros((9, 9)), 28)


def test_a_rectangle_is_extruded_to_a_square_post():
    grid = filled(baselines.extruded(rectangle(80, 20)))
    assert grid.mean() == pytest.approx(1 / 16, rel=0.05)
    assert grid.any((1, 2)).sum() == grid.any((0, 2)).sum() == 8


def test_a_rectangle_is_turned_to_a_cylinder():
    assert filled(baselines.lathed(rectangle(80, 40))).mean() == pytest.approx(np.pi / 16, rel=0.05)


def test_a_disc_is_turned_to_a_ball():
    assert filled(baselines.lathed(disc())).mean() == pytest.approx(np.pi / 6, rel=0.03)


def test_up_in_the_picture_is_up_in_the_shape():
    alpha = np.zeros((100, 100), np.float32)
    alpha[10:30, 40:60] = 1  # a small head on the left...
    alpha[30:90, 40:90] = 1  # ...of a wide body
    for baseline in (baselines.extruded, baselines.lathed):
        values = baseline(alpha).values
        assert values[:, :, 50:].sum() < values[:, :, :14].sum()
    assert baselines.extruded(alpha).values[:24, :, -8:].sum() > 0  # x to the right
    assert baselines.extruded(alpha).values[40:, :, -8:].sum() == 0


@pytest.fixture
def library():
    """Balls and slabs, seen from the front, twice each."""
    c = (np.arange(64) + 0.5) / 64 - 0.5
    x, y, z = np.meshgrid(c, c, c, indexing="ij")
    ball, slab = x**2 + y**2 + z**2 < 0.25, (abs(z) < 0.125) & (abs(y) < 0.25)
    grids = np.stack([ball, slab, ball, slab])
    alphas = [grid.any(1).T[::-1].astype(np.float32) for grid in grids]
    return baselines.collect([(alphas, grids)])


def test_a_library_keeps_its_shapes(library, tmp_path):
    library.save(tmp_path / "library.npz")
    again = baselines.Library.load(tmp_path / "library.npz")
    assert len(again) == 4 and again.resolution == 32
    assert again.grids([0])[0].mean() == pytest.approx(np.pi / 6, rel=0.02)
    assert again.grids([1])[0].mean() == pytest.approx(1 / 8)


def test_the_nearest_silhouettes_answer(library):
    nearest = baselines.Nearest(library, neighbours=2)
    assert sorted(nearest.rows(disc())) == [0, 2]
    assert sorted(nearest.rows(rectangle(20, 80))) == [1, 3]
    assert filled(nearest(rectangle(20, 80))).mean() == pytest.approx(1 / 8, rel=0.05)


def test_the_mean_shape_is_where_the_library_agrees(library):
    """Balls fill pi/6 and slabs 1/8, most of which lies in the ball: the ball as a whole overlaps both best."""
    field = baselines.mean_shape(library)
    inside = field.values > field.level
    ball, slab = library.grids([0, 1])
    assert not (inside & ~(ball | slab)).any()
    assert metrics.iou(inside, ball) > 0.75


def test_measure_scores_every_answer_and_names_the_failures(library):
    ball = mesh_from_field(baselines.lathed(disc()), smoothing=0)
    rgba = np.ones((101, 101, 4), np.float32)
    rgba[..., 3] = disc()
    empty = baselines.in_cube(np.zeros((8, 8, 8)))
    rows = measure.measure(
        [measure.Case("a", "ball", rgba, ball), measure.Case("b", "ball", rgba, ball)],
        {"lathe": lambda p: baselines.lathed(p[..., 3]), "nothing": lambda p: empty},
        points=2000,
    )
    assert [row.predictor for row in rows] == ["lathe", "nothing"] * 2
    assert rows[0].scores["iou"] > 0.97 and rows[0].scores["field_iou"] > 0.95
    assert rows[1].scores["iou"] == 0 and rows[1].fault
    assert measure.of_objects(rows[::2], "iou")[1] == pytest.approx(0, abs=1e-9)
    assert "| ball | 2 |" in measure.table(rows)


def test_pictures_of_one_object_count_once():
    rows = [measure.Row("p", o, "t", "", {"iou": v}) for o, v in (("a", 0.2), ("a", 0.4), ("b", 0.7))]
    mean, error = measure.of_objects(rows, "iou")
    assert mean == pytest.approx(0.5)
    assert error == pytest.approx(0.2)


def test_a_field_is_sampled_where_it_lies():
    field = baselines.in_cube((np.arange(64) >= 32)[:, None, None] * np.ones((64, 64, 64)))
    assert np.array_equal(measure.sample_field(field, 32)[:, 0, 0], np.arange(32) >= 16)
