"""Several pictures of one object: how their cubes lie, how they meet, and from which side each was taken."""

import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from maquette.nets import camera, checkpoint, look, predict, several_views, sides, silhouette, turns
from maquette.nets.answer import fused, steadied
from maquette.nets.image_to_field import Config, ImageToField
from maquette.nets.several_views import OtherView, fitted
from maquette.nets.views_met import Met

SMALL = Config(width=8, encoder=8, vector=16, detail=8, several=8)
FIT = torch.tensor([[0.7, 1.2, 0.1, -0.05, 0.02]])


@pytest.fixture(params=(0, 4), ids=("outlines", "depths"))
def network(request):
    torch.manual_seed(0)
    return ImageToField(replace(SMALL, relief=request.param)).eval()


def other(network, seed, fit=FIT):
    torch.manual_seed(seed)
    seen = network.encode(torch.rand(1, 4, 128, 128))
    return OtherView(seen, torch.tensor([[0.2 * seed, 0.3, 0.3, 0.0, 0.0]]), fit * seed)


@torch.no_grad()
def answer(network, others):
    torch.manual_seed(9)
    seen = network.encode(torch.rand(1, 4, 128, 128))
    return network.decode(seen, torch.tensor([[0.3, 0.4, 0.3, 0.0, 0.0]]), None, others).fine_occupancy


def test_untrained_on_several_it_answers_as_on_one(network):
    assert torch.equal(answer(network, [other(network, 1)]), answer(network, []))


def test_the_order_of_the_others_says_nothing(network):
    for meeting in (network.meet_coarse, network.meet_fine):
        torch.nn.init.normal_(meeting.out.weight, std=0.3)
    if network.config.relief:
        for placed in (network.relief_coarse, network.relief_fine):
            torch.nn.init.normal_(placed.net[2].weight, std=0.3)
    views = [other(network, seed) for seed in (1, 2, 3)]
    there, back = answer(network, views), answer(network, views[::-1])
    torch.testing.assert_close(there, back)
    assert (there - answer(network, views[:1])).abs().max() > 0.01


def test_forward_wants_fits(network):
    with pytest.raises(ValueError, match="2 views need their fits"):
        network(torch.rand(1, 2, 4, 128, 128))
    with pytest.raises(ValueError, match="2 views need their fits"):
        ImageToField(Config(width=8, encoder=8))(torch.rand(1, 2, 4, 128, 128), fits=FIT[None])
    out, cameras, weights = network(torch.rand(1, 2, 4, 128, 128), 2, FIT[None])
    assert out.fine_occupancy.shape == (1, 1, 64, 64, 64) and cameras.shape == (1, 2, 5)


def test_a_fit_turns_scales_and_shifts():
    place = fitted(torch.tensor([[1.0, 0, 0.5]]), torch.tensor([[math.pi / 2, 2.0, 0.1, 0.2, 0.3]]))[0, 0]
    assert place.tolist() == pytest.approx([0.1, 2.2, 1.3], abs=1e-6)


def test_the_inverse_leads_back():
    points = torch.rand(50, 3) - 0.5
    there = fitted(points, FIT)[0]
    torch.testing.assert_close(fitted(there, turns.inverse(FIT))[0], points)


def test_mirror_images_have_mirrored_fits():
    points, mirror = torch.rand(50, 3) - 0.5, torch.tensor([-1.0, 1, 1])
    torch.testing.assert_close(fitted(points * mirror, turns.mirrored_fit(FIT)), fitted(points, FIT) * mirror)


def test_a_turned_shape_fills_its_cube_again():
    shape = torch.zeros(32, 32, 32)
    shape[:, 12:20, 8:24] = 1  # 1 long along x, .25 deep
    fit = turns.fit_of(shape, torch.tensor([0.0, math.pi / 2, math.pi / 4]))
    assert fit[:, 1].tolist() == pytest.approx([1, 1, 1 / (1.25 / math.sqrt(2))], rel=0.05)
    assert fit[:, 2:].abs().max() < 0.02


