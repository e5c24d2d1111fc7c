"""Times and memory of what people wait for, beside the bounds that were set, as markdown for docs/benchmarks.md.

    python -m maquette.train benchmark [--picture P.png] [--runs 9] [--changes 1000] [--device cpu]

Each part runs in a fresh Python and goes the public way: `maquette.reconstruct` through the worker, and Blender's own
operators in the bpy module. Times are medians of wall clocks, so run it on a quiet machine.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from ...geometry.background import isolate
from ...geometry.field import Field
from ...geometry.isosurface import mesh_from_field
from ...geometry.picture import read_picture, write_picture
from ...nets import catalog
from . import scripts

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Line:
    """One measured figure: value and bound in `unit`, note on how it came about."""

    what: str
    value: float
    bound: float
    unit: str
    note: str = ""

    def markdown(self):
        digits = 2 if self.unit in ("s", "GB") else 0
        verdict = "" if not self.bound or self.value <= self.bound else " **above**"
        bound = f"{self.bound:g} {self.unit}" if self.bound else "—"
        return f"| {self.what} | {bound} | {self.value:.{digits}f} {self.unit}{verdict} | {self.note} |"


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train benchmark", description=__doc__.split("\n")[0])
    parser.add_argument("--picture", default="", help="of an object; the first of examples/ if none is named")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--device", default="cpu", choices=("auto", "cpu", "cuda", "mps"))
    parser.add_argument("--changes", type=int, default=1000, help="of a slider, in one drag (1000)")
    parser.add_argument("--without-blender", action="store_true", help="leave out what needs the bpy module")
    options = parser.parse_args(argv)
    try:
        picture = Path(options.picture) if options.picture else example()
        with tempfile.TemporaryDirectory(prefix="maquette-benchmark-") as folder:
            lines = measure(picture, options, Path(folder))
    except (ValueError, OSError, subprocess.CalledProcessError) as error:
        print(error, file=sys.stderr)
        return 1
    print(
        f"\n{time.strftime('%Y-%m-%d')}, `python -m maquette.train benchmark --runs {options.runs}"
        f" --device {options.device}`, on {picture.name}\n\nHardware: {hardware()}\n"
    )
    print("| what | bound | measured | how |\n| --- | --- | --- | --- |")
    print("\n".join(line.markdown() for line in lines))
    return 0


def example():
    """The first picture of examples/."""
    pictures = sorted((ROOT / "examples").glob("*.png"))
    if not pictures:
        raise ValueError(f"{ROOT / 'examples'} holds no picture; name one with --picture")
    return pictures[0]


def measure(picture, options, folder):
    """All Lines, measured one after another."""
    cut, photo, field = folder / "cut.png", folder / "photo.png", folder / "field.npz"
    write_picture(isolate(read_picture(picture)).rgba, cut)
    as_photo(cut, photo)
    alone = run(scripts.WORKER, cut, photo, options.runs, options.device, folder, field)
    median = statistics.median
    low, high = min(alone["warm"]), max(alone["warm"])
    lines = [
        Line(
            "picture to coloured mesh at 64³, worker warm",
            median(alone["warm"]),
            1.0,
            "s",
            f"cut out; {low:.2f} to {high:.2f}, of the processor {alone['work']:.2f}",
        ),
        Line("the same at 128³", median(alone["fine"]), 0, "s", f"{alone['memory_fine']:.2f} GB resident"),
        Line("at 64³ from a 1024² photo without alpha", median(alone["photo"]), 1.0, "s", "on plain, shaded ground"),
        Line("peak memory of the worker", alone["memory"], 1.5, "GB", "resident, after all of these"),
        Line(
            "worker, cold start",
            alone["first"] - median(alone["warm"]),
            5,
            "s",
            "first call less a warm one, Python and torch included",
        ),
        marching_cubes(Field.load(field), options.runs),
    ]
    if not options.without_blender:
        lines.append(start(options.runs, folder))
        for resolution, bound in (("64", 150), ("128", 0)):
            remesh = run(scripts.REMESH, picture, options.runs, folder, resolution)["seconds"]
            what = f"remesh of the {resolution}³ field, request to datablock"
            lines.append(Line(what, 1000 * median(remesh), bound, "ms", "smoothing 5, 5000 faces, in the bpy module"))
        lines += sliders(options)
    return lines


def sliders(options):
    """Lines for a sample whose slider moves in Blender; none where no sampler is bundled."""
    if not catalog.bundled("shape_vae"):
        return []
    found = run(scripts.SAMPLE, options.runs, options.changes)
    draft, whole = (1000 * statistics.median(found[name]) for name in ("draft", "whole"))
    alone = {name: 1000 * statistics.median(seconds) for name, seconds in found["alone"].items()}
    (worker, blender), (worker_after, blender_after) = found["before"], found["after"]
    last = "the last one is shown" if found["last"] else "**the last one was lost**"
    how = f"{options.changes} changes in {found['dragged']:.0f} s, {last}"
    return [
        Line("sample: slider to mesh at 32³, worker warm", draft, 0, "ms", f"the worker alone {alone['32']:.0f}"),
        Line("the same at 64³, field kept", whole, 0, "ms", f"the worker alone {alone['64']:.0f}"),
        Line(
            "sample: the worker's growth over a long drag",
            worker_after - worker,
            0,
            "MiB",
            f"{how}; {worker_after:.0f} resident",
        ),
        Line(
            "sample: Blender's growth over the same",
            blender_after - blender,
            0,
            "MiB",
            f"{found['kept']:.0f} of it shapes at hand; {blender_after:.0f} resident",
        ),
    ]


def start(runs, folder):
    """A Line for what the extension adds to Blender's start. Blender keeps the bytecode of extensions, so all starts
    but the first find it."""
    kept = {"PYTHONPYCACHEPREFIX": str(folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
    first, *others = (run(scripts.IMPORT, **kept) for _ in range(runs + 1))
    seconds, work = (1000 * statistics.median(one[name] for one in others) for name in ("seconds", "work"))
    how = f"fresh processes, of the processor {work:.0f}; the first, which compiles it, {1000 * first['work']:.0f}"
    return Line("importing and registering, added to Blender's start", seconds, 100, "ms", how)


def run(script, *arguments, **environment):
    """The JSON that a script prints last, run by this Python in a process of its own."""
    environment = {**os.environ, "BLENDER_USER_RESOURCES": tempfile.gettempdir(), **environment}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode or "RESULT " not in done.stdout:
        raise ValueError(f"a benchmark ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return json.loads(done.stdout.rsplit("RESULT ", 1)[1].splitlines()[0])


def as_photo(picture, path):
    """The picture on a plain, slightly shaded ground, 1024 pixels a side, without alpha."""
    shown = Image.open(picture).convert("RGBA").resize((1024, 1024), Image.Resampling.LANCZOS)
    shade = np.linspace(205, 180, 1024)[:, None, None] * np.ones((1, 1024, 3))
    ground = Image.fromarray(shade.astype(np.uint8)).convert("RGBA")
    ground.alpha_composite(shown)
    ground.convert("RGB").save(path)


def marching_cubes(field, runs):
    """A Line for field -> mesh with nothing else asked of it."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        mesh_from_field(field, smoothing=0, islands=True)
        seconds.append(time.perf_counter() - start)
    took = 1000 * statistics.median(seconds[1:])
    return Line("marching cubes alone, 64³", took, 20, "ms", "no smoothing, all pieces")


def hardware():
    """Processor, cores, memory, system and versions, in one line."""
    import torch

    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        named = [row for row in cpuinfo.read_text().splitlines() if row.startswith("model name")]
        name = named[0].split(":", 1)[1].strip() if named else name
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = f", {os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') / 2**30:.0f} GB"
    return (
        f"{name}, {os.cpu_count()} cores{memory}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )
