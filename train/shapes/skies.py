"""Light from all round: skies, rooms and studios as a few lobes each, drawn, or cut out of photographed panoramas.

A lobe is a spherical Gaussian: direction 3, colour 3 (what it brings to a surface that faces it, over pi) and sharpness
(3 is a third of the sky, 400 the sun). `fast.picture` shades by them, each with a shadow as soft as it is wide;
`pictures.shade` does the same in torch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from .camera import Setting

LOBES = 10
DIRECTION, COLOUR, SHARPNESS = slice(0, 3), slice(3, 6), 6
WIDTH = 7
SHARE = 0.6
"""Of the pictures to train on that are lit by a sky; a lamp lights the others, and all that weights are chosen by."""
PHOTOGRAPHED = 0.5
"""Of those, where there are panoramas"""
DOME = 6
"""Lobes of it"""


@dataclass(frozen=True)
class Kind:
    """Where light comes from: a dome, and keys, drawn evenly from these ranges."""

    share: float
    """Of all made-up skies"""
    keys: tuple[int, int]
    strength: tuple[float, float]
    """How many times as much light as the dome they bring together"""
    sharpness: tuple[float, float]
    height: tuple[float, float]
    """Radians over the horizon"""
    uneven: float
    """Deviation of the dome's lobes, of their logarithm"""
    warmth: float
    """Deviation of the keys' colours from white, red against blue"""


KINDS = {
    "sun": Kind(0.35, (1, 1), (0.6, 4.0), (150, 500), (0.2, 1.3), 0.35, 0.12),
    "clouds": Kind(0.15, (1, 1), (0.1, 0.6), (3, 8), (0.5, 1.5), 0.2, 0.03),
    "room": Kind(0.35, (1, 3), (0.4, 2.5), (6, 40), (-0.1, 1.2), 0.6, 0.15),
    "studio": Kind(0.15, (2, 4), (0.5, 2.0), (4, 20), (0.1, 1.2), 0.3, 0.02),
}
BLUE = np.array([1.0, 0.3, 0])
"""What a clear sky has less of, by up to three tenths"""


@dataclass(frozen=True)
class Skies:
    """Which pictures are lit by skies: a share of them, and lobes (M, LOBES, 7) of panoramas to turn at random."""

    share: float = SHARE
    panoramas: np.ndarray = field(default_factory=lambda: np.zeros((0, LOBES, WIDTH)))

    def over(self, setting: Setting, rng: np.random.Generator) -> Setting:
        """The setting with skies over some of its pictures: there the lamp goes out, the floor throws light back, and
        the exposure suits the sky."""
        count = len(setting.light)
        lit = rng.random(count) < self.share
        drawn = draw(rng, count)
        if len(self.panoramas):
            found = turned(self.panoramas[rng.integers(len(self.panoramas), size=count)], rng.uniform(0, 2 * np.pi, count))
            drawn = np.where((rng.random(count) < PHOTOGRAPHED)[:, None, None], found, drawn)
        drawn = drawn * lit[:, None, None]
        falls = (drawn[..., COLOUR] * np.maximum(drawn[..., 2:3], 0)).sum(1)  # on the floor
        floor = rng.uniform(0.1, 0.7, (count, 1)) * (1 + rng.normal(0, 0.05, (count, 3)))
        exposure = rng.uniform(0.6, 1.5, count) * 0.9 / np.maximum(falls.mean(1), 1e-6)
        light = setting.light.copy()
        light[lit, 3:9] = 0
        light[:, 9:12] = np.where(lit[:, None], falls * floor, light[:, 9:12])
        light[:, 12] = np.where(lit, exposure, light[:, 12])
        return replace(setting, light=light, sky=drawn.astype(np.float32))


def draw(rng: np.random.Generator, count: int) -> np.ndarray:
    """Lobes (count, LOBES, 7) of made-up skies: a dome of six wide ones, and one to four keys."""
    names, warm = list(KINDS), np.array([1.0, 0, -1])
    chosen = rng.choice(len(names), count, p=[kind.share for kind in KINDS.values()])
    lobes = np.zeros((count, LOBES, WIDTH))
    for i, name in enumerate(names[one] for one in chosen):
        kind = KINDS[name]
        azimuth = rng.uniform(0, 2 * np.pi) + np.arange(DOME - 1) * 2 * np.pi / (DOME - 1)
        up = np.append(rng.uniform(0.1, 0.7, DOME - 1), np.pi / 2)
        tint = 1 + rng.normal(0, 0.05) * warm - (name == "sun") * rng.uniform(0, 0.3) * BLUE
        dome = np.exp(rng.normal(0, kind.uneven, (DOME, 1))) / DOME * tint
        lobes[i, :DOME] = rows(np.append(azimuth, 0), up, dome, 3.0)
        number = rng.integers(kind.keys[0], kind.keys[1] + 1)
        tints = 1 + rng.normal(0, kind.warmth, (number, 1)) * warm
        brings = np.maximum(rng.uniform(*kind.strength, (number, 1)) / number * tints, 0)
        azimuth, sharp = rng.uniform(0, 2 * np.pi, number), np.exp(rng.uniform(*np.log(kind.sharpness), number))
        lobes[i, DOME : DOME + number] = rows(azimuth, rng.uniform(*kind.height, number), brings, sharp)
    return lobes


