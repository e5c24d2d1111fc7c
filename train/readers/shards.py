"""Shards of samples made from a folder of meshes or of people, beside those of procedural shapes and read by the same
recipe."""

from __future__ import annotations

import re
import time
import zlib
from collections.abc import Collection
from pathlib import Path

import numpy as np
from scipy.spatial import cKDTree

from ...geometry.frames import cell_centres
from ..heads import people
from ..shapes import shards
from ..shapes.camera import draw_setting
from ..shapes.skies import Skies
from ..shapes.world import COARSE, MARGIN, PICTURE, TRUNCATION, Samples
from . import MARK, meshes, render


def write_mesh_shards(
    source: str | Path,
    out: str | Path,
    split: str,
    views: int = 8,
    up: str = "z",
    seed: int = 0,
    minutes: float = 1e9,
    start: int = 0,
    step: int = 1,
    say=print,
    skies: Skies | None = None,
    without: Collection[str] = (),
) -> tuple[int, int]:
    """Write the shards of a split of the folder's meshes that are not there yet; -> (shards, samples) written.

    Each mesh is seen `views` times, turned, lit and looked at anew. A mesh that cannot be used is named once and passed
    over; those of the kinds `without` are not read. Which shard holds what depends on the arguments alone, so makers
    may run side by side (start, step).
    """
    source, out, end = Path(source), Path(out), time.monotonic() + 60 * minutes
    found = [path for path in meshes.paths(source, split) if meshes.kind(path) not in without]
    order = [found[i] for i in np.random.default_rng(seed).permutation(len(found))]
    items = [(path, turn) for turn in range(views) for path in order]
    out.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^A-Za-z0-9]+", "_", source.resolve().name)
    bad: set[Path] = set()
    written = count = 0
    for number in range(start, -(-len(items) // shards.SHARD), step):
        path = out / f"shard-{MARK}-{name}-{number:05d}.npz"
        if path.exists():
            continue
        if time.monotonic() > end:
            break
        made = []
        for mesh, turn in items[number * shards.SHARD : (number + 1) * shards.SHARD]:
            random = np.random.default_rng([seed, zlib.crc32(mesh.relative_to(source).as_posix().encode()), turn])
            try:
                made.append(sample(meshes.read(mesh, up), random, skies))
            except ValueError as error:
                if mesh not in bad:  # turned otherwise it may do, so what a shard holds hangs on no other shard
                    say(str(error) if str(mesh) in str(error) else f"{mesh} {error}")
                bad.add(mesh)
        if made:
            save(made, path)
            written, count = written + 1, count + len(made)
    return written, count


def write_people_shards(
    faces: str | Path,
    heads: str | Path,
    out: str | Path,
    split: str,
    start: int = 0,
    stop: int = 8,
    step: int = 1,
    minutes: float = 1e9,
    skies: Skies | None = None,
) -> int:
    """Write the shards start, start + step, ... below stop that are not there yet; -> how many were written.

    Everybody in them is drawn anew and seen once; no two splits draw the same.
    """
    drawn, out, end, written = people.People(faces, heads), Path(out), time.monotonic() + 60 * minutes, 0
    out.mkdir(parents=True, exist_ok=True)
    for number in range(start, stop, step):
        path = out / f"shard-{MARK}-people-{number:05d}.npz"
        if path.exists():
            continue
        if time.monotonic() > end:
            break
        made, wrong = [], None
        for each in range(shards.SHARD):
            random = np.random.default_rng([zlib.crc32(split.encode()), number, each])
            try:
                made.append(sample(drawn.draw(random), random, skies))
            except ValueError as error:  # a head seen from where it covers next to nothing
                wrong = error
        if not made:
            raise ValueError(f"nobody could be drawn from {faces} and {heads}: {wrong}")
        save(made, path)
        written += 1
    return written


def save(made: list[tuple], path: Path) -> None:
    shards.save(Samples(*(np.stack(column) for column in zip(*made))), path)


def sample(painted: meshes.Painted, random: np.random.Generator, skies: Skies | None = None) -> tuple:
    """One sample: picture, distance, colour, camera and family, as shapes.world.Samples stores them; family is -1.

    Raises ValueError where the mesh encloses hardly anything or cannot be seen.
    """
    painted = painted.turned(random.uniform(0, 2 * np.pi))
    grid = -meshes.signed_distance(painted)
    bounds = np.stack([painted.vertices.min(0), painted.vertices.max(0)])
    setting = draw_setting(random, bounds[None], skies)
    camera = setting.camera[0].astype(np.float64)
    uv, _ = render.tangents(painted.vertices, camera)
    jitter = random.normal(0, 0.02, 3)
    side = np.ptp(uv, axis=0).max() / (1 - 2 * MARGIN) * (1 + jitter[2])
    centre = (uv.min(0) + uv.max(0)) / 2 + jitter[:2] * side
    window = np.array([*(centre - side / 2), side])
    rgba = render.picture(painted, grid, setting, window, PICTURE)
    if rgba[..., 3].sum() < 40:
        raise ValueError("cannot be seen: it covers fewer than 40 pixels")
    distance = float(setting.distance[0])
    numbers = [setting.elevation[0], 2 / side / distance, distance, -centre[0] * 2 / side, -centre[1] * 2 / side]
    packed = np.clip(np.round(grid * (127 / TRUNCATION)), -127, 127).astype(np.int8)
    return (rgba * 255 + 0.5).astype(np.uint8), packed, colours(painted, grid), np.float32(numbers), np.int64(-1)


def colours(painted: meshes.Painted, grid: np.ndarray) -> np.ndarray:
    """(32, 32, 32, 3) uint8 sRGB of the nearest point of the surface in cells within two cells of it, else 0."""
    coarse = grid.reshape(COARSE, 2, COARSE, 2, COARSE, 2).mean((1, 3, 5)).reshape(-1)
    near = np.flatnonzero(np.abs(coarse) < 2 / COARSE)
    face, weights, places = meshes.surface(painted, 0.012)
    _, nearest = cKDTree(places).query(cell_centres(COARSE).reshape(-1, 3)[near])
    out = np.zeros((COARSE**3, 3), np.uint8)
    # 0 would say that nothing is painted here
    out[near] = np.maximum(painted.albedo(face[nearest], weights[nearest]) * 255 + 0.5, 1).astype(np.uint8)
    return out.reshape(COARSE, COARSE, COARSE, 3)
