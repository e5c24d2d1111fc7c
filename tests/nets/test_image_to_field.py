"""The network's camera, shapes of what it gives, and what its inference does with it."""

import math

import numpy as np
import pytest
import torch

from maquette.nets import answer, camera, catalog, checkpoint, look, predict, silhouette, symmetry
from maquette.nets.image_to_field import Config, ImageToField, Prediction, cut, depth_to_space
from maquette.nets.prior import SilhouettePrior, unpack

SMALL = Config(width=8, encoder=8, vector=16, detail=8)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return ImageToField(SMALL).eval()


def test_the_centre_lands_where_the_camera_says():
    numbers = torch.tensor([[0.4, 0.5, 0.3, 0.1, -0.2]])
    uv, depth = camera.project(torch.zeros(1, 3), numbers)
    assert uv[0, 0].tolist() == pytest.approx([0.1, -0.2])
    assert depth.item() == 0


def test_right_is_right_and_up_is_up():
    """At elevation 0 the world's x is the picture's right and z its up; what is nearer (-y) is larger."""
    numbers = torch.tensor([[0.0, 0.0, 0.25, 0.0, 0.0]])
    points = torch.tensor([[0.5, 0, 0], [0, 0, 0.5], [0.5, -0.5, 0]])
    uv, depth = camera.project(points, numbers)
    assert uv[0, 0].tolist() == pytest.approx([0.5, 0])
    assert uv[0, 1].tolist() == pytest.approx([0, -0.5])
    assert uv[0, 2, 0].item() == pytest.approx(0.5 / (1 - 0.125))
    assert depth[0].tolist() == pytest.approx([0, 0, -0.5])


def test_projection_is_the_tracers():
    """The network's camera numbers describe the very picture that the procedural world traces."""
    from maquette.train.recipes.field_samples import cameras
    from maquette.train.shapes import world

    samples = world.sample(11, 4, "validation", ["package"], background=False)
    numbers = cameras(torch.from_numpy(samples.camera))
    points = camera.cell_centres(64)
    for i in range(len(samples)):
        inside = torch.from_numpy(samples.distance[i].reshape(-1) < -13)  # a cell deep
        uv, _ = camera.project(points[inside], numbers[i : i + 1])
        pixels = ((uv[0] + 1) * 64).long().clamp(0, 127).numpy()
        seen = samples.picture[i, pixels[:, 1], pixels[:, 0], 3] > 127
        assert seen.mean() > 0.995


def test_hypotheses_find_the_peaks():
    target = camera.soft_bins(torch.tensor([0.2, 0.9]), torch.tensor([0.7, 1.3]))
    assert target.sum(1).tolist() == pytest.approx([1, 1])
    found, weight = camera.hypotheses((target + 1e-9).log(), 2)
    assert found[:, 0].tolist() == pytest.approx(np.array([[0.2, 0.7], [0.9, 1.3]]), abs=1e-3)
    assert weight[:, 0].tolist() == pytest.approx([1, 1], abs=1e-3)


def test_depth_to_space_puts_neighbours_together():
    x = torch.arange(8.0).reshape(1, 8, 1, 1, 1)
    assert depth_to_space(x, 1)[0, 0].flatten().tolist() == list(range(8))


@pytest.mark.parametrize("start, stop", [(0, 8), (1, 6), (2, 3), (5, 8)])
def test_cut_is_a_part_of_the_whole(start, stop):
    x, region = torch.rand(2, 16, 4, 4, 4), (slice(start, stop), slice(0, 8), slice(start, stop))
    torch.testing.assert_close(cut(x, region, 2), depth_to_space(x, 2)[:, :, region[0], region[1], region[2]])


def test_the_prior_finds_the_silhouette_it_holds():
    """Also after other silhouettes were loaded over those that it had unpacked."""
    shapes, full = np.random.default_rng(0).random((12, 28, 28)) > 0.5, SilhouettePrior(12)
    alpha = torch.from_numpy(shapes[3:4]).float()[:, None].repeat_interleave(4, 2).repeat_interleave(4, 3)
    alpha = torch.nn.functional.interpolate(alpha, 28 * 4)
    full(alpha)
    volumes = torch.zeros(12, 512, dtype=torch.uint8)
    volumes[3] = 255
    masks = torch.from_numpy(np.packbits(shapes.reshape(12, 784), axis=1))
    full.load_state_dict({"masks": masks, "volumes": volumes, "cameras": torch.arange(60.0).reshape(12, 5)})
    found, cameras = full(alpha)
    assert found[0, 1].min() == 1 and found[0, 2].max() == 0
    assert cameras[0, 5:].tolist() == [15, 16, 17, 18, 19]


def test_unpack_is_packbits():
    bits = np.random.default_rng(0).random((3, 784)) > 0.5
    packed = torch.from_numpy(np.packbits(bits, axis=1))
    np.testing.assert_array_equal(unpack(packed, 784).numpy(), bits)


