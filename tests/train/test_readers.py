"""The field's data: binvox, R2N2's layout and frame, ModelNet; on small sets in those layouts that are made here."""

import json
import types

import numpy as np
import pytest
import trimesh
from PIL import Image

from maquette.geometry.field import Field
from maquette.geometry.frames import UNIT_CUBE, cell_centres
from maquette.train.evaluate import command
from maquette.train.evaluate import r2n2 as protocol
from maquette.train.readers import binvox, modelnet, r2n2

SIZE = 0.5
"""Longest side of the model below, in its own units, y up."""


def inside(points):
    """A chair-like thing, longest side 1, bounds centred: y up, its back towards -x, one arm at +z. points (..., 3)."""
    x, y, z = np.moveaxis(np.asarray(points), -1, 0)
    seat = (abs(x) <= 0.4) & (y <= 0) & (abs(z) <= 0.35)
    back = (x >= -0.4) & (x <= -0.2) & (abs(y) <= 0.5) & (abs(z) <= 0.35)
    arm = (abs(x) <= 0.4) & (y <= 0.2) & (z >= 0.2) & (z <= 0.35)
    return (seat | back | arm) & (y >= -0.5)


def eye(azimuth, elevation, distance):
    """Where R2N2's camera stands, in the model's y up axes, as Pixel2Mesh and others write it."""
    a, e = np.radians([azimuth, elevation])
    return distance * np.array([np.cos(a) * np.cos(e), np.sin(e), np.sin(a) * np.cos(e)])


def picture(azimuth, elevation, distance, size=137):
    """RGBA: each point of a dense cloud lands where a 35 mm lens on a 32 mm sensor puts it."""
    cloud = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 90)] * 3), -1).reshape(-1, 3)
    cloud = cloud[inside(cloud)] * SIZE
    place = eye(azimuth, elevation, distance)
    forward = -place / np.linalg.norm(place)
    right = np.cross(forward, [0, 1, 0])
    right /= np.linalg.norm(right)
    local = (cloud - place) @ np.array([right, np.cross(right, forward), forward]).T
    at = local[:, :2] / local[:, 2:] * [1, -1] * (35 / 32 * size) + size / 2
    rgba = np.zeros((size, size, 4), np.uint8)
    column, row = at.astype(int).T
    rgba[row, column] = (150, 120, 90, 255)
    return Image.fromarray(rgba)


@pytest.fixture
def shapenet(tmp_path):
    """Two categories of five models with three pictures each; all models are the same shape."""
    grid = inside(cell_centres(32))
    random = np.random.default_rng(0)
    for category in ("03001627", "04379243"):
        for number in range(5):
            voxels = tmp_path / "ShapeNetVox32" / category / f"model{number}"
            rendering = tmp_path / "ShapeNetRendering" / category / f"model{number}" / "rendering"
            voxels.mkdir(parents=True)
            rendering.mkdir(parents=True)
            binvox.write(voxels / "model.binvox", binvox.Voxels(grid, (-SIZE / 2,) * 3, SIZE))
            lines = []
            for view in range(3 if number == 4 else 1):  # the fifth is the test model
                azimuth, elevation, share = random.uniform(0, 360), random.uniform(25, 30), random.uniform(0.65, 0.95)
                picture(azimuth, elevation, share * 1.75).save(rendering / f"{view:02d}.png")
                lines.append(f"{azimuth} {elevation} 0 {share} 25")
            (rendering / "rendering_metadata.txt").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_binvox_runs_along_y_then_z_then_x(tmp_path):
    """Written by hand as the format's page has it: y fastest; 2 x 2 x 2, the voxel x 1, y 0, z 1 filled."""
    path = tmp_path / "one.binvox"
    path.write_bytes(b"#binvox 1\ndim 2 2 2\ntranslate -1 0 .5\nscale 4\ndata\n" + bytes([0, 6, 1, 1, 0, 1]))
    voxels = binvox.read(path)
    assert np.argwhere(voxels.values).tolist() == [[1, 0, 1]]
    assert voxels.centres().tolist() == [[2.0, 1.0, 3.5]]
    assert np.argwhere(binvox.upright(voxels.values)).tolist() == [[1, 0, 0]]  # z 1 of 0..1 is the front, y 0 the foot


