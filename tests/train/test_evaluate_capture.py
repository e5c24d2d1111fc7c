"""Capture's table: ours, a classic NeRF and the visual hull, on a scene that is known exactly."""

import numpy as np
import pytest
import torch

from maquette.nets import nerf
from maquette.train.evaluate import capture, command
from maquette.train.evaluate.peers.dvgo import Dvgo
from maquette.train.evaluate.peers.rendering import Peer, Space, rendered, shape_of
from maquette.train.evaluate.peers.tensorf import Tensorf


@pytest.fixture
def scene(ellipsoid):
    import trimesh

    truth = trimesh.creation.icosphere(4)
    truth.vertices = truth.vertices * ellipsoid.radii + ellipsoid.centre
    truth.export(ellipsoid.folder / "gt_mesh.ply")
    yield ellipsoid.folder
    (ellipsoid.folder / "gt_mesh.ply").unlink()


def test_the_table_has_a_row_for_each_method(scene, capsys):
    asked = ["--budget", "5", "--processor", "--resolution", "64", "--views", "1", "--points", "10000"]
    assert command.main(["capture", str(scene), *asked]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if "ellipsoid" in line]
    rows = {row[1].strip(): dict(zip(capture.COLUMNS, (cell.strip() for cell in row[2:]))) for row in rows}
    assert set(rows) == {"capture", "density", "surface", "tensorf", "dvgo", "nerf", "hull"}
    assert float(rows["capture"]["Chamfer"]) < 0.05 and rows["capture"]["closed"] == "yes"
    assert float(rows["hull"]["Chamfer"]) < 0.1 and rows["hull"]["PSNR"] == ""
    for peer in ("tensorf", "dvgo"):
        assert float(rows[peer]["PSNR"]) > 14 and 0 < float(rows[peer]["SSIM"]) <= 1 and int(rows[peer]["steps"]) > 5
    assert float(rows["nerf"]["PSNR"]) > 3 and int(rows["nerf"]["steps"]) > 0


def test_a_texture_is_scored_beside_the_colours_that_it_replaces(ellipsoid, capsys):
    asked = ["--budget", "6", "--processor", "--resolution", "64", "--views", "2"]
    asked += ["--methods", "capture", "--texture", "512"]
    assert command.main(["capture", str(ellipsoid.folder), *asked]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if "ellipsoid" in line]
    rows = {row[1].strip(): dict(zip(capture.COLUMNS, (cell.strip() for cell in row[2:]))) for row in rows}
    assert list(rows) == ["capture", "its mesh, vertex colours", "its mesh, texture 512"]
    plain, baked = (float(rows[name]["surface"]) for name in list(rows)[1:])
    # How far apart they come depends on how much a machine fits in six seconds
    assert baked > plain + 0.5 and baked > 18 and float(rows["its mesh, texture 512"]["seconds"]) >= 0


def test_a_wrong_folder_is_a_sentence(tmp_path, capsys):
    assert command.main(["capture", str(tmp_path / "nowhere")]) == 1
    assert "does not exist" in capsys.readouterr().err


def test_encoding_is_octaves():
    code = nerf.encoded(torch.tensor([[0.25, 0.0, 0.5]]), 2)
    assert code.shape == (1, 15)
    expected = np.sin(np.pi * np.array([0.25, 0.5, 0, 0, 0.5, 1.0]))
    np.testing.assert_allclose(code[0, 3:9], expected, atol=1e-6)


def test_fine_samples_lie_where_weights_are():
    along = torch.linspace(0, 1, 64)[None]
    weights = torch.zeros(1, 64)
    weights[0, 20:24] = 1
    at = nerf.drawn(along, weights, 100, jitter=False)
    assert ((at > along[0, 18]) & (at < along[0, 25])).float().mean() > 0.95


class Ball(Peer):
    """Solid and red within .5 of the middle."""

    resolution = 64

    def density(self, points):
        return 50.0 * (points.norm(dim=1) < 0.5)

    def colour(self, points, ways):
        return torch.tensor([1.0, 0.0, 0.0]).expand(len(points), 3)


def test_peers_see_a_ball_where_it_is():
    space = Space(torch.ones(16, 16, 16, dtype=torch.bool))
    eye = torch.tensor([0.0, -2.0, 0.0])
    aims = torch.tensor([[0.0, 0, 0], [0.2, 0, 0.1], [0.0, 0, 0.3], [3.0, 0, 0]])  # half of the cube: radius .25
    ways = torch.nn.functional.normalize(aims - eye, dim=1)
    colour, opacity = rendered(Ball(), space, eye.expand(4, 3), ways)
    np.testing.assert_allclose(opacity, [1, 1, 0, 0], atol=1e-4)
    np.testing.assert_allclose(colour[:, 0], opacity, atol=1e-4)
    space.look(Ball())
    assert space.filled[8, 8, 8] and not space.filled[0, 0, 0]
    share = (shape_of(Ball(), space, 48) > 0.5).mean()
    assert share == pytest.approx(4 / 3 * np.pi * 0.25**3, rel=0.05)


@pytest.mark.parametrize("kind", [Tensorf, Dvgo])
def test_peers_keep_what_they_know_when_they_grow(kind):
    torch.manual_seed(0)
    peer, points = kind(), torch.rand(200, 3) * 1.8 - 0.9
    for parameter in peer.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    before = peer.density(points)
    assert not peer.grown(0.01) and peer.grown(0.99)
    np.testing.assert_allclose(peer.density(points).detach(), before.detach(), atol=2e-3)
    (peer.density(points).sum() + peer.colour(points, points).sum()).backward()
    assert all(p.grad is not None for group in peer.groups() for p in group["params"])


def test_axes_of_planes_and_lines():
    """A field that depends on one axis alone does so along that axis."""
    peer = Tensorf()
    for table in (*peer.planes, *peer.lines):
        torch.nn.init.ones_(table)
    with torch.no_grad():
        peer.lines[0][0, :, :, 0] = torch.linspace(-1, 1, peer.resolution)  # the line along z
    points = torch.tensor([[0.3, -0.2, 0.5], [-0.7, 0.4, 0.5], [0.3, -0.2, -0.5]])
    first = next(iter(peer.products(points, slice(0, 1))))[0].detach()
    np.testing.assert_allclose(first, [0.5, 0.5, -0.5], atol=1e-5)
