"""The command line: its grammar, its exit codes, its one line when something fails."""

import importlib
import json
import os
import shutil
import subprocess
import sys
import threading

import numpy as np
import pytest
import trimesh
from PIL import Image, ImageDraw

from maquette import cli
from maquette.geometry.field import Field
from maquette.jobs import client, environment

RUN = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
root = sys.argv.pop(1)
spec = spec_from_file_location("maquette", root + "/__init__.py", submodule_search_locations=[root])
sys.modules["maquette"] = module_from_spec(spec)
spec.loader.exec_module(sys.modules["maquette"])
from maquette.cli import main
code = main()
print("loaded:", *sorted({"torch", "bpy", "scipy", "PIL"} & set(sys.modules)), file=sys.stderr)
sys.exit(code)
"""


@pytest.fixture(scope="module", autouse=True)
def warm():
    """One worker for all calls in this process."""
    before, client._shared = client._shared, client.Worker()
    yield
    client._shared.close()
    client._shared = before


@pytest.fixture
def maquette(capsys):
    """Run a command; returns (exit code, stdout, stderr)."""

    def run(*arguments, **settings):
        code = cli.main([str(argument) for argument in arguments], **settings)
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def field(tmp_path):
    """A ball's field in a folder that is not ASCII."""
    centres = (np.arange(24) + 0.5) / 24 - 0.5
    distance = np.linalg.norm(np.stack(np.meshgrid(centres, centres, centres)), axis=0)
    folder = tmp_path / "Körper"
    folder.mkdir()
    Field((0.4 - distance).astype(np.float32), 0.0, np.array([[-0.5] * 3, [0.5] * 3])).save(folder / "kugel.npz")
    return folder / "kugel.npz"


def vase(path, size=(160, 200), mode="RGB"):
    """A picture that Reconstruct takes: a red vase before plain grey."""
    picture = Image.new("RGB", size, (200, 200, 200))
    draw = ImageDraw.Draw(picture)
    w, h = size
    draw.ellipse((w * 0.25, h * 0.4, w * 0.75, h * 0.9), fill=(180, 40, 30))
    draw.rectangle((w * 0.42, h * 0.15, w * 0.58, h * 0.5), fill=(190, 60, 40))
    picture.convert(mode).save(path)
    return path


def one_line(text: str) -> str:
    """The only line, without `maquette: `."""
    (line,) = text.splitlines()
    assert line.startswith("maquette: ")
    return line.removeprefix("maquette: ")


# --- grammar --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [[], ["reconstruct"], ["remesh"], ["models"], ["doctor"]])
def test_help_loads_nothing_heavy(root, command):
    run = subprocess.run(
        [sys.executable, "-B", "-c", RUN, str(root), *command, "--help"], capture_output=True, text=True
    )
    assert run.returncode == 0 and "usage: maquette" in run.stdout
    assert run.stderr.strip() == "loaded:"


def test_python_m_maquette_is_the_same_command(root, tmp_path):
    """From a checkout that is called maquette, without installing anything."""
    copy = tmp_path / "maquette"
    copy.mkdir()
    for name in ("__init__.py", "__main__.py"):
        shutil.copy(root / name, copy)
    for room in ("cli", "jobs"):
        shutil.copytree(root / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    for arguments, code in ((["--version"], 0), (["dance"], 2)):
        run = subprocess.run(
            [sys.executable, "-m", "maquette", *arguments], cwd=tmp_path, capture_output=True, text=True
        )
        assert run.returncode == code, run.stderr
        assert not code or run.stderr.startswith("usage: maquette")


def test_version(maquette):
    code, out, _ = maquette("--version")
    assert code == 0 and out == f"maquette {importlib.import_module('maquette').__version__}\n"


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "the following arguments are required: COMMAND"),
        (["dance"], "invalid choice"),
        (["reconstruct", "a.png"], "-o"),
        (["reconstruct", "-o", "a.glb"], "IMAGE"),
        (["reconstruct", "a.png", "-o", "a.blend"], "a.blend ends in none of .glb, .ply, .obj, .stl"),
        (["reconstruct", "a.png", "-o", "a"], "a ends in none of"),
        (["reconstruct", "a.png", "-o", "a.glb", "--resolution", "48"], "--resolution"),
        (["reconstruct", "a.png", "-o", "a.glb", "--device", "tpu"], "--device"),
        (["reconstruct", "a.png", "-o", "a.glb", "--faces", "3"], "a closed mesh needs at least 4"),
        (["reconstruct", "a.png", "-o", "a.glb", "--size", "-1"], "must be above 0"),
        (["reconstruct", "a.png", "-o", "a.glb", "--level", "high"], "--level"),
        (["reconstruct", "a.png", "-o", "a.glb", "--format", "ply"], "--format goes with --each"),
        (["reconstruct", "a.png", "b.png", "-o", "a.glb", "--turns", "0,behind"], "--turns is '0,behind'"),
        (["reconstruct", "a.png", "b.png", "-o", "a.glb", "--turns", "0,90,180"], "Turns are 3 for 2 pictures"),
        (["reconstruct", "a", "b", "-o", "a.glb", "--turns", "0,90", "--cameras", "c.json"], "give one of them"),
        (["reconstruct", "a", "b", "-o", "out", "--each", "--turns", "0,90"], "they do not go with --each"),
        (["reconstruct", "a.png", "a.png", "-o", "a.glb"], "a.png was given twice"),
        (["reconstruct", "a.png", "b.png", "-o", "a.glb", "--mask", "m.png"], "Masks are 1 for 2 pictures"),
        (["remesh", "f.npz", "-o", "a.glb", "--smoothing", "-2"], "must be a whole number from 0"),
        (["remesh", "f.npz", "-o", "a.glb", "--level", "nan"], "Level is nan"),
    ],
)
def test_wrong_usage_exits_2_and_says_so(maquette, arguments, said):
    code, out, err = maquette(*arguments)
    assert code == 2 and said in err and not out


