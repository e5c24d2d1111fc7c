"""`maquette sample`: its grammar, what it writes, and its one line when something fails."""

import json

import numpy as np
import pytest
import trimesh

from maquette import cli


@pytest.fixture
def maquette(maquette):
    """Run `maquette sample shape_vae ...`; returns (exit code, stdout, stderr)."""
    return lambda *arguments: maquette("sample", "shape_vae", *arguments)


def size(path):
    return np.ptp(trimesh.load(path, force="mesh").vertices, axis=0)


def test_one_shape_with_report_field_and_preview(maquette, tmp_path):
    out, report, field, preview = (tmp_path / name for name in ("stuhl ä.ply", "r.json", "f.npz", "p.png"))
    code, said, _ = maquette(
        "--family", "chair", "--seed", 3, "-o", out, "--report", report, "--save-field", field, "--preview", preview
    )
    assert code == 0 and said.startswith(f"{out}: ")
    told = json.loads(report.read_text())
    assert told["watertight"] and told["components"] == 1 and told["family"] == "chair" and told["seconds"] > 0
    assert told["provenance"]["settings"]["point"]["seed"] == 3
    assert field.exists() and preview.exists()
    assert np.allclose(size(out), np.ptp(told["bounds"], axis=0), atol=1e-4)


def test_sliders_by_name_in_any_spelling(maquette, tmp_path):
    report = tmp_path / "r.json"
    for text in ("seat height=50", "Seat_Height=50"):
        assert maquette("--family", "chair", "--set", text, "-o", tmp_path / "a.stl", "--report", report)[0] == 0
        assert json.loads(report.read_text())["sliders"]["Seat height"] == pytest.approx(50, abs=0.1)


def test_several_shapes_count_up(maquette, tmp_path):
    out, report = tmp_path / "row", tmp_path / "r.json"
    code, _, _ = maquette(
        "--count", 3, "--seed", 5, "--format", "ply", "-o", out, "--report", report, "--resolution", 32
    )
    assert code == 0
    assert sorted(p.name for p in out.iterdir()) == [f"shape_vae-{n}.ply" for n in (5, 6, 7)]
    assert len(json.loads(report.read_text())["items"]) == 3


def test_vary_makes_neighbours(maquette, tmp_path):
    assert maquette("--count", 2, "--vary", 8, "--amount", 0.2, "-o", tmp_path / "v", "--resolution", 32)[0] == 0
    a, b = (size(tmp_path / "v" / f"shape_vae-0-{n}.glb") for n in (8, 9))
    assert np.abs(a - b).max() > 1e-4


def test_between_two_seeds(maquette, tmp_path):
    out = tmp_path / "between"
    assert maquette("--between", 1, 2, "--steps", 3, "-o", out, "--resolution", 32, "--format", "ply")[0] == 0
    ends = [size(out / f"shape_vae-1-2-{n}.ply") for n in (0, 2)]
    for seed, end in zip((1, 2), ends):
        assert maquette("--seed", seed, "-o", tmp_path / "one.ply", "--resolution", 32)[0] == 0
        assert np.allclose(size(tmp_path / "one.ply"), end, atol=1e-4)
    assert maquette("--between", 1, 2, "--factor", 0.5, "-o", tmp_path / "half.ply", "--resolution", 32)[0] == 0
    assert np.allclose(size(tmp_path / "half.ply"), size(out / "shape_vae-1-2-1.ply"), atol=1e-4)


def test_a_preset_is_the_same_shape_again(maquette, tmp_path):
    first, again, preset = tmp_path / "a.ply", tmp_path / "b.ply", tmp_path / "p.json"
    assert maquette("--family", "lamp", "--seed", 4, "--set", "height=70", "--save-preset", preset, "-o", first)[0] == 0
    assert maquette("--preset", preset, "-o", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    changed = json.loads(preset.read_text()) | {"weights": "0" * 64}
    preset.write_text(json.dumps(changed))
    code, _, error = maquette("--preset", preset, "-o", again)
    assert code == 1 and "p.json was made with another version of shape_vae" in error


def test_a_preset_keeps_what_lies_on_a_way(maquette, tmp_path):
    half, again, preset = tmp_path / "a.ply", tmp_path / "b.ply", tmp_path / "p.json"
    way = "--between", 1, 2, "--factor", 0.3, "--resolution", 32
    assert maquette(*way, "--save-preset", preset, "-o", half)[0] == 0
    assert maquette("--preset", preset, "--resolution", 32, "-o", again)[0] == 0
    assert half.read_bytes() == again.read_bytes()
    code, _, error = maquette("--between", preset, 2, "--factor", 0.5, "-o", again)
    assert code == 1 and "p.json is on the way between two shapes" in error


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--family", "spoon"], "no family 'spoon'"),
        (["--set", "wings=2"], "no slider 'wings'"),
        (["--set", "seat height=900"], "Seat height is 900 cm; it goes from"),
        (["--preset", "none.json"], "none.json cannot be read"),
    ],
)
def test_what_cannot_be_ends_with_one_line(maquette, tmp_path, arguments, said):
    out = tmp_path / "a.ply"
    code, _, error = maquette(*arguments, "-o", out)
    assert code == 1 and said in error and error.count("\n") == 1 and not out.exists()


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--set", "height"], "--set is 'height'"),
        (["--seed", "-1"], "Seed is -1"),
        (["--truncation", "3"], "Truncation is 3"),
        (["--between", "1", "2"], "needs either --steps or --factor"),
        (["--steps", "3"], "go with --between"),
        (["--between", "1", "2", "--steps", "3", "--save-preset", "p.json"], "name it with --factor"),
        (["--encode", "a.ply", "--fit", "b.png"], "both say where to begin"),
        (["--mask", "m.png"], "--mask goes with --fit"),
        (["--count", "0"], "--count is 0"),
    ],
)
def test_wrong_usage(maquette, tmp_path, arguments, said):
    code, _, error = maquette(*arguments, "-o", tmp_path / "a.ply")
    assert code == 2 and said in error


def test_a_model_that_is_no_sampler(tmp_path, capsys):
    assert cli.main(["sample", "matting", "-o", str(tmp_path / "a.ply")]) == 1
    assert "no sampler 'matting'" in capsys.readouterr().err
