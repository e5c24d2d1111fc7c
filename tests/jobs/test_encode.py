"""Encode: bad meshes get one sentence, odd ones a note, and the pose takes the sampled shape to the mesh."""

import numpy as np
import pytest
import trimesh

from maquette.jobs import encode as job
from maquette.jobs.requests import Encode, from_json, to_json

from ..nets import analytic

quiet = lambda *_: None  # noqa: E731


pytestmark = pytest.mark.usefixtures("closed_forms")


def encode(**request):
    return job.encode(Encode(**{"device": "cpu"} | request), quiet, lambda: False)


def arrays(shape) -> dict:
    return {"vertices": np.asarray(shape.vertices, np.float32), "faces": np.asarray(shape.faces, np.int32)}


@pytest.mark.parametrize("turn", [0, 90, 180])
def test_the_pose_takes_the_sampled_shape_to_the_mesh(turn):
    """Corners of the mean bench, turned, scaled and moved by the report, are the mesh's corners."""
    moved = analytic.mesh("bench", (0, 0, 0), turn, 2.5, move=(3, -4, 7))
    found = encode(**arrays(moved))
    report = found.report
    assert found.point.family == report["family"] == "bench" and report["iou"] > 0.8
    assert abs((report["turn"] - turn + 180) % 360 - 180) < 0.01
    angle = np.radians(report["turn"])
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    sampled = analytic.mesh("bench", found.point.latent).vertices
    placed = sampled @ rotation.T * report["scale"] + report["centre"]
    low, high = moved.bounds
    assert np.allclose(placed.min(axis=0), low, atol=0.3) and np.allclose(placed.max(axis=0), high, atol=0.3)
    assert {"seconds", "device", "families", "strangeness"} <= set(report)
    assert [row["name"] for row in report["families"]] == ["bench", "pillar"]


def test_a_request_with_arrays_crosses_the_wire():
    kept = {}
    request = Encode(**arrays(trimesh.creation.box()))
    there = from_json(to_json(request, lambda name, array: kept.setdefault(name, array) is None or name), kept.get)
    assert np.array_equal(there.vertices, request.vertices) and np.array_equal(there.faces, request.faces)


@pytest.mark.parametrize("ending", ["glb", "obj", "ply", "stl", "off"])
def test_files_of_every_kind_are_read_upright(tmp_path, ending):
    shape = analytic.mesh("pillar", (0, 0, 0))
    if ending == "glb":  # y up
        shape.apply_transform(np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, -1, 0, 0], [0, 0, 0, 1.0]]))
    shape.export(tmp_path / f"säule.{ending}")
    report = encode(path=str(tmp_path / f"säule.{ending}"), family="pillar").report
    assert report["iou"] > 0.8 and report["scale"] == pytest.approx(1, abs=0.1)


def bad_files(folder):
    """Name -> what is said of it."""
    (folder / "text.glb").write_text("hello, this is no mesh")
    (folder / "empty.obj").write_text("")
    (folder / "points.ply").write_bytes(trimesh.PointCloud(np.eye(3)).export(file_type="ply"))
    (folder / "shape.fbx").write_bytes(b"Kaydara")
    (folder / "nan.off").write_text("OFF\n4 2 0\n0 0 0\nnan 0 0\n0 1 0\n0 0 1\n3 0 1 2\n3 0 1 3\n")
    return {
        "gone.obj": "does not exist",
        "text.glb": "cannot be read as a mesh",
        "empty.obj": "cannot be read as a mesh|holds no triangles",
        "points.ply": "holds no triangles",
        "shape.fbx": "is not a mesh that Maquette reads",
        "nan.off": "no finite numbers",
    }


@pytest.mark.parametrize("name", ["gone.obj", "text.glb", "empty.obj", "points.ply", "shape.fbx", "nan.off"])
def test_bad_files_are_one_sentence_that_names_them(tmp_path, name):
    said = bad_files(tmp_path)[name]
    with pytest.raises(ValueError, match=f"{name} .*({said})|{name} ({said})") as error:
        encode(path=str(tmp_path / name))
    assert "\n" not in str(error.value)


def stretched(factor):
    return arrays(trimesh.creation.box((factor, factor, factor)))


