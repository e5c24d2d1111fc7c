"""Capture from a folder of posed pictures to a mesh where the cameras saw it."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.picture import write_picture
from maquette.jobs.capture import capture, scored
from maquette.jobs.capturing import Capture
from maquette.jobs.remesh import remesh
from maquette.jobs.requests import Meshing, Remesh

CENTRE, RADII = np.array([3.0, -2.0, 5.0]), np.array([0.7, 0.5, 0.4])
SIDE, FOV = 72, 40.0  # of conftest's ellipsoid


def quiet(*_):
    pass


def never():
    return False


@pytest.fixture(scope="module")
def folder(ellipsoid):
    return ellipsoid.folder


@pytest.fixture(scope="module")
def result(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    request = Capture(folder, steps=110, resolution=64, renders=str(out), cache=str(out), save_field=str(out / "f.npz"))
    return capture(request, quiet, never), out


def test_the_mesh_lies_where_the_cameras_saw_it(result):
    shape, _ = result
    off = np.linalg.norm((shape.vertices - CENTRE) / RADII, axis=1) - 1
    assert np.abs(off).mean() < 0.03
    assert shape.report["watertight"] and shape.report["components"] == 1 and shape.report["volume"] > 0


def test_its_colours_are_those_of_the_photos(result):
    shape, _ = result
    place = (shape.vertices - CENTRE) / RADII
    clear = np.abs(np.sin(9 * place[:, 2])) > 0.8
    red = np.sin(9 * place[clear, 2]) > 0
    assert ((shape.colours[clear, 0] > shape.colours[clear, 2]) == red).mean() > 0.95


@pytest.mark.parametrize("count, some", [(0, 0), (4, 4), (25, 7), (200, 8)])
def test_a_few_of_many_test_views_are_scored_unless_more_is_asked(folder, count, some):
    scene = SimpleNamespace(held_out=tuple(range(count)))
    assert len(scored(scene, Capture(folder))) == some
    for asked in (Capture(folder, holdout=5), Capture(folder, renders=folder)):
        assert scored(scene, asked) == scene.held_out


def test_the_report_has_scores_of_the_held_out_views(result):
    shape, out = result
    report = shape.report
    assert report["views"] == 20 and report["registered"] == 24 and report["held_out"] == 4
    assert report["psnr"] > 22 and 0.7 < report["ssim"] <= 1 and report["steps"] > 0
    assert sorted(path.name for path in out.glob("*.png")) == [f"r_{i}.png" for i in range(4)]


def test_a_density_is_seen_and_meshed_too(folder, tmp_path):
    """Fog in place of a surface: what it shows is right, its mesh rough; what is resumed is of the same method."""
    asked = {"resolution": 64, "method": "density", "cache": str(tmp_path)}
    shape = capture(Capture(folder, steps=110, **asked), quiet, never)
    off = np.linalg.norm((shape.vertices - CENTRE) / RADII, axis=1) - 1
    assert np.abs(off).mean() < 0.06 and shape.report["psnr"] > 22 and shape.report["watertight"]
    assert shape.provenance["settings"]["method"] == "density"
    again = capture(Capture(folder, steps=5, resume=True, **asked), quiet, never)
    assert again.report["steps"] == 115
    with pytest.raises(ValueError, match="nothing to resume"):
        capture(Capture(folder, steps=5, resume=True, **asked | {"method": "surface"}), quiet, never)


def test_remesh_keeps_the_place(result):
    shape, out = result
    again = remesh(Remesh(str(out / "f.npz"), Meshing(faces=600)), quiet, never)
    assert len(again.faces) <= 600
    middle = (again.vertices.min(0) + again.vertices.max(0)) / 2  # where vertices are dense is up to the decimation
    np.testing.assert_allclose(middle, CENTRE, atol=0.05)
    by_key = remesh(Remesh(shape.field, cache=str(out)), quiet, never)
    np.testing.assert_allclose(by_key.vertices, remesh(Remesh(str(out / "f.npz")), quiet, never).vertices)
    standing = remesh(Remesh(str(out / "f.npz"), Meshing(size=2)), quiet, never)
    assert standing.vertices[:, 2].min() == pytest.approx(0, abs=1e-5)


def test_the_same_steps_give_the_same_mesh(folder, tmp_path):
    """Bit for bit, with one seed; another seed gives another."""
    asked = [Capture(folder, steps=30, resolution=64, seed=seed, cache=str(tmp_path)) for seed in (1, 1, 2)]
    make = [capture(request, quiet, never) for request in asked]
    assert np.array_equal(make[0].vertices, make[1].vertices) and make[0].report["steps"] == 30
    assert make[0].field == make[1].field != make[2].field


def test_a_budget_of_seconds_is_kept(folder, tmp_path):
    shape = capture(Capture(folder, budget=4, resolution=96, cache=str(tmp_path)), quiet, never)
    assert shape.report["steps"] > 0 and shape.report["seconds"] < 60


def test_stopping_early_keeps_what_there_is(folder, tmp_path):
    """What is wanted when time runs out: the mesh so far."""
    asked = []

    def soon():
        asked.append(1)
        return len(asked) > 6

    shape = capture(Capture(folder, budget=600, resolution=64, cache=str(tmp_path)), quiet, soon)
    assert len(shape.faces) and shape.report["steps"] < 10


def test_whoever_watches_sees_the_mesh_and_says_when_it_is_enough(folder, tmp_path):
    """The third mesh is enough: it ends with what there is, which is where it was seen."""
    seen = []

    def watch(fraction, phase, note="", shape=None):
        if shape is not None:
            seen.append(shape)
        return len(seen) >= 3

    shape = capture(Capture(folder, budget=600, resolution=64, live=0.01, cache=str(tmp_path)), watch, never)
    assert len(seen) == 3 and shape.report["ended_early"] and shape.report["steps"] < 1000
    for one in (*seen, shape):
        off = np.linalg.norm((one.vertices - CENTRE) / RADII, axis=1) - 1
        assert np.abs(off).mean() < 0.1 and one.colours.shape == one.vertices.shape
    again = capture(Capture(folder, steps=10, resolution=64, resume=True, cache=str(tmp_path)), quiet, never)
    assert again.report["steps"] == shape.report["steps"] + 10, "what was kept goes on"
    assert "ended_early" not in again.report


def test_nobody_watches_nothing_is_shown(folder, tmp_path):
    shown = []
    watch = lambda *_, shape=None: shown.append(shape)  # noqa: E731
    capture(Capture(folder, steps=30, resolution=64, cache=str(tmp_path)), watch, never)
    assert shown and not any(shown)


def test_the_mesh_so_far_is_coarse(folder, tmp_path):
    """Every second corner of a fine grid: the same place, a quarter of the faces."""
    seen = []
    watch = lambda *_, shape=None: seen.append(shape) if shape is not None else None  # noqa: E731
    shape = capture(Capture(folder, steps=40, resolution=128, live=0.01, cache=str(tmp_path)), watch, never)
    assert len(seen[-1].faces) < len(shape.faces) / 2
    np.testing.assert_allclose(np.ptp(seen[-1].vertices, axis=0), np.ptp(shape.vertices, axis=0), rtol=0.06)
    np.testing.assert_allclose(seen[-1].vertices.mean(0), CENTRE, atol=0.06)


def test_what_no_photo_shows_is_left_out_where_asked(folder, tmp_path):
    """From above only: the mesh is open below, and so it stays when it is remeshed."""
    told = json.loads((folder / "transforms_train.json").read_text("utf-8"))
    told["frames"] = [row for row in told["frames"] if row["transform_matrix"][2][3] - CENTRE[2] > 1.2]
    (tmp_path / "train").mkdir()
    for row in told["frames"]:
        (tmp_path / f"{row['file_path']}.png").write_bytes((folder / f"{row['file_path']}.png").read_bytes())
    (tmp_path / "transforms.json").write_text(json.dumps(told), "utf-8")
    shape = capture(Capture(tmp_path, steps=15, resolution=64, unseen="cull", cache=str(tmp_path)), quiet, never)
    assert not shape.report["watertight"] and shape.report["components"] == 1
    assert "in no photo and was left out; the mesh is open there" in shape.report["note"]
    again = remesh(Remesh(shape.field, Meshing(faces=800), cache=str(tmp_path)), quiet, never)
    for each in (shape, again):
        height = (each.vertices[:, 2] - CENTRE[2]) / RADII[2]
        assert -0.85 < height.min() < -0.1 and height.max() > 0.85
    assert len(again.faces) <= 800 and not again.report["watertight"]


@pytest.fixture(scope="module")
def photographed(ellipsoid, folder, tmp_path_factory):
    """The same without masks, before a coloured sky."""
    root = tmp_path_factory.mktemp("photographed")
    (root / "train").mkdir()
    text = (folder / "transforms_train.json").read_text("utf-8")
    (root / "transforms_train.json").write_text(text, "utf-8")
    for row in json.loads(text)["frames"]:
        camera = np.array(row["transform_matrix"])
        _, ways = frames.rays(camera, frames.intrinsics(FOV, SIDE, SIDE), SIDE, SIDE)
        sky = 0.5 + 0.4 * np.sin(3 * ways + [0, 1, 2])
        seen = ellipsoid.seen_from(camera)
        shown = np.where(seen[..., 3:] > 0, seen[..., :3], sky).astype(np.float32)
        write_picture(shown, root / f"{row['file_path']}.png")
    return root


@pytest.mark.parametrize("method", ["surface", "density"])
def test_photos_without_masks(photographed, tmp_path, method):
    """Roughly, within seconds: the object, and not the sky."""
    asked = {"resolution": 64, "holdout": 7, "method": method, "cache": str(tmp_path)}
    shape = capture(Capture(photographed, steps=80, **asked), quiet, never)
    off = np.linalg.norm((shape.vertices - CENTRE) / RADII, axis=1) - 1
    assert np.abs(off).mean() < 0.15
    assert shape.report["watertight"] and shape.report["psnr"] > 12 and shape.report["held_out"] == 3


def test_some_masks_leave_the_rest_out(folder, photographed, tmp_path):
    """Half with a mask: those are taken, and the report says so."""
    (tmp_path / "train").mkdir()
    (tmp_path / "transforms_train.json").write_bytes((folder / "transforms_train.json").read_bytes())
    for i in range(20):
        source = folder if i % 2 else photographed
        (tmp_path / "train" / f"r_{i}.png").write_bytes((source / "train" / f"r_{i}.png").read_bytes())
    shape = capture(Capture(tmp_path, steps=20, resolution=64, cache=str(tmp_path)), quiet, never)
    assert shape.report["views"] == 10 and "10 photos have no mask" in shape.report["note"]


UPPER = (3.0, -2.0, 5.25, 1.6, 1.6, 0.5)
"""A box round the upper half of the ellipsoid, with room at its sides"""


def in_upper_half(shape, slack):
    """It ends where the box does, closed, and is the ellipsoid above."""
    assert shape.report["watertight"] and shape.report["components"] == 1
    assert shape.vertices[:, 2].min() == pytest.approx(5.0, abs=slack / 4)
    above = shape.vertices[:, 2] > 5.0 + slack
    off = np.linalg.norm((shape.vertices[above] - CENTRE) / RADII, axis=1) - 1
    assert np.abs(off).mean() < slack
    half = 2 / 3 * np.pi * RADII.prod()
    assert shape.report["volume"] == pytest.approx(half, rel=2.5 * slack)
    assert shape.report["box"]["size"] == [1.6, 1.6, 0.5] and shape.report["box"]["centre"] == list(UPPER[:3])


def test_only_what_is_in_the_box(folder, tmp_path):
    request = Capture(folder, steps=80, resolution=64, box=UPPER, cache=str(tmp_path))
    shape = capture(request, quiet, never)
    in_upper_half(shape, 0.06)
    again = remesh(Remesh(shape.field, Meshing(faces=900), cache=str(tmp_path)), quiet, never)
    assert again.vertices[:, 2].min() == pytest.approx(5.0, abs=0.02)
    assert shape.provenance["settings"]["box"] == UPPER


def test_a_box_with_photos_without_masks(photographed, tmp_path):
    """It says where to look, and what to leave; roughly, within seconds."""
    roomy = (3.0, -2.0, 5.5, 2.4, 2.4, 1.0)
    shape = capture(Capture(photographed, steps=100, resolution=64, box=roomy, cache=str(tmp_path)), quiet, never)
    assert shape.report["watertight"] and shape.report["box"]["size"] == [2.4, 2.4, 1.0]
    assert shape.vertices[:, 2].min() == pytest.approx(5.0, abs=0.03)
    above = shape.vertices[:, 2] > 5.1
    off = np.linalg.norm((shape.vertices[above] - CENTRE) / RADII, axis=1) - 1
    assert np.abs(off).mean() < 0.15
    half = 2 / 3 * np.pi * RADII.prod()
    assert 0.5 * half < shape.report["volume"] < 1.2 * half


def test_a_box_with_a_part_of_the_object_keeps_clear_of_the_rest(folder, tmp_path):
    """A small one round the right end: what the masks show elsewhere becomes no wall of it."""
    end = (3.6, -2.0, 5.0, 0.4, 0.7, 0.7)
    shape = capture(Capture(folder, steps=80, resolution=64, box=end, cache=str(tmp_path)), quiet, never)
    place = (shape.vertices - CENTRE) / RADII
    off = np.linalg.norm(place, axis=1) - 1
    assert off.max() < 0.15, "nothing stands outside the ellipsoid"
    assert shape.vertices[:, 0].min() == pytest.approx(3.4, abs=0.02)
    assert np.abs(off[shape.vertices[:, 0] > 3.45]).mean() < 0.05


def test_an_empty_box_is_a_sentence(folder, tmp_path):
    request = Capture(folder, steps=20, resolution=64, box=(3, -2, 8, 1, 1, 1), cache=str(tmp_path))
    with pytest.raises(ValueError, match="nothing in the box; move it"):
        capture(request, quiet, never)


def test_each_box_is_resumed_by_itself(folder, tmp_path):
    asked = {"steps": 10, "resolution": 64, "cache": str(tmp_path)}
    capture(Capture(folder, box=UPPER, **asked), quiet, never)
    assert capture(Capture(folder, box=UPPER, resume=True, **asked), quiet, never).report["steps"] == 20
    with pytest.raises(ValueError, match="nothing to resume"):
        capture(Capture(folder, resume=True, **asked), quiet, never)


@pytest.mark.parametrize(
    "settings, sentence",
    [
        ({"box": (0, 0, 0, 1, 1)}, "Box is .* six numbers"),
        ({"box": "0,0,0,1,1,1"}, "Box is .* six numbers"),
        ({"box": (0, 0, 0, 1, 0, 1)}, "Box is 0 along one side"),
        ({"box": (0, 0, float("nan"), 1, 1, 1)}, "Box is nan"),
        ({"budget": 0}, "Budget is 0 seconds"),
        ({"budget": "soon"}, "Budget"),
        ({"resolution": 100}, "Resolution is 100; choose one of"),
        ({"holdout": -1}, "Holdout"),
        ({"seed": 1.5}, "Seed"),
        ({"method": "magic"}, "Method is 'magic'; choose one of auto, density, surface"),
        ({"unseen": "hide"}, "Unseen is 'hide'; choose one of close, cull"),
    ],
)
def test_wrong_settings_are_a_sentence(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Capture("photos", **settings)


def test_what_is_fitted_suits_the_photos(folder, photographed, tmp_path):
    """Fog where masks clear it away and cells are fine; the report says which, and which was asked for."""
    cases = (folder, 128, 4, "density"), (folder, 64, 4, "surface"), (photographed, 128, 60, "surface")
    for photos, resolution, steps, method in cases:
        shape = capture(Capture(photos, resolution=resolution, steps=steps, cache=str(tmp_path)), quiet, never)
        assert shape.report["method"] == method and shape.provenance["settings"]["method"] == "auto"
