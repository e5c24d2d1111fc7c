"""People for training: drawn, bent at their joints, painted; shards of them are named and join the procedural ones."""

import numpy as np
import pytest

from maquette.train.__main__ import main
from maquette.train.heads import body, people
from maquette.train.readers import makehuman
from maquette.train.readers import shards as mesh_shards
from maquette.train.recipes import image_to_field as recipe
from maquette.train.shapes import shards

from . import heads as tiny

IDENTITY = np.eye(len(body.BONES))


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("people")
    return tiny.write_ict(root / "ict"), tiny.write_mpfb(root / "mpfb")


@pytest.fixture(scope="module")
def drawn(folders):
    return people.People(*folders)


@pytest.fixture(scope="module")
def joints(drawn):
    return {name: drawn.body.vertices[numbers].mean(0) for name, numbers in drawn.body.joints.items()}


def bone(name):
    return [each.name for each in body.BONES].index(name)


def along(joints, name, share):
    start, end = (joints[joint] for joint in body.BONES[bone(name)].joints)
    return start + share * (end - start)


def test_joints_are_metres_upright_and_left_is_left(joints):
    assert joints["neck"] == pytest.approx([0, -0.01, 0.59], abs=1e-6)
    assert joints["l-hand"] == pytest.approx([0.43, -0.18, 0.24])
    assert joints["r-hand"][0] == pytest.approx(-0.43)


def test_a_place_is_held_by_its_own_bone(joints):
    names = ["head", "l-forearm", "r-forearm", "l-thigh", "r-shin", "r-foot"]
    weights = body.held_by(np.stack([along(joints, name, 0.6) for name in names]), joints)
    assert [body.BONES[k].name for k in weights.argmax(1)] == names
    assert weights.sum(1) == pytest.approx(1)
    right = [k for k, each in enumerate(body.BONES) if each.name.startswith("r-")]
    assert not weights[names.index("l-forearm"), right].any()


def test_bones_stay_as_long_as_they_are_and_hang_together(joints):
    """Whoever is posed: a forearm moves as one, and its end is where the arm's is."""
    rows = [("l-arm", 1.0), ("l-forearm", 0.0), ("l-forearm", 1.0), ("spine", 0.5)]
    points = np.stack([along(joints, *row) for row in rows])
    weights = np.stack([IDENTITY[bone(name)] for name, _ in rows])
    moved = 0.0
    for seed in range(5):
        arm, elbow, hand, spine = body.posed(points, joints, weights, np.random.default_rng(seed))
        assert arm == pytest.approx(elbow) and spine == pytest.approx(points[3])
        assert np.linalg.norm(hand - elbow) == pytest.approx(np.linalg.norm(points[2] - points[1]))
        moved = max(moved, np.linalg.norm(hand - points[2]))
    assert moved > 0.05


def test_knees_bend_backwards_and_elbows_forwards(joints):
    ends = np.stack([along(joints, "l-shin", 1), along(joints, "l-forearm", 1)])
    parents = np.stack([IDENTITY[bone("l-thigh")], IDENTITY[bone("l-arm")]])
    own = np.stack([IDENTITY[bone("l-shin")], IDENTITY[bone("l-forearm")]])
    for seed in range(8):  # looking along -y; what bends is compared with what the limb above alone would do
        straight = body.posed(ends, joints, parents, np.random.default_rng(seed))
        bent = body.posed(ends, joints, own, np.random.default_rng(seed))
        assert bent[0, 1] >= straight[0, 1] - 1e-9
        lifted = bent[1] - straight[1]
        assert lifted[2] >= -1e-9 or lifted[1] <= 1e-9


def test_everybody_is_drawn_anew_and_the_same_again(drawn):
    first, again, other = (drawn.draw(np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.vertices, again.vertices) and np.array_equal(first.colours, again.colours)
    assert first.vertices.shape != other.vertices.shape or not np.allclose(first.vertices, other.vertices)
    assert np.abs(first.vertices).max() <= 0.5 and np.ptp(first.vertices, axis=0).max() > 0.98


def test_eyes_are_white_with_an_iris_in_front(drawn):
    family = drawn.families[1]
    balls = people.eyeballs(family.vertices, family.faces)
    assert len(balls) == 2
    for seed in range(20):
        vertices, _, colours = people.bust(family, np.random.default_rng(seed))
        white = (colours[balls[0]] == people.rgba([235, 232, 228])).all(1)
        if white.any():  # not of one colour altogether
            assert vertices[balls[0][~white], 1].max() < vertices[balls[0][white], 1].mean()
            break
    else:
        pytest.fail("nobody of twenty had white eyes")


def test_shards_of_people_join_training(folders, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 6)
    faces, heads = map(str, folders)
    ask = ["shards", "--faces", faces, "--heads", heads, "--folder", str(tmp_path / "shards"), "--count", "1"]
    assert main(ask) == 0 and "1 shards of people" in capsys.readouterr().out
    assert main(ask) == 0 and "0 shards of people" in capsys.readouterr().out
    assert main([*ask, "--split", "validation"]) == 0
    train, validation = (
        tmp_path / "shards" / split / "shard-mesh-people-00000.npz" for split in ("train", "validation")
    )
    stored, others = shards.load(train), shards.load(validation)
    assert 1 <= len(stored.picture) <= 6 and stored.picture.shape[1:] == (128, 128, 4)
    assert not np.array_equal(stored.distance[0], others.distance[0])
    with pytest.raises(ValueError, match="--other-data"):
        recipe.make(recipe.Recipe(shards=str(tmp_path / "shards"), library=0))


def test_half_of_the_data_and_none_that_can_be_drawn_are_sentences(folders, tmp_path, capsys, monkeypatch):
    assert main(["shards", "--faces", str(folders[0])]) == 1
    assert "want both --faces" in capsys.readouterr().err
    assert main(["shards", "--faces", str(tmp_path), "--heads", str(folders[1])]) == 1
    assert "ICT FaceKit" in capsys.readouterr().err

    def unseen(*_):
        raise ValueError("cannot be seen")

    monkeypatch.setattr(mesh_shards, "sample", unseen)
    with pytest.raises(ValueError, match="nobody could be drawn.*cannot be seen"):
        mesh_shards.write_people_shards(*folders, tmp_path / "out", "train")
    assert not list((tmp_path / "out").glob("*.npz"))


def test_a_body_without_joints_is_a_sentence(folders):
    base = makehuman.read_base(folders[1])
    del base.faces["joint-l-elbow"]
    with pytest.raises(ValueError, match="joint-l-elbow"):
        body.read_body(base, {})
