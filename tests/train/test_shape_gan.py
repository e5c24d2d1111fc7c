"""shape_gan's recipe: losses and penalties in closed form, turns, a killed run of two players, what is exported."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from math import e, log

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from maquette.nets import catalog, shape_vae
from maquette.nets import shape_gan as network_module
from maquette.train import export, loop, state
from maquette.train.evaluate import command as evaluate
from maquette.train.recipes import shape_gan as recipe
from maquette.train.shapes import designs

from .runs import alike, killed

LOGITS = torch.tensor([0.0, log(3.0)]), torch.tensor([log(3.0), 0.0])
"""Of real shapes and of drawn ones: probabilities 1/2 and 3/4"""
SMALL = {
    "families": "stool,vase",
    "latent": 6,
    "widths": "8,16,16",
    "blocks": "1,1,1",
    "critic": "8,8,8",
    "batch": 2,
    "pool": 8,
}
ALL = [dict(loss=x, stabilise=y) for x in recipe.LOSSES for y in ("spectral", "both")]


def settings(run="", **changes):
    rest = {"run": str(run), "validation": 6, "threads": 1, "device": "cpu", "precision": "32-true", "steps": 3}
    return recipe.Recipe(**SMALL | rest | changes)


def batch():
    return recipe.prepare(next(recipe.batches(settings(), np.random.default_rng(0), "cpu")), augment=True)


@pytest.mark.parametrize(
    "kind, critic, generator",
    [
        # -log D(real) - log(1 - D(fake)), and its fake half turned round
        ("minimax", (log(2) + log(4 / 3)) / 2 + (log(4) + log(2)) / 2, -(log(4) + log(2)) / 2),
        ("non-saturating", (log(2) + log(4 / 3)) / 2 + (log(4) + log(2)) / 2, (log(4 / 3) + log(2)) / 2),
        ("wgan-gp", 0.0, -log(3) / 2),
    ],
)
def test_losses_in_closed_form(kind, critic, generator):
    real, fake = LOGITS
    assert recipe.discriminator_loss(real, fake, kind).item() == pytest.approx(critic, abs=1e-6)
    assert recipe.generator_loss(fake, kind).item() == pytest.approx(generator, abs=1e-6)


@pytest.mark.parametrize("kind", recipe.LOSSES)
def test_both_losses_push_their_own_way(kind):
    """The discriminator raises real logits and lowers drawn ones; the generator raises drawn ones."""
    real, fake = (logits.clone().requires_grad_(True) for logits in LOGITS)
    recipe.discriminator_loss(real, fake, kind).backward()
    assert (real.grad < 0).all() and (fake.grad > 0).all()
    fake.grad = None
    recipe.generator_loss(fake, kind).backward()
    assert (fake.grad < 0).all()


def test_where_the_discriminator_is_sure_only_minimax_is_flat():
    slope = {}
    for kind in ("minimax", "non-saturating"):
        sure = torch.tensor([-12.0], requires_grad=True)
        recipe.generator_loss(sure, kind).backward()
        slope[kind] = abs(sure.grad.item())
    assert slope["minimax"] == pytest.approx(e**-12, rel=1e-3) and slope["non-saturating"] == pytest.approx(1, rel=1e-3)


def test_what_the_vae_knows_holds_the_generator():
    """Begun with its decoder, shapes that it reads come back; a generator that was shaken is pulled back to them."""
    asked = recipe.Recipe(batch=4, known=40.0, steps=1)
    players = recipe.make(asked)
    players.load_state_dict(recipe.begun(load_file(catalog.weights_path("shape_vae"))), strict=False)
    drawn = recipe.draw(recipe.names(asked), np.random.default_rng(0), 4)
    shapes = {"field": torch.from_numpy(drawn["field"]).float() / 127, "family": torch.from_numpy(drawn["family"])}
    head = players.generator.decoder.head.bias
    with torch.no_grad():
        good = recipe.loss(players, shapes, asked, 0.5, "generator")[1]
        head += 0.3 * torch.randn(head.shape, generator=torch.Generator().manual_seed(0))
    total, bad = recipe.loss(players, shapes, asked, 0.5, "generator")
    assert good["distance"] < 0.1 < bad["distance"] and good["edge"] < bad["edge"]
    total.backward()
    with torch.no_grad():
        head -= 0.1 * head.grad.sign()
        assert recipe.loss(players, shapes, asked, 0.5, "generator")[1]["distance"] < bad["distance"] - 0.03


def test_a_generator_of_other_families_has_no_vae_that_knows_it():
    with pytest.raises(ValueError, match="--known wants the families"):
        recipe.make(settings(known=1.0))


def test_penalties_of_a_linear_critic():
    """Its slope is its weights' length wherever it is measured: 3 for a third of a cell's weight over 81 cells."""
    weight = torch.full((3, 3, 9), 1 / 3)
    field, family = torch.randn(5, 3, 3, 9), torch.zeros(5, dtype=torch.long)

    def critic(x, _):
        return (x * weight).flatten(1).sum(1) + 7

    assert recipe.gradient_penalty(critic, field, torch.randn_like(field), family).item() == pytest.approx(
        (3 - 1) ** 2, rel=1e-5
    )
    assert recipe.r1(critic, field, family).item() == pytest.approx(3**2 / 2, rel=1e-5)


def test_where_penalties_are_measured():
    """The slope of |x|^2 / 2 is x: R1 at real shapes, WGAN-GP's between real and drawn ones."""
    real, fake, family = torch.full((6, 1, 1, 4), 2.0), torch.full((6, 1, 1, 4), 1.0), torch.zeros(6, dtype=torch.long)

    def critic(x, _):
        return x.flatten(1).square().sum(1) / 2

    assert recipe.r1(critic, real, family).item() == pytest.approx(4 * 2**2 / 2)
    found = recipe.slopes(critic, torch.lerp(fake, real, torch.rand(6, 1, 1, 1)), family).sqrt()
    assert ((found > 2 * 1) & (found < 2 * 2)).all()
    assert (2 - 1) ** 2 < recipe.gradient_penalty(critic, real, fake, family).item() < (4 - 1) ** 2


