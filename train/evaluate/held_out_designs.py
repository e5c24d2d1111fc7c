"""Shapes of a sampler's families that training never draws, and what the measures of Encode and Fit share."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...nets import device, sampler
from ..shapes.drawn_designs import draw
from .reading import read_network

SEED = [2, 7]
"""Of the test split"""


def parser(name: str, doc: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog=f"maquette.train evaluate {name}", description=doc.split("\n")[0])
    made.add_argument("--count", type=int, default=60, metavar="N", help="held-out shapes (60)")
    made.add_argument("--model", default="shape_vae", help="a bundled sampler (shape_vae)")
    made.add_argument("--weights", default="", help="a .safetensors beside its card to measure, not the bundled one")
    made.add_argument("--device", default="auto")
    made.add_argument("--report", default="", metavar="R.json", help="every score of every shape")
    return made


def read_sampler(options) -> sampler.Sampler:
    where = device.pick(options.device)
    if not options.weights:
        return sampler.load(options.model, str(where))
    network, card = read_network(options.model, options.weights, where)
    network.latents.to("cpu")
    return sampler.Sampler(network, card, where)


def held_out(model: sampler.Sampler, count: int) -> list[tuple[sampler.Family, Tensor]]:
    """Families, and fields (N, N, N) in [-1, 1] in their cubes."""
    drawn = draw(tuple(family.name for family in model.families), np.random.default_rng(SEED), count)
    fields = torch.from_numpy(drawn["field"]).float() / 127
    return [(model.families[index], field) for index, field in zip(drawn["family"], fields, strict=True)]


def timed(work: Callable):
    """-> what work() returns, seconds, and seconds of the processor."""
    start, used = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - start, time.process_time() - used


def rows_of(results: list[dict], columns: dict[str, Callable[[list[dict]], str]]) -> str:
    """A table in Markdown: one row a method, in the order in which they first appear."""
    lines = [f"| | {' | '.join(columns)} |", "| --- |" + " --- |" * len(columns)]
    for name in dict.fromkeys(row["method"] for row in results):
        mine = [row for row in results if row["method"] == name]
        lines.append(f"| {name} | {' | '.join(show(mine) for show in columns.values())} |")
    return "\n".join(lines)


def mean(key: str) -> Callable[[list[dict]], str]:
    def show(rows):
        values = np.array([row[key] for row in rows if row.get(key) is not None], float)
        return f"{values.mean():.3f} ± {values.std() / max(len(values), 1) ** 0.5:.3f}" if len(values) else ""

    return show


def median(key: str) -> Callable[[list[dict]], str]:
    def show(rows):
        values = [row[key] for row in rows if row.get(key) is not None]
        return f"{np.median(values):.1f}" if values else ""

    return show


def percent(said: Callable[[dict], bool | None]) -> Callable[[list[dict]], str]:
    def show(rows):
        values = [said(row) for row in rows if said(row) is not None]
        return f"{np.mean(values):.0%}" if values else ""

    return show


def finish(options, model, results: list[dict], columns) -> None:
    weights, steps = model.card["sha256"][:12], model.card["training"]["steps"]
    print(f"{options.count} held-out designs; weights {weights}, {steps} steps\n")
    print(rows_of(results, columns))
    if options.report:
        Path(options.report).write_text(json.dumps(results, indent=1), "utf-8")
