"""Fits a RadianceField to photographs within a budget of seconds, coarse to fine."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.frames import cell_centres
from ..geometry.hull import Similarity, largest_part, project, signed_distance, solid, visual_hull, widened
from ..geometry.scene import Photo
from .radiance_field import DensityField, RadianceField, Rendered, Skip, density, eikonal
from .surroundings import Surroundings
from .voxel_grid import VoxelGrid

OPACITY, EIKONAL, SMOOTH = 0.02, 0.02, 0.003
"""Weights of what is wanted besides the colours: the masks, slopes of 1, and no bends."""
CORNERS = 60_000
"""Corners of the grid that are held to the last two at each step."""
REFRESH = 25
"""Steps after which it is found anew where rays need samples."""
SEARCH = 0.35
"""Share of the budget that finds surfaces where there are no masks."""
CLEAR, THICK = 0.02, 0.25
"""Density in 1 / cells below which fog is left out; opacity of a cell above which it is taken for a surface."""
BORDER = 12
"""Pixels round a mask that are drawn as often as those in it."""


@dataclass(frozen=True)
class Stage:
    """One resolution: its share of the budget, and how wide and how sharp the surface is."""

    resolution: int
    share: float
    band: float
    """Cells on either side of the surface that are active; what lies deeper inside the first stage's hull is too."""
    sharp: tuple[float, float]
    """Steepness of the logistic in 1 / cells, at first and at last."""
    rays: int


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


@dataclass
class Fitted:
    """A field, the similarity it was fitted in, and how the fitting went."""

    field: RadianceField
    volume: Tensor
    """(R + 1,) * 3 distance at all corners, inside > 0, in units of the cube"""
    similarity: Similarity
    stage: Stage
    """The last one"""
    steps: int = 0
    log: list[dict] = field(default_factory=list)
    around: Surroundings | None = None


