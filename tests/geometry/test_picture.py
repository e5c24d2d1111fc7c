"""Every kind of picture, and every kind of broken one."""

import hashlib
import io
import resource
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from maquette.geometry.picture import MOST_PIXELS, WORKING, read_picture, write_picture

WIDE, HIGH = 48, 40


def quarters(mode="RGB"):
    """Red, green / blue, white quarters: 48 x 40."""
    pixels = np.zeros((HIGH, WIDE, 3), np.uint8)
    pixels[:20, :24], pixels[:20, 24:], pixels[20:, :24], pixels[20:, 24:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    return Image.fromarray(pixels).convert(mode)


def corners(picture):
    """Mean colours of the quarters: upper left, upper right, lower left, lower right; rounded."""
    rgb = picture.rgba[..., :3].astype(float)
    high, wide = rgb.shape[0] // 2, rgb.shape[1] // 2
    parts = rgb[:high, :wide], rgb[:high, wide:], rgb[high:, :wide], rgb[high:, wide:]
    return [tuple(part[4:-4, 4:-4].mean(axis=(0, 1)).round(1).tolist()) for part in parts]


RED, GREEN, BLUE, WHITE = (1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)


@pytest.mark.parametrize(
    "name, options",
    [
        ("a.png", {}),
        ("a.jpg", {"quality": 95, "subsampling": 0}),
        ("a.webp", {"lossless": True}),
        ("a.tif", {}),
        ("a.bmp", {}),
        ("a.gif", {}),
        ("a.tga", {}),
        ("wörk ü.png", {}),
        ("wrong_ending.txt", {"format": "PNG"}),
    ],
)
def test_formats(tmp_path, name, options):
    quarters().save(tmp_path / name, **options)
    picture = read_picture(tmp_path / name)
    assert picture.rgba.shape == (HIGH, WIDE, 4) and picture.rgba.dtype == np.float32
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]
    assert not picture.has_alpha and (picture.rgba[..., 3] == 1).all()
    assert picture.sha256 == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert picture.path == str(tmp_path / name)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_exif_sets_pictures_upright(tmp_path, orientation, ending):
    lying = {1: None, 2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE"}
    lying |= {6: "ROTATE_90", 7: "TRANSVERSE", 8: "ROTATE_270"}  # how the camera laid the upright picture
    image = quarters()
    if lying[orientation]:
        image = image.transpose(Image.Transpose[lying[orientation]])
    exif = Image.Exif()
    exif[274] = orientation
    image.save(tmp_path / f"a.{ending}", exif=exif, quality=95)
    picture = read_picture(tmp_path / f"a.{ending}")
    assert picture.rgba.shape[:2] == (HIGH, WIDE)
    assert corners(picture) == [RED, GREEN, BLUE, WHITE]


def test_grey_palette_cmyk_and_one_bit(tmp_path):
    quarters("L").save(tmp_path / "grey.png")
    assert corners(read_picture(tmp_path / "grey.png")) == [(0.3,) * 3, (0.6,) * 3, (0.1,) * 3, WHITE]
    quarters().quantize(4).save(tmp_path / "palette.png")
    assert corners(read_picture(tmp_path / "palette.png")) == [RED, GREEN, BLUE, WHITE]
    quarters("CMYK").save(tmp_path / "cmyk.jpg", quality=95, subsampling=0)
    assert corners(read_picture(tmp_path / "cmyk.jpg"))[3] == WHITE
    np.testing.assert_allclose(corners(read_picture(tmp_path / "cmyk.jpg"))[0], RED, atol=0.11)
    quarters("1").save(tmp_path / "bits.png")
    assert corners(read_picture(tmp_path / "bits.png"))[3] == WHITE


def test_sixteen_bits(tmp_path):
    grey = np.linspace(0, 65535, WIDE).astype(np.uint16)[None].repeat(HIGH, 0)
    for name in ("a.png", "a.tif"):
        Image.fromarray(grey).save(tmp_path / name)
        picture = read_picture(tmp_path / name)
        np.testing.assert_allclose(picture.rgba[0, :, 0], np.linspace(0, 1, WIDE), atol=0.5 / 255 + 1e-3)
    colour_png(tmp_path / "colour.png", np.stack([grey, 65535 - grey, grey // 2], -1))
    rgb = read_picture(tmp_path / "colour.png").rgba[0, :, :3]
    x = np.linspace(0, 1, WIDE)
    np.testing.assert_allclose(rgb, np.stack([x, 1 - x, x / 2], -1), atol=1.1 / 255)


def chunk(kind, data):
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def colour_png(path, pixels):
    """16 bits a channel, which Pillow reads and does not write. pixels (H, W, 3) uint16."""
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    size = pixels.shape[1].to_bytes(4, "big") + pixels.shape[0].to_bytes(4, "big")
    data = chunk(b"IHDR", size + bytes([16, 2, 0, 0, 0])) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + data)


def test_alpha_of_every_kind(tmp_path):
    for mode in ("RGBA", "LA"):
        image = quarters(mode)
        alpha = Image.new("L", image.size, 0)
        alpha.paste(128, (0, 0, 24, 40))
        image.putalpha(alpha)
        image.save(tmp_path / f"{mode}.png")
        picture = read_picture(tmp_path / f"{mode}.png")
        assert picture.has_alpha
        assert np.unique(np.round(picture.rgba[..., 3] * 255)).tolist() == [0, 128]
    palette = quarters().quantize(4)
    palette.save(tmp_path / "p.png", transparency=palette.getpixel((40, 35)))
    picture = read_picture(tmp_path / "p.png")
    assert picture.has_alpha and picture.rgba[35, 40, 3] == 0 and picture.rgba[5, 5, 3] == 1
    quarters("RGBA").save(tmp_path / "opaque.png")
    assert not read_picture(tmp_path / "opaque.png").has_alpha


def profile(swapped=False, linear=True, space=b"RGB "):
    """An ICC profile, as ICC.1:2001-04 lays it out, with sRGB's primaries; its numbers are linear light or sRGB's.

    swapped: its red is blue and its blue is red."""
    fixed = lambda values: b"".join(round(v * 65536).to_bytes(4, "big", signed=True) for v in values)  # noqa: E731
    primaries = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)  # in the light of D50
    curve = b"curv\0\0\0\0" + (bytes(4) if linear else _table())
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed((0.9642, 1, 0.8249)), b"kTRC": curve}
    for name, place in zip((b"r", b"g", b"b"), primaries[::-1] if swapped else primaries):
        tags |= {name + b"XYZ": b"XYZ \0\0\0\0" + fixed(place), name + b"TRC": curve}
    table, body, start = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table += name + (start + len(body)).to_bytes(4, "big") + len(data).to_bytes(4, "big")
        body += data + bytes(-len(data) % 4)
    size = (start + len(body)).to_bytes(4, "big")
    head = size + bytes(4) + b"\2\x10\0\0" + b"mntr" + space + b"XYZ " + bytes(12) + b"acsp" + bytes(28)
    return (head + fixed((0.9642, 1, 0.8249))).ljust(128, b"\0") + len(tags).to_bytes(4, "big") + table + body


def _table():
    """sRGB's curve (IEC 61966-2-1) as 1024 samples of 16 bits."""
    x = np.linspace(0, 1, 1024)
    y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return (1024).to_bytes(4, "big") + (y * 65535 + 0.5).astype(">u2").tobytes()


def srgb(light):
    """Linear light as sRGB (IEC 61966-2-1), above its straight part."""
    return 1.055 * light ** (1 / 2.4) - 0.055


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tif"])
def test_a_colour_profile_is_followed(tmp_path, name):
    Image.new("RGB", (40, 40), (51, 102, 204)).save(tmp_path / name, icc_profile=profile(), quality=95, lossless=True)
    rgb = read_picture(tmp_path / name).rgba[20, 20, :3]
    np.testing.assert_allclose(rgb, [srgb(0.2), srgb(0.4), srgb(0.8)], atol=2.1 / 255)


def test_a_colour_profile_of_other_primaries(tmp_path):
    quarters().save(tmp_path / "a.png", icc_profile=profile(swapped=True, linear=False))
    np.testing.assert_allclose(corners(read_picture(tmp_path / "a.png")), [BLUE, GREEN, RED, WHITE], atol=0.05)


def test_a_colour_profile_leaves_transparency_alone_and_large_pictures_too(tmp_path):
    pixels = np.full((40, 2000, 4), (51, 51, 51, 255), np.uint8)
    pixels[:, :1000, 3] = 0
    Image.fromarray(pixels).crop((0, 0, 1200, 40)).save(tmp_path / "a.png", icc_profile=profile())
    rgba = read_picture(tmp_path / "a.png").rgba
    assert rgba.shape[1] == WORKING and rgba[5, 5, 3] == 0 and rgba[5, -5, 3] == 1
    np.testing.assert_allclose(rgba[5, -5, :3], srgb(0.2), atol=2.1 / 255)


def test_a_grey_profile(tmp_path):
    for mode in ("L", "LA"):
        Image.new(mode, (40, 40), 51 if mode == "L" else (51, 255)).save(
            tmp_path / f"{mode}.png", icc_profile=profile(space=b"GRAY")
        )
        rgb = read_picture(tmp_path / f"{mode}.png").rgba[20, 20, :3]
        np.testing.assert_allclose(rgb, srgb(0.2), atol=2.1 / 255)


def test_a_profile_that_is_srgb_changes_no_bit(tmp_path):
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    noise.save(tmp_path / "plain.png")
    named = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for data in (named, profile(linear=False)):
        noise.save(tmp_path / "a.png", icc_profile=data)
        np.testing.assert_array_equal(read_picture(tmp_path / "a.png").rgba, read_picture(tmp_path / "plain.png").rgba)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "P"])
