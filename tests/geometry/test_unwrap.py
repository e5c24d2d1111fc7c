"""UVs: every face the right way up, none over another, room between charts."""

import dataclasses

import numpy as np
import pytest

from maquette.geometry.charts import charts, pieces
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh
from maquette.geometry.raster import covered
from maquette.geometry.texels import places
from maquette.geometry.unwrap import WHOLE, unwrap

from . import painted
from .shapes import ball, box, signed, union

SIDE = 1024


def spiral(turns=3, steps=2400, across=6):
    """A ramp that winds about the z axis, seen from above over itself; its normals all look up."""
    angle = np.linspace(0, 2 * np.pi * turns, steps)[:, None]
    radius = np.linspace(0.5, 1, across)[None]
    places = np.stack(np.broadcast_arrays(radius * np.cos(angle), radius * np.sin(angle), 0.05 * angle), axis=-1)
    number = np.arange(steps * across).reshape(steps, across)
    a, b, c, d = (part.ravel() for part in (number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return Mesh(places.reshape(-1, 3).astype(np.float32), faces.astype(np.int32))


@pytest.fixture(scope="module")
def large():
    distance = union(ball((0, 0, 0.1), 0.3), box((0, 0.05, -0.2), (0.35, 0.1, 0.2)))
    mesh = mesh_from_field(signed(distance, 96), smoothing=0)
    assert len(mesh.faces) > WHOLE
    return mesh


MESHES = {
    "cube": lambda large: painted.box((0, 0, 0), (1, 2, 3)),
    "small": lambda large: mesh_from_field(signed(ball(), 24)),
    "large": lambda large: large,
    "spiral": lambda large: spiral(),
}


@pytest.fixture(scope="module", params=MESHES)
def unwrapped(request, large):
    mesh = MESHES[request.param](large)
    return dataclasses.replace(mesh, uvs=unwrap(mesh, SIDE))


def texels(mesh):
    """(face, flat texel) of all texels well within a face."""
    face, place, weights, _ = covered(places(mesh.uvs, SIDE), (SIDE, SIDE))
    within = weights.min(axis=1) > 1e-3
    return face[within], place[within, 0] * SIDE + place[within, 1]


def test_charts_do_not_overlap(unwrapped):
    """But for slivers along the cut where a part lies under another one."""
    _, texel = texels(unwrapped)
    assert len(texel) - len(np.unique(texel)) <= 1e-4 * len(texel) and len(texel) > 0.25 * SIDE**2


def test_they_lie_within_the_texture_the_right_way_up(unwrapped):
    uvs = unwrapped.uvs
    assert uvs.dtype == np.float32 and uvs.shape == (len(unwrapped.faces), 3, 2)
    assert uvs.min() >= 0 and uvs.max() <= 1
    b, c = uvs[:, 1] - uvs[:, 0], uvs[:, 2] - uvs[:, 0]
    assert (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0] > 0).mean() > 0.999


def test_texels_are_shared_out_evenly(unwrapped):
    """A face has texels as it has area, but for its tilt in its chart."""
    a, b, c = unwrapped.vertices[unwrapped.faces.T].astype(np.float64)
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    b, c = unwrapped.uvs[:, 1] - unwrapped.uvs[:, 0], unwrapped.uvs[:, 2] - unwrapped.uvs[:, 0]
    share = np.abs(b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0]) / areas
    assert np.percentile(share, 5) > 0.3 * np.percentile(share, 95)


def test_charts_keep_apart(unwrapped):
    """Texels that two charts could mix lie 3 apart at least."""
    links = np.array([[0, 0]])
    corners = unwrapped.uvs.reshape(-1, 2)
    _, number = np.unique(np.round(corners, 6), axis=0, return_inverse=True)
    number = number.reshape(-1, 3)
    ends = np.sort(np.stack([number, np.roll(number, -1, axis=1)], -1).reshape(-1, 2), axis=1)
    keys = ends[:, 0].astype(np.int64) * (number.max() + 1) + ends[:, 1]
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    links = np.stack([order[same], order[same + 1]], 1) // 3
    chart = pieces(np.zeros(len(number), int), links)
    face, texel = texels(unwrapped)
    owner = np.full(SIDE * SIDE, -1)
    owner[texel] = chart[face]
    owner = owner.reshape(SIDE, SIDE)
    for step in (1, 2, 3):
        for one, other in ((owner[step:], owner[:-step]), (owner[:, step:], owner[:, :-step])):
            assert not ((one >= 0) & (other >= 0) & (one != other)).any()


def test_what_lies_under_another_part_is_a_chart_of_its_own():
    """The spiral winds three times, so its chart is cut twice at least, and no part lies over another."""
    chart, flat = charts(spiral(steps=600))
    assert len(np.unique(chart)) >= 3
    a, b, c = np.moveaxis(flat, 1, 0)
    assert ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] > 0).all()


def test_few_charts(large):
    """Of a ball and a box, though the grid shows in the surface."""
    chart, _ = charts(large)
    assert len(np.unique(chart)) < 30


def test_triangles_of_a_quad_stay_in_one_chart():
    mesh = spiral(steps=600)
    quads = np.tile(np.arange(len(mesh.faces) // 2), 2)
    chart, _ = charts(mesh, quads)
    one, other = chart.reshape(2, -1)
    np.testing.assert_array_equal(one, other)
    assert len(np.unique(chart)) >= 3
    uvs = unwrap(mesh, SIDE, quads)
    one, other = uvs.reshape(2, -1, 3, 2)
    np.testing.assert_array_equal(one[:, [0, 2]], other[:, [0, 1]])  # a and c, which both have


def test_the_same_again(large):
    np.testing.assert_array_equal(unwrap(large), unwrap(large))


def test_a_mesh_of_nothing_is_a_sentence():
    flat = Mesh(np.zeros((3, 3), np.float32), np.array([[0, 1, 2]], np.int32))
    with pytest.raises(ValueError, match="cannot be unwrapped"):
        unwrap(flat)
