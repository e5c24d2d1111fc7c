"""head_vae: what its weights hold decodes to heads; sliders do what they say and nothing else."""

import numpy as np
import pytest
import torch

from maquette.nets import catalog, checkpoint
from maquette.nets.head_vae import Config, create, solver

FAMILIES = ("face", "head")


@pytest.fixture(scope="module")
def network():
    return checkpoint.load("head_vae")


@pytest.fixture(scope="module")
def card():
    return catalog.card("head_vae")


@pytest.fixture
def tiny():
    """Two families of 5 and 6 vertices with bases of random offsets."""
    torch.manual_seed(0)
    sizes = {"vertices": (5, 6), "faces": (2, 2), "corners": (6, 6), "sliders": (2, 2)}
    bases = {"identities": (4, 3), "expressions": (2, 2), "coarse": (3, 3)}
    net = create({"families": list(FAMILIES), "identity": 4, "expression": 2, "hidden": 8, **sizes, **bases})
    for part in net.family:
        part.coarse.random_(-32767, 32767)
        part.fine.random_(-127, 127)
        part.place.copy_(torch.randperm(len(part.place)))
        part.step.copy_(torch.where(part.place < 3, 2e-2 / 32767, 1e-3 / 127) * 2**40)
        part.mean.random_(0, 9000)
    return net.eval().requires_grad_(False)


def decoded(network, i, latent):
    return network.decode(latent, torch.full((len(latent),), i))


def random(network, i, count=6, truncation=0.7):
    normal = torch.randn(count, network.config.latent, generator=torch.Generator().manual_seed(3))
    return network.prior[i].mean + truncation * normal @ network.prior[i].factor.T


def slid(network, card, i, name, end):
    """The mean head's vertices with one slider at an end."""
    rows = catalog.sliders(card)[FAMILIES[i]]
    k = [row["name"].lower() for row in rows].index(name)
    away = rows[k][end] - rows[k]["default"]
    return decoded(network, i, (network.prior[i].mean + away * network.direction[i][k])[None])[0]


# --- without weights --------------------------------------------------------------------------------------------------


def test_a_fresh_network_is_principal_component_analysis(tiny):
    """Until it is trained the latent is the coefficients, so nothing that the bases hold is lost."""
    part = tiny.family[0]
    coefficients = torch.randn(3, 6)
    vertices = part.vertices(coefficients[:, :4], coefficients[:, 4:])
    mean, log_variance = tiny.encode(vertices, torch.zeros(3, dtype=torch.long))
    torch.testing.assert_close(mean, coefficients, atol=0.05, rtol=0.05)
    assert log_variance.shape == mean.shape
    torch.testing.assert_close(decoded(tiny, 0, mean), vertices, atol=1e-3, rtol=0)


def test_some_vertices_are_those_of_all(tiny):
    part, only = tiny.family[1], torch.tensor([4, 0])
    coefficients = torch.randn(2, 3), torch.randn(2, 2)
    torch.testing.assert_close(part.vertices(*coefficients, only), part.vertices(*coefficients)[:, only])


def test_a_coefficient_that_vertices_hardly_show_is_not_guessed():
    """Noise of .3 mm hides an offset of a micrometre, not one of a centimetre."""
    offsets = torch.zeros(2, 9)
    offsets[0, 0], offsets[1, 4] = 1e-2, 1e-6
    found = (offsets @ solver(offsets)).diagonal()
    assert found[0] == pytest.approx(1, abs=2e-3) and found[1] < 1e-4


def test_families_do_not_mix(tiny):
    with pytest.raises(ValueError, match=r"one family at a time can be decoded, of 0 to 1; these are \[0, 1\]"):
        tiny.decode(torch.zeros(2, 6), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"these are \[2\]"):
        tiny.decode(torch.zeros(1, 6), torch.tensor([2]))


def test_an_expression_leaves_the_identity(tiny):
    latent = torch.randn(1, 6).repeat(2, 1)
    latent[1, 4:] += 1
    identity, expression = tiny.family[0].decode(latent)
    assert torch.equal(identity[0], identity[1]) and not torch.equal(expression[0], expression[1])


def test_the_config_knows_its_latent():
    counts = [(1,)] * 7
    assert Config(("face",), *counts, identity=5, expression=3).latent == 8


# --- the shipped weights ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("i", [0, 1])
def test_random_heads_have_the_size_of_heads(network, i):
    vertices = decoded(network, i, random(network, i))
    assert vertices.shape == (6, network.config.vertices[i], 3) and torch.isfinite(vertices).all()
    low, high = vertices.amin(1), vertices.amax(1)
    assert ((high - low).amax(1) > 0.15).all() and ((high - low).amax(1) < 0.45).all()
    assert (low[:, 2].abs() < 0.03).all(), "the neck's cut stands on z = 0"
    assert (vertices[0] - vertices[1]).norm(dim=-1).mean() > 1e-3


