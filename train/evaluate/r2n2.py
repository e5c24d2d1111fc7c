"""The published single- and multi-view test on ShapeNet as 3D-R2N2 rendered it.

    python -m maquette.train evaluate image_to_field --r2n2 FOLDER [--views 1,2,5] [--limit N]

Protocol (3D-R2N2's lib/test_net.py and lib/voxel.py, Pix2Vox's core/test.py): each test model's first V pictures; a
voxel is filled where its probability reaches a threshold; IoU at 32^3 a sample, averaged over all samples at each
threshold; the best of the thresholds' means is the figure in the tables. readers/r2n2.py has layout, split and frames.

What differs from the published networks, and must be said beside any figure:

- They learn ShapeNet's canonical frame, in which a model is stored. image_to_field answers upright in the frame of the
  first picture. Its answer is turned by that picture's true azimuth, then brought to longest side 1 and centred by the
  bounds of its own mesh at the field's level, as a canonical answer would be. So it is told one number of the camera,
  and in exchange has to find the object's proportions by itself.
- They were trained on the other 80 % of the same models. The bundled weights never saw one.
- They see the rendering on one background colour; here its alpha is the mask.
- With several pictures the network is given their cameras, which the data has; the published ones are not.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import map_coordinates
from tqdm import tqdm

from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE, cell_centres, orbit, world_to_grid
from ...geometry.isosurface import mesh_from_field
from ...geometry.scene import Photo
from ..readers import r2n2
from .measure import MESHING

THRESHOLDS = (0.2, 0.3, 0.4, 0.5)
RESOLUTION = 32
CHECKED = 20
"""Samples whose voxels are held against their pictures, to see whether the frames are the ones that are expected."""
AGREEING = 0.5


@dataclass(frozen=True)
class Result:
    """One sample's IoU at each threshold."""

    category: str
    model: str
    views: int
    iou: tuple[float, ...]


@dataclass(frozen=True)
class Answers:
    """What is measured, in the first picture's frame."""

    one: Callable[[np.ndarray], Field]
    """From one picture (H, W, 4)"""
    several: Callable[[list[Photo]], Field] | None = None
    """From more, with their cameras"""

    def of(self, views: list[r2n2.View]) -> Field:
        return self.one(views[0].rgba()) if len(views) == 1 else self.several([photo(view) for view in views])


def photo(view: r2n2.View) -> Photo:
    """A picture with its camera, in the model's units, z up."""
    pixels = (view.rgba() * 255 + 0.5).astype(np.uint8)
    camera = orbit(view.turn, view.elevation, view.distance)
    return Photo(view.picture.stem, pixels[..., :3], camera, view.pinhole(*pixels.shape[1::-1]), pixels[..., 3])


def measure(samples: Iterable[r2n2.Sample], answers: Answers, views: int, say=print) -> list[Result]:
    """Results on samples; bad ones are named.

    Nothing of a sample stays in memory but its scores. An answer that is nothing scores 0.
    """
    results, agreeing = [], []
    for sample in samples:
        try:
            seen, truth = sample.views(views), sample.truth()
            for view in seen:
                view.rgba()  # one that cannot be read is no answer's fault
            if len(agreeing) < CHECKED:
                agreeing.append(r2n2.agreement(sample, seen[0]))
        except ValueError as error:
            say(f"passed over {sample.category}/{sample.model}: {error}")
            continue
        try:
            guess = canonical(answers.of(seen), seen[0].turn, len(truth))
            iou = tuple(overlap(guess >= threshold, truth) for threshold in THRESHOLDS)
        except ValueError as error:
            say(f"no answer to {sample.category}/{sample.model}: {error}")
            iou = (0.0,) * len(THRESHOLDS)
        results.append(Result(sample.category, sample.model, views, iou))
    if agreeing and np.mean(agreeing) < AGREEING:
        say(
            f"Mind: voxels and pictures agree by {np.mean(agreeing):.2f} only, so this is not the frame of 3D-R2N2's "
            "renderings and no figure here means anything"
        )
    return results


def canonical(field: Field, azimuth: float, resolution: int = RESOLUTION) -> np.ndarray:
    """Probabilities (N, N, N) of a Field in its picture's frame, turned to the canonical one; azimuth in degrees.

    Scaled and centred by the bounds of the turned mesh. Raises ValueError where the field has no surface.
    """
    a = np.radians(azimuth)
    rotation = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    turned = mesh_from_field(field, **MESHING).vertices @ rotation.T
    low, high = turned.min(0), turned.max(0)
    points = cell_centres(resolution) * (high - low).max() + (low + high) / 2
    places = world_to_grid(points @ rotation, field.values.shape, UNIT_CUBE)  # back by the inverse
    return map_coordinates(field.values, np.moveaxis(places, -1, 0), order=1, cval=0.0)


def overlap(guess: np.ndarray, truth: np.ndarray) -> float:
    return float((guess & truth).sum() / max((guess | truth).sum(), 1))


def table(results: list[Result]) -> str:
    """Markdown: IoU by class at each threshold, the means over samples and over classes, and the best threshold."""
    lines = ["| class | samples | " + " | ".join(f"t = {t:g}" for t in THRESHOLDS) + " |"]
    lines.append("| --- | --- |" + " --- |" * len(THRESHOLDS))
    by_class = []
    for category in sorted({result.category for result in results}):
        own = np.array([result.iou for result in results if result.category == category])
        by_class.append(own.mean(0))
        lines.append(row(r2n2.CLASSES.get(category, category), len(own), own.mean(0)))
    means = np.array([result.iou for result in results]).mean(0)
    lines.append(row("**mean over samples**", len(results), means))
    lines.append(row("mean over classes", len(by_class), np.mean(by_class, axis=0)))
    best = int(means.argmax())
    return "\n".join(lines) + f"\n\nIoU {means[best]:.4f} at threshold {THRESHOLDS[best]:g}, the best of the four"


def row(name: str, count: int, values) -> str:
    return f"| {name} | {count} | " + " | ".join(f"{value:.4f}" for value in values) + " |"


def spread(samples: list[r2n2.Sample], limit: int) -> list[r2n2.Sample]:
    """At most `limit` samples, evenly from the whole list, so that each class keeps its share; all where 0."""
    if not limit or limit >= len(samples):
        return samples
    return [samples[i] for i in np.linspace(0, len(samples) - 1, limit).astype(int)]


def evaluate(options, answers: Answers, about: dict) -> list[Result]:
    """Measure for each number of views, print tables, write the report.

    Raises ValueError where several are asked for of a network of one, or nothing can be measured."""
    counts = [int(text) for text in str(options.views or 1).split(",")]
    if min(counts) < 1 or max(counts) > 24:
        raise ValueError(f"--views {options.views}: R2N2's data has 1 to 24 pictures a model")
    if max(counts) > 1 and answers.several is None:
        raise ValueError(f"--views {options.views}: these weights were trained on one picture of an object alone")
    samples = spread(r2n2.samples(options.r2n2, "test", options.r2n2_split), options.limit)
    every = []
    for views in counts:
        print(f"\n{views} {'view' if views == 1 else 'views'}, {len(samples)} models; {about}\n")
        found = measure(tqdm(samples, desc="Models", file=sys.stderr), answers, views)
        if not found:
            raise ValueError(f"{options.r2n2} holds no model that could be measured")
        print(table(found))
        every += found
    if options.report:
        content = about | {"thresholds": THRESHOLDS, "results": [vars(result) for result in every]}
        path = Path(options.report)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    return every