def test_penalties_reach_the_critics_weights():
    scale = torch.tensor(2.0, requires_grad=True)
    recipe.r1(lambda x, _: scale * x.flatten(1).sum(1), torch.zeros(3, 1, 1, 4), torch.zeros(3)).backward()
    assert scale.grad.item() == pytest.approx(4 * 2.0)  # of scale^2 * 4 / 2


@pytest.mark.parametrize("options", ALL, ids=lambda options: "-".join(options.values()))
def test_each_turn_moves_its_own_player(options, monkeypatch):
    """And all weights of it that the batch's families use."""
    monkeypatch.setattr(recipe, "OFTEN", 1)
    plan = settings(**options)
    torch.manual_seed(0)
    network, shapes = recipe.make(plan), batch()
    rules = recipe.optimisers(network, plan)
    for player, other in (recipe.PLAYERS, recipe.PLAYERS[::-1]):
        before = {name: weight.detach().clone() for name, weight in network.named_parameters()}
        loop.let_learn(network, player)
        total, parts = recipe.loss(network, shapes, plan, 0.5, player)
        for rule in rules:
            rule.zero_grad(set_to_none=True)
        total.backward()
        for rule in rules:
            rule.step()
        moved = {
            name.split(".")[0] for name, weight in network.named_parameters() if not torch.equal(weight, before[name])
        }
        assert moved == {player}, f"{other} must stay"
        idle = [n for n, w in getattr(network, player).named_parameters() if w.grad is None or not w.grad.any()]
        # What is added to real and drawn logits alike is nothing to Wasserstein's difference
        assert idle == (["real.bias"] if options["loss"] == "wgan-gp" and player == "discriminator" else [])
        assert torch.isfinite(total) and all(torch.isfinite(value) for value in parts.values())


def test_the_discriminator_learns_to_tell(monkeypatch):
    """Real designs from an untrained generator, within a few steps."""
    plan = settings()
    torch.manual_seed(0)
    network, shapes = recipe.make(plan), batch()
    rule = recipe.optimisers(network, replace(plan, rate=3e-3))[1]
    loop.let_learn(network, "discriminator")
    said = []
    for _ in range(25):
        total, parts = recipe.loss(network, shapes, plan, 0.5, "discriminator")
        rule.zero_grad()
        total.backward()
        rule.step()
        said.append((total.item(), parts["apart"].item()))
    assert said[-1][0] < 0.7 * said[0][0] and said[-1][1] > 1


def command(run, *options):
    named = [f"--{name.replace('_', '-')}={value}" for name, value in asdict(settings(run)).items() if value != ""]
    return [sys.executable, "-m", "maquette.train", "shape_gan", *named, *options]


def test_a_killed_run_of_two_players_goes_on_as_if_unbroken(tmp_path):
    """R1 and spectral norm, whose chances and vectors have to go on too."""
    options = {"steps": 16, "stabilise": "both", "alone": 0.3, "save_minutes": 0.0}
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    loop.train(recipe, settings(whole, **options))
    asked = command(broken, "--steps=16", "--stabilise=both", "--alone=0.3", "--save-minutes=0")
    killed(asked, broken, 16)
    loop.train(recipe, settings(broken, **options))
    state = alike(whole, broken)
    assert state["step"] == 16 and state["samples"] == 32


