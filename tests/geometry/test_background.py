"""Objects before backgrounds of known kinds, and the square round them."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from maquette.geometry.background import cut_out, isolate
from maquette.geometry.crop import Crop, crop_to_object, cut, resized
from maquette.geometry.picture import Picture

SIZE = 160
Y, X = np.mgrid[:SIZE, :SIZE] + 0.5
LONG = np.hypot(X, Y)[..., None] / SIZE


def mug():
    """Coverage (H, W) of a disc with a hole through its handle."""
    body = np.hypot(X - 70, Y - 85) - 38
    handle = np.abs(np.hypot(X - 112, Y - 85) - 18) - 6
    return np.clip(0.5 - np.minimum(body, handle), 0, 1)


def backgrounds():
    random = np.random.default_rng(0)
    white, tint = np.ones((SIZE, SIZE, 3)), np.array([0.55, 0.65, 0.75]) * np.ones((SIZE, SIZE, 3))
    far = np.hypot(X / SIZE - 0.5, Y / SIZE - 0.5)[..., None]
    shadow = np.exp(-(((X - 80) / 50) ** 2 + ((Y - 126) / 10) ** 2))[..., None]
    return {
        "white": white,
        "grey": 0.5 * white,
        "gradient": tint * (0.7 + 0.3 * LONG),
        "vignette": tint * (1 - 0.5 * far**2),
        "noise": tint + random.normal(0, 0.03, (SIZE, SIZE, 3)),
        "paper": tint + 0.3 * gaussian_filter(random.normal(size=(SIZE, SIZE, 1)), (4, 4, 0)),
        "soft shadow": 0.95 * white * (1 - 0.35 * shadow),
    }


def taken(coverage, behind, colour=(0.75, 0.25, 0.1)):
    coverage = coverage[..., None]
    shade = np.array(colour) * (1.15 - 0.004 * Y[..., None])
    return opaque(coverage * shade + (1 - coverage) * behind)


def opaque(rgb):
    rgb = np.round(np.clip(rgb, 0, 1) * 255) / 255
    return Picture(np.concatenate([rgb, np.ones_like(rgb[..., :1])], -1).astype(np.float32), False, "/x/mug.jpg", "")


def iou(found, true):
    found, true = found > 0.5, true > 0.5
    return np.count_nonzero(found & true) / np.count_nonzero(found | true)


@pytest.mark.parametrize("name", backgrounds())
def test_the_object_is_found_and_its_hole_is_seen_through(name):
    found = isolate(taken(mug(), backgrounds()[name]))
    assert found.method == "plain"
    assert found.mask.shape == (SIZE, SIZE) and found.mask.dtype == np.float32
    assert iou(found.mask, mug()) > 0.95
    assert found.mask[85, 112] < 0.2
    np.testing.assert_array_equal(found.rgba[..., 3], found.mask)


def test_edges_are_soft_and_free_of_the_background():
    found = isolate(taken(mug(), np.ones((SIZE, SIZE, 3))))
    edge = (mug() > 0.35) & (mug() < 0.65)
    assert np.abs(found.mask - mug())[edge].mean() < 0.15
    assert found.rgba[edge][:, 2].mean() < 0.3  # half white before


def test_large_pictures_get_masks_of_their_own_size():
    small = taken(mug(), backgrounds()["gradient"]).rgba
    large = Picture(np.repeat(np.repeat(small, 5, 0), 5, 1), False, "", "")
    found = isolate(large)
    assert found.mask.shape == (5 * SIZE, 5 * SIZE)
    assert iou(found.mask, np.repeat(np.repeat(mug(), 5, 0), 5, 1)) > 0.95


def test_alpha_is_believed():
    rgba = np.concatenate([np.random.default_rng(0).random((SIZE, SIZE, 3)), mug()[..., None]], -1).astype(np.float32)
    found = isolate(Picture(rgba, True, "", ""))
    assert found.method == "alpha"
    np.testing.assert_array_equal(found.rgba, rgba)


def test_an_alpha_that_says_nothing_is_not():
    rgba = taken(mug(), np.ones((SIZE, SIZE, 3))).rgba.copy()
    rgba[0, 0, 3] = 0.5
    assert isolate(Picture(rgba, True, "", "")).method == "plain"


@pytest.mark.parametrize("name", ["white", "gradient", "noise"])
def test_nothing_but_background_says_so(name):
    with pytest.raises(ValueError, match="no object stands out from the background of mug.jpg"):
        isolate(opaque(backgrounds()[name]))


def stool(streak):
    """A brown seat on two posts before white paper; `streak` tells what is as dark as a shadow's core beside a foot."""
    body = (np.abs(Y - 50) < 12) & (np.abs(X - 80) < 45)
    posts = (Y > 40) & (Y < 130) & (np.minimum(np.abs(X - 50), np.abs(X - 110)) < 5)
    rgb = np.where((body | posts)[..., None], (0.5, 0.3, 0.15), (0.9, 0.9, 0.9)) * np.where(streak, 0.75, 1)[..., None]
    return rgb, body | posts


