"""Sample through a real worker, with the bundled weights: what is asked for comes, and what cannot be is said."""

from dataclasses import replace

import numpy as np
import pytest

from maquette.jobs import client, sampling
from maquette.jobs.client import JobError
from maquette.jobs.requests import Meshing, Point, Remesh, Sample, from_json, to_json

CHAIR = Point("chair", seed=3)


@pytest.fixture(scope="module")
def worker():
    shared = client.Worker()
    yield shared
    shared.close()


@pytest.fixture
def ask(worker, tmp_path):
    return lambda **settings: worker.run(Sample(cache=str(tmp_path), **settings))


def size(shape):
    return np.ptp(shape.vertices, axis=0)


def test_a_chair_stands_on_the_floor_in_metres(ask):
    shape = ask(point=CHAIR)
    low, high = shape.vertices.min(0), shape.vertices.max(0)
    assert abs(low[2]) < 0.05 and np.allclose((low + high)[0], 0, atol=0.02)
    assert 0.5 < size(shape)[2] < 1.3
    assert shape.report["watertight"] and shape.report["components"] == 1
    assert shape.report["family"] == "chair" and len(shape.report["latent"]) == 64
    assert 30 < shape.report["sliders"]["Seat height"] < 64


def test_the_same_seed_is_the_same_shape_and_another_is_another(ask):
    one, again, other = ask(point=CHAIR), ask(point=CHAIR), ask(point=replace(CHAIR, seed=4))
    assert np.array_equal(one.vertices, again.vertices)
    assert len(one.vertices) != len(other.vertices) or not np.allclose(one.vertices, other.vertices, atol=1e-3)


def test_a_slider_moves_what_it_is_called(ask):
    low, high = (ask(point=replace(CHAIR, family="bed", sliders={"length": v})) for v in (185.0, 212.0))
    assert size(high)[1] - size(low)[1] == pytest.approx(0.27, abs=0.12)
    assert high.report["sliders"]["Length"] == pytest.approx(212, abs=0.5)
    assert high.report["sliders"]["Width"] == pytest.approx(low.report["sliders"]["Width"], abs=0.5)


@pytest.mark.parametrize("keep", [True, False], ids=["kept", "draft"])
@pytest.mark.parametrize("family, seed", [("chair", 3), ("table", 4), ("table", 5), ("lamp", 3)])
def test_coarse_is_half_as_fine_and_loses_nothing(ask, family, seed, keep):
    fine = ask(point=Point(family, seed))
    coarse = ask(point=Point(family, seed), resolution=32, keep=keep)
    assert 0.1 < len(coarse.faces) / len(fine.faces) < 0.45
    assert np.allclose(size(fine), size(coarse), atol=0.08)


def test_between_begins_and_ends_with_its_ends(ask):
    a, b = CHAIR, replace(CHAIR, seed=9)
    first, last = ask(point=a, other=b, factor=0.0), ask(point=a, other=b, factor=1.0)
    assert np.allclose(first.vertices, ask(point=a).vertices, atol=1e-5)
    assert np.allclose(last.vertices, ask(point=b).vertices, atol=1e-5)
    middle = ask(point=a, other=replace(b, family="table"), factor=0.5)
    assert middle.report["other"]["family"] == "table" and middle.report["watertight"]


def test_vary_stays_near_and_a_latent_is_the_same_place(ask):
    varied = ask(point=replace(CHAIR, variation=1, amount=0.2))
    assert not np.array_equal(varied.vertices, ask(point=CHAIR).vertices)
    again = ask(point=Point("chair", latent=tuple(varied.report["latent"])))
    assert np.allclose(again.vertices, varied.vertices, atol=1e-4)


def test_its_field_is_kept_and_meshes_anew_where_it_stands(worker, ask, tmp_path):
    shape = ask(point=CHAIR)
    again = worker.run(Remesh(shape.field, Meshing(smoothing=0), cache=str(tmp_path)))
    assert np.array_equal(again.vertices, shape.vertices)
    assert not ask(point=CHAIR, keep=False).field


def test_provenance_makes_it_again(ask):
    origin = ask(point=replace(CHAIR, sliders={"back height": 40.0})).provenance
    point = Point(**origin["settings"]["point"])
    assert origin["verb"] == "sample" and point.sliders == {"back height": 40.0}
    assert ask(point=point).provenance["weights"] == origin["weights"]


