"""Presets: the same shape again from a file, and files that will not do."""

import json

import numpy as np
import pytest

from .state import shows


def test_a_preset_makes_the_same_shape(bpy, sample, slider, vertices, tmp_path):
    sample[slider[0]] = slider[1]
    bpy.ops.maquette.sample_vary(variation=2, amount=0.2)
    assert bpy.ops.maquette.sample_save(filepath=str(tmp_path / "mine")) == {"FINISHED"}
    assert bpy.ops.maquette.sample_load(filepath=str(tmp_path / "mine.json")) == {"FINISHED"}
    thing = bpy.context.object
    assert thing != sample and shows(thing)
    np.testing.assert_array_equal(vertices(thing.data), vertices(sample.data))
    assert thing[slider[0]] == pytest.approx(slider[1])


def test_a_way_is_kept_with_both_its_ends(bpy, sample, until, vertices, tmp_path):
    """What lies half way can be saved, and goes on from there to either end."""
    bpy.ops.maquette.sample_between(seed=8)
    sample.maquette_sample.factor = 0.4
    until(lambda: shows(sample))
    bpy.ops.maquette.sample_save(filepath=str(tmp_path / "way.json"))
    bpy.ops.maquette.sample_load(filepath=str(tmp_path / "way.json"))
    thing = bpy.context.object
    assert thing != sample and shows(thing)
    assert thing.maquette_sample.factor == pytest.approx(0.4) and thing.maquette_sample.other
    np.testing.assert_array_equal(vertices(thing.data), vertices(sample.data))


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"other": 3}, "is not a preset of Maquette"),
        ({"other": {"colour": 3}}, "which this version of Maquette does not know"),
        ({"other": {"seed": 2}, "factor": 7}, "Factor is 7; it must be from 0 to 1"),
        ({"weights": "0" * 64}, "was made with another version of shape_vae"),
        ({"model": "shape_gpt"}, "The network shape_gpt is not part of"),
        ({"latent": [0.0, 1.0]}, "The latent has 2 numbers; those of shape_vae have"),
        ({"colour": 3}, "which this version of Maquette does not know"),
        ({"truncation": 9}, "Truncation is 9; it must be from 0 to 1.5"),
        ({"family": "dragon"}, "shape_vae has no family 'dragon'"),
    ],
)
def test_a_preset_that_will_not_do(bpy, sample, tmp_path, everything, change, sentence):
    path = tmp_path / "preset.json"
    bpy.ops.maquette.sample_save(filepath=str(path))
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    before = everything()
    with pytest.raises(RuntimeError, match=sentence):
        bpy.ops.maquette.sample_load(filepath=str(path))
    assert everything() == before
