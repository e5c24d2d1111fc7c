"""Textures of painted boxes: every texel has the paint of its place, whatever the photos are like."""

import dataclasses

import numpy as np
import pytest

from maquette.geometry import frames
from maquette.geometry.bake import bake
from maquette.geometry.drawn import drawn
from maquette.geometry.similar import psnr
from maquette.geometry.texels import Texels
from maquette.geometry.unwrap import unwrap
from maquette.geometry.views import reduced

from . import painted

SIDE = 512
CUBE = (-0.7, -0.5, -0.6), (0.7, 0.5, 0.6)


def baked(mesh, photos, size=SIDE):
    mesh = dataclasses.replace(mesh, uvs=unwrap(mesh, size))
    found = bake(mesh, len(photos), lambda number, longest: reduced(photos[number], longest), size)
    return dataclasses.replace(mesh, texture=found.texture), found


def texels(mesh):
    """Colours (P, 3) in [0, 1] of all texels on faces, their places (P, 3) and their faces (P,)."""
    parts = [
        (number, face, np.einsum("pc,pcx->px", weights, mesh.vertices[mesh.faces[face]]), weights)
        for number, face, weights in Texels(mesh.uvs, len(mesh.texture)).on()
    ]
    number, face, place, weights = (np.concatenate(part) for part in zip(*parts))
    inside = weights.min(axis=1) > 0
    return mesh.texture.reshape(-1, 3)[number[inside]] / 255, place[inside], face[inside]


def off(mesh):
    """Largest difference of each texel's channels from the paint at its place."""
    colours, places, _ = texels(mesh)
    return np.abs(colours - painted.paint(places)).max(axis=1)


@pytest.fixture(scope="module")
def cube():
    return painted.box(*CUBE)


@pytest.fixture(scope="module")
def photos():
    return [painted.photo(camera, [(*CUBE, None)]) for camera in painted.all_round()]


@pytest.fixture(scope="module")
def textured(cube, photos):
    return baked(cube, photos)


def test_each_texel_has_the_paint_of_its_place(textured):
    mesh, found = textured
    assert found.texture.shape == (SIDE, SIDE, 3) and found.texture.dtype == np.uint8
    wrong = off(mesh)
    assert wrong.mean() < 0.01 and np.percentile(wrong, 99) < 0.03
    assert found.seen > 0.95 and 4 <= found.used <= 12


def test_a_photo_that_was_not_baked_is_drawn_again(textured):
    """The mesh with its texture, from a new side, beside what a photo there would be."""
    mesh, _ = textured
    truth = painted.photo(frames.orbit(77, 30, 4.2), [(*CUBE, None)], background=(0, 0, 0))
    colours, opacity = drawn(mesh, truth)
    whole = opacity > 0.99
    assert psnr(colours[whole][None], truth.image[whole][None] / 255) > 38
    assert np.abs(opacity.sum() / (truth.image.max(axis=2) > 0).sum() - 1) < 0.02


def test_between_the_charts_there_are_no_other_colours(textured):
    """Magenta is behind the box in every photo, and black is what a texture begins with."""
    mesh, _ = textured
    colours = mesh.texture.reshape(-1, 3) / 255
    assert (colours[:, 0] > 0.6).mean() < 1e-4 and colours.max(axis=1).min() > 0.2


def test_what_is_hidden_does_not_take_the_colours_of_what_hides_it():
    """A red bar before a painted wall: only cameras from the sides see behind it."""
    wall, bar = ((-1, -0.1, -1), (1, 0.1, 1)), ((-0.15, -0.8, -1), (0.15, -0.5, 1))
    cameras = [frames.orbit(a, e, 4.5) for a in (-60, -40, -20, 0, 20, 40, 60, 180) for e in (-10, 25)]
    photos = [painted.photo(camera, [(*wall, None), (*bar, (1.0, 0, 0))]) for camera in cameras]
    mesh, found = baked(painted.together(painted.box(*wall), painted.box(*bar)), photos)
    colours, places, face = texels(mesh)
    front = (face < 12) & (places[:, 1] < -0.099) & (np.abs(places[:, [0, 2]]).max(axis=1) < 0.97)
    wrong = np.abs(colours[front] - painted.paint(places[front])).max(axis=1)
    assert np.percentile(wrong, 98) < 0.05 and wrong.max() < 0.4
    before = (face >= 12) & (places[:, 1] < -0.799) & (np.abs(places[:, 0]) < 0.12) & (np.abs(places[:, 2]) < 0.95)
    assert np.abs(colours[before] - [1, 0, 0]).max(axis=1).mean() < 0.02


