"""One stage of fitting a RadianceField to photographs: steps on random pixels until its time is over."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..geometry.hull import Similarity
from ..geometry.scene import Photo
from ..geometry.wall import Plane
from . import device
from .buffered import Buffered
from .exposure import BEGINS, Exposure
from .pixels import Drawn, Pixels, camera_of, directions
from .radiance_field import RadianceField, Rendered, Skip, eikonal
from .recorded import Recorded
from .surface_volume import settle
from .surroundings import Surroundings

OPACITY = 0.02
"""Weight of the masks beside the colours."""
AROUND = 0.02
"""Learning rate of what lies around the object."""
HELD = 0.005
"""Weight of surfaces that several photos see, in cells."""
CORNERS = 60_000
"""Corners of the grid that are held to slopes of 1 and to few bends at each step."""
TOLD = 10
"""Steps between two words of progress."""
KEPT = 60.0
"""Seconds after which what there is gets kept, in case the process ends."""
REFRESH = 25
"""Steps after which it is found anew where rays need samples."""


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


@dataclass
class Fitted:
    """A field, the similarity it was fitted in, and how the fitting went."""

    field: RadianceField | None
    volume: Tensor | None
    """(R + 1,) * 3 distance at all corners, inside > 0, in units of the cube"""
    similarity: Similarity
    stage: Stage
    """The last one"""
    steps: int = 0
    log: list[dict] = field(default_factory=list)
    around: Surroundings | None = None
    exposure: Exposure | None = None
    plane: Plane | None = None
    """The wall or the table that the object is cut off from"""
    smooth: float = 1.0
    """How many times as smooth as others it has to be"""
    depths: list[Tensor] | None = None
    """(H, W) of each photo in the cube, NaN where nobody is sure: where several see a surface"""


class Clock:
    """How much of a budget is spent: of seconds, or, where a number of steps is given, of those."""

    def __init__(self, seconds: float, steps: int = 0, before: int = 0, now=time.monotonic):
        self.seconds, self.steps, self.now, self.began = seconds, steps, now, now()
        self.before = before
        """Steps of a fitting that goes on"""

    def spent(self, steps: int) -> float:
        """Share after so many steps, from 0; 1 and more when it is over."""
        return (steps - self.before) / self.steps if self.steps else self.passed() / self.seconds

    def passed(self) -> float:
        return self.now() - self.began

    def left(self, steps: int) -> float:
        """Seconds, as far as can be told."""
        if not self.steps:
            return max(self.seconds - self.passed(), 0.0)
        done = steps - self.before
        return self.passed() / max(done, 1) * max(self.steps - done, 0)


class Run:
    """One stage of a fitting: its optimiser, and steps until its time is over."""

    RECORDABLE = True
    """Whether a step is always made of the same operations, as long as `learns_exposure` says the same"""

    def __init__(self, fitted: Fitted, pixels: Pixels, clock: Clock, say, cancelled, keep=None, show=None, record=None):
        """record: of recorded.py, or None for steps as they come."""
        self.fitted, self.pixels, self.keep, self.show = fitted, pixels, keep, show
        self.clock, self.say, self.cancelled = clock, say, cancelled
        self.field, self.stage, self.around = fitted.field, fitted.stage, fitted.around
        fused, captured = pixels.device.type in ("cpu", "cuda"), pixels.device.type == "cuda"
        self.optimiser = torch.optim.Adam(self.groups(), betas=(0.9, 0.99), eps=1e-12, fused=fused, capturable=captured)
        self.rates = [group["lr"] for group in self.optimiser.param_groups]
        self.recorded = Recorded(self, record) if record and self.RECORDABLE else None
        self.buffered: Buffered | None = None
        """What renders recorded steps"""
        for group, rate in zip(self.optimiser.param_groups, self.rates):
            if self.recorded:
                group["lr"] = torch.full((), rate, device=pixels.device)
        self.neighbours = self.field.grid.neighbours() if self.field else None
        if self.field:
            self.field.narrow = device.narrow(pixels.device)
        self.error: Tensor | None = None
        """Mean squared one of the last step's colours"""
        self.errors: list[Tensor] = []
        """Of each step, left where they are: to ask a graphics card for a number is to wait for it"""

    def groups(self) -> list[dict]:
        """Parameters with their learning rates."""
        return self.field.groups() + ([{"params": [self.around.table], "lr": AROUND}] if self.around else [])

    def go(self, until: float) -> None:
        """Step until this share of the whole budget is spent."""
        first, kept = self.clock.spent(self.fitted.steps), time.monotonic()
        while (spent := self.clock.spent(self.fitted.steps)) < until and not (self.cancelled and self.cancelled()):
            self.anneal((spent - first) / (until - first))
            if len(self.errors) % REFRESH == 0:
                self.refresh()
            self.step()
            if self.fitted.steps % TOLD == 0:
                self.tell()
            if self.keep and time.monotonic() - kept > KEPT:
                self.fitted.volume = settle(self.field, self.fitted.volume)
                self.keep(self.fitted)
                kept = time.monotonic()

    def anneal(self, part: float) -> None:
        """Slower and sharper towards the stage's end; part in [0, 1]."""
        for group, rate in zip(self.optimiser.param_groups, self.rates):
            if self.recorded:
                group["lr"].fill_(rate * 0.1**part)
            else:
                group["lr"] = rate * 0.1**part
        low, high = self.stage.sharp
        if self.field:
            self.field.sharpness.fill_(low + (high - low) * part)

    def refresh(self) -> None:
        self.fitted.volume = settle(self.field, self.fitted.volume)
        self.skip = skipper(self.fitted)
        if self.recorded:
            self.recorded.refreshed(self.skip)
        if self.around:
            self.around.close()

    def step(self) -> None:
        """One step on random pixels."""
        if self.recorded:
            self.recorded.step()
            self.errors.append(self.error.clone())  # the next step's is written where this one's is
        else:
            self.advance()
            self.errors.append(self.error)
        self.fitted.steps += 1

    def advance(self) -> None:
        """Parameters one step further."""
        self.optimiser.zero_grad(set_to_none=True)
        self.loss().backward()
        self.optimiser.step()

    def loss(self) -> Tensor:
        drawn = self.pixels.draw(self.stage.rays)
        jitter = torch.rand_like(drawn.alpha)
        if self.buffered:
            seen = self.buffered.render(drawn.origins, drawn.ways, jitter)
        else:
            seen = self.field.render(drawn.origins, drawn.ways, self.skip, jitter=jitter)
        wanted = self.photographed(seen, drawn) if self.around else self.masked(seen, drawn)
        return wanted + self.regular() + self.held(drawn)

    def masked(self, seen: Rendered, drawn: Drawn) -> Tensor:
        """Before a random colour, so that opacity has to be right as well."""
        alpha, opacity, behind = drawn.alpha[:, None], seen.opacity[:, None], torch.rand_like(drawn.colours)
        missing = self.missing(seen.colour, drawn.colours * alpha, drawn.photo, opacity)
        error = (missing + behind * (opacity - alpha)).square().mean()
        self.error = error.detach()
        return error + OPACITY * F.binary_cross_entropy(seen.opacity.clamp(1e-4, 1 - 1e-4), drawn.alpha)

    def photographed(self, seen: Rendered, drawn: Drawn) -> Tensor:
        """Before what lies around, looked up where the object lets light through."""
        through = seen.opacity.detach() < 0.995
        if self.buffered:
            behind = self.around(drawn.origins, drawn.ways, torch.rand_like(drawn.alpha))
            shown = seen.colour + behind * ((1 - seen.opacity) * through)[:, None]
        else:
            some = through.nonzero()[:, 0]
            behind = self.around(drawn.origins[some], drawn.ways[some], torch.rand_like(drawn.alpha[some]))
            shown = seen.colour.index_add(0, some, behind * (1 - seen.opacity[some])[:, None])
        error = self.missing(shown, drawn.colours, drawn.photo).square().mean()
        self.error = error.detach()
        return error

    def held(self, drawn: Drawn) -> Tensor | float:
        """How far the surface is from where several photos see it, in cells.

        Far from it they say nothing more: it is another surface that they see.
        """
        if drawn.along is None:
            return 0.0
        places = drawn.origins + drawn.along[:, None] * drawn.ways
        known = drawn.along.isfinite() & (places.abs() < 0.5).all(1)
        known &= self.field.grid.holds(torch.where(known[:, None], places, 0.0))
        if self.buffered:
            places = torch.where(known[:, None], places, self.buffered.spare[: len(places)])
            off = self.field.grid.at(self.field.distance, places) * known * self.stage.resolution
        else:
            off = self.field.grid.at(self.field.distance, places[known]) * self.stage.resolution
        return HELD * F.huber_loss(off, torch.zeros_like(off), reduction="sum") / len(drawn.along)

    def missing(self, shown: Tensor, truth: Tensor, photo: Tensor, opacity: Tensor | float = 1.0) -> Tensor:
        """What the photos (R,) have more (R, 3) than is shown, times its opacity (R, 1), as they were exposed."""
        exposure = self.fitted.exposure
        if exposure is None:
            return truth - shown
        shown = exposure(shown, photo, opacity)
        if self.learns_exposure():
            exposure.learn(shown, truth - shown, photo)
        return truth - shown

    def learns_exposure(self) -> bool:
        """Which decides what operations a step is made of: while it says the same, a recorded one stays right."""
        return self.fitted.exposure is not None and self.clock.spent(self.fitted.steps) > BEGINS

    def regular(self) -> Tensor:
        few = min(len(self.neighbours), CORNERS)
        chosen = torch.randint(len(self.neighbours), (few,), device=self.neighbours.device)
        length, bend = eikonal(self.field, self.neighbours[chosen])
        return self.field.EIKONAL * length + self.field.SMOOTH * self.fitted.smooth * bend

    def tell(self) -> None:
        steps, clock = self.fitted.steps, self.clock
        psnr = -10 * np.log10(float(torch.stack(self.errors[-50:]).mean()))
        self.fitted.log.append({"seconds": clock.passed(), "steps": steps, "psnr": psnr})
        if self.say:
            self.say(min(clock.spent(steps), 1.0), f"{psnr:.1f} dB, {clock.left(steps):.0f} s left")
        if self.show:
            self.show(self.fitted)


def skipper(fitted: Fitted) -> Skip:
    """Where its rays need samples."""
    return fitted.field.skip(fitted.volume, fitted.stage.band)


@torch.no_grad()
def pictured(field: RadianceField, skip: Skip, photo: Photo, similarity: Similarity, chunk: int = 16384):
    """What a field shows where a photo was taken: colour (H, W, 3) times opacity, opacity and depth (H, W), numpy.

    Depth is along the ray, in the cube's unit.
    """
    rotation, origin, lens = camera_of(photo, similarity, field.distance.device)
    height, width = photo.image.shape[:2]
    parts: list[Rendered] = []
    for first in range(0, height * width, chunk):
        place = torch.arange(first, min(first + chunk, height * width), device=origin.device)
        ways = directions(place // width, place % width, lens, rotation)
        parts.append(field.render(origin.expand(len(ways), 3), ways, skip, step=0.5))
    names = "colour", "opacity", "depth"
    colour, opacity, depth = (torch.cat([getattr(part, name) for part in parts]).cpu() for name in names)
    return (
        colour.reshape(height, width, 3).numpy(),
        opacity.reshape(height, width).numpy(),
        depth.reshape(height, width).numpy(),
    )
