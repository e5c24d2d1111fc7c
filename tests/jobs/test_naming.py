"""What a shape is said to look like."""

import numpy as np
import pytest

from maquette.geometry.field import Field
from maquette.geometry.frames import UNIT_CUBE
from maquette.jobs import naming
from maquette.nets import catalog
from maquette.train.shapes import designs, drawn_designs


def field_of(name, seed=5, turn=False):
    values = -drawn_designs.distances(designs.tables(designs.designs()[name], 1, np.random.default_rng(seed))[0][0])
    return Field(np.rot90(values).copy() if turn else values, 0.0, UNIT_CUBE)


@pytest.mark.parametrize("name", ["chair", "bottle", "aeroplane", "car"])
def test_designs_are_called_what_they_are_however_they_stand(name):
    for turn in (False, True):
        found = naming.looks_like(field_of(name, turn=turn), "cpu")
        assert found["name"] == name and found["probability"] > 0.8


def test_the_level_counts():
    plain = field_of("chair")
    lifted = Field(plain.values + 0.3, 0.3, UNIT_CUBE)
    assert naming.looks_like(lifted, "cpu") == naming.looks_like(plain, "cpu")


def test_nothing_is_said_without_weights_or_without_a_shape(monkeypatch, tmp_path):
    empty = Field(np.full((32,) * 3, -1.0), 0.0, UNIT_CUBE)
    assert naming.looks_like(empty, "cpu") is None
    monkeypatch.setattr(catalog, "WEIGHTS", tmp_path)
    assert naming.looks_like(field_of("chair"), "cpu") is None


def test_an_unsure_answer_is_not_given(monkeypatch):
    monkeypatch.setattr(naming.shape_class, "name_of", lambda network, field: ("chair", 0.4))
    assert naming.looks_like(field_of("chair"), "cpu") is None
