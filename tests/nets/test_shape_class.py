"""The classifier: shapes are brought to its middle, turned as asked, and their class is told."""

import dataclasses

import numpy as np
import pytest
import torch

from maquette.nets import shape_class
from maquette.nets.shape_class import Config, ShapeClass, placed
from maquette.train.readers import grids
from maquette.train.readers.modelnet import TEN
from maquette.train.recipes import shape_class as recipe


def slab(count=32):
    """A bar along x with a post on its low end: 24 x 8 x 24 cells of 32."""
    field = -torch.ones(1, count, count, count)
    k = count // 32
    field[0, 4 * k : 28 * k, 4 * k : 12 * k, 4 * k : 12 * k] = 1
    field[0, 4 * k : 8 * k, 4 * k : 12 * k, 4 * k : 28 * k] = 1
    return field


def cells(field):
    found = (field[0] > 0).nonzero()
    return found.amin(0).tolist(), found.amax(0).tolist()


def place(field, turn=0.0, size=0.75, **more):
    return placed(field, torch.tensor([turn]), torch.tensor([size]), **more)


def test_a_shape_comes_to_the_middle_and_to_its_size():
    assert cells(place(slab())) == ([4, 12, 4], [27, 19, 27])
    assert cells(place(slab(), size=0.375)) == ([10, 14, 10], [21, 17, 21])
    assert torch.equal(place(slab()) > 0, place(slab(64)) > 0)  # whatever the grid's own cells
    assert cells(place(slab(), shift=torch.tensor([[0.125, 0, 0]]))) == ([6, 12, 4], [29, 19, 27])


def test_it_turns_counter_clockwise_as_seen_from_above():
    turned = place(slab(), turn=np.pi / 2)
    assert cells(turned) == ([12, 4, 4], [19, 27, 27])
    post = (turned[0, :, :, 24] > 0).nonzero()
    assert post[:, 1].max() < 8  # low x goes to low y
    mirrored = place(slab(), mirror=torch.tensor([-1.0]))
    assert (mirrored[0, :, :, 24] > 0).nonzero()[:, 0].min() >= 24


def test_it_is_made_shorter_along_its_own_axes():
    """Before it is turned: here its length, which then lies along y."""
    field = -torch.ones(1, 32, 32, 32)
    field[:, 4:28, 12:20, 12:20] = 1
    quarter, whole = torch.tensor([np.pi / 2]), torch.tensor([0.75])
    for stretch, longest in (((1.0, 1.0, 1.0), 24), ((0.5, 1.0, 1.0), 12), ((1.0, 0.5, 1.0), 24)):
        found = placed(field, quarter, whole, stretch=torch.tensor([stretch]))[0] > 0
        assert found.any(0).any(1).sum() == longest
    both = recipe.disturbed(field, torch.zeros(1), torch.full((1,), 0.2))
    assert both.shape == (1, 32, 32, 32) and (both > 0).any()


def test_an_empty_shape_stays_empty_and_has_no_name():
    assert (place(-torch.ones(1, 32, 32, 32)) == -1).all()
    network = ShapeClass(Config(("a", "b"))).eval()
    with pytest.raises(ValueError, match="nothing is inside"):
        shape_class.name_of(network, -np.ones((32, 32, 32)))


def test_it_is_small_and_its_config_makes_it_again():
    network = ShapeClass(Config(tuple("abcdefghijklmno")))
    assert sum(p.numel() for p in network.parameters()) < 1e6
    again = shape_class.create(dataclasses.asdict(network.config) | {"classes": list("abcdefghijklmno")})
    again.load_state_dict(network.state_dict())
    assert again.config == network.config
    logits, numbers = network.eval()(torch.zeros(2, 32, 32, 32))
    assert logits.shape == (2, 15) and numbers.shape == (2, 15, 12)


@pytest.fixture(scope="module")
def trained():
    """A few steps on bars and blocks of any size and turn: enough to tell them apart."""
    torch.manual_seed(0)
    network = ShapeClass(Config(("bar", "block"), 0, widths=(8, 8, 16, 16), features=16, dropout=0.0))
    block = -torch.ones(1, 32, 32, 32)
    block[0, 8:24, 8:24, 8:24] = 1
    rule = torch.optim.Adam(network.parameters(), 3e-3)
    family = torch.tensor([0, 1] * 4)
    for _ in range(25):
        field = recipe.disturbed(torch.cat([slab(), block] * 4))
        total, _ = recipe.loss(network, {"field": field, "family": family}, recipe.Recipe(), 0.5)
        rule.zero_grad()
        total.backward()
        rule.step()
    return network.eval().requires_grad_(False)


def test_it_names_what_it_learnt_at_any_size_and_place(trained):
    field = -np.ones((48, 48, 48))
    field[30:40, 30:40, 2:12] = 1
    assert shape_class.name_of(trained, field)[0] == "block"
    name, probability = shape_class.name_of(trained, slab(64)[0].numpy().transpose(1, 0, 2))
    assert name == "bar" and 0.5 < probability <= 1


