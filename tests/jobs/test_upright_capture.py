"""Captures that are turned upright where that is asked for: with what they report, and with what is made of them."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image

from maquette.geometry import frames
from maquette.jobs.capture import capture
from maquette.jobs.capturing import Capture
from maquette.jobs.remesh import remesh
from maquette.jobs.requests import Meshing, Remesh

TURN = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], float) @ np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
"""z becomes -y: as photos' cameras often are found"""


def quiet(*_):
    pass


def never():
    return False


@pytest.fixture(scope="module")
def lying(ellipsoid, tmp_path_factory):
    """The same pictures, and cameras in a frame whose z is not up."""
    root = tmp_path_factory.mktemp("lying") / "photos"
    shutil.copytree(ellipsoid.folder, root)
    way = np.eye(4)
    way[:3, :3] = TURN
    for path in root.glob("*.json"):
        told = json.loads(path.read_text())
        for frame in told["frames"]:
            frame["transform_matrix"] = (way @ np.array(frame["transform_matrix"])).tolist()
        path.write_text(json.dumps(told))
    return root


def captured(folder, out, **asked):
    request = Capture(folder, steps=80, resolution=64, cache=str(out), save_field=str(out / "f.npz"), **asked)
    return capture(request, quiet, never)


def where(camera, points):
    """(P, 2) of points before a camera-to-world (4, 4)."""
    seen = frames.carried(points, np.linalg.inv(camera))
    return seen[:, :2] / -seen[:, 2:]


def test_it_stays_in_the_cameras_frame_unless_asked(lying, ellipsoid, tmp_path):
    shape = captured(lying, tmp_path)
    np.testing.assert_allclose(np.ptp(shape.vertices, axis=0).argmax(), np.abs(TURN[:, 0]).argmax())
    assert shape.report["placement"] == np.eye(4).tolist() and "up" not in shape.report


def test_by_its_cameras(lying, ellipsoid, tmp_path):
    plain, shape = captured(lying, tmp_path), captured(lying, tmp_path, up="cameras")
    np.testing.assert_allclose(shape.report["up"], TURN[:, 2], atol=0.02)
    np.testing.assert_allclose(np.ptp(shape.vertices, axis=0)[2], 2 * ellipsoid.radii[2], atol=0.06)
    assert shape.vertices[:, 2].min() == pytest.approx(0, abs=1e-5)
    assert shape.provenance["settings"]["up"] == "cameras"
    way = np.array(shape.report["placement"])
    np.testing.assert_allclose(shape.vertices, frames.carried(plain.vertices, way), atol=1e-4)
    for row, before in zip(shape.report["cameras"], plain.report["cameras"]):
        seen, wanted = (np.array(one["matrix"]) for one in (row, before))
        np.testing.assert_allclose(where(seen, shape.vertices), where(wanted, plain.vertices), atol=1e-4)
    again = remesh(Remesh(str(tmp_path / "f.npz"), Meshing(faces=600)), quiet, never)
    np.testing.assert_allclose(np.ptp(again.vertices, axis=0), np.ptp(shape.vertices, axis=0), atol=0.05)
    large = remesh(Remesh(str(tmp_path / "f.npz"), Meshing(size=3.0)), quiet, never)
    assert np.ptp(large.vertices, axis=0).max() == pytest.approx(3) and large.vertices[:, 2].min() == pytest.approx(0)
    assert np.ptp(large.vertices, axis=0).argmin() == 2


def test_what_stands_on_nothing_goes_by_its_cameras(lying, tmp_path):
    shape = captured(lying, tmp_path, up="floor")
    np.testing.assert_allclose(shape.report["up"], TURN[:, 2], atol=0.02)
    assert "stands on nothing flat" in shape.report["note"] and "upright by its cameras" in shape.report["note"]


def test_cameras_that_do_not_tell_leave_it_as_it_lies(lying, tmp_path):
    folder = tmp_path / "rolled"
    shutil.copytree(lying, folder)
    told = json.loads((folder / "transforms_train.json").read_text())
    for number, frame in enumerate(told["frames"]):
        if number % 2:  # the picture is turned along, so that the object is still where it is
            turned = np.array(frame["transform_matrix"])
            turned[:3, :2] *= -1
            frame["transform_matrix"] = turned.tolist()
            path = folder / f"{frame['file_path']}.png"
            with Image.open(path) as picture:
                over = picture.rotate(180)
            over.save(path)
    (folder / "transforms_train.json").write_text(json.dumps(told))
    shape = captured(folder, tmp_path, up="cameras")
    assert "lies as it was found" in shape.report["note"] and shape.report["placement"] == np.eye(4).tolist()
