"""Which parts of a ball cameras see, and the mesh without the others."""

import numpy as np
import pytest

from maquette.geometry import frames, unseen
from maquette.geometry.field import Field
from maquette.geometry.isosurface import mesh_from_field
from maquette.geometry.mesh import Mesh, pieces
from maquette.geometry.scene import Photo

RADIUS, AWAY, SIDE = 0.4, 2.0, 200


def ball(cells=48):
    at = frames.cell_centres((cells,) * 3)
    return Field(RADIUS - np.linalg.norm(at, axis=-1).reshape((cells,) * 3), 0.0, frames.UNIT_CUBE)


def photo(azimuth=0.0, elevation=0.0, fov=40.0):
    camera = frames.orbit(azimuth, elevation, AWAY, np.zeros(3))
    return Photo("a", np.zeros((SIDE, SIDE, 3), np.uint8), camera, frames.intrinsics(fov, SIDE, SIDE))


def towards(mesh, photo):
    """Cosine between the way from the ball's middle to vertices and the one to the camera."""
    return mesh.vertices @ photo.camera[:3, 3] / AWAY / np.linalg.norm(mesh.vertices, axis=1)


@pytest.mark.parametrize("view", [(0, 0), (70, 40), (200, -80)])
def test_a_camera_sees_a_cap(view):
    """Up to where lines from the camera touch, at the cosine radius / distance."""
    mesh, lens = mesh_from_field(ball()), photo(*view)
    seen, cosine = unseen.shown(mesh, [lens]), towards(mesh, lens)
    assert seen[cosine > RADIUS / AWAY + 0.12].all() and not seen[cosine < RADIUS / AWAY].any()


def test_the_frame_and_what_stands_in_front_hide():
    mesh = mesh_from_field(ball())
    lens = photo(fov=12.0)
    wide = unseen.shown(mesh, [photo()])
    narrow = unseen.shown(mesh, [lens])
    pixels, _ = frames.project(mesh.vertices, lens.camera, lens.pinhole)
    held = ((pixels >= 0) & (pixels < SIDE)).all(1)
    assert np.array_equal(narrow[~held], np.zeros((~held).sum(), bool))
    assert (narrow == wide)[held].mean() > 0.97 and narrow.any()
    before = np.float32([0, -1.0, 0])  # a smaller ball on the way
    both = Mesh(
        np.concatenate([mesh.vertices, mesh.vertices * 0.3 + before]),
        np.concatenate([mesh.faces, mesh.faces + len(mesh.vertices)]),
    )
    shaded = unseen.shown(both, [photo()])[: len(mesh.vertices)]
    off = np.linalg.norm(mesh.vertices[:, [0, 2]], axis=1)
    assert not shaded[wide & (off < 0.15)].any() and shaded[wide & (off > 0.3)].all()


def test_what_is_culled_is_what_is_not_seen():
    """From above all round: the cap below is left out, with one clean border."""
    field = ball()
    mesh = mesh_from_field(field)
    views = [photo(azimuth, 30) for azimuth in range(0, 360, 30)]
    seen = unseen.shown(mesh, views)
    told = Field(field.values, 0.0, field.bounds, seen=unseen.seen_cells(mesh, seen, (48,) * 3, field.bounds))
    part = unseen.culled(mesh, told)
    # The lowest that a camera at 30 degrees sees lies acos(radius / distance) below its own direction.
    lowest = 30 - np.degrees(np.arccos(RADIUS / AWAY + unseen.GRAZING))
    share = (1 - np.sin(np.radians(lowest))) / 2
    assert unseen.areas(part).sum() / unseen.areas(mesh).sum() == pytest.approx(share, abs=0.03)
    assert not part.is_watertight and part.components == 1 and borders(part) == 1
    assert np.degrees(np.arcsin(part.vertices[:, 2].min() / RADIUS)) == pytest.approx(lowest, abs=5)


def test_small_islands_go_to_what_surrounds_them():
    field = ball()
    mesh = mesh_from_field(field)
    high = mesh.vertices[:, 2] > 0
    spot = np.linalg.norm(mesh.vertices - [0, 0, RADIUS], axis=1) < 0.05
    other = np.linalg.norm(mesh.vertices + [0, 0, RADIUS], axis=1) < 0.05
    cells = unseen.seen_cells(mesh, (high & ~spot) | other, (48,) * 3, field.bounds)
    part = unseen.culled(mesh, Field(field.values, 0.0, field.bounds, seen=cells))
    assert part.components == 1 and borders(part) == 1
    assert unseen.areas(part).sum() == pytest.approx(2 * np.pi * RADIUS**2, rel=0.05)


def test_nothing_seen_leaves_the_mesh_whole():
    field = ball(24)
    mesh = mesh_from_field(field)
    assert unseen.culled(mesh, Field(field.values, 0.0, field.bounds, seen=np.zeros((24,) * 3, bool))).is_watertight


def test_a_field_keeps_what_was_seen(tmp_path):
    field = ball(8)
    told = Field(field.values, 0.0, field.bounds, seen=field.values > -0.2)
    told.save(tmp_path / "f.npz")
    again = Field.load(tmp_path / "f.npz")
    assert again.colour is None and np.array_equal(again.seen, told.seen)
    with pytest.raises(ValueError, match="cannot tell what was seen"):
        Field(field.values, 0.0, field.bounds, seen=np.ones((4, 4, 4), bool))


def borders(mesh) -> int:
    """Loops of edges that have a face on one side only."""
    edges = np.sort(np.concatenate([mesh.faces[:, [0, 1]], mesh.faces[:, [1, 2]], mesh.faces[:, [2, 0]]]), axis=1)
    once, count = np.unique(edges, axis=0, return_counts=True)
    rim = once[count == 1]
    return len(np.unique(pieces(rim[:, [0, 1, 1]], len(mesh.vertices))))
