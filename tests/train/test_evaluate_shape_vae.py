"""Scores of samplers, on fakes whose scores are known, and the commands on tiny networks."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from maquette.nets.latents import Latents
from maquette.nets.shape_vae import Config, ShapeVAE
from maquette.train import state
from maquette.train.evaluate import command, draw_sheet, draws, reading, reconstructed, shape_vae, sliders
from maquette.train.evaluate.reconstructed import Shapes
from maquette.train.recipes import shape_class as class_recipe
from maquette.train.recipes import shape_vae as vae_recipe
from maquette.train.shapes.designs import Range


def box(x, y, z, count=16):
    """Distances of a box in the middle, as Shapes has them."""
    c = (np.arange(count) + 0.5) / count - 0.5
    far = np.maximum.reduce([abs(g) - half for g, half in zip(np.meshgrid(c, c, c, indexing="ij"), (x, y, z))])
    return np.clip(np.round(-far * 1270), -127, 127).astype(np.int8)


def boxes(count, seed, size=16):
    random = np.random.default_rng(seed)
    return Shapes(
        np.stack([box(*sides, size) for sides in random.uniform(0.15, 0.4, (count, 3))]), np.zeros(count, int)
    )


class Knob:
    """A sampler of boxes: the first latent is its width, scaled; the second is its height."""

    def __init__(self, leak=0.0):
        self.config = Config(("box",), 2, 2, resolution=64)
        self.leak = leak

    def parameters(self):
        return iter([torch.zeros(1)])

    def decode(self, latent, family, coarse=False):
        sides = torch.stack([latent[:, 0], latent[:, 1] + self.leak * latent[:, 0]], 1).numpy()
        fields = [box(*self.half(*one), count=32 if coarse else 64) for one in sides]
        return torch.from_numpy(np.stack(fields)).float() / 127

    @staticmethod
    def half(width, height):
        return 0.25 + 0.05 * float(width), 0.2, 0.25 + 0.05 * float(height)


def across(field):
    """(B, 32, 32, 32) -> width and height (B, 2): distances are cut off near the surface, so that their sums along a
    line grow evenly with what is inside."""
    lines = field[:, :, 16, 16], field[:, 16, 16, :]
    return torch.stack([line.clamp(-0.15, 0.15).sum(1) for line in lines], 1)


def width_of(number):
    return across(class_recipe.halved(torch.from_numpy(box(*Knob.half(number, 0), 64)[None]).float() / 127))[0, 0]


class Ruler:
    """A judge that measures such boxes."""

    config = SimpleNamespace(classes=("box",), named=2)

    def __call__(self, field):
        low, high = width_of(-1), width_of(1)
        return None, ((across(field) - low) / (high - low) * 2 - 1)[:, None]


class Both(sliders.Tied):
    """Sliders that make up for the leak."""

    def moved(self, latents, family, slider, amount):
        moved = super().moved(latents, family, slider, amount)
        if slider == 0:
            moved[:, 1] -= self.leak * amount
        return moved


def true_boxes(count=12):
    numbers = np.random.default_rng(0).uniform(-1.7, 1.7, (count, 2)).astype(np.float32)
    return Shapes(np.stack([box(*Knob.half(*n), count=64) for n in numbers]), np.zeros(count, int), numbers)


def measured(leak, offered):
    rows = sliders.measure(Knob(leak), offered, draws.standard(2), Ruler(), [["width", "height"]], true_boxes(), 16)
    return {row.name: row for row in rows}


def test_sliders_that_do_what_they_say_score_one_and_leak_nothing():
    rows = measured(0.0, sliders.Tied([2]))
    assert rows["width"].ceiling > 0.98
    assert rows["width"].r2 > 0.98 and rows["height"].r2 > 0.98
    assert rows["width"].leakage < 0.02


def test_leakage_is_the_share_that_another_number_moves():
    rows = measured(0.5, sliders.Tied([2]))
    assert rows["width"].leakage == pytest.approx(0.5, abs=0.05)
    assert rows["height"].leakage < 0.02
    mended = Both([2])
    mended.leak = 0.5
    assert measured(0.5, mended)["width"].leakage < 0.02


def test_a_slider_that_does_nothing_scores_nothing():
    class Stuck(sliders.Tied):
        def moved(self, latents, family, slider, amount):
            return latents

    assert measured(0.0, Stuck([2]))["width"].r2 < 0.3


def test_sliders_that_ship_move_as_an_artist_moves_them():
    """In units of the design: a range of 0 to 12 has the variance 1 at 12 / sqrt(12)."""
    network = torch.nn.Module()
    network.latents = Latents(3, (3,))
    readout = getattr(network.latents.readout, "0")
    readout.weight.copy_(torch.tensor([[2.0, 0, 0], [0, 1, 0], [0, 0, 1]]))
    readout.bias.copy_(torch.tensor([6.0, 0, 0]))
    getattr(network.latents.direction, "0").copy_(torch.tensor([[0.5, 0, 0], [0, 1, 1], [0, 0, 1]]))
    shipped = sliders.Shipped(network, [[Range(0, 12, "cm"), Range(-1, 1, "")]])
    latents = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    assert shipped.count(0) == 2  # what was found without a name has no number to be measured by
    assert torch.allclose(shipped.values(latents, 0)[:, 0], 2 * latents[:, 0] / 12**0.5, atol=1e-6)
    amount = torch.tensor([1.0, -2, 0, 3])
    for slider in range(shipped.count(0)):
        moved = shipped.moved(latents, 0, slider, amount)
        change = shipped.values(moved, 0) - shipped.values(latents, 0)
        assert torch.allclose(change[:, slider], amount, atol=1e-6)
        assert torch.allclose(change[:, 1 - slider], torch.zeros(4), atol=1e-6)
    assert torch.allclose(shipped.moved(latents, 0, 1, amount)[:, 2] - latents[:, 2], amount * 2 / 12**0.5, atol=1e-6)


def test_the_nearest_training_shape_is_the_shape_itself_where_it_is_known():
    test, others = boxes(4, 0, 32), boxes(6, 1, 32)
    known = Shapes(np.concatenate([others.field, test.field]), np.zeros(10, int))
    rows = reconstructed.measure({"nearest": reconstructed.nearest(known, test)}, test, points=500)
    assert [row["iou"] for row in rows] == [1.0] * 4
    assert max(row["chamfer"] for row in rows) < 0.05
    assert min(r["iou"] for r in reconstructed.measure({"n": reconstructed.nearest(others, test)}, test)) < 1


def test_as_many_components_as_shapes_give_the_training_shapes_back():
    shapes = boxes(6, 0, 32)
    few, all_ = (reconstructed.principal(shapes, shapes, count) for count in (1, 6))
    scores = [np.mean([r["iou"] for r in reconstructed.measure({"": a}, shapes)]) for a in (few, all_)]
    assert scores[0] < 0.97 and scores[1] > 0.99
    assert np.abs(all_(2) - shapes.field[2] / 127).max() < 0.02


class Guess(Knob):
    """An encoder that always says the same, and a decoder of boxes that knows its slopes."""

    def encode(self, field, family):
        return torch.zeros(len(field), 2), None

    def decode(self, latent, family, coarse=False):
        c = (torch.arange(64) + 0.5) / 64 - 0.5
        x, y, z = torch.meshgrid(c, c, c, indexing="ij")
        width, height = (0.25 + 0.05 * latent[:, i, None, None, None] for i in range(2))
        far = torch.maximum(torch.maximum(x.abs() - width, z.abs() - height), y.abs() - 0.2)
        return (-far * 10).clamp(-1, 1)


def test_gradient_steps_find_what_the_encoder_does_not_say():
    wanted = np.stack([box(*Knob.half(*both), 64) for both in ((1.0, -1.0), (-1.0, 0.5))])
    network, test = Guess(), Shapes(wanted, np.zeros(2, int))
    network.encode = lambda field, family: (torch.eye(2)[: len(field)] * 2 - 1, None)  # known ones differ
    known = Shapes(wanted, np.zeros(2, int))
    answers = {"said": reconstructed.decoded_means(network, test)}
    answers |= reconstructed.decoded_refined(network, test, known, steps=30)
    said, found = ([r["iou"] for r in reconstructed.measure({n: a}, test)] for n, a in answers.items())
    assert list(answers)[1] == "shape_vae, latents after 30 gradient steps"
    assert min(found) > 0.93 and np.mean(found) > np.mean(said) + 0.02


def test_the_mean_of_a_family_is_of_that_family_alone():
    one, other = np.repeat(box(0.3, 0.3, 0.3)[None], 4, 0), np.repeat(box(0.1, 0.1, 0.4)[None], 4, 0)
    known = Shapes(np.concatenate([one, other]), np.repeat([0, 1], 4))
    answer = reconstructed.family_means(known, Shapes(known.field[[0, 4]], np.array([0, 1])))
    for i, truth in enumerate((one[0], other[0])):
        assert np.array_equal(answer(i) > 0, truth > 0)


def test_closed_and_in_one_piece_counts_islands_bubbles_and_nothing():
    island = box(0.1, 0.1, 0.1)
    island[0, 0, 0] = 127
    bubble = box(0.4, 0.4, 0.4)
    bubble[7:9, 7:9, 7:9] = -127
    empty = np.full((16,) * 3, -127, np.int8)
    fields = np.stack([box(0.2, 0.2, 0.2), island, bubble, empty])
    assert draws.closed_share(fields) == 0.25 and draws.closed_share(fields, largest=True) == 0.75


def test_halves_are_joined_before_they_are_counted():
    halves = box(0.4, 0.2, 0.2)
    halves[7:9] = -64
    assert draws.closed_share(halves[None]) == 0 and draws.closed_share(draws.joined(halves[None])) == 1


def test_a_set_beside_itself_and_beside_something_else():
    reference = draws.Reference(boxes(12, 0).field, 256)
    same = reference.score(boxes(12, 0).field)
    other = reference.score(np.repeat(box(0.04, 0.04, 0.45)[None], 12, 0))
    assert same.coverage > 0.7 and same.nna < 0.4
    assert other.nna > 0.9 and other.coverage < 0.2 and other.mmd > 5 * same.mmd
    assert reference.score(np.full((12, 16, 16, 16), -127, np.int8)).coverage == 0


def test_the_fitted_gaussian_has_the_encoded_shapes_mean_and_spread():
    random = torch.Generator().manual_seed(0)
    mean = torch.randn(500, 2, generator=random) @ torch.tensor([[1.0, 0.5], [0, 1]]) + torch.tensor([3.0, -1])
    middle, root = draws.gaussian(mean, torch.full((500, 2), 0.3))
    assert torch.allclose(middle, mean.mean(0))
    assert torch.allclose(root.T @ root, mean.T.cov() + 0.3 * torch.eye(2), atol=1e-5)


def test_truncation_draws_towards_the_middle():
    wide, narrow = (draws.standard(4)(500, 0, 1, t) for t in (1.0, 0.5))
    assert torch.allclose(narrow, wide / 2)


SMALL = {"latent": 12, "widths": "8,8,16", "blocks": "1,1,1", "seen": "1,1,1", "families": "stool,mug"}


def checkpoint_of(recipe_module, folder, **options):
    """A run's last.pt of a network that was never trained; a sampler fills the cube, since noise is slow to mesh."""
    torch.manual_seed(0)
    recipe = recipe_module.Recipe(**options)
    network = recipe_module.make(recipe).requires_grad_(False)
    if recipe_module is vae_recipe:
        network.decoder.head.weight.zero_()
        network.decoder.head.bias.fill_(0.5)
    folder.mkdir(exist_ok=True)
    process = [{"torch": torch.get_rng_state(), "data": "{}"}]
    state.save(folder / "last.pt", network, network, [], process, {"step": 1, "seconds": 1.0, "samples": 1}, recipe)
    return str(folder / "last.pt")