class Pixels:
    """Pixels of photos as rays of the cube, drawn at random from where the object may be."""

    def __init__(self, photos: list[Photo], similarity: Similarity, device, seed: int = 0):
        self.device, self.random = device, torch.Generator().manual_seed(seed)
        self.images = [torch.from_numpy(np.ascontiguousarray(p.image)) for p in photos]
        self.masks = [torch.from_numpy(np.ascontiguousarray(mask_of(p))) for p in photos]
        self.cameras = [camera_of(p, similarity) for p in photos]
        sizes = torch.tensor([m.numel() for m in self.masks])
        self.first = torch.cat([torch.zeros(1, dtype=torch.int64), sizes.cumsum(0)])
        self.widths = torch.tensor([m.shape[1] for m in self.masks])
        self.colours = torch.cat([i.reshape(-1, 3) for i in self.images])
        self.alpha = torch.cat([m.flatten() for m in self.masks])
        self.masked = photos[0].mask is not None
        self.pool = None
        if self.masked:
            near = [widened(m.numpy(), BORDER).ravel() for m in self.masks]
            self.pool = torch.from_numpy(np.flatnonzero(np.concatenate(near)).astype(np.int32))
        self.rotations = torch.stack([c[0] for c in self.cameras])
        self.origins = torch.stack([c[1] for c in self.cameras])
        self.lenses = torch.stack([c[2] for c in self.cameras])

    def draw(self, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """origins, directions, colours (N, 3) in [0, 1] and alpha (N,) of random pixels."""
        many = len(self.alpha) if self.pool is None else len(self.pool)
        pick = torch.randint(many, (count,), generator=self.random)
        pick = pick if self.pool is None else self.pool[pick].long()
        photo = torch.searchsorted(self.first, pick, right=True) - 1
        place = pick - self.first[photo]
        row, column = place // self.widths[photo], place % self.widths[photo]
        ways = directions(row, column, self.lenses[photo], self.rotations[photo])
        return (
            self.origins[photo].to(self.device),
            ways.to(self.device),
            (self.colours[pick].float() / 255).to(self.device),
            (self.alpha[pick].float() / 255).to(self.device),
        )


def mask_of(photo: Photo) -> np.ndarray:
    return np.full(photo.image.shape[:2], 255, np.uint8) if photo.mask is None else photo.mask


def camera_of(photo: Photo, similarity: Similarity) -> tuple[Tensor, Tensor, Tensor]:
    """Rotation (3, 3), origin (3,) in the cube and lens (8,): fx, fy, cx, cy, k1, k2, p1, p2."""
    k = photo.pinhole
    lens = [k[0, 0], k[1, 1], k[0, 2], k[1, 2], *photo.distortion]
    origin = similarity.to_cube(photo.camera[:3, 3])
    as32 = torch.float32
    return (
        torch.tensor(photo.camera[:3, :3], dtype=as32),
        torch.tensor(origin, dtype=as32),
        torch.tensor(lens, dtype=as32),
    )


def directions(row: Tensor, column: Tensor, lens: Tensor, rotation: Tensor) -> Tensor:
    """Unit directions (N, 3) through the middles of pixels (N,); lens (N, 8) or (8,), rotation (N, 3, 3) or (3, 3)."""
    fx, fy, cx, cy, k1, k2, p1, p2 = lens.unbind(-1)
    u, v = (column + 0.5 - cx) / fx, (row + 0.5 - cy) / fy
    x, y = u, v
    if bool((lens[..., 4:] != 0).any()):
        for _ in range(6):  # the distortion's inverse, by fixed-point steps
            r = x * x + y * y
            radial = 1 + r * (k1 + r * k2)
            x, y = (
                (u - 2 * p1 * x * y - p2 * (r + 2 * x * x)) / radial,
                (v - p1 * (r + 2 * y * y) - 2 * p2 * x * y) / radial,
            )
    local = F.normalize(torch.stack([x, -y, -torch.ones_like(x)], -1), dim=-1)
    return (rotation @ local[..., None])[..., 0]


def from_masks(photos: list[Photo], similarity: Similarity, stage: Stage) -> tuple[RadianceField, Tensor]:
    """A field whose surface is the visual hull, and its distances at all corners."""
    n = stage.resolution
    hull = visual_hull(photos, similarity, n, misses=len(photos) // 50)
    volume = corners_of(torch.from_numpy(signed_distance(hull)) / n)
    grid = VoxelGrid(band(volume, stage.band, deep=True))
    return RadianceField(grid, at_corners(grid, volume)), volume


def corners_of(cells: Tensor) -> Tensor:
    """Values at cells (R, R, R) -> at their corners (R + 1, R + 1, R + 1)."""
    return F.avg_pool3d(F.pad(cells[None, None], (1,) * 6, mode="replicate"), 2, 1)[0, 0]


def band(volume: Tensor, cells: float, deep: bool = False) -> Tensor:
    """(R, R, R) bool: cells with a corner nearer than `cells` cells to the surface, or, if deep, inside it."""
    n = volume.shape[0] - 1
    low, high = -cells / n, float("inf") if deep else cells / n
    close = ((volume > low) & (volume < high)).float()
    return F.max_pool3d(close[None, None], 2, 1)[0, 0] > 0


def at_corners(grid: VoxelGrid, volume: Tensor) -> Tensor:
    x, y, z = grid.places.unbind(1)
    return volume[x, y, z].clone()


def finer(field: RadianceField, volume: Tensor, stage: Stage) -> tuple[RadianceField, Tensor]:
    """The same surface at a higher resolution, active in a narrower band."""
    n = stage.resolution
    volume = F.interpolate(volume[None, None], (n + 1,) * 3, mode="trilinear", align_corners=True)[0, 0]
    volume = volume.clamp(-8 / n, 8 / n)
    grid = VoxelGrid(band(volume, stage.band))
    places = grid.corners().clamp(-0.499999, 0.499999)
    known = field.grid.holds(places)
    colour = torch.zeros(len(grid), field.colour.shape[1])
    with torch.no_grad():
        colour[known] = field.grid.values(field.colour, field.grid.mixture(places[known]))
    new = RadianceField(grid, at_corners(grid, volume), colour)
    new.shine.load_state_dict(field.shine.state_dict())
    return new, volume


def settle(field: RadianceField, volume: Tensor) -> Tensor:
    """The volume with the field's own distances where it has any."""
    x, y, z = field.grid.places.unbind(1)
    volume = volume.clone()
    volume[x, y, z] = field.distance.detach()
    return volume


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
            fitted.field, fitted.volume = finer(fitted.field, fitted.volume, stage)
            fitted.stage = stage
        done += stage.share / whole * (1 - search)
        Run(fitted, pixels, around, Clock(began, began + (search + done) * seconds, seconds), say, cancelled).go()
        fitted.volume = settle(fitted.field, fitted.volume)
        if cancelled and cancelled():
            break
    fitted.around = around
    return fitted


@dataclass(frozen=True)
class Clock:
    """When a stage ends, of a fitting that began at `began` and may take `budget` seconds."""

    began: float
    end: float
    budget: float


class Run:
    """One stage of a fitting: its optimiser, and steps until its time is over."""

    def __init__(self, fitted: Fitted, pixels: Pixels, around: Surroundings | None, clock: Clock, say, cancelled):
        self.fitted, self.pixels, self.around = fitted, pixels, around
        self.clock, self.say, self.cancelled = clock, say, cancelled
        self.field, self.stage = fitted.field, fitted.stage
        groups = self.field.groups() + ([{"params": around.parameters(), "lr": 0.05}] if around else [])
        self.optimiser = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-12, fused=True)
        self.rates = [group["lr"] for group in self.optimiser.param_groups]
        self.neighbours = self.field.grid.neighbours()
        self.errors: list[float] = []

    def go(self) -> None:
        first = time.monotonic()
        span = max(self.clock.end - first, 1e-3)
        while (now := time.monotonic()) < self.clock.end and not (self.cancelled and self.cancelled()):
            self.anneal((now - first) / span)
            if len(self.errors) % REFRESH == 0:
                self.fitted.volume = settle(self.field, self.fitted.volume)
                self.skip = self.skipper()
            self.step()
            if self.fitted.steps % 50 == 0:
                self.tell()

    def anneal(self, part: float) -> None:
        """Slower and sharper towards the stage's end; part in [0, 1]."""
        for group, rate in zip(self.optimiser.param_groups, self.rates):
            group["lr"] = rate * 0.1**part
        low, high = self.stage.sharp
        self.field.sharpness.fill_(low + (high - low) * part)

    def skipper(self) -> Skip:
        return skipper(self.fitted)

    def step(self) -> None:
        """One step on random pixels."""
        origins, ways, colours, alpha = self.pixels.draw(self.stage.rays)
        seen = self.field.render(origins, ways, self.skip, jitter=torch.rand(len(ways)))
        wanted = self.photographed(seen, origins, ways, colours) if self.around else self.masked(seen, colours, alpha)
        self.optimiser.zero_grad(set_to_none=True)
        (wanted + self.regular()).backward()
        self.optimiser.step()
        self.fitted.steps += 1

    def masked(self, seen: Rendered, colours: Tensor, alpha: Tensor) -> Tensor:
        """Before a random colour, so that opacity has to be right as well."""
        behind = torch.rand_like(colours)
        truth = colours * alpha[:, None] + behind * (1 - alpha[:, None])
        error = (seen.colour + behind * (1 - seen.opacity[:, None]) - truth).square().mean()
        self.errors.append(float(error.detach()))
        return error + OPACITY * F.binary_cross_entropy(seen.opacity.clamp(1e-4, 1 - 1e-4), alpha)

    def photographed(self, seen: Rendered, origins: Tensor, ways: Tensor, colours: Tensor) -> Tensor:
        """Before what lies around, looked up where the object lets light through."""
        through = (seen.opacity.detach() < 0.995).nonzero()[:, 0]
        behind = self.around(origins[through], ways[through], torch.rand(len(through)))
        shown = seen.colour.index_add(0, through, behind * (1 - seen.opacity[through])[:, None])
        error = (shown - colours).square().mean()
        self.errors.append(float(error.detach()))
        return error

    def regular(self) -> Tensor:
        few = min(len(self.neighbours), CORNERS)
        length, bend = eikonal(self.field, self.neighbours[torch.randint(len(self.neighbours), (few,))])
        return EIKONAL * length + SMOOTH * bend

    def tell(self) -> None:
        passed = time.monotonic() - self.clock.began
        psnr = float(-10 * np.log10(np.mean(self.errors[-50:])))
        self.fitted.log.append({"seconds": passed, "steps": self.fitted.steps, "psnr": psnr})
        if self.say:
            left = max(self.clock.budget - passed, 0)
            self.say(min(passed / self.clock.budget, 1.0), f"{psnr:.1f} dB, {left:.0f} s left")


class SearchRun(Run):
    """The first stage where there are no masks: a fog that thickens where surfaces are."""

    def skipper(self) -> Skip:
        """Everywhere at first, later only where there is some fog."""
        near = self.field.grid.active
        if len(self.errors) > 150:
            thick = F.max_pool3d(density(self.fitted.volume)[None, None], 2, 1)
            near = F.max_pool3d((thick > CLEAR).float(), 3, 1, 1)[0, 0] > 0
        return Skip(self.field.grid, near, torch.zeros_like(near))

    def regular(self) -> Tensor:
        """Neighbours have like densities, and fog where nothing wants it clears."""
        few = min(len(self.neighbours), CORNERS)
        values = self.field.distance[self.neighbours[torch.randint(len(self.neighbours), (few,))]]
        return 1e-3 * (values[:, 1:4] - values[:, :1]).abs().mean() + 1e-4 * density(values).mean()


def fog(stage: Stage) -> tuple[DensityField, Tensor]:
    """A field that is nearly clear everywhere in the cube."""
    n = stage.resolution
    grid = VoxelGrid(torch.ones(n, n, n, dtype=torch.bool))
    return DensityField(grid, torch.zeros(len(grid))), torch.zeros(n + 1, n + 1, n + 1)


@torch.no_grad()
def from_fog(found: Fitted, photos: list[Photo], stage: Stage) -> tuple[RadianceField, Tensor]:
    """The surface of what is thick in the fog, with its colours; hollows that no camera saw are filled."""
    n = found.stage.resolution
    thick = F.avg_pool3d(density(settle(found.field, found.volume))[None, None], 2, 1)[0, 0]
    shell = largest_part((1 - torch.exp(-thick) > THICK).numpy())
    inside = solid(shell, seen_through(found, photos))
    if not inside.any():
        raise ValueError("nothing solid was found where the cameras look; more photos, or a longer budget, may help")
    distance = torch.from_numpy(signed_distance(inside)) / n
    return finer(found.field, corners_of(distance), stage)


def seen_through(found: Fitted, photos: list[Photo], longest: int = 120) -> np.ndarray:
    """(R, R, R) bool: cells that some camera sees, in the air or just at a surface."""
    n = found.stage.resolution
    skip = SearchRun.skipper(SimpleNamespace(field=found.field, fitted=found, errors=[0.0] * 1000))
    points = cell_centres(n).reshape(-1, 3)
    seen = np.zeros(len(points), bool)
    for photo in photos[:: max(1, len(photos) // 40)]:
        lens = small(photo, longest)
        _, opacity, depth = pictured(found.field, skip, lens, found.similarity)
        pixels, away = project(lens, found.similarity.to_world(points))
        column, row = np.floor(pixels).astype(np.int64).T
        height, width = opacity.shape
        index = np.flatnonzero((away > 0) & (column >= 0) & (column < width) & (row >= 0) & (row < height))
        reach = np.where(opacity > 0.5, depth, np.inf)[row[index], column[index]]
        far = np.linalg.norm(points[index] - found.similarity.to_cube(lens.camera[:3, 3]), axis=1)
        seen[index] |= far < reach + 1 / n
    return seen.reshape(n, n, n)


def small(photo: Photo, longest: int) -> Photo:
    """The photo's camera with fewer pixels; its picture is empty."""
    height, width = photo.image.shape[:2]
    scale = min(1.0, longest / max(height, width))
    size = (max(1, round(height * scale)), max(1, round(width * scale)))
    stretch = np.diag([size[1] / width, size[0] / height, 1.0])
    return replace(photo, image=np.zeros((*size, 3), np.uint8), pinhole=stretch @ photo.pinhole, mask=None)


@torch.no_grad()
def pictured(field: RadianceField, skip: Skip, photo: Photo, similarity: Similarity, chunk: int = 16384):
    """What a field shows where a photo was taken: colour (H, W, 3) times opacity, opacity and depth (H, W), numpy.

    Depth is along the ray, in the cube's unit.
    """
    rotation, origin, lens = camera_of(photo, similarity)
    height, width = photo.image.shape[:2]
    parts: list[Rendered] = []
    for first in range(0, height * width, chunk):
        place = torch.arange(first, min(first + chunk, height * width))
        ways = directions(place // width, place % width, lens, rotation)
        parts.append(field.render(origin.expand(len(ways), 3), ways, skip, step=0.5))
    colour, opacity, depth = (torch.cat([getattr(p, name) for p in parts]) for name in ("colour", "opacity", "depth"))
    return (
        colour.reshape(height, width, 3).numpy(),
        opacity.reshape(height, width).numpy(),
        depth.reshape(height, width).numpy(),
    )


def skipper(fitted: Fitted) -> Skip:
    """A margin on either side beyond which the logistic of this steepness is all or nothing, and what moves between."""
    reach = 3.5 / float(fitted.field.sharpness)
    return Skip.round_surface(fitted.field.grid, fitted.volume, min(reach, fitted.stage.band) + 1, reach + 1.5)