def rows(azimuth, height, colour, sharpness) -> np.ndarray:
    """Lobes (K, 7) of azimuth and height (K,) in radians."""
    flat = np.cos(height)
    direction = np.stack([np.cos(azimuth) * flat, np.sin(azimuth) * flat, np.sin(height)], -1)
    return np.concatenate([direction, colour, np.broadcast_to(sharpness, (len(direction),))[:, None]], 1)


def turned(lobes: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Lobes (N, L, 7) turned about z by angle (N,)."""
    c, s = np.cos(angle)[:, None], np.sin(angle)[:, None]
    out = lobes.copy()
    out[..., 0], out[..., 1] = c * lobes[..., 0] - s * lobes[..., 1], s * lobes[..., 0] + c * lobes[..., 1]
    return out


def read(path: str | Path) -> np.ndarray:
    """Lobes (M, LOBES, 7) of the linear panoramas (H, W, 3) in an .npz. Raises ValueError where one is something else."""
    with np.load(path, allow_pickle=False) as maps:
        if not maps.files:
            raise ValueError(f"{path} holds no panoramas")
        for name in maps.files:
            shape = maps[name].shape
            if len(shape) != 3 or shape[2] != 3 or min(shape[:2]) < 8 or maps[name].dtype.kind != "f":
                raise ValueError(f"{name} in {path} is no linear panorama (H, W, 3) but {shape} of {maps[name].dtype}")
        return np.stack([cut(maps[name].astype(np.float64)) for name in maps.files])


def cut(panorama: np.ndarray) -> np.ndarray:
    """Lobes (LOBES, 7) of the upper half of a panorama (H, W, 3), each a part of it of about the same light.

    Debevec, "A median cut algorithm for light probe sampling" (2005); the darkest sky keeps as much as it has. z is up,
    the middle column looks along +y.
    """
    height, width = panorama.shape[0] // 2, panorama.shape[1]
    up = np.pi / 2 - (np.arange(height) + 0.5) / panorama.shape[0] * np.pi
    solid = np.cos(up) * np.pi / panorama.shape[0] * 2 * np.pi / width
    light = np.nan_to_num(np.maximum(panorama[:height], 0)) * solid[:, None, None]
    power = light.sum(-1)
    parts = [(0, height, 0, width)]
    while len(parts) < LOBES:
        sizes = [power[a:b, c:d].sum() if (b - a) * (d - c) > 1 else -1 for a, b, c, d in parts]
        a, b, c, d = parts.pop(int(np.argmax(sizes)))
        across = (d - c) * np.cos(up[(a + b) // 2]) * 2 * np.pi / width > (b - a) * np.pi / panorama.shape[0]
        if (across and d - c > 1) or b - a == 1:
            at = c + 1 + halved(power[a:b, c:d].sum(0))
            parts += [(a, b, c, at), (a, b, at, d)]
        else:
            at = a + 1 + halved(power[a:b, c:d].sum(1))
            parts += [(a, at, c, d), (at, b, c, d)]
    azimuth = np.pi / 2 - ((np.arange(width) + 0.5) / width - 0.5) * 2 * np.pi
    flat = np.cos(up)[:, None]
    ways = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.broadcast_to(np.sin(up)[:, None], (height, width))], -1)
    lobes = []
    for a, b, c, d in parts:
        share = power[a:b, c:d, None] + 1e-12
        middle = (ways[a:b, c:d] * share).sum((0, 1)) / share.sum()
        length = np.linalg.norm(middle)
        # of a spherical Gaussian whose mean direction is as long: 1 / tanh(s) - 1 / s, close to 1 - 1 / s
        sharpness = np.clip(1 / max(1 - length, 1e-6), 3, 500)
        lobes.append([*(middle / length), *(light[a:b, c:d].sum((0, 1)) / np.pi), sharpness])
    return np.array(lobes)


def halved(power: np.ndarray) -> int:
    """The place after which half of the power (K,) is past, K - 2 at most."""
    return int(np.clip(np.searchsorted(np.cumsum(power), power.sum() / 2), 0, len(power) - 2))