def test_the_command_measures_designs(tmp_path, capsys):
    weights = checkpoint_of(vae_recipe, tmp_path / "vae", **SMALL)
    judge = checkpoint_of(class_recipe, tmp_path / "judge", families="stool,mug")
    report, card = tmp_path / "r.json", tmp_path / "card.json"
    code = command.main(
        ["shape_vae", "--weights", weights, "--judge", judge, "--features", judge, "--shapes", "6", "--known", "24"]
        + ["--surface", "300", "--family", "mug", "--set-size", "8", "--points", "64", "--draws", "5"]
        + ["--slider-draws", "4", "--report", str(report), "--card", str(card), "--device", "cpu"]
    )
    assert code == 0
    found = json.loads(report.read_text())
    rows = found["reconstruction"]
    assert rows["nearest of 24 training shapes, an oracle"]["iou"][0] > 0.2
    assert rows["12 principal components"]["iou"][0] > rows["**shape_vae**"]["iou"][0]
    floor = found["sets"]["training designs, the floor"]
    assert floor["frechet"] >= 0 and floor["nna"] < found["sets"]["normal, truncation 1"]["nna"]
    assert len(found["sliders"]["rows"]) == 8 + 7
    assert found["time"]["64"]["decode"] > 0
    assert "held-out designs, IoU@64" in json.loads(card.read_text())
    assert "| stool | 8 |" in capsys.readouterr().out