def test_turn_bins_share_round_the_circle():
    step = 2 * math.pi / several_views.TURNS
    bins = several_views.turn_bins(torch.tensor([0.0, -step / 4, 5.5 * step]))
    assert bins.sum(1).tolist() == pytest.approx([1, 1, 1])
    assert bins[0, 0] == 1
    assert (bins[1, 0].item(), bins[1, -1].item()) == pytest.approx((0.75, 0.25), abs=1e-4)
    assert (bins[2, 5].item(), bins[2, 6].item()) == pytest.approx((0.5, 0.5), abs=1e-4)


# --- from which side ------------------------------------------------------------------------------------------------


def boomerang(turn: float, resolution: int = 32) -> torch.Tensor:
    """An L lying on the ground with a pole on one end, turned; in a cube of its own."""

    def inside(p):
        x, y, z = p.unbind(-1)
        low = z < -0.1
        one = low & (x.abs() < 0.4) & ((y + 0.2).abs() < 0.1)
        two = low & ((x - 0.3).abs() < 0.1) & (y > -0.3) & (y < 0.25)
        pole = ((x + 0.3).abs() < 0.1) & ((y + 0.2).abs() < 0.1) & (z < 0.35)
        return ((one | two | pole) & (z > -0.35)).float()

    still = inside(camera.cell_centres(64)).reshape(64, 64, 64)
    fit = turns.fit_of(still, torch.tensor([turn]))
    places = fitted(camera.cell_centres(resolution), turns.inverse(fit))[0]
    return inside(places).reshape(resolution, resolution, resolution)


def seen_by(shape, numbers):
    """The silhouette (1, 1, 128, 128) of a shape."""
    uv, _ = camera.project(camera.cell_centres(shape.shape[0])[shape.flatten() > 0.5], numbers[None])
    pixel = ((uv[0] + 1) * 20).long().clamp(0, 39)
    alpha = torch.zeros(40, 40)
    alpha[pixel[:, 1], pixel[:, 0]] = 1
    return torch.nn.functional.interpolate(alpha[None, None], size=128)


@pytest.mark.parametrize("turn", [0.0, 75.0, 180.0, -105.0])
def test_shapes_and_masks_find_the_turn(turn):
    """Where each picture's answer is the truth, the search is right; the head has no say."""
    cameras = torch.tensor([[0.3, 0.4, 0.3, 0.0, 0.0], [0.5, 0.4, 0.3, 0.0, 0.0]])
    shapes = [boomerang(0.0), boomerang(math.radians(turn))]
    alphas = torch.cat([seen_by(shape, numbers) for shape, numbers in zip(shapes, cameras)])
    blind = SimpleNamespace(turn=lambda one, other: torch.zeros(1, several_views.TURNS))
    found, sure = turns.find(blind, [{"vector": torch.zeros(1, 4)}] * 2, shapes, cameras, alphas)
    apart = (math.degrees(found[0]) - turn + 180) % 360 - 180
    assert abs(apart) < 16 and sure[0] > 0.3, "to a bin"


def crops(count):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[-1:1:128j, -1:1:128j]
    alpha = np.float32(x**2 + y**2 < 0.6)[..., None]
    return [np.concatenate([rng.random((128, 128, 3), np.float32), alpha], -1) for _ in range(count)]


def test_given_sides_are_taken_as_they_are(network):
    one, two, three = crops(3)
    others = [predict.Beside(two, two, 90.0, 20.0), predict.Beside(three, three, -90.0)]
    views = predict.predict(network, one, one, others=others).views
    assert [view["turn"] for view in views] == pytest.approx([0, 90, -90], abs=1e-3)
    assert all(view["used"] and view["found"] is None and 0 <= view["agreement"] <= 1 for view in views)


@pytest.fixture
def more_is_better(monkeypatch):
    """Each picture that is used promises more."""
    monkeypatch.setattr(predict.Shaped, "promised", property(lambda shape: sum(met.used for met in shape.beside)))