@pytest.mark.parametrize(
    "mesh, said",
    [
        (dict(vertices=np.zeros((0, 3)), faces=np.zeros((0, 3), np.int32)), "has no faces"),
        (dict(vertices=np.eye(3), faces=np.array([[0, 1, 1]])), "is flat|m long"),
        (dict(vertices=np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]]), faces=np.array([[0, 1, 2]])), "is flat"),
        (dict(vertices=np.eye(3) * [1, np.nan, 1], faces=np.array([[0, 1, 2]])), "no finite numbers"),
        (dict(vertices=np.where(np.eye(3) > 0, np.inf, 0), faces=np.array([[0, 1, 2]])), "no finite numbers"),
        (stretched(1e-6), "1e-06 m long"),
        (stretched(1e7), "1e[+]07 m long"),
    ],
    ids=["empty", "degenerate", "flat", "nan", "infinite", "tiny", "huge"],
)
def test_meshes_that_cannot_be_used_are_one_sentence(mesh, said):
    with pytest.raises(ValueError, match=said) as error:
        encode(**mesh)
    assert "\n" not in str(error.value)


def test_too_many_faces_are_counted(monkeypatch):
    monkeypatch.setattr(job, "FACES", 10)
    with pytest.raises(ValueError, match="has 12 faces; Encode takes at most 10"):
        encode(**stretched(1))


def test_unknown_names_are_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="no family 'boat'; it has bench, pillar"):
        encode(**stretched(1), family="boat")
    with pytest.raises(ValueError, match="There is no sampler 'image_to_field'"):
        encode(**stretched(1), model="image_to_field")
    with pytest.raises(ValueError, match="head_vae makes meshes without a field; Encode and Fit need"):
        encode(**stretched(1), model="head_vae")
    with pytest.raises(ValueError, match="No mesh was given"):
        Encode()


def noted(shape, family="bench"):
    report = encode(**arrays(shape), family=family).report
    return report.get("note", ""), report["iou"]


def test_open_and_non_manifold_meshes_are_filled_and_told():
    whole = analytic.mesh("pillar", (0, 0, 0))
    assert noted(whole, "pillar")[0] == ""
    opened = whole.copy()
    opened.update_faces(np.arange(len(opened.faces)) > 1)
    note, iou = noted(opened, "pillar")
    assert "is not closed" in note and iou > 0.75
    finned = trimesh.util.concatenate([whole, trimesh.Trimesh(whole.vertices[[0, 1, 7]], [[0, 1, 2]])])
    note, iou = noted(finned, "pillar")
    assert "is not closed" in note and iou > 0.75


def test_a_sheet_is_thickened_and_told_and_a_thread_is_refused():
    note, _ = noted(trimesh.Trimesh(np.eye(3), [[0, 1, 2]]))
    assert "so thin that they were thickened" in note
    thread = trimesh.creation.box((1, 0.001, 0.001)).apply_transform(
        trimesh.transformations.random_rotation_matrix(np.array([0.2, 0.4, 0.6]))
    )
    thread.update_faces(np.arange(12) > 1)
    with pytest.raises(
        ValueError, match="the mesh is open or thinner than a cell.*close its holes or give it thickness"
    ):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(job, "THICKEN", 0.001)
            noted(thread)


def test_a_mesh_of_several_parts_is_taken_whole():
    note, iou = noted(analytic.mesh("bench", (0, 0, 0)))
    assert "is in 2 pieces, which are taken together" in note and iou > 0.8


def test_what_is_asymmetric_or_unknown_is_told():
    lopsided = trimesh.util.concatenate(
        [analytic.mesh("bench", (0, 0, 0)), trimesh.creation.box((0.3, 0.6, 0.9)).apply_translation((0.8, -0.3, 0.45))]
    )
    assert "left and right differ" in noted(lopsided)[0]
    assert "left and right differ" not in noted(analytic.mesh("bench", (0, 0, 0)))[0]
    note, iou = noted(trimesh.creation.icosphere().apply_translation((0, 0, 1)), "bench")
    assert iou < job.ALIKE and "unlike anything this model knows" in note


def test_a_cancel_ends_it():
    class Cancelled(Exception):
        pass

    def progress(fraction, *said):
        if fraction > 0.3:
            raise Cancelled

    with pytest.raises(Cancelled):
        job.encode(Encode(**stretched(1), device="cpu"), progress, lambda: True)
