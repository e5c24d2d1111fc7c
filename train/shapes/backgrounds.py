"""What stands behind an object in a photo, drawn from a random generator: paper, textures, rooms, photographed places."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

HELD_OUT = {"validation": ("dikhololo_night", "lebombo"), "test": ("kiara_1_dawn", "potsdamer_platz")}
"""Panoramas whose names start so belong to that split, all others to training."""


def read_panoramas(path: str, split: str) -> list[np.ndarray]:
    """Linear (H, W, 3) maps of an .npz that belong to a split; none where path is "". Raises ValueError."""
    if not path:
        return []
    try:
        with np.load(path, allow_pickle=False) as maps:
            kept = {name: np.float32(maps[name]) for name in maps.files if _split(name) == split}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} holds no panoramas ({error}); name an .npz of linear (H, W, 3) maps") from error
    return [_exposed(image) for image in kept.values()]


def _split(name: str) -> str:
    return next((split for split, starts in HELD_OUT.items() if name.startswith(starts)), "train")


def _exposed(linear: np.ndarray) -> np.ndarray:
    """Scaled so that the median is a mid-grey, and clipped as a camera does."""
    return np.clip(linear * (0.2 / max(float(np.median(linear)), 1e-4)), 0, 8)


# --- kinds -----------------------------------------------------------------------------------------------------------


def paper(rng: np.random.Generator, size: int) -> np.ndarray:
    """One colour, a gradient, a vignette, or a soft mottling: (S, S, 3) sRGB in [0, 1], as all of these."""
    x, y = _grid(size)
    base = colour(rng) if rng.random() < 0.7 else np.full(3, rng.choice([rng.uniform(0.85, 1), rng.uniform(0, 0.15)]))
    out = np.broadcast_to(base, (size, size, 3)).astype(np.float32)
    if rng.random() < 0.5:
        angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(0.05, 0.4)
        out = out + reach * (np.cos(angle) * x + np.sin(angle) * y)[..., None] * rng.uniform(0.5, 1, 3)
    if rng.random() < 0.3:
        middle = rng.uniform(-0.6, 0.6, 2)
        out = out * (1 - rng.uniform(0, 0.35) * ((x - middle[0]) ** 2 + (y - middle[1]) ** 2))[..., None]
    if rng.random() < 0.3:
        out = out + rng.uniform(0.01, 0.06) * (clouds(rng, size, rng.integers(3, 40)) - 0.5)[..., None]
    return out


def texture(rng: np.random.Generator, size: int) -> np.ndarray:
    """A cloth, stone, wood, tiles, stripes or print."""
    one, two = colour(rng), colour(rng)
    kind = rng.integers(6)
    if kind == 0:
        mix = clouds(rng, size, rng.integers(3, 12), octaves=4)
    elif kind == 1:  # wood
        x, y = _turned(rng, size)
        mix = (rng.uniform(3, 14) * (y + 0.15 * clouds(rng, size, 4)) + 0.4 * clouds(rng, size, 50)) % 1
    elif kind == 2:  # checks
        x, y = _turned(rng, size) * rng.uniform(2, 12)
        mix = ((np.floor(x) + np.floor(y)) % 2) * 1.0
    elif kind == 3:  # tiles with joints
        x, y = _turned(rng, size) * rng.uniform(2, 10)
        joint = rng.uniform(0.03, 0.15)
        mix = ((x % 1 < joint) | ((y + 0.5 * (np.floor(x) % 2)) % 1 < joint)) * 1.0
    elif kind == 4:  # stripes, sharp or soft
        x, _ = _turned(rng, size) * rng.uniform(2, 20)
        mix = np.clip(0.5 + rng.uniform(0.6, 6) * np.sin(np.pi * x), 0, 1)
    else:
        return shapes(rng, size)
    grain = rng.uniform(0, 0.25) * (clouds(rng, size, 90) - 0.5)
    mix = mix * rng.uniform(0.25, 1)
    return one * (1 - mix[..., None]) + two * mix[..., None] + grain[..., None]


def shapes(rng: np.random.Generator, size: int) -> np.ndarray:
    """Flat discs, boxes, lines and letters on a ground: a print, a shelf, a desk seen from afar."""
    image = Image.new("RGB", (size, size), _bytes(colour(rng)))
    draw = ImageDraw.Draw(image)
    for _ in range(rng.integers(5, 60)):
        x, y = rng.uniform(-0.1, 1.1, 2) * size
        wide, high = rng.uniform(0.02, 0.35, 2) * size
        fill = _bytes(colour(rng))
        kind = rng.integers(4)
        if kind == 0:
            draw.ellipse((x, y, x + wide, y + high), fill=fill)
        elif kind == 1:
            draw.rectangle((x, y, x + wide, y + high), fill=fill)
        elif kind == 2:
            draw.line((x, y, *rng.uniform(-0.1, 1.1, 2) * size), fill=fill, width=int(rng.integers(1, 8)))
        else:
            letters = "".join(chr(97 + k) for k in rng.integers(0, 26, rng.integers(2, 9)))
            draw.text((x, y), letters, fill=fill, font_size=int(rng.integers(8, 30)))
    return np.asarray(image, np.float32) / 255


def room(rng: np.random.Generator, size: int) -> np.ndarray:
    """A floor or table top below a wall, each plain or textured, the floor in perspective."""
    horizon = rng.uniform(0.05, 0.7)
    wall = paper(rng, size) if rng.random() < 0.6 else texture(rng, size)
    flat = paper(rng, size) if rng.random() < 0.4 else texture(rng, size)
    rows = np.arange(size)
    below = np.maximum((rows + 0.5) / size - horizon, 1e-3) / (1 - horizon)
    strength = rng.uniform(0.3, 1)
    scale = 1 / (1 - strength + strength * below + 0.15)  # farther rows show more of the floor
    v = np.clip((scale / scale[-1] - 1) * 0.25 * size, 0, None)[:, None]
    u = (np.arange(size)[None] - size / 2) * (scale / scale[-1])[:, None] * 0.5 + size / 2
    floor = flat[(size - 1 - (v % size).astype(int)) % size, u.astype(int) % size]
    floor = floor * rng.uniform(0.7, 1.2)
    edge = np.clip((rows + 0.5) - horizon * size + 0.5, 0, 1)[:, None, None]
    fog = rng.uniform(0, 0.6) * np.clip(1 - below, 0, 1)[:, None, None] ** 2
    floor = floor * (1 - fog) + floor.mean((0, 1)) * fog
    return wall * (1 - edge) + floor * edge


def place(rng: np.random.Generator, size: int, panoramas: list[np.ndarray]) -> np.ndarray:
    """A view into one of the panoramas (equirectangular) at any direction, exposure and white balance."""
    panorama = panoramas[rng.integers(len(panoramas))]
    height, width = panorama.shape[:2]
    x, y = _grid(size)
    reach = np.tan(np.radians(rng.uniform(30, 95)) / 2)
    pitch, yaw = np.radians(np.clip(rng.normal(-8, 18), -60, 45)), rng.uniform(0, 2 * np.pi)
    c, s = np.cos(pitch), np.sin(pitch)
    forward, up = c + s * reach * y, s - c * reach * y  # y is down in the picture
    right = reach * x
    longitude = (np.arctan2(right, forward) + yaw) / (2 * np.pi) % 1
    latitude = np.arctan2(up, np.hypot(right, forward)) / np.pi
    u, v = longitude * width - 0.5, (0.5 - latitude) * height - 0.5
    return _srgb(_bilinear(panorama, v, u) * 2 ** rng.uniform(-1, 1.3) * np.exp(rng.normal(0, 0.08, 3)))


# --- parts -----------------------------------------------------------------------------------------------------------


def colour(rng: np.random.Generator) -> np.ndarray:
    """Mostly muted sRGB (3,)."""
    tone = rng.uniform(0.05, 1)
    return np.clip(tone + rng.normal(0, rng.choice([0.03, 0.1, 0.25]), 3), 0, 1).astype(np.float32)


def clouds(rng: np.random.Generator, size: int, cells: int, octaves: int = 2) -> np.ndarray:
    """Smooth noise (S, S) in [0, 1]."""
    total = np.zeros((size, size), np.float32)
    for octave in range(octaves):
        count = int(min(cells * 2**octave, size))
        small = Image.fromarray(rng.random((count, count), np.float32))
        total += np.asarray(small.resize((size, size), Image.Resampling.BICUBIC)) / 2**octave
    low, high = np.percentile(total[::4, ::4], (2, 98))
    return np.clip((total - low) / max(high - low, 1e-6), 0, 1)


def blurred(image: np.ndarray, radius: float) -> np.ndarray:
    """Defocus: image (S, S, 3) in [0, 1] under a Gaussian of so many pixels."""
    if radius < 0.3:
        return image
    pixels = Image.fromarray((np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8))
    return np.asarray(pixels.filter(ImageFilter.GaussianBlur(float(radius))), np.float32) / 255


def _grid(size: int) -> tuple[np.ndarray, np.ndarray]:
    at = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
    return np.broadcast_to(at, (size, size)), np.broadcast_to(at[:, None], (size, size))


def _turned(rng: np.random.Generator, size: int) -> np.ndarray:
    x, y = _grid(size)
    angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.choice([0, np.pi / 2])
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([c * x + s * y, c * y - s * x]) + rng.uniform(0, 1, (2, 1, 1))


def _bilinear(image: np.ndarray, v: np.ndarray, u: np.ndarray) -> np.ndarray:
    """image (H, W, 3) at rows v and columns u, round about in u."""
    height, width = image.shape[:2]
    v = np.clip(v, 0, height - 1.001)
    top, left = np.floor(v).astype(int), np.floor(u).astype(int)
    down, across = (v - top)[..., None], (u - left)[..., None]
    left, right, below = left % width, (left + 1) % width, np.minimum(top + 1, height - 1)
    above = image[top, left] * (1 - across) + image[top, right] * across
    return above * (1 - down) + (image[below, left] * (1 - across) + image[below, right] * across) * down


def _srgb(linear: np.ndarray) -> np.ndarray:
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055)


def _bytes(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(255 * v) for v in np.clip(values, 0, 1))
