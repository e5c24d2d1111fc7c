"""Fields to meshes: volumes in closed form, and always closed."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, label

from maquette.geometry.field import Field
from maquette.geometry.frames import UNIT_CUBE
from maquette.geometry.isosurface import confidence_at, mesh_from_field
from maquette.geometry.mesh import report

from .shapes import ball, blocks_of, box, chair, cut, rainbow, ring, signed, union

STYLES = ("smooth", "blocks")
VOLUMES = {
    "ball": (ball(), 4 / 3 * np.pi * 0.4**3),
    "box": (box((0.02, 0, -0.03), (0.3, 0.2, 0.35)), 0.6 * 0.4 * 0.7),
    "ring": (ring(), 2 * np.pi**2 * 0.3 * 0.12**2),
    "shell": (cut(ball(), ball(radius=0.3)), 4 / 3 * np.pi * (0.4**3 - 0.3**3)),
}


def smallest_area(mesh):
    a, b, c = mesh.vertices.astype(np.float64)[mesh.faces.T]
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).min() / 2


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", VOLUMES)
def test_volumes_are_kept(name, style):
    distance, volume = VOLUMES[name]
    mesh = mesh_from_field(signed(distance), style=style, islands=True)
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(volume, rel=0.01 if style == "smooth" else 0.04)
    assert smallest_area(mesh) > 0


def test_a_surface_lies_where_the_field_says():
    bounds = np.array([[-0.6, -0.5, -0.4], [0.6, 0.5, 0.8]])
    mesh = mesh_from_field(signed(ball((0.05, -0.03, 0.02), 0.35), bounds=bounds))
    radii = np.linalg.norm(mesh.vertices - [0.05, -0.03, 0.02], axis=1)
    assert np.abs(radii - 0.35).max() < 0.001


def test_faces_look_outwards():
    mesh = mesh_from_field(signed(ball()))
    a, b, c = mesh.vertices[mesh.faces.T]
    assert ((np.cross(b - a, c - a) * (a + b + c)).sum(axis=1) > 0).all()


@pytest.mark.parametrize("style", STYLES)
def test_what_leaves_the_grid_is_closed_at_its_faces(style):
    mesh = mesh_from_field(signed(ball(radius=0.6)), style=style)
    assert mesh.is_watertight
    np.testing.assert_allclose(mesh.bounds, UNIT_CUBE, atol=1e-5)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("level", [0.2, 0.5, 0.8])
def test_occupancy_of_any_level_is_closed(style, level):
    field = signed(chair(), 48)
    soft = Field(1 / (1 + np.exp(-60 * field.values)), 0.5, field.bounds)
    mesh = mesh_from_field(soft, level=level, style=style, smoothing=2)
    assert mesh.is_watertight and mesh.components == 1
    assert smallest_area(mesh) > 0


def test_samples_exactly_at_the_level_make_no_degenerate_faces():
    values = np.zeros((8, 8, 8), np.float32)
    values[2:6, 2:6, 2:6] = 1
    values[2, 2:6, 2:6] = 0.5
    mesh = mesh_from_field(Field(values, 0.5, UNIT_CUBE))
    assert mesh.is_watertight and smallest_area(mesh) > 0


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("grain", [0, 0.7, 1.5])
def test_noise_is_closed(style, grain):
    noise = gaussian_filter(np.random.default_rng(3).normal(size=(20, 24, 28)), grain)
    for islands in (False, True):
        mesh = mesh_from_field(Field(noise, 0.0, UNIT_CUBE), style=style, islands=islands)
        assert mesh.is_watertight
        assert mesh.volume > 0
        assert islands or mesh.components == 1


@pytest.mark.parametrize("style", STYLES)
def test_islands_and_bubbles_go_unless_asked_for(style):
    big, small = cut(ball((-0.12, 0, 0), 0.3), ball((-0.12, 0, 0), 0.12)), ball((0.35, 0.2, 0.2), 0.08)
    field = signed(union(big, small))
    alone, all_of_it = (mesh_from_field(field, style=style, islands=islands) for islands in (False, True))
    assert (alone.components, all_of_it.components) == (1, 3)
    assert alone.volume == pytest.approx(4 / 3 * np.pi * 0.3**3, rel=0.03)
    assert alone.vertices[:, 0].max() < 0.2


def test_smoothing_does_not_shrink():
    field = signed(ball(radius=0.25), 32)
    rough = Field((field.values > 0).astype(np.float32), 0.5, UNIT_CUBE)
    before, after = (mesh_from_field(rough, smoothing=passes) for passes in (0, 10))
    off = [np.linalg.norm(mesh.vertices, axis=1).std() for mesh in (before, after)]
    assert off[1] < 0.6 * off[0]
    assert after.volume == pytest.approx(before.volume, rel=0.02)
    assert after.is_watertight


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("faces", [2000, 300])
@pytest.mark.parametrize("name", ["ball", "ring", "chair"])
def test_a_face_budget_is_kept_and_stays_closed(name, faces, style):
    field = signed({"ball": ball(), "ring": ring(), "chair": chair()}[name])
    mesh = mesh_from_field(field, style=style, smoothing=2, faces=faces)
    whole = mesh_from_field(field, style=style, smoothing=2)
    assert len(mesh.faces) <= faces
    assert mesh.is_watertight and mesh.components == 1
    assert mesh.volume == pytest.approx(whole.volume, rel=0.06)
    assert len(mesh.vertices) == len(np.unique(mesh.faces))


@pytest.mark.parametrize("style", STYLES)
def test_a_budget_for_tangles_still_gives_closed_meshes(style):
    noise = gaussian_filter(np.random.default_rng(1).normal(size=(32,) * 3), 1.5)
    whole = mesh_from_field(Field(noise, noise.std(), UNIT_CUBE), style=style)
    mesh = mesh_from_field(Field(noise, noise.std(), UNIT_CUBE), style=style, faces=len(whole.faces) // 3)
    assert mesh.is_watertight and mesh.components == 1
    assert mesh.volume == pytest.approx(whole.volume, rel=0.05)


@pytest.mark.parametrize("islands", [False, True])
@pytest.mark.parametrize("grain, faces", [(0.6, 4000), (1.0, 1500), (1.0, 5000), (2.0, 500)])
def test_a_budget_below_what_the_holes_need_is_kept_too(grain, faces, islands):
    """Noise of genus 30 to 600: collapses alone cannot get there and stay closed."""
    noise = gaussian_filter(np.random.default_rng(0).standard_normal((32,) * 3), grain)
    field = Field(noise, noise.std() / 2, UNIT_CUBE)
    whole = mesh_from_field(field, smoothing=2, islands=islands)
    mesh = mesh_from_field(field, smoothing=2, faces=faces, islands=islands)
    assert len(mesh.faces) <= faces and mesh.is_watertight and (islands or mesh.components == 1)
    assert 0.5 < mesh.volume / whole.volume < 2


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("faces", [4, 12, 40, 100])
@pytest.mark.parametrize("name", ["ball", "ring", "chair"])
def test_a_tiny_budget_is_kept_or_nearly(name, faces, style):
    """A ring has a hole; a chair's legs are thin. A coarser mesh holds half of the volume, and half of that is kept."""
    field = signed({"ball": ball(), "ring": ring(), "chair": chair()}[name])
    whole = mesh_from_field(field, style=style, smoothing=2)
    mesh = mesh_from_field(field, style=style, smoothing=2, faces=faces)
    assert mesh.is_watertight and mesh.components == 1 and len(mesh.faces) <= max(faces, 64)
    assert 0.25 < mesh.volume / whole.volume < 2
    assert len(mesh.faces) <= faces or faces < 40


