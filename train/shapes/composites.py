"""Pictures of procedural objects before backgrounds of every kind, with the mask that is to be found."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from . import backgrounds

KINDS = {"paper": 0.22, "texture": 0.2, "room": 0.24, "place": 0.2, "clutter": 0.14}
"""Kind of background -> share; without panoramas, places are rooms."""
SIZE = 192


@dataclass(frozen=True)
class World:
    """What composites are made of."""

    cutouts: np.ndarray
    """(N, 128, 128, 4) uint8 sRGB, straight alpha: renders without background"""
    panoramas: list[np.ndarray] = field(default_factory=list)
    motley: float = 0.0
    """Share of the things that are of several colours or photographed patterns, as real ones are; what is scored has none"""


def compose(rng: np.random.Generator, world: World, which: int, kind: str = "", size: int = SIZE):
    """The object `which` before something: picture (S, S, 3) uint8, mask (S, S) uint8, and the kind of background."""
    kind = kind or str(rng.choice(list(KINDS), p=list(KINDS.values())))
    if kind == "place" and not world.panoramas:
        kind = "room"
    behind = {
        "paper": backgrounds.paper,
        "texture": backgrounds.texture,
        "room": backgrounds.room,
        "place": lambda rng, size: backgrounds.place(rng, size, world.panoramas),
        "clutter": lambda rng, size: clutter(rng, world, size),
    }[kind](rng, size)
    if kind in ("room", "place", "clutter") or rng.random() < 0.15:
        behind = backgrounds.blurred(behind, rng.choice([0, rng.uniform(0, 2), rng.uniform(1, 6)]))
    rgba = placed(rng, world.cutouts[which], size, rng.uniform(0.4, 0.97), centred=True)
    if rgba[..., 3].mean() < 0.01:  # a thin thing that a partial crop took away
        rgba = placed(rng, world.cutouts[which], size, 0.8, centred=True, whole=True)
    front, alpha = coloured(rng, rgba[..., :3], world), rgba[..., 3:]
    if rng.random() < 0.15:  # as bright and as coloured as what is behind it
        front = front - front.mean((0, 1)) + 0.8 * behind.mean((0, 1)) + 0.2 * front.mean((0, 1))
    if kind in ("paper", "room") and rng.random() < 0.75 or rng.random() < 0.25:
        behind = behind * (1 - shadow(rng, alpha[..., 0]))[..., None]
    picture = np.clip(front, 0, 1) * alpha + np.clip(behind, 0, 1) * (1 - alpha)
    mask = (np.clip(alpha[..., 0], 0, 1) * 255 + 0.5).astype(np.uint8)
    return photographed(rng, picture), mask, kind


def placed(rng, cutout: np.ndarray, size: int, fill: float, centred: bool, whole: bool = False) -> np.ndarray:
    """A cutout scaled, stretched, mirrored, tilted and moved into a square: (S, S, 4) float32, straight alpha.

    fill: its longest side, as a share of the square. Some reach beyond the border.
    """
    image = Image.fromarray(cutout)
    side = cutout.shape[0]
    left, top, right, bottom = image.getchannel("A").getbbox() or (0, 0, side, side)
    stretch = np.exp(rng.normal(0, 0.15))
    wide, high = (right - left) * np.sqrt(stretch), (bottom - top) / np.sqrt(stretch)
    scale = fill * size / max(wide, high)
    half = np.array([wide, high]) * scale / 2
    room = size / 2 - half
    beyond = 0 if whole or rng.random() < 0.85 else 0.5
    reach = np.maximum(room, 0) if centred else np.full(2, size / 2)
    reach = reach * (0.5 if rng.random() < 0.6 else 1) + beyond * half
    middle = size / 2 + rng.uniform(-1, 1, 2) * reach
    angle = rng.normal(0, 4) if rng.random() < 0.7 else rng.uniform(-30, 30)
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    flip = -1 if rng.random() < 0.5 else 1
    # picture -> cutout: PIL wants the way back
    back = np.diag([flip / np.sqrt(stretch), np.sqrt(stretch)]) @ np.array([[c, s], [-s, c]]) / scale
    shift = np.array([(left + right) / 2, (top + bottom) / 2]) - back @ middle
    image = _premultiplied(image)
    if scale < 0.7:  # an affine transform samples, it does not average
        half_size = (side // 2, side // 2)
        image, back, shift = image.resize(half_size, Image.Resampling.BOX), back / 2, shift / 2
    coefficients = (*back[0], shift[0], *back[1], shift[1])
    turned = image.transform((size, size), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
    rgba = np.asarray(turned, np.float32) / 255
    return np.concatenate([rgba[..., :3] / np.maximum(rgba[..., 3:], 1 / 255), rgba[..., 3:]], -1)


def _premultiplied(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image).astype(np.uint16)
    pixels[..., :3] = pixels[..., :3] * pixels[..., 3:] // 255
    return Image.fromarray(pixels.astype(np.uint8))


def coloured(rng, rgb: np.ndarray, world: World) -> np.ndarray:
    """varied, and in a motley world often in patches with colours of their own, or under a photograph's pattern.

    A thing whose inner edges are as strong as its outline teaches that an outline is closed.
    """
    out = varied(rng, rgb)
    if not world.motley or rng.random() >= world.motley:
        return out
    for _ in range(rng.integers(3)):
        where = patches(rng, rgb.shape[0])[..., None]
        out = out * (1 - where) + varied(rng, rgb) * where
    if world.panoramas and rng.random() < 0.5:
        pattern = backgrounds.place(rng, rgb.shape[0], world.panoramas)
        out = out * (1 + rng.uniform(0.3, 1.5) * (pattern - pattern.mean((0, 1))))
    return out.astype(np.float32)


def patches(rng, size: int) -> np.ndarray:
    """Part of a square (S, S) in [0, 1], with a sharp edge: blots, a side, a band, or a grid of them."""
    kind = rng.integers(3)
    if kind == 0:
        values = backgrounds.clouds(rng, size, rng.integers(2, 9)) - rng.uniform(0.3, 0.7)
    else:
        x, y = np.mgrid[:size, :size] / size - 0.5
        angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.choice([0, np.pi / 2])
        values = np.cos(angle) * x + np.sin(angle) * y - rng.uniform(-0.3, 0.3)
        if kind == 2:
            wave = rng.uniform(6, 60)
            values = np.sin(wave * values) / wave
    return np.clip(values * size * rng.uniform(0.1, 1), 0, 1).astype(np.float32)


def varied(rng, rgb: np.ndarray) -> np.ndarray:
    """Other colours, contrast, and for some a pattern over all of it: renders look more alike than things do."""
    if rng.random() < 0.5:
        rgb = rgb[..., rng.permutation(3)]
    if rng.random() < 0.1:
        rgb = np.repeat(rgb.mean(-1, keepdims=True), 3, -1)
    rgb = (rgb - 0.5) * np.exp(rng.normal(0, 0.25)) + 0.5 + rng.normal(0, 0.08)
    rgb = rgb * np.exp(rng.normal(0, 0.12, 3))
    if rng.random() < 0.3:
        pattern = backgrounds.texture(rng, rgb.shape[0])
        rgb = rgb * (1 + rng.uniform(0.2, 1) * (pattern - pattern.mean((0, 1))))
    return rgb.astype(np.float32)


def shadow(rng, alpha: np.ndarray) -> np.ndarray:
    """How much light the object keeps from what is behind it (S, S) in [0, 1]: at its foot, and cast to a side."""
    size = alpha.shape[0]
    rows, columns = np.flatnonzero((alpha > 0.5).any(1)), np.flatnonzero((alpha > 0.5).any(0))
    if not len(rows):
        return np.zeros_like(alpha)
    dark = np.zeros_like(alpha)
    y, x = np.mgrid[:size, :size]
    if rng.random() < 0.8:
        wide, deep = np.ptp(columns) * rng.uniform(0.4, 0.75) + 1, np.ptp(rows) * rng.uniform(0.05, 0.25) + 1
        far = ((x - columns.mean() - rng.normal(0, 0.1) * wide) / wide) ** 2 + ((y - rows[-1] + 0.3 * deep) / deep) ** 2
        dark = rng.uniform(0.2, 0.8) * np.clip(1.2 - far, 0, 1)
    if rng.random() < 0.5:  # the silhouette laid on the ground
        lean, flat = rng.uniform(-1.2, 1.2), rng.uniform(0.15, 0.6)
        foot = rows[-1]
        from_row = foot - (foot - y) / flat
        from_column = x - lean * (foot - y)
        inside = (from_row >= 0) & (from_row < size) & (from_column >= 0) & (from_column < size)
        cast = np.where(inside, alpha[np.clip(from_row, 0, size - 1).astype(int), _clip(from_column, size)], 0)
        dark = np.maximum(dark, rng.uniform(0.2, 0.7) * cast)
    return gaussian_filter(dark.astype(np.float32), rng.uniform(0.5, 7))


def _clip(values: np.ndarray, size: int) -> np.ndarray:
    return np.clip(values, 0, size - 1).astype(int)


def clutter(rng, world: World, size: int) -> np.ndarray:
    """Other things in a room, smaller, darker or cut off by the border."""
    kinds = [backgrounds.room, backgrounds.texture]
    if world.panoramas:
        kinds.append(lambda rng, size: backgrounds.place(rng, size, world.panoramas))
    behind = kinds[rng.integers(len(kinds))](rng, size)
    for _ in range(rng.integers(2, 7)):
        other = placed(
            rng, world.cutouts[rng.integers(len(world.cutouts))], size, rng.uniform(0.12, 0.4), centred=False
        )
        alpha = other[..., 3:]
        behind = behind * (1 - alpha) + coloured(rng, other[..., :3], world) * rng.uniform(0.5, 1) * alpha
    return backgrounds.blurred(behind, rng.choice([0, rng.uniform(0.5, 3)]))


def photographed(rng, picture: np.ndarray) -> np.ndarray:
    """What a camera does to it: white balance, blur, noise, JPEG. -> (S, S, 3) uint8."""
    picture = picture * np.exp(rng.normal(0, 0.06, 3)) * np.exp(rng.normal(0, 0.12))
    if rng.random() < 0.1:
        picture = np.repeat(picture.mean(-1, keepdims=True), 3, -1)
    picture = np.clip(picture, 0, 1)
    if rng.random() < 0.3:
        picture = backgrounds.blurred(picture, rng.uniform(0.3, 1.2))
    if rng.random() < 0.5:
        picture = picture + rng.normal(0, rng.uniform(0.003, 0.06), picture.shape).astype(np.float32)
    pixels = (np.clip(picture, 0, 1) * 255 + 0.5).astype(np.uint8)
    if rng.random() < 0.5:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=int(rng.integers(30, 95)))
        pixels = np.asarray(Image.open(file))
    return pixels