def test_binvox_round_trip_with_runs_beyond_a_byte(tmp_path):
    values = np.random.default_rng(0).random((16, 16, 16)) > 0.7
    values[3:9] = True
    binvox.write(tmp_path / "a.binvox", binvox.Voxels(values, (0.5, -0.25, 1e-3), 1.75))
    again = binvox.read(tmp_path / "a.binvox")
    assert np.array_equal(again.values, values) and again.translate == (0.5, -0.25, 1e-3) and again.scale == 1.75


@pytest.mark.parametrize(
    "content, says",
    [
        (b"PNG", "not a binvox file"),
        (b"#binvox 1\nscale 1\ndata\n", "no whole binvox header"),
        (b"#binvox 1\ndim 2 2 2\ndata\n\x01\x05", "holds 5 voxels, its header promises 8"),
        (b"#binvox 1\ndim 9999 9999 9999\ndata\n\x01\x05", "at most 1024 a side"),
    ],
)
def test_a_broken_binvox_is_named(tmp_path, content, says):
    (tmp_path / "bad.binvox").write_bytes(content)
    with pytest.raises(ValueError, match=f"bad.binvox.*{says}"):
        binvox.read(tmp_path / "bad.binvox")


def test_the_first_four_fifths_by_name_are_trained_on(shapenet):
    test, train = r2n2.samples(shapenet), r2n2.samples(shapenet, "train")
    assert [(s.kind, s.model) for s in test] == [("chair", "model4"), ("table", "model4")]
    assert [s.model for s in train[:4]] == [f"model{i}" for i in range(4)] and len(train) == 8
    assert len(r2n2.samples(shapenet, "all", categories=["table"])) == 5


def test_a_split_may_be_named(shapenet, tmp_path):
    entry = {"taxonomy_id": "03001627", "taxonomy_name": "chair", "train": ["model1"], "val": [], "test": ["model0"]}
    (tmp_path / "split.json").write_text(json.dumps([entry]))
    assert [s.model for s in r2n2.samples(shapenet, "test", tmp_path / "split.json")] == ["model0"]
    (tmp_path / "all.csv").write_text("id,synsetId,subSynsetId,modelId,split\n1,03001627,0,model2,test\n")
    assert [s.model for s in r2n2.samples(shapenet, "test", tmp_path / "all.csv")] == ["model2"]
    (tmp_path / "split.json").write_text("{")
    with pytest.raises(ValueError, match="split.json cannot be read as a split"):
        r2n2.samples(shapenet, "test", tmp_path / "split.json")


def test_voxels_and_pictures_agree_in_the_frame_we_read(shapenet, monkeypatch):
    sample = r2n2.samples(shapenet)[0]
    views = sample.views(3)
    right = np.mean([r2n2.agreement(sample, view) for view in views])
    monkeypatch.setattr(r2n2.View, "turn", property(lambda view: view.azimuth))
    wrong = np.mean([r2n2.agreement(sample, view) for view in views])
    assert right > 0.8 > 0.7 > wrong


def oracle(shapenet, size=64):
    """The true shape as a network would have to answer: as seen from the picture's camera, longest side 1."""
    known = {}
    for sample in r2n2.samples(shapenet):
        for view in sample.views(3):
            known[view.rgba().tobytes()] = view

    def predict(rgba):
        view = known[rgba.tobytes()]
        place = eye(view.azimuth, 0, 1)
        right = np.array([place[2], 0, -place[0]])  # forward x up, forward = -place, up = y
        basis = np.stack([right, -place, [0, 1, 0]])  # rows: the world's x, y and z in the model's axes
        corners = np.stack(np.meshgrid(*[np.linspace(-0.5, 0.5, 61)] * 3), -1).reshape(-1, 3)
        turned = corners[inside(corners)] @ basis.T
        low, high = turned.min(0), turned.max(0)
        points = cell_centres(size) * (high - low).max() + (low + high) / 2
        return Field(inside(points @ basis).astype(np.float32), 0.5, UNIT_CUBE)

    return predict


def test_a_perfect_answer_in_the_pictures_frame_scores_nearly_one(shapenet):
    """Whatever the azimuth; what is lacking is the grids' own coarseness."""
    test = r2n2.samples(shapenet)
    results = protocol.measure(test, protocol.Answers(oracle(shapenet)), 1)
    assert len(results) == 2 and min(result.iou[3] for result in results) > 0.85
    mirrored = oracle(shapenet)

    def wrong(rgba):
        field = mirrored(rgba)
        return Field(field.values[::-1].copy(), 0.5, UNIT_CUBE)

    assert max(result.iou[3] for result in protocol.measure(test, protocol.Answers(wrong), 1)) < 0.85
    text = protocol.table(results)
    assert "| chair | 1 |" in text and "mean over samples" in text and "t = 0.2" in text


