"""Solid filling against closed forms, and on meshes as they come: open, overlapping, turned inside out."""

import numpy as np
import pytest

from maquette.geometry.frames import cell_centres
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh
from maquette.geometry.voxelise import voxelise

from .shapes import ball, box, chair, cut, ring, signed

SHAPES = {
    "ball": ball(),
    "box": box((0.03, 0, 0), (0.3, 0.2, 0.44)),
    "ring": ring(),
    "shell": cut(ball(), ball(radius=0.3)),
}


def iou(a, b):
    return np.count_nonzero(a & b) / np.count_nonzero(a | b)


def joined(*meshes):
    starts = np.cumsum([0] + [len(mesh.vertices) for mesh in meshes])
    faces = np.concatenate([mesh.faces + start for mesh, start in zip(meshes, starts)])
    return Mesh(np.concatenate([mesh.vertices for mesh in meshes]), faces.astype(np.int32))


@pytest.mark.parametrize("resolution", [32, 64])
@pytest.mark.parametrize("name", SHAPES)
def test_shapes_are_filled(name, resolution):
    mesh = mesh_from_field(signed(SHAPES[name]), islands=True)
    assert iou(voxelise(mesh, resolution), SHAPES[name](cell_centres(resolution)) < 0) > 0.99


def test_blocks_are_filled_exactly():
    field = signed(chair(), 32)
    mesh = mesh_from_field(field, style="blocks")
    np.testing.assert_array_equal(voxelise(mesh, 32), field.values > 0)


def test_the_axes_are_x_y_z():
    mesh = mesh_from_field(signed(box((0.25, 0, -0.25), (0.1, 0.05, 0.15))), style="blocks")
    filled = np.argwhere(voxelise(mesh, 32)).mean(axis=0) / 32 - 0.5
    np.testing.assert_allclose(filled + 0.5 / 32, [0.25, 0, -0.25], atol=0.02)


def test_an_open_mesh_is_filled_by_majority():
    mesh = mesh_from_field(signed(ball()))
    lid = mesh.vertices[mesh.faces].mean(axis=1)[:, 2] > 0.36
    opened = Mesh(mesh.vertices, mesh.faces[~lid])
    assert iou(voxelise(opened, 32), voxelise(mesh, 32)) > 0.97


def test_faces_that_disagree_are_counted_odd_and_even():
    mesh = mesh_from_field(signed(ring()))
    mixed = mesh.faces.copy()
    mixed[::2] = mixed[::2, ::-1]
    np.testing.assert_array_equal(voxelise(Mesh(mesh.vertices, mixed), 32), voxelise(mesh, 32))


def test_a_mesh_inside_out_is_the_same_solid():
    mesh = mesh_from_field(signed(chair()))
    np.testing.assert_array_equal(voxelise(Mesh(mesh.vertices, mesh.faces[:, ::-1]), 32), voxelise(mesh, 32))


def test_overlapping_parts_are_one_solid():
    left, right = (mesh_from_field(signed(ball((x, 0, 0), 0.25))) for x in (-0.1, 0.1))
    np.testing.assert_array_equal(voxelise(joined(left, right), 32), voxelise(left, 32) | voxelise(right, 32))


def test_parts_beyond_the_cube_are_left_out():
    mesh = mesh_from_field(signed(ball()))
    far = Mesh(mesh.vertices + np.float32(0.5), mesh.faces)
    expected = np.linalg.norm(cell_centres(32) - 0.5, axis=-1) < 0.4
    assert iou(voxelise(far, 32), expected) > 0.98


def test_nothing_is_empty():
    assert not voxelise(Mesh(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int32)), 8).any()
    flat = Mesh(np.array([[-0.4, -0.4, 0.01], [0.4, -0.4, 0.01], [0, 0.4, 0.01]], np.float32), np.array([[0, 1, 2]]))
    assert voxelise(flat, 16).mean() < 0.1
