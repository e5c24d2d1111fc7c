"""Pictures from files, whatever they hold: the one place that reads them."""

import hashlib
import io
import struct
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from math import isqrt
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError, features

from .atomic import replacing
from .colour import to_bytes

FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "TGA", "PPM", "JPEG2000")
"""What Pillow may open; some of its other readers start programs."""
AVIF, HEIF = {b"avif", b"avis"}, {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
"""Brands of files as browsers and as phones write them (ISO 23008-12), which not every Pillow reads"""
HEAD = 256
"""Bytes of a file by which it is told what it is"""
SMALLEST = 32
"""Pixels that each side needs."""
WORKING = 1024
"""Longer sides than this are reduced while reading."""
MOST_PIXELS = 64_000_000
"""Decoding takes 4 bytes for each, twice. JPEG is reduced while it is decoded, so larger ones can be read."""
LARGEST_FILE = 1 << 30
OPAQUE = 0.99
BROKEN = (
    *(OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, RuntimeError),
    *(struct.error, MemoryError),
)
"""What Pillow raises for damaged files, one reader or another."""

PROFILE_TROUBLE = (ImageCms.PyCMSError, OSError, ValueError, TypeError, ImportError)
"""What a broken colour profile raises, one that is for other channels, and a Pillow without LittleCMS."""
SAME = 2
"""Steps of 255 by which a profile may move colours and still count as sRGB: rounding, not another space."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation (tag 274) to what sets it upright."""


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture as it is meant to be seen."""

    rgba: np.ndarray
    """(H, W, 4) float32 sRGB in [0, 1], straight alpha, first row on top"""
    has_alpha: bool
    """Some of it is transparent"""
    path: str
    sha256: str
    """Of the file's bytes"""

    @property
    def name(self) -> str:
        """For messages."""
        return Path(self.path).name or "the picture"


def read_picture(path) -> Picture:
    """The picture in a file: turned upright by EXIF, grey, palette, 16-bit and CMYK as sRGB, the first of an animation.

    An embedded colour profile is followed; one that is broken is ignored.

    Raises ValueError with one sentence where the file is missing, empty, damaged, too small, too large or no picture.
    """
    image, digest = decoded(path, WORKING)
    rgba = np.asarray(upright(image), np.float32) / 255
    return Picture(rgba, bool(rgba[..., 3].min() < OPAQUE), str(path), digest)


def decoded(path, longest=0):
    """A file's picture as a Pillow image in RGBA, sRGB, pixels as they lie in the file; and the sha256 of its bytes.

    Its longer side is reduced to `longest`; 0 keeps all pixels, but of a JPEG that has more than MOST_PIXELS.
    Raises ValueError as read_picture does.
    """
    path = Path(path)
    data = _bytes(path)
    formats = formats_of(data, path.name)
    with _sizes_unchecked():
        try:
            image = Image.open(io.BytesIO(data), formats=formats)
        except UnidentifiedImageError as error:
            if formats != FORMATS:
                raise ValueError(f"{path.name} is damaged or cut short") from error
            raise ValueError(f"{path.name} is not a picture that Maquette reads (PNG, JPEG, WebP, TIFF ...)") from error
        except BROKEN as error:
            raise ValueError(f"{path.name} is damaged or cut short: {error}") from error
        _check_size(image, path.name, longest)
        try:
            image = _reduced(image, longest)
        except BROKEN as error:
            raise ValueError(f"{path.name} is damaged or cut short: {error}") from error
    return image, hashlib.sha256(data).hexdigest()


def size_of(path) -> tuple[int, int]:
    """Width and height of a picture by its first bytes; (0, 0) where it cannot be read, which `decoded` explains."""
    with _sizes_unchecked():
        try:
            with opened(path) as image:
                return image.size
        except BROKEN:
            return 0, 0


def opened(path):
    """A picture's file as a Pillow image of which nothing is decoded yet. Raises one of BROKEN."""
    with open(path, "rb") as file:
        formats = formats_of(file.read(HEAD), Path(path).name)
    return Image.open(path, formats=formats)


def formats_of(data: bytes, name: str) -> tuple[str, ...]:
    """The formats as which a file that begins with `data` may be opened.

    Raises ValueError with a sentence about `name` where that takes a library which is not installed.
    """
    brands = _brands(data)
    if brands & AVIF:
        if not features.check("avif"):
            raise ValueError(f"{name} is AVIF, which Pillow reads from 11.3 on: install that, or save it as JPEG")
        return ("AVIF",)
    if brands & HEIF:
        try:
            import pillow_heif
        except ImportError as error:
            raise ValueError(
                f"{name} is HEIC, as iPhones save photos, and reading it needs pillow-heif: install that "
                "(pip install pillow-heif), or save it as JPEG"
            ) from error
        pillow_heif.register_heif_opener()
        return ("HEIF",)
    return FORMATS


def _brands(data: bytes) -> set[bytes]:
    """What a file says it can be read as, in the box that such files begin with (ISO 14496-12); empty for others."""
    if data[4:8] != b"ftyp":
        return set()
    box = data[8 : min(int.from_bytes(data[:4], "big"), HEAD)]
    return {box[k : k + 4] for k in range(0, len(box), 4) if k != 4}  # the second is a version


def upright(image):
    """What `decoded` gave, turned as its EXIF orientation says."""
    turn = TURNS.get(image.info["orientation"])
    return image if turn is None else image.transpose(turn)


def write_picture(pixels, path):
    """Write pixels (H, W), (H, W, 3) or (H, W, 4), uint8 or floats in [0, 1], as PNG."""
    with replacing(path) as file:
        file.write(png(pixels))


def write_jpeg(pixels, path):
    """Write pixels (H, W, 3) uint8 as JPEG, to be looked at."""
    with replacing(path) as file:
        Image.fromarray(pixels).save(file, "JPEG", quality=90)


def png(pixels) -> bytes:
    """The same as bytes."""
    pixels = pixels if pixels.dtype == np.uint8 else to_bytes(pixels)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=3)
    return file.getvalue()


