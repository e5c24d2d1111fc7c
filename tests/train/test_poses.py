"""Cameras compared after a similarity, in closed form."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from maquette.train.evaluate import poses


def cameras(count=8, seed=0):
    rng = np.random.default_rng(seed)
    made = np.tile(np.eye(4), (count, 1, 1))
    made[:, :3, :3] = Rotation.random(count, rng).as_matrix()
    made[:, :3, 3] = rng.normal(size=(count, 3))
    return made


def moved(made, scale=2.5):
    rotation = Rotation.from_euler("xyz", [20, -50, 130], degrees=True).as_matrix()
    other = made.copy()
    other[:, :3, :3] = rotation @ made[:, :3, :3]
    other[:, :3, 3] = scale * made[:, :3, 3] @ rotation.T + [3, -1, 7]
    return other


def test_another_frame_is_no_difference():
    rotations, places = poses.differences(moved(cameras()), cameras())
    assert rotations.max() < 1e-4 and places.max() < 1e-9


def test_one_camera_that_looks_elsewhere_is_told():
    """By 10 degrees about an axis of its own; the others stay."""
    known, found = cameras(), moved(cameras())
    found[3, :3, :3] = found[3, :3, :3] @ Rotation.from_rotvec([0, np.radians(10), 0]).as_matrix()
    rotations, places = poses.differences(found, known)
    assert rotations[3] == pytest.approx(10 * 7 / 8, rel=0.02), "the mean of eight turns by an eighth"
    assert np.delete(rotations, 3) == pytest.approx(10 / 8, rel=0.02)


def test_one_camera_that_stands_elsewhere_is_told():
    known, found = cameras(60), moved(cameras(60))
    found[3, :3, 3] += found[3, :3, 0] * 0.1 * np.linalg.norm(found[:, :3, 3] - found[:, :3, 3].mean(0), axis=1).max()
    rotations, places = poses.differences(found, known)
    assert rotations.max() < 1e-4
    assert places[3] == pytest.approx(0.1, rel=0.05) and np.median(places) < 0.003


def test_a_mirrored_sum_gets_no_mirrored_rotation():
    assert np.linalg.det(poses.nearest_rotation(np.diag([1.0, 1.0, -0.5]))) == pytest.approx(1)


def test_known_cameras_are_hidden_from_the_search(ellipsoid, monkeypatch):
    """The row of a folder whose cameras were found exactly."""
    from maquette.geometry.folder import read_poses

    views = read_poses(ellipsoid.folder).views

    def found(folder):
        from pathlib import Path

        names = sorted(path.name for path in Path(folder).iterdir())
        assert len(names) == len(views) and not any(name.endswith(".json") for name in names)
        rows = [{"name": name[:4], "matrix": moved(v.camera[None])[0].tolist()} for name, v in zip(names, views)]
        return {"cameras": rows[1:], "seconds": 3.0}

    monkeypatch.setattr(poses, "asked", found)
    row = poses.measure(ellipsoid.folder)
    assert (row["photos"], row["found"], row["seconds"]) == (20, 19, 3.0)
    assert row["median rotation"] < 1e-4 and row["median place"] < 1e-4