@pytest.mark.parametrize("damage", ["text", "cut", "header", "empty", "grey", "other channels"])
def test_a_broken_profile_is_ignored(tmp_path, mode, damage):
    whole = profile()
    data = {"text": b"no profile", "cut": whole[:200], "header": whole[:128], "empty": b""}.get(damage)
    if damage == "grey":
        data = profile(space=b"GRAY") if mode != "L" else b""
    if damage == "other channels":
        data = profile(space=b"RGB " if mode == "CMYK" else b"CMYK")
    image = quarters() if mode != "P" else quarters().quantize(4)
    image = image.convert(mode)
    image.save(tmp_path / "plain.tif")
    image.save(tmp_path / "a.tif", icc_profile=data)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.tif").rgba, read_picture(tmp_path / "plain.tif").rgba)


def test_the_first_of_an_animation(tmp_path):
    for name in ("a.gif", "a.webp", "a.png"):
        first, second = quarters(), Image.new("RGB", (WIDE, HIGH), (9, 9, 9))
        first.save(tmp_path / name, save_all=True, append_images=[second], duration=100, lossless=True)
        assert corners(read_picture(tmp_path / name)) == [RED, GREEN, BLUE, WHITE]


def test_large_pictures_are_reduced_to_their_means(tmp_path):
    stripes = np.zeros((1500, 3000, 3), np.uint8)
    stripes[:, ::2] = 255
    Image.fromarray(stripes).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png")
    assert picture.rgba.shape == (WORKING // 2, WORKING, 4)
    np.testing.assert_allclose(picture.rgba[..., :3].mean(), 0.5, atol=0.01)
    assert picture.rgba[100:-100, 100:-100, :3].std() < 0.08


def test_reducing_keeps_the_colour_of_transparent_pixels_out(tmp_path):
    pixels = np.zeros((2048, 2048, 4), np.uint8)
    pixels[..., 1] = 255  # green where nothing is seen
    pixels[512:1536, 512:1536] = (255, 0, 0, 255)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    rgba = read_picture(tmp_path / "a.png").rgba
    edge = (rgba[..., 3] > 0.2) & (rgba[..., 3] < 0.99)
    assert rgba[..., 1][rgba[..., 3] > 0.2].max() < 0.05, edge.sum()


def bomb(path, width, height):
    """A PNG of a few bytes that says it is huge, and packs its rows well."""
    rows = zlib.compress(bytes(width * 3 + 1) * 50)
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    chunks = (b"IHDR", size + bytes([8, 2, 0, 0, 0])), (b"IDAT", rows), (b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*parts) for parts in chunks))


