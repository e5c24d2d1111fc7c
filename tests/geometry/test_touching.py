"""Surfaces that touch themselves come apart closed."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from maquette.geometry.field import Field
from maquette.geometry.frames import UNIT_CUBE
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh
from maquette.geometry.touching import parted

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
TETRAHEDRON = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)


@pytest.mark.parametrize("flakes", [1, 2, 3])
def test_flakes_on_a_face_leave_that_face(flakes):
    """A flake is a face and the same one turned over: on a face of a body there are then one more and one turned."""
    face = TETRAHEDRON[1]
    doubled = np.concatenate([TETRAHEDRON, *[[np.roll(face, i), face[::-1]] for i in range(flakes)]])
    found = parted(Mesh(CORNERS, doubled.astype(np.int32)))
    assert len(found.faces) == 4 and found.is_watertight
    assert found.volume == pytest.approx(1 / 6)


def test_flakes_alone_go():
    assert not len(parted(Mesh(CORNERS, np.array([[0, 1, 2], [2, 1, 0]], np.int32))).faces)


@pytest.mark.parametrize("faces", [500, 5000])
def test_a_tangle_simplified_hard_is_closed_and_within_its_faces(faces):
    noise = gaussian_filter(np.random.default_rng(0).standard_normal((32, 32, 32)), 0.6)
    mesh = mesh_from_field(Field(noise, 0.5 * noise.std(), UNIT_CUBE), faces=faces, islands=True)
    assert mesh.is_watertight and 4 <= len(mesh.faces) <= faces
