"""Fits a RadianceField to photographs within a budget of seconds, coarse to fine."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from ..geometry.hull import Similarity, signed_distance, visual_hull
from ..geometry.scene import Photo
from .fit_stage import Clock, Fitted, Run, Stage
from .fog import SearchRun, fog, from_fog
from .pixels import Pixels
from .radiance_field import RadianceField
from .surface_volume import at_corners, band, corners_of, finer, settle
from .surroundings import Surroundings
from .voxel_grid import VoxelGrid

SEARCH = 0.35
"""Share of the budget that finds surfaces where there are no masks."""
COARSEST = Stage(64, 0.2, 3, (0.7, 2.0), 2048)
FINER = (
    Stage(96, 0.2, 5, (1.0, 2.5), 3072),
    Stage(128, 0.3, 5, (1.2, 3.0), 4096),
    Stage(192, 0.5, 4, (2.0, 5.0), 6144),
)
FINEST = Stage(256, 0.6, 4, (2.0, 5.0), 8192)


def plan(resolution: int) -> tuple[Stage, ...]:
    """The stages that lead to a resolution (64, 96, 128, 192 or 256), with shares of the budget that add up to 1."""
    every = {stage.resolution: stage for stage in (COARSEST, *FINER, FINEST)}
    ways = {64: (64,), 96: (64, 96), 128: (64, 128), 192: (64, 128, 192), 256: (64, 128, 256)}
    if resolution not in ways:
        raise ValueError(f"Resolution is {resolution}; choose one of {', '.join(map(str, ways))}")
    stages = [every[r] for r in ways[resolution]]
    whole = sum(stage.share for stage in stages)
    return tuple(replace(stage, share=stage.share / whole) for stage in stages)


def fit(photos, similarity, seconds: float, stages, seed=0, device="cpu", say=None, cancelled=None) -> Fitted:
    """Fit to a list of Photo for about `seconds`: all with masks, or none of them.

    say(fraction, note) hears of progress; cancelled() -> True ends early with what there is by then.
    """
    pixels = Pixels(photos, similarity, device, seed)
    torch.manual_seed(seed)
    began, done = time.monotonic(), 0.0
    around = None if pixels.masked else Surroundings()
    search = 0.0 if pixels.masked else SEARCH
    end = began + search * seconds
    first = stages[0] if len(stages) == 1 or pixels.masked else stages[1]
    left = [stage for stage in stages if stage.resolution >= first.resolution]
    whole = sum(stage.share for stage in left)
    if pixels.masked:
        fitted = Fitted(*from_masks(photos, similarity, first), similarity, first)
    else:
        found = Fitted(*fog(COARSEST), similarity, COARSEST)
        SearchRun(found, pixels, around, Clock(began, end, seconds), say, cancelled).go()
        fitted = Fitted(*from_fog(found, photos, first), similarity, first, found.steps, found.log)
    for stage in left:
        if stage is not first:
            fitted.field, fitted.volume = finer(fitted.field, fitted.volume, stage.resolution, stage.band)
            fitted.stage = stage
        done += stage.share / whole * (1 - search)
        Run(fitted, pixels, around, Clock(began, began + (search + done) * seconds, seconds), say, cancelled).go()
        fitted.volume = settle(fitted.field, fitted.volume)
        if cancelled and cancelled():
            break
    fitted.around = around
    return fitted


def from_masks(photos: list[Photo], similarity: Similarity, stage: Stage) -> tuple[RadianceField, Tensor]:
    """A field whose surface is the visual hull, and its distances at all corners."""
    n = stage.resolution
    hull = visual_hull(photos, similarity, n, misses=len(photos) // 50)
    volume = corners_of(torch.from_numpy(signed_distance(hull)) / n)
    grid = VoxelGrid(band(volume, stage.band, deep=True))
    return RadianceField(grid, at_corners(grid, volume)), volume
