"""`maquette texture` and `maquette capture --texture`: textured files, and one line where they cannot be."""

import json

import numpy as np
import pytest
import trimesh

from .command import one_line


@pytest.fixture(scope="module")
def captured(ellipsoid, tmp_path_factory):
    """A capture with its texture, and its report."""
    from maquette import cli

    out = tmp_path_factory.mktemp("captured")
    asked = ["--steps", "50", "--resolution", "64", "--texture", "512", "--report", str(out / "r.json")]
    assert cli.main(["capture", str(ellipsoid.folder), "-o", str(out / "a.glb"), *asked]) == 0
    return out


def picture(path):
    material = trimesh.load(path, force="mesh").visual.material
    return np.asarray(getattr(material, "baseColorTexture", None) or material.image)


def test_a_capture_is_written_with_its_texture(captured):
    assert picture(captured / "a.glb").shape == (512, 512, 3)
    told = json.loads((captured / "r.json").read_text())
    assert told["texture"]["size"] == 512 and told["cameras"][0]["upright"] is False


def test_a_mesh_and_the_report_of_its_capture(maquette, captured, tmp_path):
    code, said, err = maquette(
        "texture",
        captured / "a.glb",
        captured / "r.json",
        "-o",
        tmp_path / "b.obj",
        "--size",
        600,
        "--report",
        tmp_path / "t.json",
    )
    assert (code, err) == (0, "") and "b.obj" in said
    assert picture(tmp_path / "b.obj").shape == (600, 600, 3)
    assert {path.name for path in tmp_path.iterdir()} == {"b.obj", "b.mtl", "b_texture.png", "t.json"}
    told = json.loads((tmp_path / "t.json").read_text())
    assert told["texture"]["seen"] > 0.9 and told["views"] == 24 and told["seconds"] > 0


def test_a_mesh_and_its_folder(maquette, captured, ellipsoid, tmp_path):
    assert maquette("texture", captured / "a.glb", ellipsoid.folder, "-o", tmp_path / "b.glb", "--size", 512)[0] == 0
    assert picture(tmp_path / "b.glb").shape == (512, 512, 3)


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["capture", "photos", "-o", "a.ply", "--texture", "512"], ".ply holds no texture; write .glb or .obj"),
        (["capture", "photos", "-o", "a.glb", "--texture", "100"], "Texture is 100; it must be from 512 to 4096"),
        (["texture", "a.glb", "photos", "-o", "a.stl"], ".stl holds no texture"),
        (["texture", "a.glb", "photos", "-o", "a.glb", "--size", "9000"], "Size is 9000"),
        (["texture", "a.glb", "photos", "-o", "a.glb", "--folder", "b"], "--folder goes with a report"),
    ],
)
def test_wrong_usage(maquette, arguments, sentence):
    code, _, err = maquette(*arguments)
    assert code == 2 and sentence in err


def test_what_fails_is_one_line(maquette, captured, tmp_path):
    code, _, err = maquette("texture", captured / "a.glb", tmp_path / "no.json", "-o", tmp_path / "b.glb")
    assert code == 1 and "no.json cannot be read" in one_line(err)
    (tmp_path / "other.json").write_text("{}")
    code, _, err = maquette("texture", captured / "a.glb", tmp_path / "other.json", "-o", tmp_path / "b.glb")
    assert code == 1 and "is no report of a capture" in one_line(err)
    code, _, err = maquette("texture", tmp_path / "no.glb", captured / "r.json", "-o", tmp_path / "b.glb")
    assert code == 1 and "no.glb does not exist" in one_line(err)
    assert not (tmp_path / "b.glb").exists()


def test_from_python(ellipsoid, captured):
    import maquette

    shape = maquette.texture(str(captured / "a.glb"), str(ellipsoid.folder), 512)
    assert shape.texture.shape == (512, 512, 3) and shape.uvs.shape == (len(shape.faces), 3, 2)
    rows = json.loads((captured / "r.json").read_text())["cameras"]
    assert maquette.texture(shape, rows, 512).texture.shape == (512, 512, 3)