def test_shapes(network):
    out, cameras, weights = network(torch.rand(2, 1, 4, 128, 128), count=2)
    assert out.occupancy.shape == (2, 1, 32, 32, 32) and out.fine_occupancy.shape == (2, 1, 64, 64, 64)
    assert out.colour.shape == (2, 3, 32, 32, 32) and cameras.shape == (2, 2, 5)
    assert weights.sum(1).tolist() == pytest.approx([1, 1], abs=1e-5)


@pytest.mark.parametrize("chunks", [2, 8])
def test_slabs_equal_the_whole(network, chunks):
    crop = np.random.default_rng(0).random((128, 128, 4), np.float32)
    with torch.no_grad():
        seen = network.encode(predict.premultiplied(crop, "cpu"))
        view = torch.tensor([[0.3, 0.6, 0.3, 0.0, 0.0]])
        whole, slabs = answer.decode(network, seen, view, 1), answer.decode(network, seen, view, chunks)
    for name in Prediction.__dataclass_fields__:
        a, b = getattr(whole, name), getattr(slabs, name)
        inner = (..., slice(2, -2), slice(2, -2), slice(2, -2))
        torch.testing.assert_close(a[inner], b[inner], atol=2e-4, rtol=1e-3)


def test_the_camera_sees_the_front_and_not_the_back():
    """A ball: cells towards -y take the picture's colour, cells behind it do not."""
    n = 32
    points = camera.cell_centres(n)
    occupancy = (0.5 + (0.4 - points.norm(dim=1)) * n).clamp(0, 1).reshape(n, n, n)
    rgba = torch.ones(1, 4, 64, 64) * torch.tensor([1.0, 0, 0, 1]).reshape(1, 4, 1, 1)
    view = torch.tensor([[0.0, math.log(2.0), 0.25, 0.0, 0.0]])
    pixels, sure = look.look(occupancy, look.Looker(rgba, view), look.round_surface(occupancy))
    assert sure[16, 3, 16] > 0.9 and pixels[16, 3, 16].tolist() == pytest.approx([1, 0, 0], abs=1e-4)
    assert sure[16, 28, 16] < 0.05


def test_what_the_silhouette_shows_is_there_and_what_it_lacks_is_not():
    """A doubtful plate all over the middle of the cube: the half that the mask shows comes through, the other goes."""
    logits = torch.full((1, 1, 32, 32, 32), -6.0)
    logits[..., 16, :] = -2.0  # across the view, in the middle
    alpha = torch.zeros(1, 1, 128, 128)
    alpha[..., :64] = 1
    looker = look.Looker(alpha, torch.tensor([[0.0, math.log(2.0), 0.25, 0.0, 0.0]]))
    out = silhouette.agreeing(logits, alpha, looker).sigmoid()[0, 0]
    assert out[4:13, 16, 4:28].min() == pytest.approx(silhouette.SURE, abs=0.02)
    assert out[20:, 16].max() < 0.02  # lowered, from .12
    assert out[:, :12].max() < 0.1  # only the likeliest cells of a ray come through


def test_what_is_raised_is_no_deeper_than_what_is_expected():
    """A rod that the network sees but doubts at all depths: it comes through round, not as a sheet."""
    logits = torch.full((1, 1, 32, 32, 32), -6.0)
    logits[..., 15:17, 4:28, 4:28] = -2.5  # across the view 2 cells, at any depth alike
    logits[..., 15:17, 14:18, 4:28] = -2.0
    alpha = torch.zeros(1, 1, 128, 128)
    alpha[..., 8:120, 56:72] = 1
    looker = look.Looker(alpha, torch.tensor([[0.0, math.log(2.0), 0.1, 0.0, 0.0]]))
    rod = silhouette.agreeing(logits, alpha, looker).sigmoid()[0, 0, 15:17, :, 8:24]
    deep = (rod > 0.3).any(0).sum(0)  # cells inside, of each height
    assert deep.min() >= 2 and deep.max() <= 2 * (silhouette.LEAST + silhouette.FADE) + 2
    assert rod[:, 15:17].min() > 0.4 and rod[:, :8].max() < 0.1


def test_a_view_beside_the_first_raises_by_its_own_depth():
    """The same rod across the first view, raised by a camera to its right, for which x is the depth."""
    logits = torch.full((1, 1, 32, 32, 32), -6.0)
    logits[..., 4:28, 15:17, 4:28] = -2.0
    logits[..., 8:10, 15:17, 4:28] = -1.0
    alpha = torch.zeros(1, 1, 128, 128)
    alpha[..., 8:120, 56:72] = 1
    looker = look.Looker(
        alpha, torch.tensor([[0.0, math.log(2.0), 0.1, 0.0, 0.0]]), torch.tensor([[-math.pi / 2, 1.0, 0, 0, 0]])
    )
    rod = silhouette.agreeing(logits, alpha, looker).sigmoid()[0, 0, :, 15:17, 8:24]
    assert rod[8:10].min() > 0.4 and rod[18:].max() < 0.2


