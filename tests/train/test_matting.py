"""matting: composites hold what they say, a tiny run trains, exports and answers; the order of what finds objects."""

import json

import numpy as np
import pytest
import torch

from maquette.geometry.picture import Picture
from maquette.jobs import isolate
from maquette.nets import catalog, checkpoint
from maquette.nets import matting as network_module
from maquette.train import export, loop
from maquette.train.evaluate import command
from maquette.train.evaluate.grabcut import grabcut
from maquette.train.recipes import matting as recipe
from maquette.train.shapes import backgrounds, composites

from .runs import losses


def blobs(count=8):
    """Cut-outs (N, 128, 128, 4) of ellipses."""
    y, x = np.mgrid[:128, :128] - 63.5
    rng = np.random.default_rng(0)
    found = np.zeros((count, 128, 128, 4), np.uint8)
    for one in found:
        inside = (x / rng.uniform(25, 56)) ** 2 + (y / rng.uniform(25, 56)) ** 2 < 1
        one[inside] = (*rng.integers(0, 256, 3), 255)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Shards with pictures only: this recipe reads nothing else of them."""
    root = tmp_path_factory.mktemp("shards")
    for split in ("train", "validation"):
        (root / split).mkdir()
        np.savez(root / split / "shard-00000.npz", picture=blobs())
    return root


@pytest.fixture(scope="module")
def panoramas(tmp_path_factory):
    path = tmp_path_factory.mktemp("maps") / "maps.npz"
    grey = np.full((32, 64, 3), 0.5, np.float16)
    np.savez(path, somewhere=grey, lebombo_1k=grey, potsdamer_platz_1k=grey)
    return path


def settings(folder, run, **changes):
    base = {"shards": str(folder), "run": str(run), "width": 4, "batch": 4, "minutes": 0.05, "validation": 6}
    return recipe.Recipe(**base | {"threads": 1, "device": "cpu", "precision": "32-true", "pool": 12} | changes)


@pytest.fixture(scope="module")
def weights(folder, tmp_path_factory):
    """A folder with the weights of a tiny run."""
    run = tmp_path_factory.mktemp("run")
    loop.train(recipe, settings(folder, run))
    export.main(["matting", "--run", str(run), "--out", str(run / "weights"), "--level", "0.4"])
    return run / "weights"


# --- composites ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", composites.KINDS)
def test_a_composite_shows_its_object_and_repeats(kind, panoramas):
    world = composites.World(blobs(), backgrounds.read_panoramas(str(panoramas), "train"))
    one, two = (composites.compose(np.random.default_rng(4), world, 1, kind) for _ in range(2))
    picture, mask, said = one
    assert said == kind and picture.shape == (192, 192, 3) and mask.shape == (192, 192)
    assert picture.dtype == mask.dtype == np.uint8
    assert 0.03 < (mask > 127).mean() < 0.95
    np.testing.assert_array_equal(picture, two[0])


def test_motley_things_have_inner_edges_and_scored_ones_are_as_ever(panoramas):
    """An object of one colour gets patches of others; what is scored draws the same random numbers as before."""
    plain = np.full((96, 96, 3), 0.5, np.float32)

    def edges(rgb):
        return float(np.abs(np.diff(rgb, axis=1)).max())

    known = backgrounds.read_panoramas(str(panoramas), "train")
    some = [
        composites.coloured(np.random.default_rng(k), plain, composites.World(blobs(), known, motley=1.0))
        for k in range(12)
    ]
    assert sum(edges(rgb) > 0.1 for rgb in some) >= 6 and all(rgb.dtype == np.float32 for rgb in some)
    one, two = np.random.default_rng(3), np.random.default_rng(3)
    as_ever = composites.coloured(one, plain, composites.World(blobs(), known))
    np.testing.assert_array_equal(as_ever, composites.varied(two, plain))
    assert one.random() == two.random()


def test_no_panorama_serves_two_splits(panoramas):
    counts = [len(backgrounds.read_panoramas(str(panoramas), split)) for split in ("train", "validation", "test")]
    assert counts == [1, 1, 1]
    with pytest.raises(ValueError, match="holds no panoramas"):
        backgrounds.read_panoramas(str(panoramas) + ".gone", "train")


# --- training --------------------------------------------------------------------------------------------------------


def test_a_tiny_run_exports_weights_that_answer(weights):
    card = json.loads((weights / "matting.json").read_text())
    assert card["kind"] == "mask" and card["level"] == 0.4 and card["config"] == {"width": 4}
    assert "CC0" in card["data"] and not {"shards", "run", "panoramas"} & set(card["training"]["recipe"])
    network = checkpoint.build("matting", card["config"]).eval()
    sure = network_module.foreground(network, np.random.default_rng(0).random((50, 90, 3)))
    assert sure.shape == (50, 90) and sure.min() >= 0 and sure.max() <= 1


def test_learns(folder):
    torch.manual_seed(0)
    plan = settings(folder, "", batch=8)
    network = recipe.make(plan)
    batch = recipe.prepare(next(recipe.batches(plan, np.random.default_rng(0), "cpu")), augment=False)
    said = losses(recipe, network, batch, plan, 30, 1e-2)
    assert np.mean(said[-3:]) < 0.5 * said[0]


def test_mirroring_moves_picture_and_mask_together(folder, monkeypatch):
    batch = {
        "picture": torch.arange(192, dtype=torch.uint8)[None, None, :, None].expand(2, 192, 192, 3),
        "mask": torch.arange(192, dtype=torch.uint8)[None, None].expand(2, 192, 192),
    }
    monkeypatch.setattr(torch, "rand", lambda *shape, **_: torch.zeros(*shape))
    monkeypatch.setattr(torch, "randn", lambda *shape, **_: torch.zeros(*shape))
    ready = recipe.prepare(batch, augment=True)
    torch.testing.assert_close(ready["picture"][:, :1], ready["mask"])
    assert ready["mask"][0, 0, 0, 0] == 191 / 255


def test_no_or_bad_shards_are_sentences(folder, tmp_path, capsys):
    with pytest.raises(ValueError, match="has no shards: run"):
        next(recipe.batches(settings(tmp_path, ""), np.random.default_rng(0), "cpu"))
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "shard-00000.npz").write_bytes(b"PK not really")
    with pytest.raises(ValueError, match="no readable shards"):
        next(recipe.batches(settings(tmp_path, ""), np.random.default_rng(0), "cpu"))
    assert "shard-00000.npz is not a whole shard" in capsys.readouterr().out


# --- the order -------------------------------------------------------------------------------------------------------


def photo(busy: bool, seed=0) -> Picture:
    """A red disc before checks of strong colours, or before grey."""
    y, x = np.mgrid[:160, :160] - 79.5
    checks = ((x // 13).astype(int) + (y // 13).astype(int)) % 2
    rgb = np.where(checks[..., None], [0.1, 0.2, 0.9], [0.9, 0.9, 0.2]) if busy else np.full((160, 160, 3), 0.6)
    rgb = np.where((x**2 + y**2 < 45**2)[..., None], [0.8, 0.1, 0.1], rgb)
    return Picture(np.concatenate([rgb, np.ones((160, 160, 1))], -1).astype(np.float32), False, "/x/disc.jpg", "")


@pytest.fixture
def bundled(weights, monkeypatch):
    """The tiny weights are the bundled ones."""
    monkeypatch.setattr(catalog, "WEIGHTS", weights)
    isolate.loaded.cache_clear()
    yield weights
    isolate.loaded.cache_clear()


@pytest.fixture
def unbundled(tmp_path, monkeypatch):
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    isolate.loaded.cache_clear()


def test_a_plain_background_needs_no_network(unbundled):
    found, note = isolate.isolate(photo(busy=False))
    assert found.method == "plain" and note == ""


@pytest.mark.parametrize(("radius", "method"), [(43, "plain"), (30, "network")])
def test_before_a_plain_one_the_network_may_object(monkeypatch, radius, method):
    """It does where it sees something quite different: the disc without what passed for it."""
    y, x = np.mgrid[:160, :160] - 79.5
    monkeypatch.setattr(isolate, "foreground", lambda *_: x**2 + y**2 < radius**2)
    found, note = isolate.isolate(photo(busy=False))
    assert found.method == method and note == ""


def test_an_empty_picture_is_not_shown_to_the_network(monkeypatch):
    monkeypatch.setattr(isolate, "foreground", lambda *_: pytest.fail("it was asked"))
    grey = Picture(np.full((160, 160, 4), 0.6, np.float32), False, "/x/grey.jpg", "")
    with pytest.raises(ValueError, match="no object stands out"):
        isolate.isolate(grey)


def test_before_a_busy_one_the_network_is_asked(bundled, monkeypatch):
    y, x = np.mgrid[:160, :160] - 79.5
    monkeypatch.setattr(network_module, "foreground", lambda network, rgb: (x**2 + y**2 < 45**2) * 0.41)
    found, note = isolate.isolate(photo(busy=True), asked="cpu")
    assert found.method == "network" and note == ""
    assert (found.mask > 0.5).sum() == pytest.approx(np.pi * 45**2, rel=0.05)


def test_without_weights_the_plain_answer_comes_with_a_sentence(unbundled):
    found, note = isolate.isolate(photo(busy=True))
    assert found.method == "plain"
    assert note == (
        "the background of disc.jpg is not plain, and this copy of Maquette has no network for such backgrounds; "
        "look at the mask"
    )


def test_damaged_weights_are_told_and_nothing_is_lost(bundled, monkeypatch, tmp_path):
    (tmp_path / "matting.json").write_bytes((bundled / "matting.json").read_bytes())
    (tmp_path / "matting.safetensors").write_bytes((bundled / "matting.safetensors").read_bytes()[:-9])
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    found, note = isolate.isolate(photo(busy=True), asked="cpu")
    assert found.method == "plain" and "matting.safetensors is cut short" in note


def test_a_network_that_sees_nothing_is_the_usual_sentence(bundled, monkeypatch):
    monkeypatch.setattr(network_module, "foreground", lambda network, rgb: np.zeros(rgb.shape[:2], np.float32))
    with pytest.raises(ValueError, match="no object stands out from the background of disc.jpg"):
        isolate.isolate(photo(busy=True), asked="cpu")


# --- evaluation ------------------------------------------------------------------------------------------------------


def test_grabcut_finds_a_disc_whose_box_it_is_told():
    y, x = np.mgrid[:160, :160] - 79.5
    true = x**2 + y**2 < 45**2
    found = grabcut(photo(busy=True).rgba[..., :3], (0.2, 0.8, 0.2, 0.8))
    assert (found & true).sum() / (found | true).sum() > 0.9


def test_the_command_prints_a_row_for_each(tmp_path, weights, capsys):
    from PIL import Image

    for number, cutout in enumerate(blobs(2)):
        Image.fromarray(cutout).save(tmp_path / f"{number}.png")
    own = ["--weights", str(weights / "matting.safetensors"), "--card", str(tmp_path / "m.json"), "--device", "cpu"]
    sheet = ["--sheet", str(tmp_path / "sheet" / "s.png")]
    (tmp_path / "sheet").mkdir()
    assert command.main(["matting", "--pictures", str(tmp_path), *own, *sheet]) == 0
    told = capsys.readouterr().out
    assert (
        "10 composites of" in told and "**matting, as in Reconstruct**" in told and "GrabCut, told the true box" in told
    )
    assert Image.open(sheet[1]).width > 400
    (scores,) = json.loads((tmp_path / "m.json").read_text()).values()
    assert len(scores) == 6


def test_photos_without_truth_are_drawn(tmp_path, capsys):
    from PIL import Image

    Image.fromarray((photo(busy=False).rgba * 255).astype(np.uint8)).convert("RGB").save(tmp_path / "disc.jpg")
    sheet = tmp_path / "sheets"
    sheet.mkdir()
    asked = ["matting", "--look", str(tmp_path), "--no-network"]
    assert command.main(asked) == 1 and "name it with --sheet" in capsys.readouterr().err
    assert command.main([*asked, "--sheet", str(sheet / "s.png")]) == 0
    assert "plain" in capsys.readouterr().out and Image.open(sheet / "s.png").width == 4 * 128


def test_the_command_says_what_is_missing(tmp_path, capsys):
    assert command.main(["matting", "--pictures", str(tmp_path), "--no-network"]) == 1
    assert "holds no pictures with alpha" in capsys.readouterr().err
    assert command.main(["matting", "--no-network", "--no-baselines"]) == 1