@pytest.mark.parametrize("i", [0, 1])
def test_faces_are_quads_within_the_mesh(network, i):
    faces, corners = network.quads(i)
    assert faces.shape == corners.shape == (network.config.faces[i], 4)
    assert faces[:, :3].min() == 0 and faces.min() >= -1 and faces.max() == network.config.vertices[i] - 1
    assert (faces[:, 3] >= 0).float().mean() > 0.97, "clean quads"
    uv = network.uv(i)
    assert corners.max() == len(uv) - 1 and torch.equal(faces < 0, corners < 0)
    assert uv.min() >= 0 and uv.max() < 7 and torch.isfinite(uv).all()


@pytest.mark.parametrize("i", [0, 1])
def test_the_outside_is_outside(network, i):
    """The largest piece's faces look away from its middle, on the whole; the nose is in front, at -y."""
    vertices = decoded(network, i, network.prior[i].mean[None])[0]
    a, b, c = vertices[network.quads(i)[0][:, :3]].unbind(1)
    normal, middle = torch.linalg.cross(b - a, c - a), (a + b + c) / 3
    upper = middle[:, 2] > vertices[:, 2].max() - 0.08
    assert ((middle - middle[upper].mean(0))[upper] * normal[upper]).sum() > 0
    tip = vertices[:, 1].argmin()
    assert abs(vertices[tip, 0]) < 0.01 and vertices[tip, 2] > vertices[:, 2].max() - 0.19


@pytest.mark.parametrize("i", [0, 1])
def test_a_direction_moves_its_slider_and_no_other(network, card, i):
    rows = catalog.sliders(card)[FAMILIES[i]]
    span = torch.tensor([row["maximum"] - row["minimum"] for row in rows])
    moved = network.readout[i].weight @ network.direction[i].T * span / span[:, None]
    torch.testing.assert_close(moved, torch.eye(len(rows)), atol=0.01, rtol=0)


@pytest.mark.parametrize("i", [0, 1])
def test_sliders_belong_to_one_part_and_answer(network, card, i):
    rows, split = catalog.sliders(card)[FAMILIES[i]], network.config.identity
    assert len(rows) >= 12 and len({row["name"] for row in rows}) == len(rows)
    for row, direction in zip(rows, network.direction[i]):
        other = direction[split:] if row["part"] == "identity" else direction[:split]
        assert not other.any()
        assert row["minimum"] <= row["default"] <= row["maximum"] and row["r2"] > 0.7


@pytest.mark.parametrize(("i", "name"), [(0, "jaw open"), (1, "mouth open")])
def test_an_open_mouth_lowers_the_chin_and_not_the_crown(network, card, i, name):
    still, open_ = (slid(network, card, i, name, end) for end in ("minimum", "maximum"))
    fallen = still[:, 2] - open_[:, 2]
    most = fallen.argmax()
    assert fallen[most] > 0.008 and still[most, 1] < 0 and fallen[still[:, 2].argmax()].abs() < 1e-3


@pytest.mark.parametrize("i", [0, 1])
def test_left_is_the_heads_own_left(network, card, i):
    moved = slid(network, card, i, "blink left", "maximum") - slid(network, card, i, "blink left", "minimum")
    weight = moved.norm(dim=-1) ** 2
    x = decoded(network, i, network.prior[i].mean[None])[0, :, 0]
    assert (weight * x).sum() / weight.sum() > 0.015


@pytest.mark.parametrize("i", [0, 1])
def test_a_width_is_in_centimetres(network, card, i):
    row = next(row for row in catalog.sliders(card)[FAMILIES[i]] if row["name"].lower() == "head width")
    low, high = (slid(network, card, i, "head width", end) for end in ("minimum", "maximum"))
    top = low[:, 2] > low[:, 2].max() - 0.07
    wider = 100 * float(np.ptp(high[top, 0].numpy()) - np.ptp(low[top, 0].numpy()))
    assert wider == pytest.approx(row["maximum"] - row["minimum"], rel=0.25)


@pytest.mark.parametrize("i", [0, 1])
def test_encoding_finds_a_head_again(network, i):
    vertices = decoded(network, i, random(network, i, 4))
    mean, log_variance = network.encode(vertices, torch.full((4,), i))
    again = decoded(network, i, mean)
    average = decoded(network, i, network.prior[i].mean[None])
    assert (again - vertices).norm(dim=-1).mean() < 0.3 * (average - vertices).norm(dim=-1).mean()
    assert torch.isfinite(log_variance).all()
