"""The list of artists' models, and cases made of one."""

import numpy as np
import pytest
import trimesh

from maquette.train.evaluate import artists
from maquette.train.evaluate.image_to_field import surface


def test_the_list_has_one_of_a_kind_and_no_walls_or_floors():
    listed = artists.listed()
    names = [path.rsplit("/", 1)[1].split(".")[0] for path in listed]
    assert len(set(names)) == len(names) >= 60
    assert not [name for name in names if name.startswith(("wall", "floor", "tile"))]


@pytest.fixture
def one(tmp_path, monkeypatch):
    """A list of a single model: a flat box, twice as long as wide."""
    monkeypatch.setattr(artists, "LIST", tmp_path / "list.txt")
    (tmp_path / "list.txt").write_text("# one\nprops/box.glb\n")
    (tmp_path / "props").mkdir()
    trimesh.creation.box((2, 0.5, 1)).export(tmp_path / "props/box.glb")  # y up
    return tmp_path


def test_views_of_a_model_have_its_true_shape(one):
    made = list(artists.cases(one, surface))
    assert [(case.object, case.name) for case in made] == [("box", "0"), ("box", "1")]
    for case in made:
        assert case.truth.is_watertight
        height = np.ptp(case.truth.vertices[:, 2])  # turned as it is, it fills the cube less
        assert case.truth.volume == pytest.approx(8 * height**3, rel=0.25), "it lies, z up, a little thickened"
        assert 0.03 < case.rgba[..., 3].mean() < 0.9
    again = next(artists.cases(one, surface))
    assert np.array_equal(again.rgba, made[0].rgba)


def test_a_missing_model_is_a_sentence(one):
    (one / "props/box.glb").unlink()
    with pytest.raises(ValueError, match="box.glb is missing; artists.txt lists"):
        next(artists.cases(one, surface))