def test_what_the_search_is_unsure_of_is_left_out(network, monkeypatch, more_is_better):
    one, two = crops(2)
    for meeting in (network.meet_coarse, network.meet_fine):
        torch.nn.init.normal_(meeting.out.weight, std=0.3)
    alone = predict.predict(network, one, one)
    monkeypatch.setattr(turns, "ENOUGH", 1.1)
    unsure = predict.predict(network, one, one, others=[predict.Beside(two, two)])
    assert not unsure.views[1]["used"] and 0 < unsure.views[1]["found"] <= 1
    np.testing.assert_allclose(unsure.occupancy, alone.occupancy, atol=1e-4)
    np.testing.assert_allclose(unsure.colour, alone.colour, atol=1e-3)
    monkeypatch.setattr(turns, "ENOUGH", 0.0)
    used = predict.predict(network, one, one, others=[predict.Beside(two, two)])
    assert used.views[1]["used"] and np.abs(used.occupancy - alone.occupancy).max() > 1e-3


@pytest.mark.parametrize("told", [1, 2])
def test_a_judge_finds_what_is_not_told(network, monkeypatch, more_is_better, told):
    """It is asked in place of the outlines, leaves out what it is unsure of, and what is told stays."""
    judge = checkpoint.build("sides", {"width": 4}).eval()
    pictures = crops(3)
    others = [predict.Beside(one, one, 75.0 if k == told else None) for k, one in enumerate(pictures[1:], 1)]
    monkeypatch.setattr(turns, "find", None)
    for enough in (0.0, 1.1):
        monkeypatch.setattr(sides, "ENOUGH", enough)
        first, *views = predict.predict(network, pictures[0], pictures[0], others=others, judge=judge).views
        known, found = views[told - 1], views[2 - told]
        assert known["turn"] == pytest.approx(75, abs=1e-3) and known["found"] is None and known["used"]
        assert 0 < found["found"] < 1 and found["used"] == (enough == 0)


def test_found_pictures_that_promise_less_are_left_out(network, monkeypatch):
    """What is told stays; the shape is then that of the told ones, as if the others had not been given."""
    for meeting in (network.meet_coarse, network.meet_fine):
        torch.nn.init.normal_(meeting.out.weight, std=0.3)
    monkeypatch.setattr(turns, "ENOUGH", 0.0)
    one, two, three = crops(3)
    told, asked = predict.Beside(two, two, 75.0), predict.Beside(three, three)
    monkeypatch.setattr(predict.Shaped, "promised", property(lambda shape: -sum(met.used for met in shape.beside)))
    both = predict.predict(network, one, one, others=[told, asked])
    assert [view["used"] for view in both.views] == [True, True, False]
    np.testing.assert_allclose(both.occupancy, predict.predict(network, one, one, others=[told]).occupancy, atol=1e-4)


@pytest.mark.parametrize(
    ("others", "sure", "share"),
    [(0, None, 0), (1, None, 0.5), (2, None, 0.25), (3, None, 0), (1, 0.9, 0.5), (2, 0.6, 0.4), (3, 0.7, 0.3)],
)
def test_an_answer_to_few_pictures_holds_some_of_the_answer_to_the_first_alone(network, others, sure, share):
    """As much as their sides are in doubt, too."""
    for meeting in (network.meet_coarse, network.meet_fine):
        torch.nn.init.normal_(meeting.out.weight, std=0.3)
    torch.manual_seed(9)
    seen = network.encode(torch.rand(2, 4, 128, 128))
    cameras = torch.tensor([[0.3, 0.4, 0.3, 0.0, 0.0]]).repeat(2, 1)
    views = [other(network, seed) for seed in range(1, others + 1)]
    pairs = [OtherView(repeated(view.seen), view.camera.repeat(2, 1), view.fit.repeat(2, 1)) for view in views]
    beside = [Met(pair, sure) for pair in pairs] + [Met(None, 0.1, False)]

    def said(way, beside):
        with torch.no_grad():
            return way(network, seen, cameras, beside, 1).fine_occupancy.sigmoid()

    alone, together = said(fused, []), said(fused, beside)
    torch.testing.assert_close(said(steadied, beside), share * alone + (1 - share) * together)
    assert not others or (alone - together).abs().max() > 0.01


