"""Fits a RadianceField to photographs within a budget of seconds, coarse to fine."""

from __future__ import annotations

import time
from dataclasses import replace

import torch
from torch import Tensor

from ..geometry.box import sure
from ..geometry.frames import cell_centres
from ..geometry.hull import Similarity, signed_distance, visual_hull
from ..geometry.looked_at import box_round, few
from ..geometry.scene import Photo
from .exposure import Exposure
from .fit_stage import Clock, Fitted, Run, Stage
from .fog import (
    FINE,
    SearchRun,
    barred,
    from_fog,
    object_in,
    places_in,
    reduced,
    seen_through,
    silhouettes,
    thick,
)
from .fused import COVERED, coverage, said_of
from .pixels import Pixels
from .radiance_field import FIELDS, RadianceField
from .stereo import Depths, depth_maps
from .surface_volume import at_corners, band, corners_of, cut_off, finer, settle
from .surroundings import Surroundings
from .voxel_grid import VoxelGrid
from .waves_stage import WavesRun

SEARCH = 0.45
"""Share of the budget that finds surfaces where there are no masks."""
SWEEP, LEAST, MOST = 0.3, 3, 64
"""Share of the budget that looking for depth may take, and how many photos are looked at for it."""
BEHIND = 0.15
"""Share of the budget that finds the colours behind an object that is known."""
FOG = Stage(48, SEARCH, 0, (1.0, 1.0), 1536)
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
) -> Fitted:
    """Fit to a list of Photo, all with masks or none of them, for about `seconds`, or for exactly so many steps.

    say(fraction, note) hears of progress, and show(fitted) of the field as it becomes; cancelled() -> True ends early
    with what there is by then. keep(fitted) is called each minute and at the end, and what it was given can be `begun`
    with: its stage and the later ones then share all of the time. Where somebody said where the object is, `half` (3,)
    are half the sides of that box in the cube: what the photos show elsewhere is not looked for, and not in its way.
    exposure: learn how each photo was exposed, unless they prove alike. now() -> seconds, of the clock or of the
    processor. waves: the first stage moves cosine waves. device: where everything lies, the photos too.
    method: of FIELDS, "surface" or "density"; "auto" takes what suits the photos.
    """
    torch.manual_seed(seed + (begun.steps if begun else 0))
    clock, until = Clock(seconds, steps, begun.steps if begun else 0, now), 0.0
    device = torch.device(device)
    kind = FIELDS[suited(photos, stages) if method == "auto" else method]
    exposed = Exposure(len(photos)).to(device) if exposure else None
    if begun:
        fitted, stages = begun, rest_of(stages, begun)
        around = begun.around is not None
        if around:
            shown = silhouettes(places_in(begun), photos, begun.similarity)
        else:
            shown = sure(photos, begun.similarity) if half is not None else None
        pixels = Pixels(photos, begun.similarity, device, seed + begun.steps, shown)
    elif photos[0].mask is None:
        stages = stages[min(1, len(stages) - 1) :]  # fog has found what the coarsest would
        begins = search(photos, similarity, stages[0], clock, seed, exposed, say, cancelled, half, device, kind)
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
        run(fitted, pixels, clock, say, cancelled, keep, show).go(until)
        fitted.volume = cut_off(settle(fitted.field, fitted.volume), fitted.plane, fitted.similarity)
        if fitted.exposure and not fitted.exposure.matters():
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


def search(
    photos,
    similarity,
    stage: Stage,
    clock: Clock,
    seed,
    exposed,
    say,
    cancelled,
    half=None,
    device="cpu",
    kind=RadianceField,
) -> tuple[Fitted, Pixels, float]:
    """What to begin with where there are no masks, in a cube of its own, and the share of the budget that is over then.

    That is the object of which several photos see the surface, or else the one that a fog has found, which in either
    case takes the colours of what lies around.
    """
    around = Surroundings().to(device)
    around.close(barred(around, photos, similarity))
    fitted = Fitted(None, None, similarity, FOG, around=around, exposure=exposed)
    maps = swept(photos, similarity, clock, cancelled, device)
    if maps:
        around.close(clear_in(around, maps, similarity))
    found = maps and stood_out(maps, photos, similarity, half)
    until = clock.spent(0) + BEHIND if found else SEARCH
    SearchRun(fitted, Pixels(reduced(photos), similarity, device, seed), clock, say, cancelled).go(until)
    if not found:
        found = object_in(thick(around), seen_through(around, few(photos, 60), similarity), photos, similarity, half)
    inside, fitted.plane = found
    fitted.similarity = new = box_round(inside, similarity)
    shown = silhouettes(cell_centres(FINE)[inside], photos, similarity)
    fitted.field, fitted.volume = from_fog(inside, around, similarity, new, stage, fitted.plane, kind, maps)
    depths = maps and depths_in(maps, photos, similarity.side / new.side)
    return fitted, Pixels(photos, new, device, seed, shown, depths), until


def depths_in(maps: list[Depths], photos, scale: float) -> list[Tensor]:
    """(H, W) of each photo in a cube that is so many times smaller, NaN where nobody is sure."""
    known = {one.lens.name: torch.where(one.sure, one.depth * scale, torch.nan) for one in maps}
    return [known.get(photo.name, torch.full((1, 1), torch.nan, device=maps[0].depth.device)) for photo in photos]


def stood_out(maps: list[Depths], photos, similarity: Similarity, half=None) -> tuple | None:
    """As object_in has it, of the surfaces that several photos see; None where they see too little of the object."""
    points = torch.from_numpy(cell_centres(FINE).reshape(-1, 3)).float().to(maps[0].depth.device)
    said = said_of(points, maps, similarity)
    surface, clear = (part.reshape((FINE,) * 3).cpu().numpy() for part in (said.surface, said.clear))
    try:
        inside, plane = object_in(surface, clear, photos, similarity, half)
    except ValueError:
        return None
    swept = [one.lens for one in maps]
    shown = silhouettes(cell_centres(FINE)[inside], swept, similarity)
    return (inside, plane) if coverage(shown, maps) > COVERED else None


def swept(photos, similarity, clock: Clock, cancelled, device) -> list[Depths] | None:
    """What photos show where, if there is time to look."""
    began = clock.passed()

    def enough(share: float) -> bool:
        slow = not clock.steps and (clock.passed() - began) / share > SWEEP * clock.seconds
        return slow or bool(cancelled and cancelled())

    return depth_maps(few(photos, MOST), similarity, device, enough) if len(photos) >= LEAST else None


def clear_in(around: Surroundings, maps: list[Depths], similarity: Similarity) -> Tensor:
    """(N, N, N) bool of what is stored of the surroundings, in the cube: where photos see through."""
    low = len(around.closed) // 4
    inner = around.places()[low:-low, low:-low, low:-low]
    clear = torch.zeros_like(around.closed)
    clear[low:-low, low:-low, low:-low] = said_of(inner.reshape(-1, 3), maps, similarity).clear.reshape(inner.shape[:3])
    return clear


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