@pytest.mark.parametrize("seen", ["no", "yes", "unasked"])
def test_what_the_network_does_not_see_beside_a_foot_is_its_shadow(seen):
    """The same grey is a shadow's core or a grey foot of its own; without the network nothing is taken away."""
    streak = (np.abs(Y - 127) < 3) & (X > 114) & (X < 140)
    rgb, body = stool(streak)
    network = {"no": lambda small: body, "yes": lambda small: body | streak, "unasked": lambda small: None}[seen]
    found = isolate(opaque(rgb), network)
    assert found.method == "plain"
    assert iou(found.mask > 0.5, body if seen == "no" else body | streak) > 0.97
    assert (found.mask[body] > 0.5).mean() > 0.99, "the object loses nothing by it"


def marked(mask, alpha=False):
    """A mask as a Picture: grey, or white with the mask as its alpha."""
    rgba = np.ones((*mask.shape, 4), np.float32)
    rgba[..., 3 if alpha else slice(0, 3)] = mask if alpha else mask[..., None]
    return Picture(rgba, alpha, "mask.png", "")


@pytest.mark.parametrize("alpha", [False, True])
def test_a_mask_that_was_given_is_taken_at_any_size(alpha):
    picture = opaque(np.full((80, 120, 3), 0.5, np.float32))
    mask = np.zeros((40, 60), np.float32)
    mask[10:30, 20:50] = 1
    found = cut_out(picture, marked(mask, alpha))
    assert found.method == "given" and found.mask.shape == (80, 120)
    assert found.mask[20:60, 40:100].min() > 0.4 and found.mask[40, 70] == 1 and found.mask[:15].max() == 0
    np.testing.assert_array_equal(found.rgba[..., 3], found.mask)


def test_a_mask_of_another_shape_or_of_nothing_says_so():
    picture = opaque(np.full((80, 120, 3), 0.5, np.float32))
    with pytest.raises(ValueError, match="mask.png is 60 x 60 and .* 120 x 80"):
        cut_out(picture, marked(np.ones((60, 60), np.float32)))
    with pytest.raises(ValueError, match="mask.png marks no object"):
        cut_out(picture, marked(np.zeros((80, 120), np.float32)))


def test_transparent_all_over_says_so():
    with pytest.raises(ValueError, match="a.png is transparent all over"):
        isolate(Picture(np.zeros((64, 64, 4), np.float32), True, "a.png", ""))


# --- the crop --------------------------------------------------------------------------------------------------------


def rectangle(top, bottom, left, right, shape=(200, 300)):
    rgba = np.zeros((*shape, 4), np.float32)
    rgba[..., :3] = (0, 1, 0)  # what transparent pixels hold must not matter
    rgba[top:bottom, left:right] = (1, 0.5, 0.25, 1)
    return rgba


def test_the_longest_side_fills_all_but_the_margins():
    crop, square = crop_to_object(rectangle(50, 162, 100, 156), 128, 0.0625)
    assert square == Crop(left=64, top=42, side=128, size=128)
    alpha = crop[..., 3]
    assert alpha[8:120, 36:92].min() == 1 and alpha.sum() == 112 * 56
    np.testing.assert_allclose(crop[60, 64], (1, 0.5, 0.25, 1))
    assert (crop[alpha == 0] == 0).all()


@pytest.mark.parametrize("size", [32, 128, 500])
def test_areas_and_colours_are_kept_at_any_size(size):
    crop, square = crop_to_object(rectangle(3, 100, 0, 61), size)
    expected = 97 * 61 * (size / square.side) ** 2
    assert crop[..., 3].sum() == pytest.approx(expected, rel=0.01)
    assert np.abs(crop[crop[..., 3] > 0.05][:, :3] - np.float32([1, 0.5, 0.25])).max() < 1e-3


def test_crop_and_picture_places_are_inverse():
    square = Crop(left=-20, top=10, side=256, size=128)
    np.testing.assert_allclose(square.to_picture([[0, 0], [64, 128]]), [[-20, 10], [108, 266]])
    np.testing.assert_allclose(square.to_crop(square.to_picture([[3, 5]])), [[3, 5]])
    np.testing.assert_allclose(square.affine @ [64, 128, 1], [108, 266])
    rgba = np.zeros((300, 300, 4), np.float32)
    rgba[110:112, 60:62] = 1
    row, column = np.unravel_index(cut(rgba, square)[..., 3].argmax(), (128, 128))
    np.testing.assert_allclose(square.to_picture([column + 0.5, row + 0.5]), [61, 111])


def test_faint_objects_are_cropped_and_nothing_is_refused():
    rgba = rectangle(40, 80, 40, 100)
    rgba[..., 3] *= 0.2
    assert crop_to_object(rgba)[1].side == pytest.approx(60 / 0.875)
    with pytest.raises(ValueError, match="transparent all over"):
        crop_to_object(np.zeros((40, 40, 4), np.float32))


def test_resizing_keeps_means():
    image = np.random.default_rng(0).random((90, 120, 3)).astype(np.float32)
    np.testing.assert_allclose(resized(image, 30, 40), image.reshape(30, 3, 40, 3, 3).mean(axis=(1, 3)), atol=1e-5)
    np.testing.assert_allclose(resized(np.ones((8, 9), np.float32), 20, 31), 1, atol=1e-6)