@pytest.mark.parametrize(
    "point, said",
    [
        (Point("spoon"), "no family 'spoon'; it has chair"),
        (Point("chair", sliders={"wheels": 4}), "no slider 'wheels'; it has seat width"),
        (Point("chair", sliders={"seat height": 200}), "Seat height is 200 cm; it goes from"),
        (Point("chair", latent=(0.1,) * 63), "has 63 numbers; those of shape_vae have 64"),
    ],
)
def test_what_the_model_does_not_have_is_said(ask, point, said):
    with pytest.raises(JobError, match=said):
        ask(point=point)


def test_a_model_that_is_no_sampler_is_said(ask):
    with pytest.raises(JobError, match="no sampler 'matting'"):
        ask(model="matting")


def test_a_strange_latent_is_warned_of(ask):
    far = tuple(8.0 * v for v in ask(point=CHAIR).report["latent"])
    try:
        report = ask(point=Point("chair", latent=far)).report
    except JobError as error:  # so far out that nothing is left
        assert "nothing is inside" in str(error)
    else:
        assert "times as unusual" in report["note"]


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"seed": -1}, "Seed is -1"),
        ({"truncation": 2.0}, "Truncation is 2; it must be from 0 to 1.5"),
        ({"amount": float("nan")}, "Amount is nan"),
        ({"latent": (0.0, float("nan"))}, "not finite"),
        ({"sliders": {"height": "tall"}}, "Slider height is 'tall'"),
        ({"latent": (0.0,) * 5000}, "longer than any"),
    ],
)
def test_points_check_themselves(fields, said):
    with pytest.raises(ValueError, match=said):
        Point("chair", **fields)


def test_requests_go_over_the_wire():
    request = Sample(point=replace(CHAIR, sliders={"Seat height": 45.0}), other=Point("table"), factor=0.25)
    assert from_json(to_json(request)) == request


def test_presets_come_back_and_others_are_refused(tmp_path):
    path, point = str(tmp_path / "stuhl ä.json"), Point("chair", 5, sliders={"seat height": 45.0}, latent=(0.5, -1.0))
    for made in (Sample("shape_vae", point), Sample("shape_vae", point, Point("lamp", 3), 0.25)):
        sampling.write_preset(path, "abc", made)
        assert sampling.read_preset(path, "shape_vae", "abc") == made
    with pytest.raises(ValueError, match="another version of shape_vae"):
        sampling.read_preset(path, "shape_vae", "abd")
    with pytest.raises(ValueError, match="a preset of shape_vae, not of head_vae"):
        sampling.read_preset(path, "head_vae")
    for text, said in (("[1]", "not a preset"), ("{", "not JSON"), ('{"maquette preset": 1, "colour": 2}', "'colour'")):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(ValueError, match=said):
            sampling.read_preset(str(tmp_path / "bad.json"))
    with pytest.raises(ValueError, match="cannot be read"):
        sampling.read_preset(str(tmp_path / "none.json"))
    with pytest.raises(ValueError, match="cannot be written"):
        sampling.write_preset(str(tmp_path / "no" / "p.json"), "abc", made)


# --- heads, which are meshes from the start ---------------------------------------------------------------------------


def test_a_head_keeps_its_faces_whatever_moves(ask):
    plain = ask(model="head_vae", point=Point("head", seed=4))
    open_ = ask(model="head_vae", point=Point("head", seed=4, sliders={"mouth open": 0.9}))
    assert np.array_equal(plain.faces, open_.faces) and not plain.field
    moved = np.linalg.norm(plain.vertices - open_.vertices, axis=1)
    assert 0.003 < moved.max() < 0.06 and np.median(moved) < 0.002
    assert 0.2 < size(plain)[2] < 0.45


def test_heads_are_neutral_and_differ(ask):
    a, b = (ask(model="head_vae", point=Point("face", seed=seed)) for seed in (1, 2))
    assert 0.001 < np.abs(a.vertices - b.vertices).max() < 0.05
    between = ask(model="head_vae", point=Point("face", seed=1), other=Point("face", seed=2), factor=0.5)
    assert np.allclose(between.vertices, (a.vertices + b.vertices) / 2, atol=0.004)


def test_between_meshes_of_other_faces_there_is_nothing(ask):
    with pytest.raises(JobError, match="nothing between a face and a head"):
        ask(model="head_vae", point=Point("face"), other=Point("head"), factor=0.5)


def test_a_head_has_no_field_to_save(ask, tmp_path):
    with pytest.raises(JobError, match="makes meshes without a field"):
        ask(model="head_vae", point=Point("head"), save_field=str(tmp_path / "f.npz"))