@pytest.fixture
def modelnet(tmp_path):
    """Ten kinds of blocks, three of each to learn from and one to be asked."""
    field = np.stack([box(0.1 + 0.03 * k, 0.2, 0.4 - 0.03 * k, 32) > 0 for k in range(10)]).astype(np.uint8)
    label = np.arange(10)
    many = {"X_train": np.repeat(field, 3, 0), "y_train": np.repeat(label, 3), "X_test": field, "y_test": label}
    np.savez_compressed(tmp_path / "modelnet10.npz", **many)
    return tmp_path


def test_the_command_measures_modelnet(modelnet, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = SMALL | {"families": "", "modelnet": str(modelnet), "resolution": 32}
    weights = checkpoint_of(vae_recipe, tmp_path / "vae", **options)
    report = tmp_path / "r.json"
    assert command.main(["shape_vae", "--modelnet", str(modelnet), "--weights", weights, "--report", str(report)]) == 0
    found = json.loads(report.read_text())["modelnet10"]
    assert found["mean of the class"]["iou"][0] == 1 and found["**shape_vae**"]["iou"][0] < 0.9
    weights = checkpoint_of(class_recipe, tmp_path / "class", modelnet=str(modelnet))
    assert command.main(["shape_class", "--modelnet", str(modelnet), "--weights", weights]) == 0
    assert "| vote of 12 turns | " in capsys.readouterr().out


def test_a_modelnet_recipe_learns_without_numbers_and_without_symmetry(modelnet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = SMALL | {"families": "", "modelnet": str(modelnet), "batch": 4}
    recipe = vae_recipe.Recipe(**options)
    network = vae_recipe.make(recipe)
    assert isinstance(network, ShapeVAE) and not network.config.mirrored and len(network.config.families) == 10
    batch = next(vae_recipe.batches(recipe, np.random.default_rng(0), "cpu"))
    assert batch["field"].shape == (4, 64, 64, 64)
    total, parts = vae_recipe.loss(network, vae_recipe.prepare(batch, True), recipe, 0.5)
    assert torch.isfinite(total) and parts["naming"] == 0
    with pytest.raises(ValueError, match="--resolution 32 or 64"):
        vae_recipe.collected(vae_recipe.Recipe(**options, resolution=48), "train")


def test_modelnets_shapes_are_squeezed_only_to_learn_from(modelnet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = vae_recipe.Recipe(**SMALL | {"families": "", "modelnet": str(modelnet), "batch": 4, "stretched": 0.4})
    batch = next(vae_recipe.batches(recipe, np.random.default_rng(0), "cpu"))
    torch.manual_seed(0)
    whole, squeezed = (vae_recipe.prepare(batch, augment)["field"] for augment in (False, True))
    assert torch.equal(whole, batch["field"].float() / 127)
    before, after = ((field > 0).sum((1, 2, 3)) for field in (whole, squeezed))
    assert (after < before).all() and (after > 0.6**3 * 0.9 * before).all()


def test_a_squeezed_box_keeps_its_shares_of_each_axis():
    half, shares = np.array([0.3, 0.2, 0.4]), np.array([0.5, 1, 0.75])
    field = torch.from_numpy(np.stack([box(*half, 32)] * 2)).float() / 127
    wanted = torch.from_numpy(box(*(half * shares), 32)) > 0
    same, less = vae_recipe.squeezed(field, torch.tensor(np.stack([np.ones(3), shares]), dtype=torch.float32))
    assert torch.allclose(same, field[0], atol=1e-5)
    assert ((less > 0) == wanted).float().mean() > 0.99
    assert less[0, 0, 0] == -1  # what lies far outside still lies far outside


def test_faults_are_said_in_one_sentence(tmp_path, capsys):
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    assert command.main(["shape_vae", "--weights", str(tmp_path / "last.pt")]) == 1
    assert "is no checkpoint of shape_vae" in capsys.readouterr().err
    assert command.main(["shape_vae", "--parts", "song"]) == 1
    weights = checkpoint_of(vae_recipe, tmp_path / "vae", **SMALL)
    assert command.main(["shape_vae", "--weights", weights, "--family", "piano", "--parts", "sets"]) == 1
    assert "piano" in capsys.readouterr().err
    assert command.main(["shape_vae", "--weights", weights, "--modelnet", str(tmp_path)]) == 1
    assert "not of ModelNet10's classes" in capsys.readouterr().err
    with pytest.raises(ValueError, match="no checkpoint of shape_class"):
        reading.read_any("shape_class", weights, "cpu")


def test_seeds_of_test_training_and_floor_differ():
    assert len({shape_vae.TEST, shape_vae.KNOWN, shape_vae.FLOOR, 0, 1}) == 5


def test_the_sheet_shows_every_draw_and_every_way(tmp_path):
    network = ShapeVAE(Config(("a", "b"), 8, 2, (), (8, 8, 8), (1, 1, 1), (1, 1, 1))).eval()
    torch.nn.init.zeros_(network.decoder.head.weight)  # slabs, for noise takes minutes to draw
    network.decoder.head.bias.data.copy_(torch.linspace(1.0, -1.0, 64))
    path = tmp_path / "sheet.png"
    draw_sheet.write(network, draws.standard(8), path, count=8)
    with Image.open(path) as sheet:
        assert sheet.size == (8 * draw_sheet.SIDE, (1 + len(draw_sheet.WAYS)) * draw_sheet.SIDE)
    half = draw_sheet.shares(2, 0, 1, 0.25)
    assert half.tolist() == [[0.75, 0.25]]


def test_what_is_empty_is_drawn_plain():
    network = ShapeVAE(Config(("a", "b"), 8, 2, (), (8, 8, 8), (1, 1, 1), (1, 1, 1))).eval()
    torch.nn.init.zeros_(network.decoder.head.weight)
    torch.nn.init.constant_(network.decoder.head.bias, -1.0)
    drawn = draw_sheet.picture(network, torch.zeros(1, 8), draw_sheet.shares(2, 0, 0, 0))
    assert (drawn == drawn[0, 0]).all()