def repeated(seen):
    return {name: value.repeat(2, *[1] * (value.dim() - 1)) for name, value in seen.items()}


def test_slabs_give_what_the_whole_gives_with_other_views_too(network):
    for meeting in (network.meet_coarse, network.meet_fine):
        torch.nn.init.normal_(meeting.out.weight, std=0.3)
    one, two = crops(2)
    others = [predict.Beside(two, two, 60.0)]
    whole, slabs = (predict.predict(network, one, one, chunks=chunks, others=others) for chunks in (1, 4))
    np.testing.assert_allclose(slabs.occupancy, whole.occupancy, atol=1e-4)


def test_a_mask_from_the_side_takes_what_it_does_not_show():
    """A slab that is deep along y; from the right the mask shows only its front half."""
    slab = torch.full((1, 1, 32, 32, 32), -4.0)
    slab[:, :, 8:24, :, 8:24] = 0.5
    numbers = torch.tensor([[0.0, 0.4, 0.2, 0.0, 0.0]])
    alpha = torch.zeros(1, 1, 128, 128)
    alpha[..., :64] = 1  # from the right, what is nearer to the first camera (-y) is on the left
    right = look.Looker(alpha, numbers, torch.tensor([[-math.pi / 2, 1.0, 0, 0, 0]]))
    after = silhouette.agreeing(slab, alpha, right, silhouette.OTHER)[0, 0]
    assert after[16, 4, 16] == pytest.approx(0.5) and after[16, 28, 16] == pytest.approx(0.5 - silhouette.OTHER.carve)


def test_each_side_is_coloured_by_the_picture_that_shows_it():
    """A ball, red from the front, blue from behind: its two halves."""
    at = camera.cell_centres(32).norm(dim=1).reshape(32, 32, 32)
    ball = (at < 0.4).float()
    numbers = torch.tensor([[0.0, 0.6, 0.2, 0.0, 0.0]])

    def picture(colour):
        rgba = torch.ones(1, 4, 64, 64)
        rgba[0, :3] = torch.tensor(colour)[:, None, None]
        return rgba

    front = look.Looker(picture([1.0, 0, 0]), numbers)
    behind = look.Looker(picture([0.0, 0, 1.0]), numbers, torch.tensor([[math.pi, 1.0, 0, 0, 0]]))
    pixels, sure = look.look_from_all(ball, [front, behind])
    assert pixels[16, 3, 16].tolist() == pytest.approx([1, 0, 0], abs=0.05) and sure[16, 3, 16] > 0.9
    assert pixels[16, 28, 16].tolist() == pytest.approx([0, 0, 1], abs=0.05) and sure[16, 28, 16] > 0.9


def test_what_is_seen_flatly_is_not_coloured_by_that_pixel_alone():
    """A ball from the front: sure in the middle, less with the cosine, not at all at its edge."""
    at = camera.cell_centres(64).reshape(64, 64, 64, 3)
    ball = (0.5 + 64 * (0.4 - at.norm(dim=-1))).clamp(0, 1)
    front = look.Looker(torch.ones(1, 4, 64, 64), torch.tensor([[0.0, 0.6, 0.2, 0.0, 0.0]]))
    _, sure = look.look_from_all(ball, [front])
    shell = (at.norm(dim=-1) - 0.4).abs() < 0.01
    square = torch.nn.functional.normalize(front.eye() - at, dim=-1).mul(at / at.norm(dim=-1, keepdim=True)).sum(-1)
    rows = [sure[shell & (square > low) & (square < high)].mean() for low, high in ((0.6, 1), (0.15, 0.2), (-1, 0.05))]
    assert rows[0] > 0.95 and 0.2 < rows[1] < 0.7 and rows[2] < 0.05
