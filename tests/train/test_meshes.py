"""A folder of meshes becomes distances, pictures and shards; what cannot be used is named and passed over."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from maquette.geometry.frames import cell_centres
from maquette.nets.camera import project
from maquette.train.__main__ import main
from maquette.train.evaluate import baselines
from maquette.train.readers import meshes
from maquette.train.readers import shards as mesh_shards
from maquette.train.recipes import field_samples
from maquette.train.recipes import image_to_field as recipe
from maquette.train.shapes import shards


def box(folder, name, sides=(1.0, 0.6, 0.4), **kept):
    trimesh.creation.box(sides).export(folder / name, **kept)
    return folder / name


@pytest.mark.parametrize("ending", ["glb", "gltf", "obj", "ply", "off", "stl"])
def test_distances_to_a_box_are_the_boxs(tmp_path, ending):
    """Whatever file it comes from; the thickened box has longest side 1."""
    sides = np.array([1.0, 0.6, 0.4])
    stored = sides[[0, 2, 1]] if ending in ("glb", "gltf") else sides  # y up
    if ending == "gltf":
        for name, content in trimesh.exchange.gltf.export_gltf(trimesh.Scene(trimesh.creation.box(stored))).items():
            (tmp_path / name.replace("model", "box")).write_bytes(content)
    else:
        box(tmp_path, f"box.{ending}", stored)
    painted = meshes.read(tmp_path / f"box.{ending}")
    half = sides / 2 * (1 - 2 * meshes.THICKEN)
    assert np.allclose(np.abs(painted.vertices), half, atol=1e-6)
    q = np.abs(cell_centres(64)) - half
    true = -np.linalg.norm(np.maximum(q, 0), axis=-1) - np.minimum(q.max(-1), 0) + meshes.THICKEN
    grid = meshes.signed_distance(painted)
    assert np.abs(grid - true)[np.abs(true) < 2 / 64].max() < 1e-3
    assert np.abs(grid - true)[np.abs(true) < 0.1].max() < 3e-3
    assert np.array_equal(grid > 0, true > 0)


def test_an_open_box_is_filled_and_a_sheet_is_refused(tmp_path):
    shape = trimesh.creation.box((1, 1, 1))
    shape.update_faces(np.arange(12) > 1)  # one side is missing
    shape.export(tmp_path / "open.ply")
    assert (meshes.signed_distance(meshes.read(tmp_path / "open.ply")) > 0).mean() > 0.95
    trimesh.Trimesh([[0, 0, 0], [1, 0, 0.1], [0.1, 1, 0]], [[0, 1, 2]]).export(tmp_path / "sheet.ply")
    with pytest.raises(ValueError, match="open"):
        meshes.signed_distance(meshes.read(tmp_path / "sheet.ply"))


def test_bad_files_are_named_and_never_end_a_run(tmp_path, monkeypatch):
    box(tmp_path, "good.stl")
    (tmp_path / "broken.glb").write_bytes(b"glTF\x02\x00\x00\x00rubbish")
    (tmp_path / "empty.obj").write_text("")
    (tmp_path / "points.ply").write_bytes(trimesh.PointCloud(np.eye(3)).export(file_type="ply"))
    (tmp_path / "index.off").write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 7\n")
    (tmp_path / "nan.off").write_text("OFF\n3 1 0\n0 0 0\nnan 0 0\n0 1 0\n3 0 1 2\n")
    trimesh.Trimesh([[0, 0, 0], [1, 0, 0], [2, 0, 0]], [[0, 1, 2]], process=False).export(tmp_path / "flat.ply")
    trimesh.creation.icosphere(subdivisions=4).export(tmp_path / "gigantic.ply")
    monkeypatch.setattr(meshes, "FACES", 5000)
    said = []
    assert [path.name for path, *_ in meshes.solids(tmp_path, say=said.append)] == ["good.stl"]
    assert len(said) == 7
    for name in ("index.off", "broken.glb", "empty.obj", "points.ply", "nan.off", "flat.ply", "gigantic.ply"):
        assert sum(name in line for line in said) == 1, (name, said)
    with pytest.raises(ValueError, match="holds no meshes"):
        (tmp_path / "none").mkdir()
        meshes.paths(tmp_path / "none")


def test_splits_share_no_mesh(tmp_path):
    for number in range(60):
        (tmp_path / f"{number}.obj").touch()
    parts = [set(meshes.paths(tmp_path, split)) for split in meshes.SPLITS]
    assert sum(map(len, parts)) == 60 == len(set().union(*parts)) and len(meshes.paths(tmp_path, "train")) > 35


def test_a_sample_shows_what_its_grid_holds_in_its_colours(tmp_path):
    """The silhouette of the grid, seen through the stored camera, is the picture's; red is up, blue is below."""
    shape = trimesh.util.concatenate(
        [trimesh.creation.box((0.3, 0.5, 1)), trimesh.creation.box((0.9, 0.3, 0.2)).apply_translation((0.4, 0, -0.5))]
    )
    shape.visual.vertex_colors = np.where(shape.vertices[:, 2:] > 0, [[255, 0, 0, 255]], [[0, 0, 255, 255]])
    shape.export(tmp_path / "l.ply")
    painted = meshes.read(tmp_path / "l.ply")
    for seed in range(3):
        picture, distance, colour, camera, family = mesh_shards.sample(painted, np.random.default_rng(seed))
        numbers = field_samples.cameras(torch.from_numpy(camera)[None])
        cloud = torch.from_numpy(cell_centres(64)[distance < 0])
        uv = project(cloud, numbers)[0][0].numpy()
        shown = np.zeros((32, 32), bool)
        column, row = np.clip((uv + 1) * 16, 0, 31).astype(int).T
        shown[row, column] = True
        alpha = np.asarray(Image.fromarray(picture[..., 3]).resize((32, 32), Image.Resampling.BOX)) > 127
        assert (shown & alpha).sum() / (shown | alpha).sum() > 0.85
        high = picture[:50][picture[:50, :, 3] > 200]
        assert high[:, 0].mean() > high[:, 2].mean() + 50 and family == -1
        painted_cells = colour.sum(-1) > 0
        assert painted_cells[:, :, 24:].any() and (colour[:, :, 24:][painted_cells[:, :, 24:]][:, 0] > 150).all()
        assert baselines.silhouette(picture[..., 3] / 255, 28).any()