def test_every_picture_gets_a_name_of_its_own():
    assert cli.stems(["a/x.png", "b/x.jpg", "c/X.webp", "y.tar.png"]) == ["x", "x-2", "X-3", "y.tar"]
    assert cli.stems(["x-2.png", "x.png", "x.jpg"]) == ["x-2", "x", "x-3"]


def test_a_folder_means_its_pictures(tmp_path):
    for name in ("b.PNG", "a.jpg", "c.tga", "notes.txt", ".hidden.png"):
        (tmp_path / name).write_text("")
    named = [str(tmp_path / name) for name in ("a.jpg", "b.PNG", "c.tga")]
    assert cli.pictures([str(tmp_path), "z.png"]) == [*named, "z.png"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(cli.Failed, match="holds no pictures"):
        cli.pictures([str(tmp_path / "empty")])


# --- remesh ---------------------------------------------------------------------------------------------------------


def test_remesh_writes_mesh_report_and_preview(maquette, field, tmp_path):
    out, report, preview = tmp_path / "kugel ä.glb", tmp_path / "r.json", tmp_path / "p.png"
    code, said, err = maquette("remesh", field, "-o", out, "--faces", 400, "--report", report, "--preview", preview)
    assert (code, err) == (0, "") and str(out) in said
    told = json.loads(report.read_text("utf-8"))
    assert {"seconds", "device", "vertices", "faces", "watertight", "components", "bounds"} <= set(told)
    assert told["watertight"] and told["faces"] <= 400 and told["output"] == str(out)
    mesh = trimesh.load(out, force="mesh")
    assert len(mesh.faces) == told["faces"] and np.allclose(mesh.extents, 1, atol=0.05)
    assert preview.read_bytes().startswith(b"\x89PNG")
    assert not list(tmp_path.glob("*.part"))


def test_the_ending_decides_the_axes(maquette, field, tmp_path):
    for name in ("a.ply", "a.glb"):
        assert maquette("remesh", field, "-o", tmp_path / name, "--size", 2)[0] == 0
    z_up, y_up = (trimesh.load(tmp_path / name, force="mesh").bounds for name in ("a.ply", "a.glb"))
    assert np.allclose(z_up[0], [-1, -1, 0], atol=0.05) and np.allclose(y_up[0], [-1, 0, -1], atol=0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names that are no text")
def test_a_name_of_raw_bytes_works_too(maquette, field, tmp_path):
    folder = os.path.join(str(tmp_path), os.fsdecode(b"caf\xe9"))
    os.mkdir(folder)
    report = os.path.join(folder, "r.json")
    code, said, err = maquette("remesh", field, "-o", os.path.join(folder, "a.ply"), "--report", report)
    assert (code, err) == (0, "") and os.path.isfile(os.path.join(folder, "a.ply")) and "a.ply" in said
    with open(report, encoding="utf-8") as stream:
        assert os.path.isfile(json.load(stream)["output"])


@pytest.mark.parametrize(
    "name, said",
    [
        ("gone.npz", "There is no field at"),
        ("text.npz", "is not a field that Maquette wrote"),
        ("a" * 64, "Regenerate"),
    ],
)
def test_a_field_that_is_none_exits_1_with_one_line(maquette, tmp_path, monkeypatch, name, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.npz").write_text("hello")
    code, out, err = maquette("remesh", name, "-o", tmp_path / "a.ply")
    assert code == 1 and said in one_line(err) and not out
    assert not (tmp_path / "a.ply").exists()


# --- where results go -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-o", "--report", "--preview"])
def test_a_missing_folder_is_told_before_any_work(maquette, field, tmp_path, monkeypatch, option):
    monkeypatch.setattr(client, "worker", lambda **_: pytest.fail("the worker was asked"))
    paths = {"-o": tmp_path / "a.ply", "--report": tmp_path / "r.json", "--preview": tmp_path / "p.png"}
    paths[option] = tmp_path / "missing" / paths[option].name
    code, _, err = maquette("remesh", field, *(part for pair in paths.items() for part in pair))
    assert code == 1 and "missing does not exist" in one_line(err)
    assert not (tmp_path / "missing").exists()


def test_an_output_that_is_a_folder_is_told(maquette, field, tmp_path):
    (tmp_path / "a.ply").mkdir()
    code, _, err = maquette("remesh", field, "-o", tmp_path / "a.ply")
    assert code == 1 and "is a folder" in one_line(err)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_folder_is_told(maquette, field, tmp_path):
    (tmp_path / "locked").mkdir(0o500)
    code, _, err = maquette("remesh", field, "-o", tmp_path / "locked" / "a.ply")
    assert code == 1 and "cannot be written" in one_line(err)


def test_an_unwritable_folder_is_told_even_when_the_system_only_says_so_late(maquette, field):
    """/proc takes no files, from root neither."""
    if not os.path.isdir("/proc/self"):
        pytest.skip("needs Linux")
    code, _, err = maquette("remesh", field, "-o", "/proc/self/a.ply")
    assert code == 1 and "/proc/self" in one_line(err)


# --- doctor, models, no environment ---------------------------------------------------------------------------------


def test_doctor_speaks_to_people_and_to_programs(maquette):
    code, out, _ = maquette("doctor", "--device", "cpu")
    assert "torch" in out and "cpu" in out and "ok" in out
    _, out, _ = maquette("doctor", "--device", "cpu", "--json")
    told = json.loads(out)
    assert told["devices"][0]["ok"] and told["device"] == "cpu"
    assert code == (0 if told["ok"] else 1)


def test_models_are_listed(maquette):
    code, out, _ = maquette("models", "--json")
    rows = json.loads(out)
    assert code == 0 and rows
    for row in rows:
        assert {"name", "kind", "label", "sha256", "bytes", "licence", "metrics"} <= set(row)
    assert rows[0]["name"] in maquette("models")[1]


def test_without_torch_the_line_says_where_to_click(maquette, field, tmp_path, monkeypatch):
    def none(*_, **__):
        raise environment.NoEnvironment(f"Maquette found no Python with torch: {environment.WHERE_TO_SET_IT}")

    monkeypatch.setattr(environment, "find_python", none)
    for command in (["remesh", field, "-o", tmp_path / "a.ply"], ["doctor"]):
        code, out, err = maquette(*command)
        assert code == 1 and "open Edit > Preferences > Add-ons > Maquette" in one_line(err) and not out
    code, out, _ = maquette("doctor", "--json")
    assert code == 1 and json.loads(out)["ok"] is False


def test_the_log_is_shown_when_asked_for(maquette, tmp_path):
    (tmp_path / "text.npz").write_text("hello")
    code, _, err = maquette("remesh", "-v", tmp_path / "text.npz", "-o", tmp_path / "a.ply")
    assert code == 1 and "Traceback" in err and err.startswith("maquette: ")


# --- reconstruct ----------------------------------------------------------------------------------------------------


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


def four_sides(folder) -> list:
    """A vase with a coloured dot for each side; the dots alone tell the pictures apart."""
    images = []
    for name, colour in (("front", "red"), ("right", "lime"), ("back", "blue"), ("left", "yellow")):
        path = vase(folder / f"{name}.png")
        with Image.open(path) as picture:
            picture = picture.convert("RGB")
        draw = ImageDraw.Draw(picture)
        x, y = picture.width / 2, picture.height / 2
        draw.ellipse((x - 9, y - 9, x + 9, y + 9), fill=colour)
        picture.save(path)
        images.append(path)
    return images


def test_pictures_of_one_object_make_one_mesh(maquette, tmp_path):
    """With known sides each colours its own; the order of the others says nothing."""
    images, report = four_sides(tmp_path), tmp_path / "r.json"
    common = ["--resolution", 32, "--device", "cpu", "--report", report]
    assert maquette("reconstruct", *images, "--turns", "right", *common, "-o", tmp_path / "a.ply")[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert [view["turn"] for view in told["views"]] == pytest.approx([0, 90, 180, -90], abs=1e-3)
    assert [view["image"] for view in told["views"]] == [image.name for image in images] and told["watertight"]
    assert len(told["provenance"]["images"]) == 4 and told["provenance"]["settings"]["turns"] == [0, 90, 180, -90]
    other = [images[0], images[2], images[3], images[1]]
    turns = ["--turns", "0,180,270,90"]
    assert maquette("reconstruct", *other, *turns, *common, "-o", tmp_path / "b.ply")[0] == 0
    one, two = (trimesh.load(tmp_path / name) for name in ("a.ply", "b.ply"))
    np.testing.assert_allclose(one.volume, two.volume, rtol=1e-3)
    red, green, blue = np.asarray(one.visual.vertex_colors)[:, :3].T.astype(float)
    lime, yellow = (green > red + 60) & (green > blue), (red > 150) & (green > 150)
    dots = {"right": lime, "back": blue > red + 50, "left": yellow}
    where = {side: one.vertices[dot].mean(0)[:2].round(1).tolist() for side, dot in dots.items()}
    assert where == {"right": [0.2, 0], "back": [0, 0.2], "left": [-0.2, 0]}, "each where its picture was taken"


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


def test_pictures_without_sides_are_searched_or_left_out(maquette, tmp_path):
    images, report = four_sides(tmp_path)[:2], tmp_path / "r.json"
    options = ["--resolution", 32, "--device", "cpu", "--report", report, "-o", tmp_path / "a.ply"]
    assert maquette("reconstruct", *images, *options)[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert 0 <= told["views"][1]["found"] <= 1
    assert told["views"][1]["used"] or "right.png was left out" in told["note"]


def test_the_same_picture_under_two_names_is_told(maquette, tmp_path):
    image = vase(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes(image.read_bytes())
    code, _, err = maquette("reconstruct", image, tmp_path / "b.png", "-o", tmp_path / "a.glb", "--device", "cpu")
    assert code == 1 and "a.png and b.png are the same picture" in one_line(err)
    assert not (tmp_path / "a.glb").exists()


def test_a_view_that_shows_nothing_is_named(maquette, tmp_path):
    image = vase(tmp_path / "a.png")
    Image.new("RGB", (90, 90), "grey").save(tmp_path / "b.png")
    code, _, err = maquette("reconstruct", image, tmp_path / "b.png", "-o", tmp_path / "a.glb", "--device", "cpu")
    assert code == 1 and "b.png" in one_line(err)


def test_cameras_of_a_pose_file_are_used(maquette, tmp_path):
    from maquette.geometry import frames

    images = four_sides(tmp_path)[:2]
    rows = [
        {"file_path": name, "transform_matrix": frames.orbit(azimuth, elevation, 3).tolist()}
        for name, azimuth, elevation in (("front.png", 20, 10), ("right.png", 95, 30))
    ]
    (tmp_path / "transforms.json").write_text(json.dumps({"camera_angle_x": 0.8, "frames": rows}))
    report = tmp_path / "r.json"
    options = ["--resolution", 32, "--device", "cpu", "--report", report, "-o", tmp_path / "a.ply"]
    assert maquette("reconstruct", *images, "--cameras", tmp_path / "transforms.json", *options)[0] == 0
    told = json.loads(report.read_text("utf-8"))
    assert told["views"][1]["turn"] == pytest.approx(75, abs=1e-3)
    assert told["camera"]["elevation"] == pytest.approx(10, abs=1e-3)
    assert told["provenance"]["settings"]["elevations"] == pytest.approx([10, 30])
    stranger = vase(tmp_path / "stranger.png")
    code, _, err = maquette("reconstruct", images[0], stranger, "--cameras", tmp_path, "-o", tmp_path / "b.ply")
    assert code == 1 and "has no camera for" in one_line(err) and "stranger.png" in err


def test_blender_hands_on_what_its_preferences_say(maquette, field, tmp_path, monkeypatch):
    asked = {}
    real = client.worker

    def watched(**settings):
        asked.update(settings)
        return real()

    monkeypatch.setattr(client, "worker", watched)
    assert maquette("remesh", field, "-o", tmp_path / "a.ply", python=sys.executable, device="cpu")[0] == 0
    assert asked["python"] == sys.executable
    _, out, _ = maquette("doctor", "--json", python=sys.executable, device="cpu")
    assert [row["name"] for row in json.loads(out)["devices"]] == ["cpu"]


def test_ctrl_c_is_one_line_and_leaves_no_file(root, field, tmp_path):
    """A terminal's interrupt reaches the whole group, the worker too."""
    script = RUN.replace("code = main()", "import _thread\ntimer()\ncode = main()").replace(
        "from maquette.cli import main",
        "from maquette.cli import main\nimport threading, _thread\n"
        "def timer(): threading.Timer(0.4, _thread.interrupt_main).start()",
    )
    command = [sys.executable, "-B", "-c", script, str(root), "remesh", str(field), "-o", str(tmp_path / "a.ply")]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if run.returncode == 0:
        pytest.skip("this machine was done before the interrupt")
    assert run.returncode == 1 and run.stderr.splitlines()[0] == "maquette: cancelled"
    assert not list(tmp_path.glob("a.*")) and threading.active_count() < 50
