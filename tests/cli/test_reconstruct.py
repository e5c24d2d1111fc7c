"""`maquette reconstruct` from a picture, and with --each from each of several."""

import json
import os

import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from maquette import cli

from .command import one_line
from .pictures import vase


def test_reconstruct_writes_everything_it_was_asked_for(maquette, tmp_path):
    folder = tmp_path / "Bilder 写真"
    folder.mkdir()
    image = vase(folder / "vase ä.png")
    paths = {"--save-field": "f.npz", "--preview": "p.png", "--report": "r.json", "-o": "out.glb"}
    paths = {option: folder / name for option, name in paths.items()}
    options = [part for pair in paths.items() for part in pair]
    code, _, err = maquette("reconstruct", image, "--resolution", 32, "--device", "cpu", *options)
    assert (code, err) == (0, "")
    told = json.loads(paths["--report"].read_text("utf-8"))
    assert {"seconds", "device", "vertices", "faces", "watertight", "components", "bounds"} <= set(told)
    assert told["watertight"] and told["device"] == "cpu" and told["images"] == [str(image)]
    assert trimesh.load(paths["-o"], force="mesh").extents.max() == pytest.approx(1, abs=1e-4)
    assert paths["--preview"].read_bytes().startswith(b"\x89PNG")
    code, _, err = maquette("remesh", paths["--save-field"], "-o", folder / "again.ply", "--style", "blocks")
    assert (code, err) == (0, "")


