"""The verbs that need no network, through a real worker: remesh, export, doctor."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from maquette.geometry.field import Field
from maquette.jobs import client
from maquette.jobs.client import JobError
from maquette.jobs.mask import edge
from maquette.jobs.requests import Doctor, Export, Mask, Meshing, Remesh, Shape

RADII = np.array([0.4, 0.2, 0.3])


@pytest.fixture(scope="module")
def worker():
    """One worker for all: warm is how it is used."""
    shared = client.Worker()
    yield shared
    shared.close()


@pytest.fixture(scope="module")
def ellipsoid(tmp_path_factory) -> str:
    """A field .npz: an ellipsoid off the origin, red at its left end and blue at its right, with a floating ball."""
    shape = (48, 32, 40)
    low, high = np.array([-0.5, -0.25, 0.1]), np.array([0.5, 0.35, 0.9])
    axes = [a + (np.arange(n) + 0.5) / n * (b - a) for a, b, n in zip(low, high, shape, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    body = 1 - np.linalg.norm((grid - [0, 0, 0.5]) / RADII, axis=-1)
    island = 0.3 - np.linalg.norm((grid - [0.4, 0.27, 0.8]) / 0.2, axis=-1)
    red = (grid[..., 0] + 0.5).clip(0, 1)
    colour = np.stack([1 - red, np.zeros(shape), red], axis=-1)
    path = tmp_path_factory.mktemp("Felder ä") / "ellipsoid.npz"
    Field(np.maximum(body, island).astype(np.float32), 0.0, np.stack([low, high]), colour.astype(np.float32)).save(path)
    return str(path)


def extent(shape) -> np.ndarray:
    return shape.vertices.max(axis=0) - shape.vertices.min(axis=0)


def test_a_remeshed_shape_stands_centred_with_its_longest_side(worker, ellipsoid):
    shape = worker.run(Remesh(ellipsoid, Meshing(size=2.5, smoothing=0)))
    low, high = shape.vertices.min(axis=0), shape.vertices.max(axis=0)
    assert low[2] == 0 and np.allclose((low + high)[:2], 0, atol=1e-6)
    assert (high - low).max() == pytest.approx(2.5, abs=1e-6)
    assert np.allclose((high - low) / 2.5, RADII / RADII.max(), atol=0.02)
    assert shape.report["volume"] == pytest.approx(4 / 3 * np.pi * RADII.prod() * (2.5 / 0.8) ** 3, rel=0.03)
    assert shape.report["watertight"] and shape.report["components"] == 1
    assert np.allclose(shape.report["bounds"], [low, high], atol=1e-5)


def test_remesh_follows_its_settings(worker, ellipsoid):
    plain = worker.run(Remesh(ellipsoid))
    few = worker.run(Remesh(ellipsoid, Meshing(faces=300)))
    assert 4 <= len(few.faces) <= 300 < len(plain.faces) and few.report["watertight"]
    thin = worker.run(Remesh(ellipsoid, Meshing(level=0.4, smoothing=0, size=1)))
    assert np.allclose(extent(thin), RADII / RADII.max(), atol=0.03), "smaller, but scaled to the same longest side"
    blocks = worker.run(Remesh(ellipsoid, Meshing(style="blocks")))
    steps = np.diff(np.unique(blocks.vertices[:, 0].round(5)))
    assert np.allclose(steps, steps[0], rtol=1e-2) and blocks.report["watertight"]
    assert worker.run(Remesh(ellipsoid, Meshing(islands=True))).report["components"] == 2


def test_colours_follow_the_field(worker, ellipsoid):
    shape = worker.run(Remesh(ellipsoid))
    left, right = shape.vertices[:, 0].argmin(), shape.vertices[:, 0].argmax()
    assert shape.colours[left][0] > 0.8 > 0.2 > shape.colours[left][2]
    assert shape.colours[right][2] > 0.8 > 0.2 > shape.colours[right][0]


def test_remesh_is_the_same_every_time_and_says_where_it_came_from(worker, ellipsoid):
    one, two = (worker.run(Remesh(ellipsoid, Meshing(faces=500))) for _ in range(2))
    assert np.array_equal(one.vertices, two.vertices) and np.array_equal(one.faces, two.faces)
    assert one.field == ellipsoid and one.provenance["verb"] == "remesh"
    assert one.provenance["settings"]["faces"] == 500 and one.report["field_level"] == 0
    assert {"seconds", "device", "vertices", "faces", "watertight", "components", "bounds"} <= set(one.report)
    json.dumps([one.report, one.provenance])


def test_faces_over_the_budget_are_told(worker, tmp_path):
    """A ring of cells has a hole, so no mesh of it has 4 faces: a torus takes 14 (Jungerman and Ringel 1980)."""
    values = np.zeros((9, 9, 3), np.float32)
    values[1:8, 1:8, 1] = 1
    values[3:6, 3:6, 1] = 0
    path = tmp_path / "ring.npz"
    Field(values, 0.5, np.array([[0, 0, 0], [9.0, 9, 3]])).save(path)
    report = worker.run(Remesh(str(path), Meshing(faces=4))).report
    assert 14 <= report["faces"] and report["watertight"]
    assert report["over_budget"].startswith(f"Faces is 4, but this mesh has {report['faces']}: ")
    assert worker.run(Remesh(str(path), Meshing(faces=300))).report["over_budget"] == ""


def test_a_level_with_nothing_inside_is_one_sentence(worker, ellipsoid):
    with pytest.raises(JobError, match="nothing is inside at level 0.99; lower the level"):
        worker.run(Remesh(ellipsoid, Meshing(level=0.99)))


def test_a_field_that_is_none_is_one_sentence(worker, tmp_path):
    (tmp_path / "notes.npz").write_text("hello")
    for path, said in ((tmp_path / "notes.npz", "is not a field"), (tmp_path / "gone.npz", "no field at")):
        with pytest.raises(JobError, match=said):
            worker.run(Remesh(str(path)))
    with pytest.raises(JobError, match="Regenerate"):
        worker.run(Remesh("0" * 64, cache=str(tmp_path)))


def test_a_preview_is_drawn_on_request(worker, ellipsoid, tmp_path):
    path = tmp_path / "Vorschau ä.png"
    worker.run(Remesh(ellipsoid, preview=str(path)))
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_every_format_is_written_whatever_the_folder_is_called(worker, ellipsoid, tmp_path, ending):
    shape = worker.run(Remesh(ellipsoid))
    folder = tmp_path / "Möbel 家具"
    folder.mkdir()
    written = worker.run(Export(str(folder / f"stuhl ä.{ending}"), shape.vertices, shape.faces, shape.colours)).path
    back = trimesh.load(written, force="mesh")
    assert abs(back.volume) == pytest.approx(shape.report["volume"], rel=1e-3)
    assert os.listdir(folder) == [f"stuhl ä.{ending}"], "no leftovers"


def test_a_shape_saves_itself(ellipsoid, worker, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "_shared", worker)
    monkeypatch.chdir(tmp_path)
    shape = worker.run(Remesh(ellipsoid))
    assert shape.save("chair.ply") == str(tmp_path / "chair.ply") and (tmp_path / "chair.ply").is_file()
    with pytest.raises(JobError, match="glb"):
        shape.save("chair.blend")
    assert replace(shape).save(tmp_path / "other.stl").endswith("other.stl")


@pytest.mark.parametrize("where", ["missing/chair.glb", "file/chair.glb"])
def test_a_folder_that_cannot_take_the_file_is_one_sentence(worker, tmp_path, where):
    (tmp_path / "file").write_text("in the way")
    before = sorted(tmp_path.rglob("*"))
    triangle = np.eye(3, dtype=np.float32), np.array([[0, 1, 2]])
    with pytest.raises(JobError) as error:
        worker.run(Export(str(tmp_path / where), *triangle))
    assert str(tmp_path) in str(error.value) and "unexpectedly" not in str(error.value) and "\n" not in str(error.value)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_one_sentence(worker, tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(JobError, match="cannot be written|ermission"):
        worker.run(Export(str(tmp_path / "a.glb"), np.eye(3), np.array([[0, 1, 2]])))


def test_the_doctor_runs_a_kernel_and_names_what_it_found(worker):
    diagnosis = worker.run(Doctor(device="cpu"))
    (row,) = diagnosis.report["devices"]
    assert row["name"] == "cpu" and row["ok"] and row["seconds"] > 0
    assert diagnosis.device == "cpu"
    assert {"torch", "numpy", "python"} <= set(diagnosis.report["versions"])
    assert {"python", "extension", "fields"} <= set(diagnosis.report["folders"])


def test_a_device_that_is_not_there_is_a_finding(worker):
    if any(row["name"] == "mps" for row in worker.run(Doctor()).report["devices"]):
        pytest.skip("this machine has the device that the test needs to be absent")
    diagnosis = worker.run(Doctor(device="mps"))
    assert not diagnosis.ok and diagnosis.device == "none"
    assert "finds no mps device" in diagnosis.trouble()[0]


def test_shapes_are_the_same_class_on_both_ends(worker, ellipsoid):
    assert type(worker.run(Remesh(ellipsoid))) is Shape


def ball(path, transparent: bool):
    """A red disc of a quarter of the side as radius, before white or before nothing."""
    canvas = Image.new("RGBA", (200, 200), (255, 255, 255, 0 if transparent else 255))
    ImageDraw.Draw(canvas).ellipse((50, 50, 150, 150), fill=(200, 30, 30, 255))
    canvas.save(path)
    return str(path)


@pytest.mark.parametrize("transparent, method", [(True, "alpha"), (False, "plain")])
def test_the_mask_preview_dims_the_background_and_keeps_the_object(worker, tmp_path, transparent, method):
    picture, drawn = ball(tmp_path / "Ball ä.png", transparent), tmp_path / "mask.png"
    masked = worker.run(Mask(picture, str(drawn)))
    assert (masked.path, masked.method) == (str(drawn), method)
    assert masked.coverage == pytest.approx(np.pi / 16, rel=0.1)
    pixels = np.asarray(Image.open(drawn).convert("RGB"))
    assert pixels.shape == (200, 200, 3)
    assert pixels[100, 100].mean() > 140 and np.ptp(pixels[100, 100]) > 50, "light, and red shows through"
    assert (pixels[5, 5] < 115).all(), "the background is dimmed"
    outline = np.flatnonzero((pixels[100] == (242, 115, 0)).all(axis=-1))
    assert len(outline) == 4 and np.allclose(outline, [48, 49, 151, 152], atol=4), "it lies round the object"


def test_a_picture_without_an_object_has_no_mask(worker, tmp_path):
    Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / "plain.png")
    with pytest.raises(JobError, match="no object stands out from the background of plain.png"):
        worker.run(Mask(tmp_path / "plain.png", tmp_path / "mask.png"))
    assert not (tmp_path / "mask.png").exists()


def test_the_edge_is_two_pixels_outside():
    inside = np.zeros((9, 9), bool)
    inside[4, 4] = True
    y, x = np.mgrid[-4:5, -4:5]
    distance = abs(x) + abs(y)
    assert np.array_equal(edge(inside), (distance > 0) & (distance <= 2))