def test_numbers_are_asked_for_only_where_the_shape_stands_as_designed():
    torch.manual_seed(0)
    field = (slab(64) * 127).to(torch.int8).repeat(4, 1, 1, 1)
    numbers = torch.tensor([[0.5, torch.nan]]).repeat(4, 1)
    batch = recipe.prepare({"field": field, "family": torch.zeros(4, dtype=torch.int64), "numbers": numbers}, True)
    assert torch.equal(batch["numbers"].isnan(), torch.tensor([[False, True], [True, True]] * 2))
    assert cells(batch["field"][:1]) == ([4, 4, 4], [27, 11, 27])
    network = ShapeClass(Config(("a",), named=2))
    total, parts = recipe.loss(network, batch, recipe.Recipe(), 0.5)
    assert torch.isfinite(total) and parts["naming"] > 0


def test_r2_is_one_for_the_truth_and_nought_for_the_mean():
    asked = np.array([[1.0, np.nan], [-1.0, 0.5]])
    assert recipe.determination(np.nan_to_num(asked), asked) == 1
    assert recipe.determination(np.zeros((2, 2)), asked) == 0


@pytest.fixture
def voxels(tmp_path):
    random = np.random.default_rng(0)
    grid = random.random((40, 32, 32, 32)) < 0.05
    grid[3] = False  # a voxeliser's failure
    label = np.arange(40) % 10
    np.savez_compressed(
        tmp_path / "modelnet10.npz", X_train=grid.astype(np.int32), y_train=label, X_test=grid[:5], y_test=label[:5]
    )
    return tmp_path


def test_the_validation_split_is_of_the_training_part_alone(voxels):
    train, held, test = (grids.read(voxels, part) for part in ("train", "validation", "test"))
    assert (len(train["family"]), len(held["family"]), len(test["family"])) == (35, 4, 4)
    seen = {grid.tobytes() for grid in train["field"]}
    assert not any(grid.tobytes() in seen for grid in held["field"])
    with pytest.raises(ValueError, match="cannot be read"):
        grids.read(voxels / "nothing.npz", "test")


def test_epochs_show_everything_once_and_go_on_where_they_stood(voxels):
    arrays = {"family": np.arange(10)}
    epochs = grids.Epochs(arrays, 5, np.random.default_rng(0))
    seen = torch.cat([next(epochs)["family"], next(epochs)["family"]])
    assert sorted(seen.tolist()) == list(range(10))
    next(epochs)
    state = epochs.state()
    expected = [next(epochs)["family"] for _ in range(3)]
    other = grids.Epochs(arrays, 5, np.random.default_rng(9))
    other.restore(state)
    assert all(torch.equal(next(other)["family"], one) for one in expected)


def test_a_rare_class_counts_as_much_as_a_common_one_where_asked():
    family = np.repeat([0, 1], [90, 10])
    for balance, share in ((0, 0.1), (1, 0.5)):
        weight = recipe.balanced(family, balance)
        assert weight.mean() == pytest.approx(1)
        assert weight[family == 1].sum() / weight.sum() == pytest.approx(share)


def test_a_recipe_of_modelnet_has_its_classes_and_says_it_must_not_ship(voxels):
    options = recipe.Recipe(modelnet=str(voxels))
    assert recipe.config(dataclasses.asdict(options))["classes"] == TEN
    assert "not to be shipped" in recipe.data(dataclasses.asdict(options))
    network = recipe.make(options)
    batch = recipe.prepare(next(recipe.batches(options, np.random.default_rng(0), "cpu")), True)
    total, parts = recipe.loss(network, batch, options, 0.5)
    assert torch.isfinite(total) and set(parts) == {"kind"}


def test_distances_of_voxels_come_back_as_the_same_voxels():
    block = -np.ones((1, 32, 32, 32), np.int8)
    block[0, 8:24, 8:24, 8:24] = 1
    block[0, 4:28, 16, 16:18] = 1  # a thin rod
    found = grids.distances(block)
    assert found[0, 4, 16, 16] == round(0.5 * 127 / 3.2)
    assert found[0, 0, 0, 0] == -127 and found[0, 16, 12, 12] == 127
    fine = grids.doubled(torch.from_numpy(found).float())
    assert fine.shape == (1, 64, 64, 64)
    assert torch.equal(recipe.halved(fine) > 0, torch.from_numpy(block) > 0)


def test_distances_are_kept_for_the_next_time_and_told_from_those_of_other_shapes(voxels, tmp_path, monkeypatch):
    first = grids.read_distances(voxels, "test", tmp_path / "kept")
    monkeypatch.setattr(grids, "distances", lambda field: pytest.fail("they were kept"))
    assert np.array_equal(grids.read_distances(voxels, "test", tmp_path / "kept")["field"], first["field"])
    monkeypatch.setattr(grids, "distances", lambda field: field)
    assert len(grids.read_distances(voxels, "validation", tmp_path / "kept")["field"]) == 4
