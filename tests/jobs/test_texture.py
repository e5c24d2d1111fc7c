"""Texture: a mesh, and photos that are named by a folder, by a report, or were moved."""

import json
import shutil

import numpy as np
import pytest

from maquette.geometry.camera_row import row_of
from maquette.geometry.export import write_mesh
from maquette.geometry.field import Field
from maquette.geometry.folder import read_scene
from maquette.geometry.frames import cell_centres
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh
from maquette.geometry.texels import Texels
from maquette.geometry.views import photograph
from maquette.jobs.capture import capture
from maquette.jobs.capturing import Capture
from maquette.jobs.protocol import Cancelled
from maquette.jobs.requests import Meshing, Shape
from maquette.jobs.texture import texture
from maquette.jobs.texturing import Texture


def quiet(*_, **__):
    pass


def never():
    return False


@pytest.fixture(scope="module")
def mesh(ellipsoid):
    """The true shape."""
    bounds = np.array([ellipsoid.centre - 0.8, ellipsoid.centre + 0.8])
    places = cell_centres(40, bounds)
    values = 1 - np.linalg.norm((places - ellipsoid.centre) / ellipsoid.radii, axis=-1)
    return mesh_from_field(Field(values * 0.5, 0.0, bounds), smoothing=0)


@pytest.fixture(scope="module")
def rows(ellipsoid):
    return tuple(row_of(photo) for photo in read_scene(ellipsoid.folder).photos)


def arrays(mesh):
    return {"vertices": mesh.vertices, "faces": mesh.faces}


def check_stripes(shape: Shape, ellipsoid, back=None, right=0.97):
    """That texels have the colour of the stripe that they lie on."""
    parts = [
        (number, np.einsum("pc,pcx->px", weights, shape.vertices[shape.faces[face]]))
        for number, face, weights in Texels(shape.uvs, len(shape.texture)).on()
    ]
    number, places = (np.concatenate(part) for part in zip(*parts))
    places = places if back is None else back(places)
    colours = shape.texture.reshape(-1, 3)[number] / 255.0
    unit = (places - ellipsoid.centre) / ellipsoid.radii
    clear = np.abs(np.sin(9 * unit[:, 2])) > 0.7
    red = np.sin(9 * unit[clear, 2]) > 0
    assert ((colours[clear, 0] > colours[clear, 2]) == red).mean() > right


@pytest.fixture(scope="module")
def by_rows(mesh, rows, tmp_path_factory):
    path = tmp_path_factory.mktemp("out") / "t.png"
    return texture(Texture(rows, **arrays(mesh), size=512, picture=str(path)), quiet, never), path


def test_a_mesh_and_the_cameras_of_a_report(by_rows, mesh, ellipsoid):
    shape, path = by_rows
    np.testing.assert_array_equal(shape.vertices, mesh.vertices)
    np.testing.assert_array_equal(shape.faces, mesh.faces)
    assert shape.texture.shape == (512, 512, 3) and path.read_bytes().startswith(b"\x89PNG")
    check_stripes(shape, ellipsoid)
    told = shape.report["texture"]
    assert told["size"] == 512 and told["seen"] > 0.95 and told["photos"] > 4
    assert shape.report["views"] == 20 and shape.report["seconds"] > 0 and "note" not in shape.report


def test_a_folder_and_a_file_make_the_same(by_rows, mesh, ellipsoid, tmp_path):
    write_mesh(mesh, tmp_path / "a.ply")
    shape = texture(Texture(folder=ellipsoid.folder, path=tmp_path / "a.ply", size=512), quiet, never)
    np.testing.assert_array_equal(shape.texture, by_rows[0].texture)


def test_rows_are_read_as_the_photos_were(ellipsoid, rows):
    from maquette.geometry.camera_row import view_of

    for photo, row in zip(read_scene(ellipsoid.folder).photos, json.loads(json.dumps(rows))):
        again = photograph(view_of(row))
        np.testing.assert_array_equal(again.image, photo.image)
        np.testing.assert_allclose(again.pinhole, photo.pinhole)
        np.testing.assert_allclose(again.camera, photo.camera)


