"""Steps of a fitting that a graphics card replays: recorded once as a CUDA graph, they cost it one launch each.

A step of a few dozen thousand samples is hundreds of small kernels; launched one by one, a card waits for them most of
the time. For that a step works in buffers of fixed size (buffered.py), which are made anew when they no longer fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch

from .buffered import enough
from .device import out_of_memory

WARM = 3
"""Steps that are taken as they are before one is recorded: kernels are chosen and compiled in them"""


def on_card(step: Callable[[], None], generators=()) -> Callable[[], None]:
    """What replays step(), of the current CUDA device; recording takes no step by itself."""
    graph = torch.cuda.CUDAGraph()
    for generator in generators:
        graph.register_generator_state(generator)
    with torch.cuda.graph(graph):
        step()
    return graph.replay


def recorder(device: torch.device):
    """What records steps on a device; None where they are as quick without."""
    return on_card if device.type == "cuda" else None


class Recorded:
    """Takes the steps of a Run. record(step, generators) -> what takes the step again.

    Where recording fails, steps go on one by one, with a warning.
    """

    def __init__(self, run, record=on_card):
        self.run, self.record = run, record
        self.again: Callable[[], None] | None = None
        self.warm, self.learns = 0, None
        """Steps taken since something changed, and whether exposures were learned in them"""

    def step(self) -> None:
        """One step more, by whichever way."""
        if self.learns != (learns := self.run.learns_exposure()):
            self.learns, self.warm, self.again = learns, 0, None
        if self.again:
            return self.again()
        if self.record and self.warm == WARM:
            self.again = self.recorded()
        if self.again:
            return self.again()
        self.warm += 1
        self.aside()

    def recorded(self) -> Callable[[], None] | None:
        try:
            return self.record(self.run.advance, [self.run.pixels.random])
        except Exception as error:  # whatever a driver says of it: steps can be taken without
            if out_of_memory(error):
                raise
            self.record = None
            reason = (str(error).splitlines() or [""])[0]
            warnings.warn(f"The graphics card launches each step anew, which is slower: {reason}", stacklevel=2)
            return None

    def aside(self) -> None:
        """A step as it is, on a stream of its own, as a recorded one will be."""
        if self.run.pixels.device.type != "cuda":
            return self.run.advance()
        here, stream = torch.cuda.current_stream(), torch.cuda.Stream()
        stream.wait_stream(here)
        with torch.cuda.stream(stream):
            self.run.advance()
        here.wait_stream(stream)

    def refreshed(self, skip) -> None:
        """Rays need samples elsewhere from now on: as many as before, or there is made room for them."""
        run, buffered = self.run, self.run.buffered
        if buffered:
            counts = buffered.wanted()
            buffered.skip.become(skip)
            if buffered.room.holds(counts) and not buffered.room.wastes(counts):
                return
        drawn = run.pixels.draw(run.stage.rays)
        jitter = torch.rand_like(drawn.alpha)
        self.again, self.warm = None, 0  # the memory of the old ones is free before there are new ones
        run.buffered = None
        run.buffered = enough(run.field, skip, drawn.origins, drawn.ways, jitter)