def test_same_input_same_answer():
    network = checkpoint.load("image_to_field")
    crop = np.zeros((128, 128, 4), np.float32)
    crop[24:104, 40:88] = [0.8, 0.3, 0.1, 1]
    first, second = predict.predict(network, crop, crop), predict.predict(network, crop, crop)
    np.testing.assert_array_equal(first.occupancy, second.occupancy)
    assert first.occupancy.shape == (64, 64, 64) and 0.01 < (first.occupancy > 0.5).mean() < 0.9


def test_the_card_tells_what_ships():
    card = catalog.card("image_to_field")
    assert card["parameters"] <= 8_000_000
    assert catalog.weights_path("image_to_field").stat().st_size == card["bytes"] <= 16 * 2**20
    assert card["training"]["samples"] > 0 and card["licence"]


def test_a_given_camera_is_kept():
    """Elevation and depth that the artist knows are taken; what is not given is found beside them."""
    rows = torch.full((1, *camera.BINS), -4.0)
    rows[0, 2, 1], rows[0, 5, 4] = 5.0, 4.0  # two readings of one picture: low and flat, or high and deep
    logits = rows.flatten(1)
    free, _ = camera.likeliest(logits, None, None)
    low, high = camera.ELEVATIONS[2].item(), camera.ELEVATIONS[5].item()
    assert free[0].tolist() == pytest.approx([low, camera.SCALES[1].item()], abs=0.02)
    told, _ = camera.likeliest(logits, high, None)
    assert told[0, 0].item() == pytest.approx(high)
    assert told[0, 1].item() == pytest.approx(camera.SCALES[4].item(), abs=0.05)
    deep, _ = camera.likeliest(logits, None, camera.SCALES[4].item())
    assert deep[0].tolist() == pytest.approx([high, camera.SCALES[4].item()], abs=0.05)


def test_depth_is_told_as_it_is_reported():
    """Depth 1.5: the longest side is half as long again as the larger side of what the crop shows."""
    crop = np.zeros((128, 128, 4), np.float32)
    crop[8:120, 40:90] = 1
    assert predict.larger_side(crop) == pytest.approx(112 / 128)
    assert math.exp(predict.log_scale(1.5, crop)) == pytest.approx(2 * 112 / 128 * 1.5)


def test_reflection_is_an_involution_across_its_plane():
    grid = torch.zeros(1, 1, 16, 16, 16)
    grid[0, 0, 12, 7, 3] = 1
    assert symmetry.reflected(grid, 0.0)[0, 0, 3, 7, 3] == pytest.approx(1, abs=1e-4)  # the plane x = 0
    assert symmetry.reflected(grid, 90.0)[0, 0, 12, 8, 3] == pytest.approx(1, abs=1e-4)  # the plane y = 0
    assert symmetry.reflected(grid, 45.0)[0, 0, 8, 3, 3] == pytest.approx(1, abs=1e-4)  # x and y trade, turned over


def test_symmetry_gives_both_sides_what_one_shows():
    """A seat turned by 30 degrees with one foot missing has both, or neither, once it is symmetric."""
    x, y, z = camera.cell_centres(32).T.reshape(3, 32, 32, 32)
    c, s = math.cos(math.radians(30)), math.sin(math.radians(30))
    u, v = x * c + y * s, -x * s + y * c
    solid = (u.abs() < 0.4) & (v.abs() < 0.2) & (z.abs() < 0.3) & ~((v > 0) & (z > -0.1)) & ~((u > 0.25) & (z < -0.2))
    logits = torch.where(solid, 4.0, -4.0)[None, None]
    fine = torch.nn.functional.interpolate(logits, scale_factor=2)
    whole = Prediction(logits, logits, fine, fine, logits.expand(-1, 3, -1, -1, -1))
    fair = symmetry.symmetrical(whole, symmetry.plane(whole.occupancy)).occupancy.sigmoid()
    apart = [(f - symmetry.reflected(f, 30.0)).abs().mean() for f in (fair, solid.float()[None, None])]
    assert apart[0] < 0.5 * apart[1]  # what is left is the sampling between cells


def test_softening_spares_planes_and_fills_pinholes():
    x, y, z = camera.cell_centres(64).T.reshape(3, 64, 64, 64)
    slope = (20 * x + 8 * z)[None, None]
    torch.testing.assert_close(
        answer.softened(slope)[..., 3:-3, 3:-3, 3:-3], slope[..., 3:-3, 3:-3, 3:-3], atol=1e-4, rtol=0
    )
    full = torch.full((1, 1, 16, 16, 16), 2.0)
    full[0, 0, 8, 5, 3] = -3.0
    soft = answer.softened(full)
    assert soft.shape == full.shape and soft.min() > 0 and soft[0, 0, 8, 5, 3] == soft.min()
