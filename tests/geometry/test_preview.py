"""The preview shows the object: where it should be, in its colours, lit from above left."""

import numpy as np
import pytest
from PIL import Image

from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh
from maquette.geometry.preview import draw, write_preview

from .shapes import ball, box, signed, union


def coloured(mesh, colour):
    return Mesh(mesh.vertices, mesh.faces, np.broadcast_to(np.float32(colour), mesh.vertices.shape))


def saturated(picture):
    picture = picture.astype(int)
    return picture.max(axis=2) - picture.min(axis=2) > 60


def test_a_red_ball_is_a_red_disc_in_the_middle():
    picture = draw(coloured(mesh_from_field(signed(ball(), 32)), (0.8, 0.1, 0.1)), 128)
    assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8
    rows, columns = np.nonzero(saturated(picture))
    for spread in (np.ptp(rows), np.ptp(columns)):
        assert spread + 1 == pytest.approx(0.76 * 128, abs=3)
    assert np.median(columns) == pytest.approx(64, abs=2)
    seen = picture[saturated(picture)].mean(axis=0)
    assert seen[0] > 2.5 * seen[1]
    assert len(rows) == pytest.approx(np.pi / 4 * (0.76 * 128) ** 2, rel=0.06)


def test_light_comes_from_above():
    picture = draw(mesh_from_field(signed(ball(), 32)), 128).astype(int).sum(axis=2)
    assert picture[30, 64] > picture[98, 64] + 60


def test_the_front_and_the_right_side_show():
    field = signed(box((0, 0, 0), (0.3, 0.3, 0.3)), 32)
    mesh = mesh_from_field(field, style="blocks")
    front, right, back = mesh.vertices[:, 1] < -0.27, mesh.vertices[:, 0] > 0.27, mesh.vertices[:, 1] > 0.27
    colours = np.full(mesh.vertices.shape, 0.5, np.float32)
    colours[right], colours[back], colours[front] = (0, 0, 1), (0, 1, 0), (1, 0, 0)
    picture = draw(Mesh(mesh.vertices, mesh.faces, colours), 128).astype(int)
    red = (picture[..., 0] > picture[..., 1:].max(axis=2) + 60).nonzero()
    blue = (picture[..., 2] > picture[..., :2].max(axis=2) + 60).nonzero()
    green = (picture[..., 1] > picture[..., [0, 2]].max(axis=2) + 60).sum()
    assert len(red[1]) > 1000 and len(blue[1]) > 500
    assert red[1].mean() < blue[1].mean()
    assert green < len(red[1]) / 4


def test_the_nearer_thing_hides_the_farther():
    near, far = ball((0, -0.3, 0), 0.15), ball((0, 0.3, 0), 0.15)
    mesh = mesh_from_field(signed(union(near, far), 48), islands=True)
    colours = np.where(mesh.vertices[:, 1:2] < 0, [[1, 0, 0]], [[0, 0, 1]]).astype(np.float32)
    picture = draw(Mesh(mesh.vertices, mesh.faces, colours), 128, azimuth=0, elevation=0).astype(int)
    assert (picture[..., 2] > picture[..., 0] + 60).sum() == 0
    assert (picture[..., 0] > picture[..., 2] + 60).sum() > 500


def test_the_ground_is_darker_under_the_object():
    picture = draw(mesh_from_field(signed(ball(), 32)), 128).astype(int).sum(axis=2)
    assert picture[116, 66] < picture[124, 20] - 20


def test_any_size_and_place_gives_the_same_picture():
    mesh = mesh_from_field(signed(box((0, 0, 0), (0.2, 0.3, 0.4)), 24))
    moved = Mesh(mesh.vertices * 250 + np.float32(1000), mesh.faces)
    assert np.abs(draw(mesh, 96).astype(int) - draw(moved, 96)).mean() < 0.5


def test_fields_are_drawn_and_files_written(tmp_path):
    field = signed(ball(), 16)
    write_preview(field, tmp_path / "a.png", 64)
    assert Image.open(tmp_path / "a.png").size == (64, 64)
    with pytest.raises(ValueError, match="does not exist"):
        write_preview(field, tmp_path / "nowhere" / "a.png", 64)
    with pytest.raises(ValueError, match="no faces"):
        draw(Mesh(np.zeros((3, 3), np.float32), np.zeros((0, 3), np.int32)))
