"""Texels on faces, beside them, and between the charts."""

import numpy as np

from maquette.geometry.finer import finer
from maquette.geometry.mesh import Mesh
from maquette.geometry.texels import Texels, filled, owners

SIDE = 64
UVS = np.float32([[[0.1, 0.1], [0.9, 0.1], [0.1, 0.9]]])


def test_texels_belong_to_the_face_that_they_lie_in_or_beside():
    owner = owners(UVS, SIDE)
    row, column = np.mgrid[:SIDE, :SIDE] + 0.5
    u, v = column / SIDE, 1 - row / SIDE
    inside = (u > 0.1) & (v > 0.1) & (u + v < 1)
    assert (owner[inside] == 0).all()
    near = (u > 0.1 - 3 / SIDE) & (v > 0.1 - 3 / SIDE) & (u + v < 1 + 5 / SIDE)
    assert (owner[~near] == -1).all()
    assert (owner == 0).sum() > inside.sum() + 100


def test_what_is_linear_on_a_face_ends_at_its_border():
    corners = np.array([2.0, 10.0, -6.0])
    owner = owners(UVS, SIDE)
    found = np.full(SIDE * SIDE, np.nan)
    for number, face, weights in Texels(UVS, SIDE).on():
        assert (face == 0).all()
        found[number] = weights @ corners
    found, known = found.reshape(SIDE, SIDE), owner >= 0
    row, column = np.mgrid[:SIDE, :SIDE] + 0.5
    u, v = column / SIDE, 1 - row / SIDE
    expected = 2 + 8 * (u - 0.1) / 0.8 - 8 * (v - 0.1) / 0.8
    inside = (u > 0.1) & (v > 0.1) & (u + v < 1)
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-4)
    below = known & (v < 0.1) & (u > 0.1) & (u < 0.9)
    np.testing.assert_allclose(found[below], (2 + 8 * (u - 0.1) / 0.8)[below], atol=8 * 3 / 0.8 / SIDE)
    assert np.isnan(found[~known]).all() and found[known].min() >= -6 - 1e-6 and found[known].max() <= 10 + 1e-6


def test_only_chosen_faces():
    uvs = np.concatenate([UVS, UVS[:, ::-1] * 0.5 + 0.49])
    owner = owners(uvs, SIDE)
    texels = Texels(uvs, SIDE)
    seen = [face for _, face, _ in texels.on(np.array([False, True]))]
    np.testing.assert_array_equal(texels.known, owner >= 0)
    assert (np.concatenate(seen) == 1).all() and len(np.concatenate(seen)) == (owner == 1).sum()


def test_between_charts_there_is_the_mean_of_what_is_near():
    texture, known = np.zeros((50, 37, 3), np.float32), np.zeros((50, 37), bool)
    known[:3], known[-3:] = True, True
    texture[:3], texture[-3:] = 0.25, 0.75
    found = filled(texture, known)
    np.testing.assert_array_equal(found[known], texture[known])
    assert found.min() >= 0.25 - 1e-6 and found.max() <= 0.75 + 1e-6
    np.testing.assert_allclose(found[4], 0.25, atol=0.01)
    np.testing.assert_allclose(found[-4], 0.75, atol=0.01)


def test_nothing_known_stays_as_it_is():
    texture = np.random.default_rng(0).random((9, 9, 3)).astype(np.float32)
    np.testing.assert_array_equal(filled(texture, np.zeros((9, 9), bool)), texture)
    np.testing.assert_array_equal(filled(texture, np.ones((9, 9), bool)), texture)


def test_a_finer_mesh_is_the_same_surface():
    vertices = np.float32([[0, 0, 0], [1, 0, 0], [0, 2, 0], [1, 2, 1]])
    mesh = Mesh(vertices, np.int32([[0, 1, 2], [1, 3, 2]]), uvs=vertices[[[0, 1, 2], [1, 3, 2]]][..., :2] / 2)
    found = finer(mesh, 0.3)
    corners = found.vertices[found.faces]
    assert np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max() <= 0.3
    np.testing.assert_allclose(found.uvs, corners[..., :2] / 2, atol=1e-6)
    np.testing.assert_allclose(area(found), area(mesh), rtol=1e-5)
    assert len(np.unique(found.vertices, axis=0)) == len(found.vertices)


def area(mesh):
    a, b, c = mesh.vertices[mesh.faces.T]
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
