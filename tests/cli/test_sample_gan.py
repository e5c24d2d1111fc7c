"""`maquette sample shape_gan`: drawn, moved by sliders, found from a mesh, though nothing encodes it."""

import json

import pytest
import trimesh


@pytest.fixture
def asked(maquette, tmp_path):
    """Samples to a mesh; -> the report."""

    def run(*arguments, to="a.ply"):
        report = tmp_path / "r.json"
        code, _, error = maquette("sample", "shape_gan", *arguments, "-o", tmp_path / to, "--report", report)
        assert code == 0, error
        return json.loads(report.read_text())

    return run


def test_it_draws_and_its_sliders_are_obeyed(asked, tmp_path):
    low = asked("--family", "chair", "--seed", 2, "--set", "seat width=40", to="low.ply")
    high = asked("--family", "chair", "--seed", 2, "--set", "seat width=52", to="high.ply")
    assert low["watertight"] and low["components"] == 1
    assert high["sliders"]["Seat width"] == pytest.approx(52, abs=0.1)
    wide, narrow = (trimesh.load(tmp_path / f"{name}.ply", force="mesh").extents[0] for name in ("high", "low"))
    assert wide - narrow == pytest.approx(0.12, abs=0.08)


def test_a_mesh_is_found_by_gradient_steps_alone(asked, tmp_path):
    asked("--family", "bottle", "--seed", 5, to="bottle.ply")
    assert asked("--encode", tmp_path / "bottle.ply", "--family", "bottle", to="again.ply")["family"] == "bottle"
    true, found = (trimesh.load(tmp_path / f"{name}.ply", force="mesh") for name in ("bottle", "again"))
    # In the cube the search may take the mesh smaller or larger, so proportions are what can be asked for
    assert found.extents / found.extents[2] == pytest.approx(true.extents / true.extents[2], rel=0.12)
    assert found.volume / found.extents[2] ** 3 == pytest.approx(true.volume / true.extents[2] ** 3, rel=0.15)
