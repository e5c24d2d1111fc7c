"""A texture of the pictures that something was reconstructed from, and the cameras that a report names."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from scipy.ndimage import binary_dilation

from maquette.geometry.camera_row import view_of
from maquette.geometry.hull import project
from maquette.geometry.mesh import Mesh
from maquette.geometry.texels import Texels
from maquette.geometry.views import photograph
from maquette.jobs import photographed as rows
from maquette.jobs import texture
from maquette.jobs.reconstruct import reconstruct
from maquette.jobs.requests import Meshing, Reconstruct, Texture

from ..photographed import cameras, photographed, written

STRIPE = 12
"""Pixels of each stripe of the picture, finer than cells of the field"""


@pytest.fixture(scope="module")
def striped(tmp_path_factory) -> Path:
    """A cut-out box as seen from above, with fine stripes of red and blue on it."""
    path = tmp_path_factory.mktemp("Bilder ä") / "box.png"
    image = Image.new("RGBA", (480, 420), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    for left in range(100, 380, 2 * STRIPE):
        draw.rectangle((left, 90, left + STRIPE - 1, 340), (220, 30, 30, 255))
        draw.rectangle((left + STRIPE, 90, left + 2 * STRIPE - 1, 340), (30, 30, 220, 255))
    image.save(path)
    return path


@pytest.fixture(scope="module")
def textured(striped):
    return asked(striped, texture=512, meshing=Meshing(size=2.0))


def asked(*images, **settings):
    request = Reconstruct(tuple(map(str, images)), device="cpu", **settings)
    return reconstruct(request, lambda *told: None, lambda: False)


def shown(shape, row, points):
    """The picture's colours (P, 3) in [0, 1] at points, and whether they lie well within it."""
    photo = rows.again(row, row["path"])
    pixel = project(photo, points)[0]
    height, width = photo.image.shape[:2]
    column, row = np.floor(pixel).astype(int).clip(0, [width - 1, height - 1]).T
    inside = ~binary_dilation(photo.mask < 128, iterations=8)
    return photo.image[row, column] / 255, inside[row, column]


def texels(shape):
    """Places (P, 3) of texels, their colours and their faces."""
    number, face, weights = (np.concatenate(part) for part in zip(*Texels(shape.uvs, len(shape.texture)).on()))
    place = np.einsum("pc,pcx->px", weights, shape.vertices[shape.faces[face]])
    return place, shape.texture.reshape(-1, 3)[number] / 255, face


def test_the_mesh_lies_in_the_picture_as_its_camera_says(textured):
    (row,) = textured.report["cameras"]
    assert row["name"] == "box.png" and row["size"] == [480, 420]
    photo = rows.again(row, row["path"])
    pixel = project(photo, textured.vertices)[0]
    low, high = pixel.min(0), pixel.max(0)
    np.testing.assert_allclose([*low, *high], [100, 90, 388, 341], atol=22)
    within = binary_dilation(photo.mask > 127, iterations=12)
    column, line = np.floor(pixel).astype(int).clip(0, [479, 419]).T
    assert within[line, column].mean() > 0.99


def test_what_the_picture_shows_is_as_sharp_as_the_picture(textured):
    (row,) = textured.report["cameras"]
    place, colour, face = texels(textured)
    a, b, c = textured.vertices[textured.faces].transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    away = np.array(row["matrix"])[:3, 3] - place
    straight = (away / np.linalg.norm(away, axis=1, keepdims=True) * normal[face]).sum(1)
    picture, inside = shown(textured, row, place)
    front = (straight > 0.7) & inside
    assert front.sum() > 2000
    assert np.abs(colour - picture)[front].mean() < 0.1
    # By the vertices' colours, stripes of so few pixels run together
    corners = textured.colours[textured.faces[face]].mean(1)
    assert np.abs(corners - picture)[front].mean() > 1.5 * np.abs(colour - picture)[front].mean()
    behind = straight < -0.3
    assert np.abs(colour - corners)[behind].mean() < 0.05
    assert 0.1 < textured.report["texture"]["seen"] < 0.7 and textured.report["texture"]["photos"] == 1


def test_without_one_a_mesh_can_be_given_it_later(striped, textured):
    plain = asked(striped, meshing=Meshing(size=2.0))
    assert plain.texture is None and plain.uvs is None
    request = Texture(
        tuple(plain.report["cameras"]), vertices=plain.vertices, faces=plain.faces, colours=plain.colours, size=512
    )
    later = texture.texture(request, lambda *told: None, lambda: False)
    assert np.abs(later.texture.astype(int) - textured.texture).mean() < 3


def test_larger_files_are_read_as_finely_as_they_are(tmp_path):
    """Reconstruct works on 1024 pixels; the texture takes what the file has."""
    path = tmp_path / "large.png"
    image = Image.new("RGBA", (2600, 2600), (0, 0, 0, 0))
    ImageDraw.Draw(image).rectangle((600, 600, 2000, 2000), (200, 60, 60, 255))
    image.save(path)
    shape = asked(path)
    photo = rows.again(shape.report["cameras"][0], str(path))
    assert max(photo.image.shape) == 1024
    assert texture.at(photo, 2000).image.shape[:2] == (2000, 2000) == texture.at(photo, 2000).mask.shape
    small = dataclasses.replace(photo, view=dataclasses.replace(photo.view, path=tmp_path / "gone.png"))
    assert texture.at(small, 2000).image.shape[:2] == (1024, 1024)


def test_a_mask_that_was_given_holds_for_finer_pixels_too(tmp_path):
    Image.new("RGB", (1500, 1500), (120, 140, 90)).save(tmp_path / "all.jpg")
    mask = Image.new("L", (1500, 1500), 0)
    mask.paste(255, (300, 450, 1200, 1350))
    mask.save(tmp_path / "mask.png")
    shape = asked(tmp_path / "all.jpg", mask=str(tmp_path / "mask.png"))
    photo = rows.again(shape.report["cameras"][0], str(tmp_path / "all.jpg"))
    seen = texture.at(photo, 1500).mask > 127
    assert seen[460:1340, 310:1190].all() and not seen[:440].any() and not seen[:, 1210:].any()


def test_known_cameras_are_named_as_they_are(tmp_path):
    photos = [photographed(camera, f"view{k}") for k, camera in enumerate(cameras(count=3))]
    images = written(tmp_path, photos)
    shape = asked(*images, poses=str(tmp_path), meshing=Meshing(size=None), texture=512)
    assert shape.report["in_place"] and shape.report["texture"]["photos"] == 3
    for photo, row in zip(photos, shape.report["cameras"], strict=True):
        np.testing.assert_allclose(row["matrix"], photo.camera, atol=1e-6)
        np.testing.assert_allclose([row["focal"][0], *row["centre"]], photo.pinhole[[0, 0, 1], [0, 2, 2]])
    mesh = Mesh(shape.vertices, shape.faces)
    view = photograph(view_of(shape.report["cameras"][0]))
    assert mesh.is_watertight and view.image.shape == photos[0].image.shape


def test_sizes_out_of_range_are_a_sentence():
    with pytest.raises(ValueError, match="Texture is 100; it must be from 512 to 4096, or 0 for none"):
        Reconstruct(("a.png",), texture=100)