def _bytes(path):
    if path.is_dir():
        raise ValueError(f"{path} is a folder, not a picture")
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise ValueError(f"{path.name} is {size / 1e9:.1f} GB; a picture may be at most 1 GB")
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise ValueError(f"{path} does not exist") from error
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error
    if not data:
        raise ValueError(f"{path.name} is empty")
    return data


@contextmanager
def _sizes_unchecked():
    """Pillow refuses large sizes when it opens a file, before it is known whether they can be reduced; we check."""
    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata is no matter for an artist
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _check_size(image, name, longest):
    width, height = image.size
    if min(width, height) < SMALLEST:
        raise ValueError(f"{name} is {width} x {height} pixels; Maquette needs at least {SMALLEST} on each side")
    if max(width, height) > WORKING * min(width, height) / SMALLEST:
        raise ValueError(f"{name} is {width} x {height} pixels; one side may be at most 32 times the other")
    if longest or width * height > MOST_PIXELS:
        draft = longest or isqrt(MOST_PIXELS) // 2
        image.draft(None, (draft, draft))  # JPEG alone can decode at an eighth of its size
    if image.size[0] * image.size[1] > MOST_PIXELS:
        most = MOST_PIXELS // 10**6
        raise ValueError(
            f"{name} is {width} x {height} pixels; Maquette reads at most {most} million, so make it smaller"
        )


def _reduced(image, longest):
    """The first frame as RGBA bytes, its longer side at most `longest` unless that is 0."""
    orientation = _orientation(image)
    image.load()
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        image = _grey_bytes(image)
    profile = _profile(image)
    if image.mode == "CMYK":
        image, profile = _in_srgb(image, profile), None
    if image.mode != "RGBA":
        image = image.convert("RGBA")
    if longest and max(image.size) > longest:
        # Pillow premultiplies by itself here. A box reduction first, then a sharp filter: both are area-filtered.
        image.thumbnail((longest, longest), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image = _in_srgb(image, profile)
    image.info["orientation"] = orientation
    return image


def _orientation(image):
    try:
        return image.getexif().get(274, 1)
    except BROKEN:  # broken metadata on a good picture: take it as it lies
        return 1


def _profile(image):
    """The embedded colour profile; None where none can be read, or only one for grey on a picture in colour."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(image.info["icc_profile"]))
    except (KeyError, *PROFILE_TROUBLE):
        return None
    grey = profile.profile.xcolor_space.strip() == "GRAY"
    return None if grey and image.mode not in ("1", "L", "LA") else profile


def _in_srgb(image, profile):
    """The image, CMYK or RGBA, with its colours as the profile means them; as it is where that says sRGB or nothing."""
    if profile is None:
        return image
    try:
        space = profile.profile.xcolor_space.strip()
        if space == "CMYK" and image.mode == "CMYK":
            return ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
        if space not in ("RGB", "GRAY") or image.mode != "RGBA":
            return image
        mode = "L" if space == "GRAY" else "RGB"
        turn = ImageCms.buildTransform(profile, ImageCms.createProfile("sRGB"), mode, "RGB")
        if _keeps_colours(turn, mode):
            return image
        turned = turn.apply(image.convert("RGB").convert(mode))
    except PROFILE_TROUBLE:
        return image
    turned.putalpha(image.getchannel("A"))
    return turned


def _keeps_colours(turn, mode):
    """Whether a profile is sRGB in all but name: it leaves a lattice of colours where they are."""
    steps = np.linspace(0, 255, 6).astype(np.uint8)
    lattice = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)).convert(mode)
    before, after = np.asarray(lattice.convert("RGB"), int), np.asarray(turn.apply(lattice), int)
    return np.abs(after - before).max() <= SAME


def _grey_bytes(image):
    """Grey of 16 bits, 32 bits or floats, as bytes."""
    values = np.asarray(image)
    if image.mode == "F":
        top = 1.0 if values.max() <= 1 else 255.0 if values.max() <= 255 else 65535.0
    else:
        top = 65535.0
    return Image.fromarray((np.clip(values / np.float32(top), 0, 1) * 255 + 0.5).astype(np.uint8))