def test_two_processes_share_a_run(tmp_path):
    """DDP with one player's gradients at a time: both processes end with the same weights, and both players moved."""
    last = loop.train(recipe, settings(tmp_path / "one", steps=1, rate=0.0))
    done = subprocess.run(command(tmp_path / "two", "--devices=2"), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    before, after = (torch.load(path, weights_only=True) for path in (last, tmp_path / "two" / "last.pt"))
    assert after["state"]["step"] == 3 and after["state"]["samples"] == 12
    for player in ("generator.decoder.head.weight", "discriminator.real.parametrizations.weight.original"):
        assert not torch.equal(before["network"][player], after["network"][player])


def test_the_discriminator_may_begin_alone(tmp_path):
    """For half of four steps: the generator has taken two of its own."""
    stored = torch.load(loop.train(recipe, settings(tmp_path, steps=4, alone=0.5)), weights_only=True)
    steps = [{int(memory["step"]) for memory in one["state"].values()} for one in stored["optimisers"]]
    assert steps == [{2}, {4}]


def test_the_rates_have_their_paces(tmp_path):
    stored = torch.load(loop.train(recipe, settings(tmp_path, pace=3.0)), weights_only=True)
    own, others = (one["param_groups"][0] for one in stored["optimisers"])
    assert others["lr"] == pytest.approx(3 * own["lr"]) and own["betas"] == (0.0, 0.9)


def test_what_is_no_number_stops_the_run_in_either_turn(tmp_path, monkeypatch):
    plain = recipe.loss
    last = loop.train(recipe, settings(tmp_path, steps=2))
    kept = last.read_bytes()
    for broken in recipe.PLAYERS:

        def loss(network, batch, plan, progress, player, broken=broken):
            total, parts = plain(network, batch, plan, progress, player)
            return total * (float("nan") if player == broken else 1), parts

        monkeypatch.setattr(recipe, "loss", loss)
        with pytest.raises(RuntimeError, match=r"at step 2; the last good checkpoint is .*last\.pt"):
            loop.train(recipe, settings(tmp_path, steps=9))
        assert last.read_bytes() == kept


def lowest_and_volume(field, family):
    """A measure in closed form: 12 numbers, the first how much is inside, the others nothing."""
    inside = (field.clamp(-0.05, 0.05) * 10 + 0.5).flatten(1).mean(1, keepdim=True)
    return torch.cat([inside * 50, torch.randn(len(field), 11)], 1)


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    run = tmp_path_factory.mktemp("run")
    loop.train(recipe, settings(run))
    plain = recipe.finished

    def quick(averaged, was):
        return plain(averaged, was, lowest_and_volume, shapes=48, held=16)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "finished", quick)
        export.main(["shape_gan", "--run", str(run), "--out", str(run / "out")])
    return run


def test_the_discriminator_does_not_ship(exported):
    tensors = load_file(exported / "out" / "shape_gan.safetensors")
    averaged = torch.load(exported / "last.pt", weights_only=True)["averaged"]
    assert not [name for name in tensors if "discriminator" in name or "generator" in name]
    theirs = {n.removeprefix("generator.") for n in averaged if n.startswith("generator.")}
    assert {name for name in tensors if not name.startswith("latents.")} == theirs
    torch.testing.assert_close(
        tensors["decoder.head.weight"].float(), averaged["generator.decoder.head.weight"], rtol=0, atol=1e-3
    )


def test_the_card_and_its_network(exported):
    card = json.loads((exported / "out" / "shape_gan.json").read_text())
    network = network_module.create(card["config"])
    network.load_state_dict(load_file(exported / "out" / "shape_gan.safetensors"))
    known = designs.designs()
    for index, row in enumerate(card["families"]):
        ranges = designs.ranges(known[row["name"]])
        assert [s["name"] for s in row["sliders"] if s["r2"] is not None] == [name.capitalize() for name in ranges]
        prior = getattr(network.latents.prior, str(index))
        assert not prior.mean.any() and torch.equal(prior.factor, torch.eye(6))
        readout = getattr(network.latents.readout, str(index)).weight
        change = readout @ getattr(network.latents.direction, str(index)).T
        # More sliders than latents here: what can be moved alone is what the latents have room for
        assert readout.shape == (len(row["sliders"]), 6) and torch.isfinite(change).all()
    assert "start" not in card["training"]["recipe"] and "procedural shapes" in card["data"]


