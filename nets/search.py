"""Where the object is in photos without masks: what several of them see the surface of, or what is thick in a fog."""

from __future__ import annotations

import torch
from torch import Tensor

from ..geometry.frames import cell_centres
from ..geometry.hull import Similarity
from ..geometry.looked_at import box_round, few
from .fit_stage import Clock, Fitted, Stage
from .fog import FINE, SearchRun, barred, from_fog, object_in, reduced, seen_through, silhouettes, thick
from .fused import COVERED, coverage, said_of
from .pixels import Pixels
from .radiance_field import RadianceField
from .stereo import Depths, depth_maps
from .surroundings import Surroundings

SEARCH = 0.45
"""Share of what is left of the budget that a fog takes to find surfaces."""
SWEEP, LEAST, MOST = 0.3, 3, 64
"""Share of the budget that looking for depth may take, and how many photos are looked at for it."""
BEHIND = 0.15
"""Share of it that finds the colours behind an object that is known."""
SMOOTH = 3.0
"""How many times as smooth such an object has to be: what is behind it may have changed from photo to photo"""
FOG = Stage(48, SEARCH, 0, (1.0, 1.0), 1536)


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
    record=None,
) -> tuple[Fitted, Pixels, float]:
    """What to begin with where there are no masks, in a cube of its own, and the share of the budget that is over then.

    That is the object of which several photos see the surface, or else the one that a fog has found, which in either
    case takes the colours of what lies around.
    """
    around = Surroundings().to(device)
    around.close(barred(around, photos, similarity))
    fitted = Fitted(None, None, similarity, FOG, around=around, exposure=exposed)
    maps = swept(photos, similarity, clock, say, cancelled, device)
    found = maps and stood_out(maps, photos, similarity, half)
    until = (spent := clock.spent(0)) + (BEHIND if found else SEARCH) * (1 - spent)
    if found:
        around.close(clear_in(around, maps, similarity))
        fitted.smooth = SMOOTH
    else:
        maps = None  # a few places that seem sure on what is plain: the fog fits better without them
    pixels = Pixels(reduced(photos), similarity, device, seed)
    SearchRun(fitted, pixels, clock, say, cancelled, record=record).go(until)
    if not found:
        found = object_in(thick(around), seen_through(around, few(photos, 60), similarity), photos, similarity, half)
    inside, fitted.plane = found
    fitted.similarity = new = box_round(inside, similarity)
    shown = silhouettes(cell_centres(FINE)[inside], photos, similarity)
    fitted.field, fitted.volume = from_fog(inside, around, similarity, new, stage, fitted.plane, kind, maps)
    fitted.depths = maps and depths_in(maps, photos, similarity.side / new.side)
    return fitted, Pixels(photos, new, device, seed, shown, fitted.depths), until


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


def swept(photos, similarity, clock: Clock, say, cancelled, device) -> list[Depths] | None:
    """What photos show where, if there is time to look."""
    began, told = clock.passed(), []

    def enough(share: float) -> bool:
        if say:
            say(min(clock.spent(0), 1.0), f"comparing photos, {share:.0%}")
        told.append((clock.passed(), share))
        first, done = told[0]  # what comes before is done once
        whole = first - began + (told[-1][0] - first) / max(share - done, 1e-9) * (1 - done)
        return not clock.steps and whole > SWEEP * clock.seconds or bool(cancelled and cancelled())

    return depth_maps(few(photos, MOST), similarity, device, enough) if len(photos) >= LEAST else None


def clear_in(around: Surroundings, maps: list[Depths], similarity: Similarity) -> Tensor:
    """(N, N, N) bool of what is stored of the surroundings, in the cube: where photos see through."""
    low = len(around.closed) // 4
    inner = around.places()[low:-low, low:-low, low:-low]
    clear = torch.zeros_like(around.closed)
    clear[low:-low, low:-low, low:-low] = said_of(inner.reshape(-1, 3), maps, similarity).clear.reshape(inner.shape[:3])
    return clear