def test_cameras_of_the_data_are_handed_on_with_several_pictures(shapenet):
    """What the photos' cameras leave of space is the object, so they are the data's own."""
    from maquette.geometry.rectified import rectified

    def hull(photos):
        about = rectified(photos)
        asked.append(about)
        return Field(np.ones((8, 8, 8), np.float32), 0.5, UNIT_CUBE)

    asked = []
    results = protocol.measure(r2n2.samples(shapenet), protocol.Answers(None, hull), 3)
    assert len(results) == 2
    for about in asked:
        assert len(about.views) == 3 and 0.5 < about.side < 1.6 and np.abs(about.middle).max() < 0.3
    with pytest.raises(ValueError, match="trained on one picture of an object alone"):
        protocol.evaluate(types.SimpleNamespace(views="1,2", r2n2=shapenet), protocol.Answers(None), {})


def test_bad_samples_are_named_and_passed_over(shapenet):
    table = shapenet / "ShapeNetVox32" / "04379243" / "model4" / "model.binvox"
    table.write_bytes(b"#binvox 1\ndim 32 32 32\ndata\n")
    said = []
    results = protocol.measure(r2n2.samples(shapenet), protocol.Answers(oracle(shapenet)), 1, said.append)
    assert [result.category for result in results] == ["03001627"]
    assert "passed over 04379243/model4" in said[0] and "header promises 32768" in said[0]


def test_a_frame_that_is_not_r2n2s_is_said(shapenet):
    for path in shapenet.glob("ShapeNetRendering/*/model4/rendering/rendering_metadata.txt"):
        lines = [line.split() for line in path.read_text().splitlines()]
        path.write_text("\n".join(f"{float(a) + 90} {e} {r} {float(d) * 3} {f}" for a, e, r, d, f in lines))
    said = []
    nothing = protocol.Answers(lambda rgba: Field(np.zeros((8, 8, 8), np.float32), 0.5, UNIT_CUBE))
    results = protocol.measure(r2n2.samples(shapenet), nothing, 1, said.append)
    assert results[0].iou == (0.0,) * 4 and "no figure here means anything" in said[-1]


def test_the_command_measures_the_bundled_network(shapenet, tmp_path, capsys):
    report = tmp_path / "r.json"
    options = ["--r2n2", str(shapenet), "--views", "1,2", "--limit", "1", "--report", str(report), "--device", "cpu"]
    assert command.main(["image_to_field", *options]) == 0
    out = capsys.readouterr().out
    assert out.count("| chair | 1 |") == 2 and "2 views, 1 models" in out
    one, two = json.loads(report.read_text())["results"]
    assert (one["views"], two["views"]) == (1, 2) and two["iou"][2] > 0.3
    assert command.main(["image_to_field", "--r2n2", str(tmp_path / "none")]) == 1
    assert "has no folder ShapeNetRendering" in capsys.readouterr().err


def test_modelnets_voxels_come_one_at_a_time(tmp_path):
    grids = np.zeros((3, 32, 32, 32), np.int32)
    grids[0, 4:8, 5:9, 6:12], grids[2, :8] = 1, 1
    np.savez_compressed(tmp_path / "m.npz", X_test=grids, y_test=[2, 3, 8])
    found = list(modelnet.voxels(tmp_path / "m.npz"))
    assert [label for label, _ in found] == [2, 8] and np.array_equal(found[0][1], grids[0] > 0)
    (tmp_path / "bad.npz").write_bytes((tmp_path / "m.npz").read_bytes()[:300])
    with pytest.raises(ValueError, match="bad.npz cannot be read as ModelNet"):
        list(modelnet.voxels(tmp_path / "bad.npz"))


def test_modelnets_meshes_lie_by_class_and_part(tmp_path):
    for part in ("train", "test"):
        (tmp_path / "sofa" / part).mkdir(parents=True)
        trimesh.creation.box().export(tmp_path / "sofa" / part / f"sofa_{part}.off")
    (model,) = modelnet.models(tmp_path)
    assert (model.kind, model.path.name) == ("sofa", "sofa_test.off")
    with pytest.raises(ValueError, match="no meshes at <class>/val"):
        modelnet.models(tmp_path, "val")