def test_a_bomb_is_refused_without_filling_memory(tmp_path):
    bomb(tmp_path / "bomb.png", 20000, 20000)
    limit, before = Image.MAX_IMAGE_PIXELS, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match="bomb.png is 20000 x 20000 pixels; Maquette reads at most 64 million"):
        read_picture(tmp_path / "bomb.png")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes
    assert Image.MAX_IMAGE_PIXELS == limit
    assert MOST_PIXELS < 20000**2


def test_a_huge_jpeg_is_read_at_an_eighth(tmp_path):
    Image.new("RGB", (12000, 9000), (200, 100, 50)).save(tmp_path / "a.jpg")
    picture = read_picture(tmp_path / "a.jpg")
    assert picture.rgba.shape == (768, 1024, 4)
    np.testing.assert_allclose(picture.rgba[0, 0, :3] * 255, (200, 100, 50), atol=3)


def broken(folder):
    stream = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)).save(stream, "PNG")
    png = stream.getvalue()
    stream = io.BytesIO()
    quarters().save(stream, "JPEG")
    jpeg = stream.getvalue()
    yield "empty.png", b"", "empty.png is empty"
    yield "text.png", b"this is not a picture\n" * 9, "text.png is not a picture that Maquette reads"
    yield "truncated.png", png[: len(png) // 2], "truncated.png is damaged or cut short"
    yield "truncated.jpg", jpeg[: len(jpeg) * 2 // 3], "truncated.jpg is damaged or cut short"
    yield "header.png", png[:20], "header.png"
    yield "vector.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "vector.svg is not a picture that Maquette reads"
    yield "postscript.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 99 99\n", "is not a picture"


def test_broken_pictures_are_named_in_one_sentence(tmp_path):
    for name, data, words in broken(tmp_path):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ValueError, match=words) as error:
            read_picture(tmp_path / name)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize("size", [(1, 1), (12, 9), (31, 500)])
def test_small_pictures_are_refused(tmp_path, size):
    Image.new("RGB", size).save(tmp_path / "photo.png")
    with pytest.raises(ValueError, match=f"photo.png is {size[0]} x {size[1]} pixels; Maquette needs at least 32"):
        read_picture(tmp_path / "photo.png")


def test_missing_files_folders_and_strips(tmp_path):
    with pytest.raises(ValueError, match="nowhere.png does not exist"):
        read_picture(tmp_path / "nowhere.png")
    with pytest.raises(ValueError, match="is a folder"):
        read_picture(tmp_path)
    Image.new("RGB", (40, 4000)).save(tmp_path / "strip.png")
    with pytest.raises(ValueError, match="strip.png is 40 x 4000 pixels; one side"):
        read_picture(tmp_path / "strip.png")


def test_pictures_are_written_whole(tmp_path):
    pixels = np.random.default_rng(0).random((8, 9, 4)).astype(np.float32)
    write_picture(pixels, tmp_path / "a.png")
    np.testing.assert_allclose(np.asarray(Image.open(tmp_path / "a.png")) / 255, pixels, atol=0.51 / 255)
    with pytest.raises(ValueError, match="does not exist"):
        write_picture(pixels, tmp_path / "nowhere" / "a.png")
