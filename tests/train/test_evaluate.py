"""The evaluate command on a little folder of objects, and the renderer that makes such folders."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image
from safetensors.torch import save_file

from maquette.geometry.occupancy_level import promising_level
from maquette.nets import checkpoint
from maquette.train.evaluate import baselines, command, image_to_field, lit, metrics, objects
from maquette.train.evaluate.reading import read_network


@pytest.fixture
def folder(tmp_path):
    """A slab 1 x .5 x .5, seen along its length and across it."""
    home = tmp_path / "objects" / "slab"
    home.mkdir(parents=True)
    trimesh.creation.box((1, 0.5, 0.5)).export(home / "mesh.ply")
    for name, width in (("along.png", 60), ("across.png", 120)):
        picture = np.zeros((160, 160, 4), np.uint8)
        picture[50:110, 80 - width // 2 : 80 + width // 2] = (200, 90, 30, 255)
        Image.fromarray(picture).save(home / name)
    cameras = {"along.png": {"azimuth": 90}, "across.png": {"azimuth": 0}}
    (home / "cameras.json").write_text(json.dumps(cameras))
    return tmp_path / "objects"


@pytest.fixture
def cache(tmp_path):
    """A library of the two answers to those pictures."""
    c = (np.arange(64) + 0.5) / 64 - 0.5
    x, y, z = np.meshgrid(c, c, c, indexing="ij")
    across = (abs(y) < 0.25) & (abs(z) < 0.25)
    along = (abs(x) < 0.25) & (abs(z) < 0.25)
    grids = np.stack([across, along] * 4)
    known = baselines.collect([([grid.any(1).T[::-1].astype(np.float32) for grid in grids], grids)])
    known.save(image_to_field.library_path(8, tmp_path / "cache"))
    return tmp_path / "cache"


def test_the_command_scores_a_folder_beside_the_baselines(folder, cache, tmp_path, capsys):
    report = tmp_path / "scores" / "r.json"
    code = command.main(
        ["image_to_field", "--objects", str(folder), "--no-network", "--library", "8", "--cache", str(cache)]
        + ["--points", "4000", "--report", str(report), "--card", str(tmp_path / "card.json")]
    )
    assert code == 0
    assert "2 pictures of 1 objects" in capsys.readouterr().out
    rows = {(row["predictor"], row["picture"]): row["scores"] for row in json.loads(report.read_text())["rows"]}
    assert len(rows) == 8
    # Along its length a slab looks square, and is extruded to a cube: .25 of the cube is right.
    assert rows["silhouette extruded to its own width", "along.png"]["iou"] < 0.2
    assert rows["nearest silhouettes, averaged, untrained", "along.png"]["iou"] > 0.95
    assert rows["nearest silhouettes, averaged, untrained", "across.png"]["iou"] > 0.95
    card = json.loads((tmp_path / "card.json").read_text())["objects"]
    assert card["iou of nearest silhouettes, averaged, untrained"] > 0.95


def test_the_network_answers_at_the_level_that_promises_most(tmp_path):
    config = {"width": 8, "encoder": 8, "detail": 8, "vector": 16, "library": 0}
    torch.manual_seed(0)
    network = checkpoint.build("image_to_field", config)
    save_file(network.state_dict(), tmp_path / "own.safetensors")
    (tmp_path / "own.json").write_text(json.dumps({"config": config}))
    network, _ = read_network("image_to_field", tmp_path / "own.safetensors", "cpu")
    answers = image_to_field.trained(network, 32, levels=[0.2])
    rgba = np.zeros((128, 128, 4), np.float32)
    rgba[40:90, 30:100] = 1
    own, lower = (answer(rgba) for answer in answers.values())
    assert own.level == pytest.approx(promising_level(own.values)[0], abs=0.02) and lower.level == 0.2
    assert own.values.shape == (32, 32, 32) and np.array_equal(own.values, lower.values)


def test_weights_that_are_not_there_are_named(tmp_path):
    with pytest.raises(ValueError, match="none.json cannot be read"):
        read_network("image_to_field", tmp_path / "none.safetensors", "cpu")


def test_a_network_without_a_measure_is_a_usage_error(capsys):
    assert command.main(["shape_song"]) == 2
    assert "image_to_field" in capsys.readouterr().err


def rendered(root, *arguments):
    """Cycles in a process of its own, for bpy is loaded once and for all."""
    code = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('maquette', {str(root / '__init__.py')!r},"
        f" submodule_search_locations=[{str(root)!r}])\n"
        "sys.modules['maquette'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(sys.modules['maquette'])\n"
        "from maquette.train.evaluate import cycles\n"
        "cycles.main(sys.argv[1:])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_cycles_pictures_and_their_true_shapes_agree(tmp_path, root):
    """An L of a foot along +x and a post at its far end: the picture must show the post on the side where the
    turned mesh has it, whatever the azimuth."""
    meshes = tmp_path / "meshes"
    meshes.mkdir()
    foot, post = trimesh.creation.box((1, 0.2, 0.2)), trimesh.creation.box((0.2, 0.2, 0.8))
    foot.apply_translation((0, 0, 0.1))
    post.apply_translation((0.4, 0, 0.6))
    shape = trimesh.util.concatenate([foot, post])
    corners = np.zeros((1, 2), np.float32)
    np.savez(meshes / "l.npz", v=shape.vertices, f=shape.faces, vt=corners, ft=shape.faces * 0)
    Image.new("RGB", (4, 4), (200, 60, 40)).save(meshes / "l.jpg")
    np.savez(tmp_path / "sky.npz", grey=np.full((8, 16, 3), 0.5, np.float16))
    out = tmp_path / "out"
    rendered(root, meshes, out, "--hdri", tmp_path / "sky.npz", "--views", "4", "--samples", "1", "--size", "64")
    views = objects.read_objects(out)
    assert len(views) == 4
    for view in views:
        alpha = np.asarray(Image.open(view.picture), np.float32)[..., 3] / 255
        shown = baselines.front(baselines.silhouette(alpha, 32)) > 0.5
        shadow = metrics.occupancy(metrics.normalise(view.truth()), 32).any(1)
        mirrored = metrics.iou(shown, shadow[::-1])
        assert metrics.iou(shown, shadow) > mirrored + 0.1 or abs(np.sin(np.radians(view.azimuth))) > 0.8


def test_validation_shapes_stand_alike_in_every_light(tmp_path, root):
    """Traced, grey and in Cycles: one outline; the true mesh lies where its picture shows it."""
    out = tmp_path / "lit"
    lit.main([str(out), "--count", "2"])
    np.savez(tmp_path / "sky.npz", grey=np.full((8, 16, 3), 0.5, np.float16))
    sky = ("--hdri", tmp_path / "sky.npz", "--views", "1", "--samples", "1")
    rendered(root, out / "meshes", out / "cycles", *sky)
    views = {kind: objects.read_objects(out / kind) for kind in ("traced", "grey", "cycles")}
    for traced, grey, cycles in zip(*views.values(), strict=True):
        pictures = [np.asarray(Image.open(view.picture), np.float32) for view in (traced, grey, cycles)]
        outlines = [picture[..., 3] > 127 for picture in pictures]
        assert (outlines[0] == outlines[1]).all() and metrics.iou(outlines[0], outlines[2]) > 0.9
        assert np.ptp(pictures[1][..., :3][outlines[1]]) == 0 and np.ptp(pictures[2][..., :3][outlines[2]]) > 20
        assert np.abs(traced.truth().vertices - cycles.truth().vertices).max() < 1e-5
