"""The peer of image_to_field, and designs beside each other."""

import pytest
import torch

from maquette.nets.image_to_field import ImageToField
from maquette.train import export
from maquette.train.evaluate import command
from maquette.train.evaluate.peers.global_latent import GlobalLatent
from maquette.train.loop import train
from maquette.train.recipes import image_to_field as recipe

from .runs import settings

SMALL = {"steps": 2, "validation": 4}


def test_a_peer_answers_from_its_vector_alone(packages):
    network = recipe.designed(settings(packages, "", design="global-latent")).eval()
    assert isinstance(network, GlobalLatent) and network.prior is None
    seen = network.encode(torch.rand(2, 4, 128, 128))
    whole = network.decode(seen, torch.zeros(2, 5))
    part = network.decode(seen, torch.ones(2, 5), (slice(4, 16), slice(0, 12), slice(20, 32)))
    assert whole.occupancy.shape == (2, 1, 32, 32, 32) and torch.equal(whole.occupancy, part.occupancy)
    assert part.fine_occupancy.shape == (2, 1, 24, 24, 24) and part.colour.shape == (2, 3, 12, 12, 12)


def test_designs_stand_side_by_side(packages, tmp_path, capsys):
    runs = [tmp_path / "global", tmp_path / "prior"]
    train(recipe, settings(packages, runs[0], design="global-latent", **SMALL))
    train(recipe, settings(packages, runs[1], library=8, **SMALL))
    options = ["--shards", str(packages), "--count", "4"]
    capsys.readouterr()
    assert command.main(["designs", *map(str, runs), *options]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("| global | global-latent | ") for line in lines)
    assert any(line.startswith("| prior | back-projection, prior of 8 | ") for line in lines)
    export.main(["image_to_field", "--run", str(runs[1]), "--out", str(tmp_path / "out")])
    capsys.readouterr()
    assert command.main(["designs", str(tmp_path / "out" / "image_to_field.safetensors"), *options]) == 0
    shipped = capsys.readouterr().out.splitlines()[-1]
    assert shipped.startswith("| image_to_field | back-projection, prior of 8 | ")
    assert abs(cells(shipped)[5] - cells(lines[-1])[5]) < 0.02  # in half precision
    assert command.main(["designs", str(tmp_path / "none.safetensors"), *options]) == 1
    assert "cannot be read" in capsys.readouterr().err
    assert command.main(["designs", str(tmp_path / "none"), *options]) == 1
    assert "does not exist; train it first" in capsys.readouterr().err


def cells(line):
    """The numbers of a line of the table; of others 0."""
    found = [cell.strip(" M°") for cell in line.strip("|").split("|")]
    return [float(cell) if cell.replace(".", "").isdigit() else 0.0 for cell in found]


def test_a_peer_is_not_shipped(packages, tmp_path):
    train(recipe, settings(packages, tmp_path / "run", design="global-latent", **SMALL))
    with pytest.raises(ValueError, match="global-latent is a peer to be measured against"):
        export.main(["image_to_field", "--run", str(tmp_path / "run"), "--out", str(tmp_path)])
    assert not list(tmp_path.glob("*.safetensors"))
    with pytest.raises(ValueError, match="--design is back-projection or global-latent, not 'other'"):
        recipe.make(settings(packages, "", design="other"))


def test_weights_bring_their_own_prior(packages, tmp_path):
    """A run that begins with weights that have one wants no library shards, and has their shapes."""
    from safetensors.torch import save_file

    first = recipe.make(settings(packages, "", library=8))
    save_file({name: value.contiguous() for name, value in first.state_dict().items()}, tmp_path / "w.safetensors")
    (tmp_path / "train").symlink_to(packages / "train")
    again = recipe.make(settings(tmp_path, "", library=8, start=str(tmp_path / "w.safetensors")))
    assert isinstance(again, ImageToField) and not again.prior.masks.any(), "the loop fills it"
    with pytest.raises(ValueError, match="the prior wants 8"):
        recipe.make(settings(tmp_path, "", library=8))
