"""head_vae's data and training: readers say what is wrong in a sentence, a tiny run exports sliders that hold."""

import gzip
import json
import shutil

import numpy as np
import pytest
import torch

from maquette.nets import catalog, checkpoint
from maquette.train import export, loop
from maquette.train.evaluate import command
from maquette.train.heads import basis, cut, draw_head, face, head
from maquette.train.heads.family import lowest_border
from maquette.train.readers import ict, makehuman
from maquette.train.recipes import head_vae as recipe

from . import heads as tiny
from .runs import losses, same

SIZES = {"identity": 20, "expression": 8, "hidden": 8, "face_bases": "24,8,12", "head_bases": "24,9,12"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("heads")
    return tiny.write_ict(root / "ict"), tiny.write_mpfb(root / "mpfb")


@pytest.fixture(scope="module")
def families(folders):
    base = makehuman.read_base(folders[1])
    targets = makehuman.read_targets(folders[1], head.GROUPS, len(base.vertices))
    return face.family(ict.read(folders[0])), head.family(base, targets)


@pytest.fixture
def spoilt(folders, tmp_path):
    """A copy of both data sets to break."""
    shutil.copytree(folders[0], tmp_path / "ict")
    shutil.copytree(folders[1], tmp_path / "mpfb")
    return tmp_path


def settings(folders, run, **changes):
    base = {"faces": str(folders[0]), "heads": str(folders[1]), "run": str(run), "steps": 60, "batch": 32, "pool": 64}
    fixed = {"threads": 1, "device": "cpu", "precision": "32-true", "validation": 50}
    return recipe.Recipe(**base | SIZES | fixed | changes)


@pytest.fixture(scope="module")
def weights(folders, tmp_path_factory):
    """A folder with the weights of a tiny run."""
    run = tmp_path_factory.mktemp("run")
    loop.train(recipe, settings(folders, run))
    export.main(["head_vae", "--run", str(run), "--out", str(run / "weights")])
    return run / "weights"


# --- readers ----------------------------------------------------------------------------------------------------------


def rewrite(path, **changes):
    with np.load(path) as stored:
        arrays = dict(stored)
    np.savez(path, **{k: v for k, v in (arrays | changes).items() if v is not None})


def halve(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


ICT_FAULTS = [
    ("missing", lambda f: (f / "ict_expression.npz").unlink(), "ict_expression.npz is missing"),
    ("cut short", lambda f: halve(f / "ict_identity.npz"), "ict_identity.npz cannot be read"),
    ("no array", lambda f: rewrite(f / "ict_identity.npz", uv=None), "ict_identity.npz lacks the array 'uv'"),
    (
        "shape",
        lambda f: rewrite(f / "ict_expression.npz", expression=np.zeros((12, 7, 3))),
        "ict_expression.npz: expression is 12 x 7 x 3, not any x 208 x 3",
    ),
    (
        "no number",
        lambda f: rewrite(f / "ict_identity.npz", v0=np.full((208, 3), np.nan, np.float32)),
        "ict_identity.npz: v0 holds values that are no numbers",
    ),
    (
        "beyond",
        lambda f: rewrite(f / "ict_identity.npz", faces=np.full((192, 4), 208, np.int32)),
        "ict_identity.npz: faces points beyond its 208 entries",
    ),
    (
        "pickle",
        lambda f: rewrite(f / "ict_expression.npz", expression_names=np.array([{}] * 12, object)),
        "ict_expression.npz cannot be read",
    ),
    (
        "landmarks",
        lambda f: (f / "vertex_indices.json").write_text('{"idx_to_landmark_verts": [1, 2]}'),
        "vertex_indices.json: idx_to_landmark_verts should be 68 numbers",
    ),
]


@pytest.mark.parametrize(("how", "said"), [fault[1:] for fault in ICT_FAULTS], ids=[fault[0] for fault in ICT_FAULTS])
def test_a_spoilt_facekit_is_a_sentence(spoilt, how, said):
    how(spoilt / "ict")
    with pytest.raises(ValueError, match=said) as error:
        ict.read(spoilt / "ict")
    assert "\n" not in str(error.value)


def replace(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


MPFB_FAULTS = [
    ("missing", lambda f: (f / "3dobjs/base.obj").unlink(), "base.obj is missing"),
    ("no body", lambda f: replace(f / "3dobjs/base.obj", "g body", "g tail"), "base.obj has no group 'body'"),
    ("word", lambda f: replace(f / "3dobjs/base.obj", "v 0.0", "v none"), "base.obj: line 2 cannot be read"),
    ("five corners", lambda f: replace(f / "3dobjs/base.obj", "f ", "f 1/1 "), "base.obj: line .* cannot be read"),
    ("no face", lambda f: replace(f / "3dobjs/base.obj", "f 1/1", "f 9999/1"), "base.obj has faces that point beyond"),
    ("no nose", lambda f: shutil.rmtree(f / "targets/nose"), "nose holds no .target.gz"),
    ("cut short", lambda f: halve(f / "targets/head/head-oval.target.gz"), "head-oval.target.gz cannot be read"),
    (
        "three values",
        lambda f: (f / "targets/head/head-oval.target.gz").write_bytes(gzip.compress(b"1 2 3")),
        "head-oval.target.gz cannot be read",
    ),
    (
        "beyond",
        lambda f: (f / "targets/head/head-oval.target.gz").write_bytes(gzip.compress(b"9999 0 0 1")),
        "head-oval.target.gz moves vertices that the base mesh",
    ),
    (
        "no old man",
        lambda f: (f / "targets/macrodetails/asian-male-old.target.gz").unlink(),
        "targets/macrodetails/asian-male-old.target.gz is missing",
    ),
    (
        "one ethnicity",
        lambda f: (f / "targets/expression/units/asian/mouth-open.target.gz").unlink(),
        "units/asian/mouth-open.target.gz is missing",
    ),
]


@pytest.mark.parametrize(("how", "said"), [fault[1:] for fault in MPFB_FAULTS], ids=[fault[0] for fault in MPFB_FAULTS])
def test_a_spoilt_makehuman_is_a_sentence(spoilt, how, said):
    how(spoilt / "mpfb")
    with pytest.raises(ValueError, match=said) as error:
        base = makehuman.read_base(spoilt / "mpfb")
        head.family(base, makehuman.read_targets(spoilt / "mpfb", head.GROUPS, len(base.vertices)))
    assert "\n" not in str(error.value)


# --- families ---------------------------------------------------------------------------------------------------------


def test_heads_are_metres_upright_and_look_to_the_front(families):
    faces, heads = families
    assert np.ptp(faces.vertices[:, 2]) == pytest.approx(0.24) and faces.vertices[:, 2].min() == pytest.approx(0)
    # Of a tube from 3 to 8.5 dm what lies over the first ring above 5.6 dm: 5.75
    assert np.ptp(heads.vertices[:, 2]) == pytest.approx(0.275, abs=1e-4)
    moved = np.linalg.norm(faces.expression[units_at("jawOpen")], axis=-1)
    most = moved.argmax()
    assert faces.vertices[most, 1] < 0 and faces.expression[units_at("jawOpen"), most, 2] < -0.02


def units_at(name):
    return [unit for unit in tiny.ICT_UNITS if not unit.startswith("Pupil")].index(name)


def test_the_cut_is_the_lowest_ring_and_goes_once_round(folders):
    base = makehuman.read_base(folders[1])
    vertices = base.vertices[:, [0, 2, 1]] * [0.1, -0.1, 0.1]
    faces, ring = cut.above_neck(vertices, base.faces["body"])
    assert len(set(ring.tolist())) == len(ring) == tiny.COLUMNS
    assert len(faces) == 11 * tiny.COLUMNS and vertices[faces[..., 0], 2].min() == pytest.approx(0.575)
    with pytest.raises(ValueError, match="no ring of edges round the neck"):
        cut.above_neck(vertices - [0, 0, 0.5], base.faces["body"])


def test_necks_stand_still(families):
    for family in families:
        border = lowest_border(family.vertices, family.faces)
        assert len(border) == tiny.COLUMNS
        for offsets in (family.identity, family.expression):
            assert np.abs(offsets[:, border].mean(1)).max() < 1e-6


def test_what_is_drawn_keeps_the_rules(folders, families):
    rng = np.random.default_rng(0)
    base = makehuman.read_base(folders[1])
    names = makehuman.read_targets(folders[1], head.GROUPS, len(base.vertices))
    plan = draw_head.Recipe(tuple(n for n in names if not n.startswith(head.UNITS)), tiny.UNITS)
    weights, about, ethnicity = plan.identities(rng, 500)
    assert weights.min() >= 0 and weights.max() <= 1
    np.testing.assert_allclose(weights[:, plan.macro].sum(1), 1, atol=1e-9)
    less, more = plan.pairs["nose/nose-hump"][0]
    assert not (weights[:, less] * weights[:, more]).any() and weights[:, less].any() and weights[:, more].any()
    oval, square = (plan.targets.index(f"head/head-{kind}") for kind in ("oval", "square"))
    assert not (weights[:, oval] * weights[:, square]).any() and weights[:, oval].any()
    assert about[:, 0].min() >= 1 and about[:, 0].max() <= 90
    for family in families:
        drawn = family.draw(rng, 400)
        assert drawn.expression.min() >= 0 and drawn.expression.max() <= 1
        assert 0.15 < (drawn.expression == 0).all(1).mean() < 0.9
    look = {name: drawn_unit(families[0], rng, name) for name in ("eyeLookUp_L", "eyeLookDown_L")}
    assert not (look["eyeLookUp_L"] * look["eyeLookDown_L"]).any()


def drawn_unit(family, rng, name):
    return family.draw(np.random.default_rng(7), 400).expression[:, units_at(name)]


def test_age_is_between_the_targets_of_its_years(folders):
    base = makehuman.read_base(folders[1])
    names = makehuman.read_targets(folders[1], head.GROUPS, len(base.vertices))
    plan = draw_head.Recipe(tuple(n for n in names if not n.startswith(head.UNITS)), tiny.UNITS)
    weights, about, _ = plan.identities(np.random.default_rng(0), 300)
    stages = weights[:, plan.macro].reshape(300, -1, 4).sum(1)
    np.testing.assert_allclose(stages @ list(draw_head.AGES.values()), about[:, 0], rtol=1e-6)


def test_the_bases_hold_what_is_drawn(families):
    for family in families:
        fitted = basis.fit(family, 20, 8, 12)
        drawn = family.draw(np.random.default_rng(5), 200)
        _, true = fitted.coefficients(drawn)
        kept = np.concatenate([fitted.coarse.astype(np.float64), fitted.fine])[fitted.place]
        kept *= fitted.step[:, None] * 2.0**-40
        away = fitted.mean * 2.0**-16 - family.vertices
        shapes = np.tensordot(drawn.identity, family.identity, 1) + np.tensordot(drawn.expression, family.expression, 1)
        off = np.linalg.norm((true.numpy() @ kept).reshape(shapes.shape) + away - shapes, axis=-1)
        assert off.mean() < 0.15 * np.linalg.norm(shapes - away, axis=-1).mean()
        assert true[:, :20].std(0) == pytest.approx(np.ones(20), rel=0.35)


# --- training ---------------------------------------------------------------------------------------------------------


def test_a_tiny_run_exports_sliders_that_hold(weights, monkeypatch):
    card = json.loads((weights / "head_vae.json").read_text())
    assert card["kind"] == "sampler" and "MIT" in card["data"] and "CC0" in card["data"]
    assert not {"faces", "heads", "run"} & set(card["training"]["recipe"])
    monkeypatch.setattr(catalog, "WEIGHTS", weights)
    network = checkpoint.load("head_vae")
    for i, name in enumerate(card["config"]["families"]):
        rows, readout = catalog.sliders(card)[name], network.readout[i]
        assert len(rows) == card["config"]["sliders"][i] == len(readout.weight)
        span = torch.tensor([row["maximum"] - row["minimum"] for row in rows])
        moved = (readout.weight @ network.direction[i].T) * span / span[:, None]
        torch.testing.assert_close(moved, torch.eye(len(rows)), atol=0.02, rtol=0)
        value = readout.weight @ network.prior[i].mean + readout.bias
        assert value.tolist() == pytest.approx([row["default"] for row in rows], abs=0.1)
        assert all(row["minimum"] - 0.2 <= row["default"] <= row["maximum"] + 0.2 for row in rows)


def test_encoding_what_was_decoded_comes_back(weights, monkeypatch):
    monkeypatch.setattr(catalog, "WEIGHTS", weights)
    network, family = checkpoint.load("head_vae"), torch.tensor([1, 1])
    part = network.family[1]
    coefficients = torch.randn(2, len(part.place), generator=torch.Generator().manual_seed(0))
    split = network.config.identities[1]
    vertices = part.vertices(coefficients[:, :split], coefficients[:, split:])
    again = part.vertices(*part.coefficients(vertices).tensor_split([split], 1))
    assert (again - vertices).norm(dim=-1).mean() < 5e-4
    assert network.encode(vertices, family)[0].shape == (2, network.config.latent)


def test_learns(folders):
    torch.manual_seed(0)
    plan = settings(folders, "", batch=64)
    network = recipe.make(plan)
    batch = next(recipe.batches(plan, np.random.default_rng(0), "cpu"))
    said = losses(recipe, network, batch, plan, 60, 3e-3)
    assert np.mean(said[-3:]) < 0.8 * said[0]


@pytest.mark.parametrize("taken", [0, 1, 3, 2 * 6, 2 * 6 + 1])
def test_batches_go_on_where_they_stood(folders, taken):
    plan = settings(folders, "")
    one, two = (recipe.batches(plan, np.random.default_rng(seed), "cpu") for seed in (0, 1))
    for _ in range(taken):
        next(one)
    two.restore(one.state())
    for _ in range(2):
        assert same(next(one), next(two))


def test_too_few_numbers_for_the_sliders_are_a_sentence(folders, tmp_path):
    plan = settings(folders, tmp_path, identity=6, steps=2)
    loop.train(recipe, plan)
    with pytest.raises(ValueError, match="face has more sliders than its latent has numbers; it wants --identity 14"):
        export.main(["head_vae", "--run", str(tmp_path), "--out", str(tmp_path / "weights")])


def test_no_data_is_a_sentence():
    with pytest.raises(ValueError, match="head_vae wants --faces"):
        recipe.make(recipe.Recipe())


# --- evaluation -------------------------------------------------------------------------------------------------------


def test_the_command_prints_tables_and_draws_a_sheet(folders, weights, tmp_path, monkeypatch, capsys):
    from PIL import Image

    from maquette.train.heads import sheet

    monkeypatch.setattr(catalog, "WEIGHTS", weights)
    monkeypatch.setattr(sheet, "RANDOM", 2)
    own = ["--faces", str(folders[0]), "--heads", str(folders[1]), "--shapes", "20"]
    assert command.main(["head_vae", *own, "--card", str(tmp_path / "m.json"), "--sheet", str(tmp_path / "s.png")]) == 0
    told = capsys.readouterr().out
    assert "| mm | mean shape | PCA of 28 | head_vae |" in told and "| Jaw open |" in told
    scores = json.loads((tmp_path / "m.json").read_text())
    for name in ("face", "head"):
        assert scores[name]["PCA of 28"] < scores[name]["head_vae"] < scores[name]["mean shape"]
    assert Image.open(tmp_path / "s.png").width >= 2 * sheet.TILE
    assert command.main(["head_vae"]) == 1 and "wants --faces" in capsys.readouterr().err