def test_a_run_begins_with_shape_vae_or_with_itself(tmp_path, exported):
    """Of the first it takes the decoder and how its latents lie: it then draws what the other's Gaussian draws."""
    about = shape_vae.Config(("stool", "vase"), latent=6, widths=(8, 16, 16), blocks=(1, 1, 1), sliders=(0, 0))
    vae = shape_vae.ShapeVAE(about).eval()
    for index in range(2):
        prior = getattr(vae.latents.prior, str(index))
        prior.mean.normal_()
        prior.factor.normal_()
    save_file(vae.state_dict(), tmp_path / "vae.safetensors")
    made = recipe.make(settings())
    loop.begin_with(str(tmp_path / "vae.safetensors"), made, False, recipe.begun)
    latent, family = torch.randn(2, 6), torch.tensor([0, 1])
    priors = [getattr(vae.latents.prior, str(i)) for i in range(2)]
    theirs = torch.stack([p.mean + p.factor @ z for p, z in zip(priors, latent)])
    with torch.no_grad():
        drawn = made.generator.eval().decode(latent, family)
        torch.testing.assert_close(drawn, vae.decode(theirs, family), rtol=1e-4, atol=1e-5)
    shipped = exported / "out" / "shape_gan.safetensors"
    loop.begin_with(str(shipped), made, False, recipe.begun)
    torch.testing.assert_close(made.generator.spread.mean, load_file(shipped)["spread.mean"].float())


def test_weights_of_another_network_are_a_sentence():
    with pytest.raises(ValueError, match="matting.safetensors holds weights of another network"):
        loop.begin_with(str(catalog.weights_path("matting")), recipe.make(settings()), False, recipe.begun)


def test_options_that_do_not_exist_are_a_sentence():
    with pytest.raises(ValueError, match="--loss is minimax, non-saturating or wgan-gp, not 'hinge'"):
        recipe.make(settings(loss="hinge"))
    with pytest.raises(ValueError, match="--stabilise is spectral, r1, both or none, not 'r2'"):
        recipe.make(settings(stabilise="r2"))


def test_validation_knows_a_collapse(monkeypatch):
    """Draws that are real ones are as varied and cannot be told apart; one shape for all latents is noticed."""
    plan = settings(validation=16)
    network = recipe.make(plan)
    held = recipe.draw(recipe.names(plan), np.random.default_rng([1, 0]), 16)
    real = torch.from_numpy(held["field"]).float() / 127

    def answers(fields):
        left = iter(fields.split(plan.batch))
        monkeypatch.setattr(network.generator, "decode", lambda latent, family: next(left))
        return recipe.validate(network, plan, "cpu")

    good = answers(real + 1e-3 * torch.randn_like(real))
    assert (
        good["variety"] == pytest.approx(1, abs=0.05) and good["whole"] > 0.9 and good["nna"] < 0.2
    )  # each nearest to its own twin
    bad = answers(-real[:1].expand(16, -1, -1, -1) + 1e-3 * torch.randn_like(real))
    assert bad["variety"] < 0.05 and bad["nna"] == 1
    assert answers(torch.full_like(real, -1.0))["whole"] == 0


def test_the_command_measures_a_run_of_it(tmp_path, capsys):
    torch.manual_seed(0)
    chosen = settings(families="stool,mug")
    players = recipe.make(chosen).requires_grad_(False)
    players.generator.decoder.head.weight.zero_()  # noise is slow to mesh
    players.generator.decoder.head.bias.fill_(0.5)
    process, told = [{"torch": torch.get_rng_state(), "data": "{}"}], {"step": 1, "seconds": 1.0, "samples": 1}
    state.save(tmp_path / "last.pt", players, players, [], process, told, chosen)
    asked = ["shape_gan", "--weights", str(tmp_path / "last.pt"), "--report", str(tmp_path / "r.json")]
    few = ["--family", "mug", "--set-size", "6", "--points", "64", "--draws", "4", "--shapes", "4", "--device", "cpu"]
    assert evaluate.main([*asked, *few]) == 0
    found = json.loads((tmp_path / "r.json").read_text())
    assert set(found["sets"]) == {"training designs, the floor", "normal, truncation 1", "normal, truncation 0.7"}
    assert found["closed"]["normal"] == 1.0 and found["time"]["64"]["decode"] > 0
    assert "fitted when the weights are exported" in capsys.readouterr().out
    assert evaluate.main(["shape_gan", "--parts", "reconstruction"]) == 1
    assert evaluate.main(["shape_gan", "--modelnet", str(tmp_path)]) == 1
    assert "does not encode" in capsys.readouterr().err