def test_what_nobody_sees_has_the_colours_of_what_is_around():
    """From above alone: the underside is never red or magenta or black."""
    mesh = painted.box(*CUBE)
    photos = [painted.photo(frames.orbit(a, 50, 4), [(*CUBE, None)]) for a in range(0, 360, 45)]
    mesh, found = baked(mesh, photos)
    assert 0.5 < found.seen < 0.9
    colours, places, _ = texels(mesh)
    below = colours[places[:, 2] < -0.599]
    assert below[:, 0].max() < 0.6 and below.max(axis=1).min() > 0.2


def test_a_mesh_that_is_too_large_takes_nothing_from_beyond_the_masks(photos):
    """By a tenth: without masks the magenta behind comes in, with them it does not."""
    low, high = (np.array(corner) * 1.1 for corner in CUBE)
    cameras = painted.all_round()
    masked = [painted.photo(camera, [(*CUBE, None)], mask=True) for camera in cameras]
    colours, _, _ = texels(baked(painted.box(low, high), masked)[0])
    assert (colours[:, 0] > 0.6).mean() < 1e-3


def test_photos_of_different_exposure_make_one_brightness(cube):
    cameras = painted.all_round()
    photos = [painted.photo(camera, [(*CUBE, None)], gain=0.8 + 0.4 * (i % 2)) for i, camera in enumerate(cameras)]
    mesh, _ = baked(cube, photos)
    colours, places, _ = texels(mesh)
    share = colours / painted.paint(places)
    assert share.std() < 0.03 and 0.9 < share.mean() < 1.1


def test_a_blurred_photo_counts_less(cube):
    """Two from the same side, one out of focus: details are those of the other."""
    from scipy.ndimage import gaussian_filter

    random = np.random.default_rng(0)
    noise = np.kron(random.integers(0, 255, (20, 20, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    cameras = [frames.orbit(0, 0, 4), frames.orbit(1, 0, 4), frames.orbit(180, 0, 4)]
    sharp, blurred, away = (dataclasses.replace(painted.photo(c, [(*CUBE, None)]), image=noise) for c in cameras)
    smooth = dataclasses.replace(blurred, image=gaussian_filter(noise, (5, 5, 0)))

    def detail(photos):
        colours, places, _ = texels(baked(cube, photos)[0])
        return colours[places[:, 1] < -0.499].std()

    assert detail([sharp, smooth, away]) > 0.93 * detail([sharp, away])


def test_photos_through_a_lens_that_bends(cube):
    """The same photos, resampled as by a lens with distortion: the same texture."""
    from scipy.ndimage import map_coordinates

    from maquette.geometry.hull import distorted

    bend = (-0.15, 0.03, 0.002, -0.001)
    photos = []
    for camera in painted.all_round():
        straight = painted.photo(camera, [(*CUBE, None)])
        k, side = straight.pinhole, len(straight.image)
        row, column = np.mgrid[:side, :side] + 0.5
        seen_x, seen_y = (column - k[0, 2]) / k[0, 0], (row - k[1, 2]) / k[1, 1]
        x, y = seen_x.copy(), seen_y.copy()
        for _ in range(20):
            u, v = distorted(x, y, bend)
            x, y = x + seen_x - u, y + seen_y - v
        at = [y * k[1, 1] + k[1, 2] - 0.5, x * k[0, 0] + k[0, 2] - 0.5]
        image = np.stack([map_coordinates(straight.image[..., c], at, order=1, mode="nearest") for c in range(3)], -1)
        photos.append(dataclasses.replace(straight, image=image, distortion=bend))
    mesh, _ = baked(cube, photos)
    assert off(mesh).mean() < 0.015


def test_cameras_that_look_elsewhere_are_a_sentence(cube, photos):
    back = np.diag([-1.0, 1, -1, 1])
    away = [dataclasses.replace(photo, camera=photo.camera @ back) for photo in photos]
    mesh = dataclasses.replace(cube, uvs=unwrap(cube, SIDE))
    with pytest.raises(ValueError, match="no photo shows the mesh"):
        bake(mesh, len(away), lambda number, longest: away[number], SIDE)


def test_odd_sizes(cube, photos):
    mesh, found = baked(cube, photos, 601)
    assert found.texture.shape == (601, 601, 3) and off(mesh).mean() < 0.01


def test_progress_is_told_and_goes_on(cube, photos):
    told = []
    mesh = dataclasses.replace(cube, uvs=unwrap(cube, SIDE))
    bake(mesh, len(photos), lambda number, longest: photos[number], SIDE, lambda share, note: told.append(share))
    assert told == sorted(told) and 0 <= told[0] and told[-1] <= 1 and len(told) > len(photos)
