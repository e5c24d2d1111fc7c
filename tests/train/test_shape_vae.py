"""shape_vae's recipe: losses in closed form, how the decoder learns to go by named numbers, a run from end to end."""

import json

import pytest
import torch

from maquette.nets import catalog, checkpoint, sampler
from maquette.nets.shape_vae import Config, ShapeVAE
from maquette.train import export, loop
from maquette.train.recipes import shape_vae as recipe
from maquette.train.shapes import designs

TINY = {"batch": 2, "pool": 4, "validation": 4, "widths": "8,8,8", "blocks": "1,1,1", "seen": "1,1,1", "latent": 16}


def tiny(**more):
    return recipe.Recipe(families="bottle,mug", device="cpu", threads=1, **TINY, **more)


def ball(radius=0.3):
    at = (torch.arange(64) + 0.5) / 64 - 0.5
    distance = radius - torch.stack(torch.meshgrid(at, at, at, indexing="ij")).norm(dim=0)
    return (distance / 0.1).clamp(-1, 1)[None]


def test_a_perfect_answer_costs_nothing_and_a_shifted_one_its_shift():
    field = ball()
    distance, edge, slope = recipe.errors(field, field)
    assert float(distance) == pytest.approx(0, abs=0.02) and float(edge) == pytest.approx(0, abs=1e-5) and slope == 0
    shifted, wrong, turned = recipe.errors(field + 0.2, field)
    assert 0.1 < float(shifted - distance) < 0.2 and wrong > 0.01 and turned < 0.3 * shifted / recipe.CELL
    beyond, *_ = recipe.errors(torch.where(field.abs() == 1, 3 * field, field), field)
    assert float(beyond) < 0.05  # further than the truncation is right, too


def test_lumps_cost_more_than_a_shift_of_their_size():
    """To and fro by a hundredth of the truncation: seen in the light, hardly in distances."""
    field = ball()
    sign = (torch.arange(64)[:, None, None] + torch.arange(64)[:, None] + torch.arange(64)) % 2 * 2 - 1
    shifted, lumpy = recipe.errors(field + 0.02, field), recipe.errors(field + 0.02 * sign, field)
    assert lumpy[0] < 1.5 * shifted[0] and lumpy[2] > 5 * shifted[2]
    steep = recipe.errors(2 * field, field)[2]
    assert 0.05 < steep < 0.6  # slopes of 2 in place of 1, where they are not cut off


def batch_of(network, numbers):
    return {"field": ball(), "family": torch.tensor([0]), "numbers": numbers}


@pytest.fixture
def network():
    torch.manual_seed(0)
    return ShapeVAE(Config(("a", "b"), 16, 4, (2, 0), (8, 8, 8), (1, 1, 1), (1, 1, 1)))


def test_told_numbers_reach_the_decoder_and_no_gradient_goes_to_the_encoder(network, monkeypatch):
    seen = []
    decode = network.decode
    monkeypatch.setattr(network, "decode", lambda latent, family: seen.append(latent) or decode(latent, family))
    numbers = torch.tensor([[0.7, -1.2, float("nan"), float("nan")]])
    for told, expected in ((1.0, [0.7, -1.2, 0, 0]), (0.0, None)):
        recipe.loss(network, batch_of(network, numbers), recipe.Recipe(told=told), 1.0)
        if expected:
            assert torch.allclose(seen[-1][0, :4], torch.tensor(expected))
            assert not torch.autograd.grad(seen[-1][0, :2].sum() + seen[-1].sum() * 0, network.encoder.last.bias)[
                0
            ].any()
        else:
            mean, _ = network.encode(ball(), torch.tensor([0]))
            assert torch.allclose(seen[-1][:, :4], mean[:, :4], atol=1e-5)


def test_what_a_family_lacks_is_nought_and_unknown_numbers_cost_nothing(network):
    for family, count in ((0, 2), (1, 0)):
        mean, variance = network.encode(ball(), torch.tensor([family]))
        assert mean[0, :count].abs().min() > 0 if count else True
        assert not mean[0, count:4].any() and (variance[0, :4] == -12).all()
    none = torch.full((1, 4), float("nan"))
    total, parts = recipe.loss(network, batch_of(network, none), recipe.Recipe(), 1.0)
    assert float(parts["naming"]) == 0 and torch.isfinite(total)


def test_the_divergence_is_that_of_gaussians(network):
    """Of the latents that have no name: mean and variance as the encoder says, against the standard normal."""
    _, parts = recipe.loss(network, batch_of(network, torch.zeros(1, 4)), recipe.Recipe(), 1.0)
    mean, log_variance = (part[0, 4:] for part in network.encode(ball(), torch.tensor([0])))
    ours = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(ours, torch.distributions.Normal(0, 1)).sum()
    assert float(parts["divergence"]) == pytest.approx(float(expected.detach()), rel=1e-4)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    loop.train(recipe, tiny(steps=6, run=str(folder)))
    return folder


def test_a_run_learns_is_exported_and_draws(run, tmp_path, monkeypatch):
    monkeypatch.setattr(recipe, "SHAPES", 12)
    export.main(["shape_vae", "--run", str(run), "--out", str(tmp_path)])
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    card = json.loads((tmp_path / "shape_vae.json").read_text())
    assert [row["name"] for row in card["families"]] == ["bottle", "mug"]
    names = [slider["name"].lower() for slider in card["families"][1]["sliders"]]
    assert names[: len(designs.ranges(designs.designs()["mug"]))] == list(designs.ranges(designs.designs()["mug"]))
    model = sampler.Sampler(checkpoint.load("shape_vae"), card, torch.device("cpu"))
    mug = model.family("mug")
    place = model.set(model.draw(mug, 1, 0.7), {"height": 9.0, "variation_1": 1.0})
    values = model.values(place)
    assert values["Height"] == pytest.approx(9, abs=0.01) and values["Variation 1"] == pytest.approx(1, abs=0.02)
    assert model.field(place).values.shape == (64, 64, 64)
    assert model.field(place, coarse=True).values.shape == (32, 32, 32)
    monkeypatch.setattr(catalog, "CATALOG", {"shape_vae": catalog.CATALOG["shape_vae"]})
    (row,) = catalog.describe()
    assert row["families"] == ["bottle", "mug"] and row["sliders"][0]["family"] == "bottle"


def test_training_goes_on_from_exported_weights(run, tmp_path, monkeypatch, capsys):
    """The exported file holds sliders too, which a run neither has nor needs."""
    monkeypatch.setattr(recipe, "SHAPES", 12)
    export.main(["shape_vae", "--run", str(run), "--out", str(tmp_path)])
    path = tmp_path / "shape_vae.safetensors"
    loop.train(recipe, tiny(steps=1, run=str(tmp_path / "on"), start=str(path)))
    assert f"began with {path}\n" in capsys.readouterr().out  # nothing starts at random


def test_validation_names_every_family(run):
    lines = (run / "validation.txt").read_text()
    assert "iou_bottle" in lines and "iou_mug" in lines and "naming" in lines
