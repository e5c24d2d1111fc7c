"""Fits a RadianceField to photographs within a budget of seconds, coarse to fine."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from ..geometry.box import sure
from ..geometry.hull import Similarity, signed_distance, visual_hull
from ..geometry.scene import Photo
from .exposure import Exposure
from .fit_stage import Clock, Fitted, Run, Stage
from .fog import places_in, silhouettes
from .pixels import Pixels
from .radiance_field import FIELDS, RadianceField
from .recorded import recorder
from .search import search
from .surface_volume import at_corners, band, corners_of, cut_off, finer, settle
from .voxel_grid import VoxelGrid
from .waves_stage import WavesRun

COARSEST = Stage(64, 0.2, 3, (0.7, 2.0), 2048)
FINER = (
    Stage(96, 0.2, 5, (1.0, 2.5), 3072),
    Stage(128, 0.3, 5, (1.2, 3.0), 4096),
    Stage(192, 0.5, 4, (2.0, 5.0), 6144),
)
DENSE_FROM = 128
"""Cells along the cube's side from which a density is fitted rather than a surface"""
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


def fit(
    photos,
    similarity,
    stages,
    seconds=180.0,
    steps=0,
    seed=0,
    say=None,
    cancelled=None,
    begun=None,
    keep=None,
    show=None,
    half=None,
    exposure=True,
    now=time.monotonic,
    waves=False,
    device="cpu",
    method="auto",
    record="auto",
) -> Fitted:
    """Fit to a list of Photo, all with masks or none of them, for about `seconds`, or for exactly so many steps.

    say(fraction, note) hears of progress, and show(fitted) of the field as it becomes; cancelled() -> True ends early
    with what there is by then. keep(fitted) is called each minute and at the end, and what it was given can be `begun`
    with: its stage and the later ones then share all of the time. Where somebody said where the object is, `half` (3,)
    are half the sides of that box in the cube: what the photos show elsewhere is not looked for, and not in its way.
    exposure: learn how each photo was exposed, unless they prove alike. now() -> seconds, of the clock or of the
    processor. waves: the first stage moves cosine waves. device: where everything lies, the photos too.
    method: of FIELDS, "surface" or "density"; "auto" takes what suits the photos. record: of recorded.py, what makes
    steps replayed; "auto" does on graphics cards of CUDA; None launches each anew.
    """
    torch.manual_seed(seed + (begun.steps if begun else 0))
    clock, until = Clock(seconds, steps, begun.steps if begun else 0, now), 0.0
    device = torch.device(device)
    record = recorder(device) if record == "auto" else record
    kind = FIELDS[suited(photos, stages) if method == "auto" else method]
    exposed = Exposure(len(photos)).to(device) if exposure else None
    if begun:
        fitted, stages = begun, rest_of(stages, begun)
        around = begun.around is not None
        if around:
            shown = silhouettes(places_in(begun), photos, begun.similarity)
        else:
            shown = sure(photos, begun.similarity) if half is not None else None
        pixels = Pixels(photos, begun.similarity, device, seed + begun.steps, shown, begun.depths)
    elif photos[0].mask is None:
        stages = stages[min(1, len(stages) - 1) :]  # fog has found what the coarsest would
        asked = say, cancelled, half, device, kind, record
        begins = search(photos, similarity, stages[0], clock, seed, exposed, *asked)
        fitted, pixels, until = begins
    else:
        pixels = Pixels(photos, similarity, device, seed, sure(photos, similarity) if half is not None else None)
        field, volume = from_masks(photos, similarity, stages[0], device, kind)
        fitted = Fitted(field, volume, similarity, stages[0], exposure=exposed)
    whole, left = sum(stage.share for stage in stages), 1 - until
    for number, stage in enumerate(stages):
        if number:  # the first one's field is there
            fitted.field, fitted.volume = finer(fitted.field, fitted.volume, stage.resolution, stage.band)
        fitted.stage = stage
        until += stage.share / whole * left
        run = WavesRun if waves and not number else Run
        run(fitted, pixels, clock, say, cancelled, keep, show, record).go(until)
        fitted.volume = cut_off(settle(fitted.field, fitted.volume), fitted.plane, fitted.similarity)
        if fitted.exposure and not fitted.exposure.matters(-pixels.rotations[:, :, 2]):
            fitted.exposure = None  # it would only take up what is rough in the colours
        if cancelled and cancelled():
            break
    if keep:
        keep(fitted)
    return fitted


def suited(photos: list[Photo], stages: tuple[Stage, ...]) -> str:
    """The method that came closer to true shapes and held-out photos (docs/benchmarks.md): fog where masks clear it
    away and its last cells are fine; else it stays as haze, and a surface is smoother."""
    return "density" if photos[0].mask is not None and stages[-1].resolution >= DENSE_FROM else "surface"


def rest_of(stages: tuple[Stage, ...], begun: Fitted) -> tuple[Stage, ...]:
    """The stages that are left, the first as sharp as it became."""
    first, *later = (stage for stage in stages if stage.resolution >= begun.stage.resolution)
    low, high = first.sharp
    return (replace(first, sharp=(max(low, min(float(begun.field.sharpness), high)), high)), *later)


def from_masks(
    photos: list[Photo], similarity: Similarity, stage: Stage, device="cpu", kind=RadianceField
) -> tuple[RadianceField, Tensor]:
    """A field of a kind whose surface is the visual hull, and its distances at all corners."""
    n = stage.resolution
    hull = visual_hull(photos, similarity, n, misses=len(photos) // 50)
    volume = corners_of(torch.from_numpy(signed_distance(hull)).to(device) / n)
    grid = VoxelGrid(band(volume, stage.band, deep=True))
    volume = kind.begun(volume)
    return kind(grid, at_corners(grid, volume)), volume
