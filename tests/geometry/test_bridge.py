"""Pieces joined where a field says that they most likely meet, and the level that a field promises most for."""

import numpy as np
import pytest
from scipy import ndimage

from maquette.geometry.bridge import MOST, bridged, bridged_distance, largest
from maquette.geometry.occupancy_level import promising_level


def pieces(occupancy, level):
    return ndimage.label(occupancy > level)[1]


@pytest.fixture
def legs():
    """A seat over two feet; one leg's middle is doubted, the other's is hardly likely at all."""
    field = np.full((32, 32, 32), 0.001, np.float32)
    field[4:28, 4:28, 20:24] = 0.9
    for x, doubt in ((6, 0.1), (24, 0.01)):
        field[x : x + 3, 6:9, 2:20] = 0.8
        field[x : x + 3, 6:9, 8:14] = doubt
    return field


def test_a_doubted_leg_is_bridged_and_the_way_lies_in_it(legs):
    joined = bridged(legs, 0.4)
    assert pieces(legs, 0.4) == 3 and pieces(joined, 0.4) == 2
    added = np.argwhere((joined > 0.4) & (legs <= 0.4))
    assert len(added) and (abs(added[:, 0] - 7) <= 2).all() and (abs(added[:, 1] - 7) <= 2).all()
    assert 7 <= added[:, 2].min() and added[:, 2].max() <= 14, "its ends are round"
    assert (joined >= legs).all() and joined.dtype == legs.dtype


def test_halves_meet_however_unlikely():
    field = np.full((24, 24, 24), 0.001, np.float32)
    field[2:10, 8:16, 8:16] = field[14:22, 8:16, 8:16] = 0.9
    assert pieces(bridged(field, 0.5), 0.5) == 1


def test_specks_stay_apart_and_one_piece_stays_what_it_is(legs):
    speck = np.full((24, 24, 24), 0.001, np.float32)
    speck[2:12, 2:12, 2:12] = 0.9
    assert bridged(speck, 0.5) is speck
    speck[20, 20, 20] = 0.9
    assert bridged(speck, 0.5) is speck
    assert bridged(legs, 0.95) is legs, "nothing is inside"


@pytest.fixture
def table():
    """A heavy top, two small feet far below it and as small a piece close under it; all that is between is doubted."""
    field = np.full((48, 48, 48), 0.001, np.float32)
    field[4:44, 4:44, 36:44] = 0.9
    for x in (6, 40):
        field[x : x + 2, 6:8, 4:36] = 0.1
        field[x : x + 2, 6:8, 4:8] = 0.8
    field[24:26, 24:26, 32:34] = 0.8
    return field


def test_small_feet_that_reach_further_than_all_else_are_kept(table):
    joined = bridged(table, 0.4)
    kept = largest(joined > 0.4)
    assert kept[6:8, 6:8, 4:8].all() and kept[40:42, 6:8, 4:8].all()
    assert pieces(joined, 0.4) == 2, "what lies within the others' bounds stays apart"


def test_too_many_small_pieces_do_not_keep_large_ones_apart(table):
    table[4:44, 20:28, 20:30] = 0.9
    for x in range(4, 44, 3):
        table[x, 40:44, 2:4] = 0.8
    joined = bridged(table, 0.4)
    assert largest(joined > 0.4)[10, 24, 25] and not largest(joined > 0.4)[6:8, 6:8, 4:8].any()


