"""Capture's table: ours, a classic NeRF and the visual hull, on a scene that is known exactly."""

import numpy as np
import pytest
import torch

from maquette.nets import nerf
from maquette.train.evaluate import capture, command


@pytest.fixture
def scene(ellipsoid):
    import trimesh

    truth = trimesh.creation.icosphere(4)
    truth.vertices = truth.vertices * ellipsoid.radii + ellipsoid.centre
    truth.export(ellipsoid.folder / "gt_mesh.ply")
    yield ellipsoid.folder
    (ellipsoid.folder / "gt_mesh.ply").unlink()


def test_the_table_has_a_row_for_each_method(scene, capsys):
    assert command.main(["capture", str(scene), "--budget", "4", "--resolution", "64", "--views", "1"]) == 0
    rows = [line.split("|")[1:-1] for line in capsys.readouterr().out.splitlines() if "ellipsoid" in line]
    rows = {row[1].strip(): dict(zip(capture.COLUMNS, (cell.strip() for cell in row[2:]))) for row in rows}
    assert set(rows) == {"capture", "nerf", "hull"}
    assert float(rows["capture"]["Chamfer"]) < 0.05 and rows["capture"]["closed"] == "yes"
    assert float(rows["hull"]["Chamfer"]) < 0.1 and rows["hull"]["PSNR"] == ""
    assert float(rows["nerf"]["PSNR"]) > 3 and int(rows["nerf"]["steps"]) > 0


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