def test_textures_are_read_from_the_file(tmp_path):
    shape = trimesh.creation.box((1, 1, 1))
    image = Image.new("RGB", (4, 4), (0, 200, 0))
    uv = np.full((len(shape.vertices), 2), 0.5)
    shape.visual = trimesh.visual.TextureVisuals(uv, trimesh.visual.material.PBRMaterial(baseColorTexture=image))
    shape.export(tmp_path / "green.glb")
    colour = meshes.read(tmp_path / "green.glb").albedo(np.zeros(1, int), np.full((1, 3), 1 / 3))
    assert np.allclose(colour, [[0, 200 / 255, 0]], atol=0.01)


def test_kinds_that_are_held_out_are_not_read(tmp_path, capsys):
    """By the first word of the name, so that no variant of what is scored on is trained on."""
    source = tmp_path / "props"
    source.mkdir()
    for name in ("Chair_A.ply", "chair2_wood.ply", "armchair.ply", "mug.ply", "mug_B.ply", "keg.ply"):
        box(source, name, (1, 0.5, 0.5))
    (tmp_path / "list.txt").write_text("# held out\n\nfurniture/chair_B.gltf\nmug_C.glb\n")
    assert meshes.held_out(tmp_path / "list.txt") == {"chair", "mug"}
    left = [p for p in meshes.paths(source, "train") if p.stem in ("armchair", "keg")]
    ask = ["shards", "--meshes", str(source), "--views", "1", "--folder", str(tmp_path / "shards")]
    assert main([*ask, "--without", str(tmp_path / "list.txt")]) == 0
    assert f"of {len(left)} samples" in capsys.readouterr().out
    (tmp_path / "empty.txt").write_text("# nothing\n")
    for wrong, said in (("empty.txt", "names no files"), ("none.txt", "no list of files")):
        assert main([*ask, "--without", str(tmp_path / wrong)]) == 1
        assert said in capsys.readouterr().err


def test_shards_of_meshes_join_training(tmp_path, capsys):
    """Written once, named, in the format of the procedural ones; and the card must say whose they are."""
    source = tmp_path / "props"
    source.mkdir()
    for number in range(7):
        box(source, f"{number}.ply", (1, 0.3 + number / 20, 0.5))
    (source / "bad.obj").write_text("f 1 2 3\n")
    monkey = meshes.paths(source, "train")
    made, count = mesh_shards.write_mesh_shards(source, tmp_path / "shards" / "train", "train", views=1)
    assert made == 1 and count == len([p for p in monkey if p.suffix == ".ply"])
    assert mesh_shards.write_mesh_shards(source, tmp_path / "shards" / "train", "train", views=1) == (0, 0)
    assert capsys.readouterr().out.count("bad.obj") <= 1
    (path,) = (tmp_path / "shards" / "train").glob("shard-*.npz")
    assert path.name == "shard-mesh-props-00000.npz"
    stored = shards.load(path)
    assert stored.picture.shape == (count, 128, 128, 4) and stored.distance.dtype == np.int8
    plan = recipe.Recipe(shards=str(tmp_path / "shards"), library=0, batch=4)
    batch = next(iter(recipe.Batches(tmp_path / "shards" / "train", plan, np.random.default_rng(0))))
    assert batch["picture"].shape[0] == 4
    with pytest.raises(ValueError, match="--other-data"):
        recipe.make(plan)
    assert "props, CC0" in recipe.data({"other_data": "props, CC0"})
    assert "no other data" in recipe.data({})  # runs from before there was such a field


def test_what_the_first_weights_learned_from_stays_on_the_card(tmp_path):
    plan = recipe.Recipe(shards=str(tmp_path), library=0, start=str(tmp_path / "first.safetensors"))
    for card, said in (
        ({"data": recipe.data({"other_data": "props, CC0"})}, "props, CC0"),
        ({"data": recipe.data({})}, ""),
        ({"data": "something else"}, ""),
        ({}, ""),
        ([], ""),
    ):
        (tmp_path / "first.json").write_text(json.dumps(card))
        assert recipe.begun_on(plan.start) == said
    assert recipe.begun_on("") == recipe.begun_on(str(tmp_path / "none.safetensors")) == ""
    (tmp_path / "first.json").write_text(json.dumps({"data": recipe.data({"other_data": "props, CC0"})}))
    with pytest.raises(ValueError, match="was trained on props, CC0, too"):
        recipe.make(plan)
    recipe.make(replace(plan, other_data="props, CC0; and toys, MIT"))
