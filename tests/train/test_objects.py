"""The folder of objects: what it may hold, and the frame it is read in."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from maquette.train.evaluate import objects


@pytest.fixture
def folder(tmp_path):
    """One object, an arrow along +x that stands at z 0 to 1, with two pictures."""
    home = tmp_path / "arrow"
    home.mkdir()
    vertices = np.float32([[0, -0.1, 0], [0, 0.1, 0], [1, 0, 0], [0, 0, 1]])
    np.savez(home / "mesh.npz", v=vertices, f=np.int32([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]]))
    for name in ("a.png", "b.png"):
        Image.new("RGBA", (40, 40)).save(home / name)
    return tmp_path


def cameras(folder, **azimuths):
    content = {f"{name}.png": {"azimuth": value} for name, value in azimuths.items()}
    (folder / "arrow" / "cameras.json").write_text(json.dumps(content))


def test_without_cameras_the_mesh_stands_as_stored(folder):
    views = objects.read_objects(folder)
    assert [view.picture.name for view in views] == ["a.png", "b.png"]
    assert views[0].type == views[0].object == "arrow"
    assert np.allclose(views[0].truth().vertices[2], [1, 0, 0])


def test_what_points_at_the_camera_comes_out_at_minus_y(folder):
    """A camera at azimuth 90 stands at +x: the arrow points at it, so in the picture's frame it points to -y."""
    cameras(folder, a=90, b=180)
    a, b = (view.truth().vertices[2] for view in objects.read_objects(folder))
    assert np.allclose(a, [0, -1, 0], atol=1e-6)
    assert np.allclose(b, [-1, 0, 0], atol=1e-6)


def test_types_and_view_counts(folder):
    (folder / "arrow" / "about.json").write_text('{"type": "sign"}')
    (view,) = objects.read_objects(folder, views=1)
    assert view.type == "sign" and view.picture.name == "a.png"


@pytest.mark.parametrize("ending", ["ply", "obj", "stl", "glb"])
def test_every_kind_of_mesh_is_read_z_up(folder, ending):
    home = folder / "arrow"
    with np.load(home / "mesh.npz") as data:
        vertices, faces = data["v"], data["f"]
    (home / "mesh.npz").unlink()
    if ending == "glb":  # as the standard wants it: y up, -z forward
        vertices = vertices[:, [0, 2, 1]] * [1, 1, -1]
    trimesh.Trimesh(vertices, faces, process=False).export(home / f"mesh.{ending}")
    mesh = objects.read_objects(folder)[0].truth()
    assert np.allclose(sorted(mesh.vertices.tolist()), sorted([[0, -0.1, 0], [0, 0.1, 0], [0, 0, 1], [1, 0, 0]]))
    assert trimesh.Trimesh(mesh.vertices, mesh.faces).volume > 0


def test_faults_are_named(folder, tmp_path):
    with pytest.raises(ValueError, match="not a folder"):
        objects.read_objects(tmp_path / "none")
    home = folder / "arrow"
    cameras(folder, a=10)
    with pytest.raises(ValueError, match="no azimuth in degrees for b.png"):
        objects.read_objects(folder)
    (home / "cameras.json").write_text("{")
    with pytest.raises(ValueError, match="cameras.json is not JSON"):
        objects.read_objects(folder)
    (home / "cameras.json").unlink()
    (home / "mesh.npz").rename(home / "mesh.ply")
    with pytest.raises(ValueError, match="mesh.ply cannot be read"):
        objects.read_objects(folder)[0].truth()
    (home / "mesh.ply").rename(home / "shape.npz")
    with pytest.raises(ValueError, match="exactly one of"):
        objects.read_objects(folder)
    (home / "shape.npz").rename(home / "mesh.npz")
    for picture in home.glob("*.png"):
        picture.unlink()
    with pytest.raises(ValueError, match="no pictures"):
        objects.read_objects(folder)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ValueError, match="no object folders"):
        objects.read_objects(empty)
