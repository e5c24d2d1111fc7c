"""How well objects are found before backgrounds of many kinds: a table of IoU against pictures' own alpha.

    python tests/geometry/mask_table.py FOLDER [OVERLAYS] [EVERY]

takes every picture in FOLDER that has an alpha (or each EVERYth of them), composites it and isolates it again; OVERLAYS
gets sheets to look at.
"""

import sys
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import conftest  # noqa: E402, F401

from maquette.geometry.background import isolate  # noqa: E402
from maquette.geometry.crop import resized  # noqa: E402
from maquette.geometry.picture import Picture, read_picture, write_picture  # noqa: E402

ENDINGS = {".png", ".webp", ".tif", ".tiff"}


def backgrounds(height, width, alpha, seed):
    """name -> (H, W, 3) float32 sRGB."""
    random = np.random.default_rng(seed)
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    one = np.ones((height, width, 3))
    tint = random.uniform(0.3, 0.95, 3)
    angle = random.uniform(0, 2 * np.pi)
    slope = (np.cos(angle) * x + np.sin(angle) * y)[..., None]
    radius = np.hypot(x, y)[..., None]
    found = {
        "white": one,
        "grey": 0.5 * one,
        "tint": tint * one,
        "gradient": tint * one + 0.2 * slope,
        "vignette": tint * one * (1 - 0.22 * radius**2),
        "two tones": np.where(slope > 0, tint, 0) * 0 + tint * (0.85 + 0.15 * np.tanh(4 * slope)),
        "noise": tint * one + random.normal(0, 0.04, (height, width, 1)) + random.normal(0, 0.015, one.shape),
        "paper": tint * one + 0.03 * blotches(random, height, width, 6) + 0.02 * blotches(random, height, width, 1),
    }
    for name in ("white", "gradient"):
        found[f"{name}, shadow"] = found[name] * (1 - shadow(alpha))[..., None]
    return {name: np.clip(picture, 0, 1).astype(np.float32) for name, picture in found.items()}


def blotches(random, height, width, size):
    noise = gaussian_filter(random.normal(size=(height, width)), size)
    return (noise / noise.std())[..., None]


def shadow(alpha):
    """A soft shadow on the ground below the object, darkest where it stands."""
    height, width = alpha.shape
    rows, columns = np.flatnonzero((alpha > 0.5).any(1)), np.flatnonzero((alpha > 0.5).any(0))
    y, x = np.mgrid[:height, :width]
    middle, foot = columns.mean(), rows[-1] - 0.04 * np.ptp(rows)
    wide, deep = 0.62 * np.ptp(columns), 0.14 * np.ptp(rows)
    far = ((x - middle) / wide) ** 2 + ((y - foot) / deep) ** 2
    return gaussian_filter(0.45 * np.clip(1 - far, 0, 1), 3)


def overlap(found, true):
    found, true = found > 0.5, true > 0.5
    return np.count_nonzero(found & true) / np.count_nonzero(found | true)


def with_room(rgba, margin=0.12):
    """Objects that fill their picture to the edge get some space, as a photo has."""
    room = [(round(n * margin),) * 2 for n in rgba.shape[:2]]
    return np.pad(rgba, (*room, (0, 0)))


def main(folder, overlays=None, every=1):
    scores, tiles, seconds = defaultdict(list), defaultdict(list), []
    paths = sorted(p for p in Path(folder).rglob("*") if p.suffix.lower() in ENDINGS and "mask" not in p.stem)
    names = []
    for seed, path in enumerate(paths[:: int(every)]):
        picture = read_picture(path)
        if not picture.has_alpha:
            continue
        rgba = with_room(picture.rgba)
        alpha = rgba[..., 3]
        names.append(path.stem[:24])
        for name, behind in backgrounds(*alpha.shape, alpha, seed).items():
            seen = rgba[..., :3] * alpha[..., None] + behind * (1 - alpha[..., None])
            seen = np.round(np.clip(seen, 0, 1) * 255) / 255
            opaque = np.concatenate([seen, np.ones_like(alpha)[..., None]], -1).astype(np.float32)
            start = time.process_time()
            try:
                mask = isolate(Picture(opaque, False, str(path), "")).mask
            except ValueError:
                mask = np.zeros_like(alpha)
            seconds.append(time.process_time() - start)
            scores[name].append(overlap(mask, alpha))
            if overlays:
                marked = seen * (0.35 + 0.65 * mask[..., None]) + [0.4, 0, 0.4] * (1 - mask[..., None])
                tiles[name].append(thumbnail(marked))
    print(f"{'background':<18}{'mean':>7}{'worst':>7}  worst picture")
    for name, values in scores.items():
        print(f"{name:<18}{np.mean(values):7.3f}{min(values):7.3f}  {names[int(np.argmin(values))]}")
    total = [value for values in scores.values() for value in values]
    below, took = np.mean(np.array(total) < 0.9), np.median(seconds) * 1e3
    print(f"{'all':<18}{np.mean(total):7.3f}{min(total):7.3f}  below .9: {below:.0%}; {took:.0f} ms each")
    for name, pictures in tiles.items():
        write_picture(sheet(pictures), Path(overlays) / f"{name.replace(', ', '_').replace(' ', '_')}.png")
    return scores


def thumbnail(picture, size=200):
    scale = size / max(picture.shape[:2])
    height, width = (max(1, round(n * scale)) for n in picture.shape[:2])
    tile = np.zeros((size, size, 3), np.float32)
    tile[:height, :width] = resized(picture.astype(np.float32), height, width)
    return tile


def sheet(tiles, columns=8):
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % columns)
    return np.concatenate([np.concatenate(tiles[i : i + columns], 1) for i in range(0, len(tiles), columns)])


if __name__ == "__main__":
    main(*sys.argv[1:])