def test_what_is_known_of_the_view_is_kept(maquette, tmp_path):
    """Elevation and depth by hand come back in the report and change the shape; a mask decides what the object is."""
    image = vase(tmp_path / "vase.png")
    with Image.open(image) as picture:
        marks = Image.new("L", picture.size, 0)
        marks.paste(255, (picture.width // 4, picture.height // 4, picture.width * 3 // 4, picture.height * 3 // 4))
    marks.save(tmp_path / "mask.png")
    told = {}
    for name, options in {
        "free": [],
        "given": ["--elevation", "-5", "--depth", 1.6, "--symmetry"],
        "masked": ["--mask", tmp_path / "mask.png"],
    }.items():
        report = tmp_path / f"{name}.json"
        options = [*options, "--resolution", 32, "--device", "cpu", "--report", report, "-o", tmp_path / f"{name}.ply"]
        assert maquette("reconstruct", image, *options)[0] == 0
        told[name] = json.loads(report.read_text("utf-8"))
    assert told["given"]["camera"]["elevation"] == pytest.approx(-5, abs=1e-3)
    assert told["given"]["camera"]["depth"] == pytest.approx(1.6, abs=1e-3)
    assert told["given"]["provenance"]["settings"]["view"] == {"elevation": -5.0, "depth": 1.6, "symmetry": True}
    assert told["free"]["provenance"]["settings"]["view"] == {"elevation": None, "depth": None, "symmetry": False}
    assert told["free"]["volume"] != pytest.approx(told["given"]["volume"], rel=1e-3)
    assert (told["free"]["mask"], told["masked"]["mask"]) == ("plain", "given")
    assert told["masked"]["provenance"]["mask"]["path"] == str(tmp_path / "mask.png")


def test_a_field_that_cannot_be_kept_is_a_note_and_the_mesh_arrives(maquette, tmp_path, monkeypatch):
    """As on a full disk; here a file lies where the folder of the cache would be."""
    (tmp_path / "in the way").write_text("")
    image, out, report = vase(tmp_path / "vase.png"), tmp_path / "a.ply", tmp_path / "r.json"
    real = cli.requests.Reconstruct
    monkeypatch.setattr(cli.requests, "Reconstruct", lambda **asked: real(**asked, cache=tmp_path / "in the way"))
    code, said, err = maquette("reconstruct", image, "-o", out, "--report", report, "--resolution", 32)
    assert (code, err) == (0, "") and "Remesh will not be possible" in said
    assert len(trimesh.load(out, force="mesh").faces) > 100
    told = json.loads(report.read_text("utf-8"))
    assert told["field"] == "" and "in the way" in told["note"]


def bad_pictures(folder):
    """name -> words that the sentence must hold; the files are written to `folder`."""
    vase(folder / "whole.png")
    (folder / "empty.png").write_bytes(b"")
    (folder / "cut.png").write_bytes((folder / "whole.png").read_bytes()[:300])
    (folder / "text.png").write_text("I am a text file")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(folder / "clear.png")
    Image.new("RGB", (64, 64), (120, 120, 120)).save(folder / "plain.png")
    (folder / "whole.png").unlink()
    return {
        "empty.png": "empty",
        "cut.png": "cut.png",
        "text.png": "text.png",
        "dot.png": "at least 32",
        "clear.png": "transparent",
        "plain.png": "plain.png",
        "gone.png": "gone.png",
    }


@pytest.mark.parametrize("name", ["empty.png", "cut.png", "text.png", "dot.png", "clear.png", "plain.png", "gone.png"])
def test_a_bad_picture_is_one_line_and_writes_nothing(maquette, tmp_path, name):
    words = bad_pictures(tmp_path)[name]
    before = sorted(tmp_path.iterdir())
    code, out, err = maquette("reconstruct", tmp_path / name, "-o", tmp_path / "a.glb", "--preview", tmp_path / "p.png")
    line = one_line(err)
    assert code == 1 and words in line and name in line and "unexpectedly" not in line and not out
    assert sorted(tmp_path.iterdir()) == before


def test_a_gigantic_picture_neither_exhausts_memory_nor_hangs(maquette, tmp_path):
    """20000 x 20000: 1.6 GB as RGBA, were it read whole."""
    Image.new("L", (20000, 20000), 255).save(tmp_path / "huge.png")
    code, _, err = maquette("reconstruct", tmp_path / "huge.png", "-o", tmp_path / "a.glb", "--resolution", 32)
    assert code == 1 and "huge.png" in one_line(err)


def test_each_picture_is_an_object_and_a_bad_one_does_not_stop_the_rest(maquette, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    vase(folder / "a ä.png"), vase(folder / "b.jpg"), (folder / "c.png").write_text("no picture")
    out, report = tmp_path / "out", tmp_path / "r.json"
    options = ["--each", "--format", "ply", "--report", report, "--preview", tmp_path / "drawn", "--save-field", out]
    code, _, err = maquette("reconstruct", folder, folder / "gone.png", "-o", out, *options, "--resolution", 32)
    assert code == 1
    assert len(err.splitlines()) == 2 and "c.png" in err and "gone.png" in err
    assert sorted(os.listdir(out)) == ["a ä.npz", "a ä.ply", "b.npz", "b.ply"]
    assert sorted(os.listdir(tmp_path / "drawn")) == ["a ä.png", "b.png"]
    items = json.loads(report.read_text("utf-8"))["items"]
    assert ["error" in item for item in items] == [False, False, True, True]
    assert items[0]["watertight"] and items[0]["output"] == str(out / "a ä.ply")
    assert items[2]["images"] == [str(folder / "c.png")]


def test_cancelling_keeps_the_files_that_are_finished(maquette, tmp_path, monkeypatch):
    images = [vase(tmp_path / f"{name}.png") for name in "abc"]
    real = cli.Run.ask

    def ask(self, request):
        if getattr(request, "images", ("",))[0].endswith("b.png"):
            raise KeyboardInterrupt  # as Ctrl-C does, while this one is made
        return real(self, request)

    monkeypatch.setattr(cli.Run, "ask", ask)
    report = tmp_path / "r.json"
    options = ["--each", "-o", tmp_path / "out", "--report", report, "--resolution", 32]
    code, _, err = maquette("reconstruct", *images, *options)
    assert code == 1 and one_line(err) == "cancelled: 1 of 3 were finished and are kept"
    assert os.listdir(tmp_path / "out") == ["a.glb"]
    (item,) = json.loads(report.read_text("utf-8"))["items"]
    assert item["output"] == str(tmp_path / "out" / "a.glb")


def test_each_needs_a_place_for_its_folder(maquette, tmp_path):
    image = vase(tmp_path / "a.png")
    code, _, err = maquette("reconstruct", "--each", image, "-o", tmp_path / "not" / "there")
    assert code == 1 and "cannot be made" in one_line(err)
    code, _, err = maquette("reconstruct", "--each", image, "-o", image)
    assert code == 1 and "is a file; with --each it names a folder" in one_line(err)


def test_a_picture_unlike_all_others_is_told(maquette, tmp_path):
    picture, report = Image.new("RGBA", (200, 200)), tmp_path / "r.json"
    draw = ImageDraw.Draw(picture)
    for i in range(0, 200, 40):
        for j in range(0, 200, 40):
            draw.rectangle((i, j, i + 12, j + 12), fill="purple")
    picture.save(tmp_path / "dots.png")
    options = ["--resolution", 32, "--device", "cpu", "--report", report, "-o", tmp_path / "a.ply"]
    assert maquette("reconstruct", tmp_path / "dots.png", *options)[0] == 0
    strange = json.loads(report.read_text("utf-8"))
    assert strange["likeness"] < 0.5 and "dots.png is unlike all that the network was trained on" in strange["note"]
    assert maquette("reconstruct", vase(tmp_path / "vase.png"), *options)[0] == 0
    known = json.loads(report.read_text("utf-8"))
    assert known["likeness"] > 0.5 and "unlike" not in known.get("note", "")


def test_a_texture_of_the_picture_goes_into_the_file(maquette, tmp_path):
    image, report, out = vase(tmp_path / "vase.png"), tmp_path / "r.json", tmp_path / "vase.glb"
    options = ["--texture", 512, "--resolution", 32, "--device", "cpu", "--report", report, "-o", out]
    assert maquette("reconstruct", image, *options)[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert told["texture"]["size"] == 512 and told["texture"]["photos"] == 1 and len(told["cameras"]) == 1
    mesh = trimesh.load(out, force="mesh")
    assert mesh.visual.kind == "texture" and mesh.visual.material.baseColorTexture.size == (512, 512)
    red, green, blue = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB")).reshape(-1, 3).mean(0)
    assert red > 1.5 * green and red > 1.5 * blue
    # And later, from the mesh and the report alone
    plain = [*options[2:-1], tmp_path / "plain.ply"]
    assert maquette("reconstruct", image, *plain)[0] == 0
    code, _, err = maquette("texture", tmp_path / "plain.ply", report, "-o", tmp_path / "later.glb", "--size", 512)
    assert (code, err) == (0, "")


def test_with_each_every_mesh_gets_one(maquette, tmp_path):
    images = [vase(tmp_path / f"{name}.png") for name in ("one", "two")]
    options = ["--each", "--texture", 512, "--resolution", 32, "--device", "cpu", "-o", tmp_path / "out"]
    assert maquette("reconstruct", *images, *options)[0] == 0
    for name in ("one", "two"):
        assert trimesh.load(tmp_path / "out" / f"{name}.glb", force="mesh").visual.kind == "texture"


@pytest.mark.parametrize("options", [["-o", "out.ply"], ["--each", "--format", "stl", "-o", "out"]])
def test_formats_that_hold_no_texture_are_a_sentence(maquette, tmp_path, options):
    code, _, err = maquette("reconstruct", vase(tmp_path / "vase.png"), "--texture", 512, *options)
    assert code == 2 and "holds no texture; write .glb or .obj" in err