def test_uvs_that_are_given_are_kept(by_rows, mesh, rows, ellipsoid):
    uvs = by_rows[0].uvs[..., ::-1].copy()
    shape = texture(Texture(rows, **arrays(mesh), uvs=uvs, size=512), quiet, never)
    np.testing.assert_array_equal(shape.uvs, uvs)
    check_stripes(shape, ellipsoid)


def test_moved_photos_are_found_by_name_and_missing_ones_are_named(mesh, rows, ellipsoid, tmp_path):
    moved = [row | {"path": f"/nowhere/{row['name']}.png"} for row in rows]
    with pytest.raises(ValueError, match="none of the 20 photos is there any more: r_0.png was at /nowhere"):
        texture(Texture(moved, **arrays(mesh), size=512), quiet, never)
    shutil.copytree(ellipsoid.folder / "train", tmp_path / "train")
    for number in (3, 4):
        (tmp_path / "train" / f"r_{number}.png").unlink()
    shape = texture(Texture(moved, folder=tmp_path, **arrays(mesh), size=512), quiet, never)
    assert "2 of 20 photos are missing and are left out: train/r_3, train/r_4" in shape.report["note"]
    check_stripes(shape, ellipsoid)


def test_names_do_not_lead_out_of_the_folder(mesh, rows, ellipsoid, tmp_path):
    wicked = [row | {"path": "", "name": f"../{ellipsoid.folder.name}/{row['name']}"} for row in rows]
    (tmp_path / ellipsoid.folder.name).mkdir()
    with pytest.raises(ValueError, match="none of the 20 photos"):
        texture(Texture(wicked, folder=tmp_path / ellipsoid.folder.name, **arrays(mesh), size=512), quiet, never)


def test_a_capture_with_a_texture(ellipsoid, tmp_path):
    """With a size of its own too: the mesh is painted where the cameras saw it, and scaled then."""
    asked = {"steps": 60, "resolution": 64, "cache": str(tmp_path), "texture": 512}
    shape = capture(Capture(ellipsoid.folder, **asked, meshing=Meshing(faces=3000, size=7)), quiet, never)
    assert len(shape.faces) <= 3000 and shape.report["texture"]["seen"] > 0.9
    assert np.ptp(shape.vertices, axis=0).max() == pytest.approx(7, rel=1e-4)
    check_stripes(shape, ellipsoid, lambda points: points / 5 + ellipsoid.centre - [0, 0, 0.4], right=0.9)


def test_it_can_be_cancelled(mesh, rows):
    told = []

    def stop(fraction, phase, note=""):
        told.append(phase)
        if phase == "Texture" and told.count("Texture") > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        texture(Texture(rows, **arrays(mesh), size=512), stop, never)


@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda mesh: {"vertices": mesh.vertices, "faces": np.zeros((0, 3))}, "the mesh has no faces"),
        (lambda mesh: {"path": "/nowhere/a.ply"}, "/nowhere/a.ply does not exist"),
        (lambda mesh: {"vertices": mesh.vertices + 3000, "faces": mesh.faces}, "no photo shows the mesh"),
        (lambda mesh: {"vertices": mesh.vertices * 0, "faces": mesh.faces}, "cannot be unwrapped"),
    ],
)
def test_what_cannot_be_textured_is_a_sentence(mesh, rows, make, sentence):
    with pytest.raises(ValueError, match=sentence):
        texture(Texture(rows, **make(mesh), size=512), quiet, never)


def test_a_huge_mesh_is_a_sentence(mesh, rows, monkeypatch):
    from maquette.jobs import texture as module

    monkeypatch.setattr(module, "FACES", 100)
    with pytest.raises(ValueError, match="faces; Texture takes at most 100, so decimate it first"):
        texture(Texture(rows, **arrays(mesh)), quiet, never)


def test_a_folder_without_cameras_or_photos_is_a_sentence(mesh, tmp_path):
    with pytest.raises(ValueError, match="holds no photos"):
        texture(Texture(folder=tmp_path, **arrays(mesh)), quiet, never)


def test_a_mesh_with_quads_keeps_them_whole(mesh, rows):
    quads = np.arange(len(mesh.faces), dtype=np.int32)
    shape = texture(Texture(rows, **arrays(mesh), together=quads, size=512), quiet, never)
    assert isinstance(Mesh(shape.vertices, shape.faces, uvs=shape.uvs), Mesh)
    assert shape.report["texture"]["seen"] > 0.95