def test_a_coarser_field_fills_the_same_share():
    from maquette.geometry.isosurface import _coarser

    for field in (signed(chair(), 31), Field((signed(ball(), 32).values > 0).astype(np.float32), 0.5, UNIT_CUBE)):
        coarse, level = _coarser(field, field.level)
        assert coarse.values.shape == tuple(-(-n // 2) for n in field.values.shape)
        assert (coarse.values > level).mean() == pytest.approx((field.values > field.level).mean(), rel=0.15)
        np.testing.assert_allclose(coarse.bounds[0], field.bounds[0])


def test_colours_come_from_the_field():
    field = signed(ball(), colour=rainbow)
    for style in STYLES:
        mesh = mesh_from_field(field, style=style, smoothing=1, faces=1000)
        np.testing.assert_allclose(mesh.colours, mesh.vertices + 0.5, atol=0.002)
        assert mesh.colours.dtype == np.float32
    assert mesh_from_field(signed(ball(), 16)).colours is None


def test_blocks_are_the_cells():
    mesh = mesh_from_field(blocks_of((1, 1, 1), (2, 1, 1), (2, 2, 1)), style="blocks")
    assert mesh.volume == pytest.approx(3)
    assert len(mesh.faces) == 2 * 14
    np.testing.assert_allclose(mesh.bounds, [[1, 1, 1], [3, 3, 2]])


@pytest.mark.parametrize(
    "cells, pieces",
    [
        ([(1, 1, 1), (2, 2, 1)], 2),  # touch along an edge
        ([(1, 1, 1), (2, 2, 2)], 2),  # touch at a corner
        ([(1, 1, 1), (2, 2, 1), (2, 1, 2), (1, 2, 2)], 4),
        ([(1, 1, 1), (2, 2, 1), (1, 1, 2), (2, 1, 2), (2, 2, 2)], 1),  # and joined round one end of the edge
    ],
)
def test_blocks_that_only_touch_are_split(cells, pieces):
    mesh = mesh_from_field(blocks_of(*cells), style="blocks", islands=True)
    assert mesh.is_watertight
    assert mesh.components == pieces
    assert mesh.volume == pytest.approx(len(cells))


def test_blocks_joined_round_both_ends_of_an_edge_are_filled():
    cells = [(x, y, z) for z in (1, 3) for x in (1, 2) for y in (1, 2)] + [(1, 1, 2), (2, 2, 2)]
    mesh = mesh_from_field(blocks_of(*cells), style="blocks")
    assert mesh.is_watertight
    assert mesh.volume == pytest.approx(len(cells) + 1)


def test_all_two_by_two_by_two_blocks_are_manifold():
    for code in range(1, 256):
        cells = [(1 + (bit >> 2), 1 + (bit >> 1 & 1), 1 + (bit & 1)) for bit in range(8) if code >> bit & 1]
        field = blocks_of(*cells, shape=(4, 4, 4))
        mesh = mesh_from_field(field, style="blocks", islands=True)
        assert mesh.is_watertight, cells
        assert mesh.volume == pytest.approx(len(cells))
        assert mesh.components == label(field.values)[1]


@pytest.mark.parametrize("level, words", [(0.9, "nothing is inside at level 0.9; lower"), (-1, "everything is inside")])
def test_levels_out_of_range_say_which_way_to_go(level, words):
    field = Field(np.random.default_rng(0).random((8, 8, 8)) * 0.8, 0.5, UNIT_CUBE)
    with pytest.raises(ValueError, match=words):
        mesh_from_field(field, level=level)


def test_other_styles_are_named():
    with pytest.raises(ValueError, match="smooth or blocks"):
        mesh_from_field(signed(ball(), 8), style="soft")


def test_the_report_says_what_the_mesh_is():
    mesh = mesh_from_field(signed(box((0, 0, 0), (0.25, 0.25, 0.25))), style="blocks")
    found = report(mesh)
    assert found["watertight"] and found["components"] == 1
    assert found["volume"] == pytest.approx(0.125)
    assert found["bounds"] == [[-0.25] * 3, [0.25] * 3]
    assert (found["vertices"], found["faces"]) == (len(mesh.vertices), len(mesh.faces))


def test_confidence_is_read_off_between_samples():
    """A confidence that grows along x: that of a point is its place."""
    plain = signed(ball(), 32)
    grows = np.broadcast_to(((np.arange(32) + 0.5) / 32)[:, None, None], plain.values.shape)
    field = Field(plain.values, plain.level, plain.bounds, confidence=grows)
    mesh = mesh_from_field(field)
    low, high = field.bounds[:, 0]
    along = (mesh.vertices[:, 0] - low) / (high - low)
    np.testing.assert_allclose(confidence_at(field, mesh.vertices), along, atol=1e-5)
    assert confidence_at(plain, mesh.vertices) is None