def test_distances_are_joined_the_shortest_way():
    """A shade over its foot: the rod between them is where they are nearest, and as thick as it is said to be."""
    x, y, z = (np.arange(48) + 0.5 for _ in range(3))
    at = np.stack(np.meshgrid(x, y, z, indexing="ij"), -1)
    shade = 8 - np.linalg.norm(at - [24, 24, 36], axis=-1)
    foot = 6 - np.linalg.norm(at - [24, 24, 8], axis=-1)
    distance = np.float32(np.maximum(shade, foot) / 40)
    joined = bridged_distance(distance, 1 / 40)
    assert pieces(distance, 0) == 2 and pieces(joined, 0) == 1
    added = np.argwhere((joined > 0) & (distance <= 0))
    assert np.abs(added[:, :2] - 23.5).max() < 2.5 and 13 <= added[:, 2].min() and added[:, 2].max() <= 28
    across = (joined > 0)[:, :, 20].sum()
    assert 1 <= across <= 9, "as thick as a stalk"
    assert bridged_distance(np.float32(shade), 1.0).max() == np.float32(shade).max()


def test_noise_is_left_alone():
    noise = np.zeros((48, 48, 48), np.float32)
    noise[::4, ::4, ::4] = noise[1::4, ::4, ::4] = 0.9
    assert pieces(noise, 0.5) > MOST and bridged(noise, 0.5) is noise


def test_certain_fields_have_their_level_in_the_middle():
    field = np.zeros((16, 16, 16), np.float32)
    field[4:12, 4:12, 4:12] = 1
    level, promised = promising_level(field)
    assert level == pytest.approx(0.5) and promised == pytest.approx(1)


def test_doubt_lowers_the_level():
    """A core that is certain and a shell that is as likely as not: with it 1.5 of 2 are expected, without 1 of 1.5."""
    field = np.zeros((10, 10, 20), np.float32)
    field[..., :5], field[..., 5:10] = 1, 0.5
    level, promised = promising_level(field)
    assert level < 0.5 and promised == pytest.approx(0.75)
    field[..., 5:10] = 0.4  # with it 1.4 of 2, without it 1 of 1.4
    level, promised = promising_level(field)
    assert level > 0.4 and promised == pytest.approx(1 / 1.4)


def test_the_level_is_the_best_of_all(legs):
    field = np.random.default_rng(0).random((12, 12, 12)) ** 3
    level, promised = promising_level(field)

    def expected(at):
        inside = field > at
        return field[inside].sum() / (inside.sum() + field[~inside].sum())

    assert promised == pytest.approx(expected(level)) and promised == pytest.approx(
        max(expected(at) for at in np.linspace(0.01, 0.99, 99)), abs=1e-3
    )


def test_nothing_promises_nothing():
    level, promised = promising_level(np.zeros((8, 8, 8)))
    assert promised == 0 and 0 < level < 1


def test_a_faint_field_has_its_level_below_what_is_in_it():
    field = np.full((8, 8, 8), 0.01)
    field[3:5, 3:5, 3:5] = 0.12
    level, _ = promising_level(field)
    assert 0.01 < level < 0.12


@pytest.mark.parametrize("inside", [0.02, 0.3, 0.0])
def test_the_level_of_a_large_field_is_that_of_all_its_values(inside):
    """Most cells are hardly likely and are left out of what is sorted; nothing changes by that."""
    rng = np.random.default_rng(0)
    field = rng.beta(0.1, 3.0, 40_000)
    field[: int(inside * len(field))] = rng.beta(3.0, 1.0, int(inside * len(field)))
    values = np.sort(field)[::-1]
    both = np.cumsum(values)
    promised = both / (np.arange(1, len(values) + 1) + both[-1] - both)
    best = promised.argmax()
    level, most = promising_level(field.reshape(40, 40, 25))
    assert most == pytest.approx(promised[best], abs=1e-9)
    assert level == pytest.approx(np.clip((values[best] + values[best + 1]) / 2, 0.15, 0.6), abs=1e-9)


def test_the_largest_piece():
    inside = np.zeros((9, 9, 9), bool)
    inside[:2, :2, :2] = inside[4:8, 4:8, 4:8] = True
    assert largest(inside).sum() == 64 and largest(inside)[5, 5, 5]
    assert np.array_equal(largest(inside & largest(inside)), largest(inside)) and not largest(inside & False).any()
