"""Several ways to answer, scored on the same pictures, as a table and a report."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field

import numpy as np

from ...geometry.field import Field
from ...geometry.isosurface import mesh_from_field
from ...geometry.mesh import Mesh
from .metrics import NOTHING, POINTS, iou, normalise, occupancy, score
from .writing import write

MESHING = {"style": "smooth", "smoothing": 2}
"""What Reconstruct does unless told otherwise: the mesh that is scored is the mesh that users get."""

COLUMNS = ("iou", "field_iou", "chamfer", "f1", "f2", "normals")
TITLES = ("IoU@32", "field IoU@32", "Chamfer ×100", "F 1 %", "F 2 %", "Normals")
SHOWN = {"chamfer": 100}
"""Tables print hundredths of the longest side; reports keep the number itself."""


@dataclass(frozen=True)
class Case:
    """One picture with what it shows: rgba (H, W, 4) float sRGB in [0, 1], straight alpha; truth in its frame."""

    object: str
    type: str
    rgba: np.ndarray
    truth: Mesh
    name: str = ""


@dataclass
class Row:
    """One answer to one picture."""

    predictor: str
    object: str
    type: str
    picture: str
    scores: dict = field(default_factory=dict)
    seconds: float = 0.0
    fault: str = ""


def measure(cases: Iterable[Case], predictors: dict[str, Callable], points=POINTS, progress=None) -> list[Row]:
    """Scores of every predictor (rgba -> Field) on every case; an answer that is no mesh scores 0 and is named."""
    rows = []
    for case in cases:
        truth = normalise(case.truth)
        filled = occupancy(truth, 32)
        for name, predict in predictors.items():
            row = Row(name, case.object, case.type, case.name)
            start = time.perf_counter()
            try:
                answer = predict(case.rgba)
                row.seconds = time.perf_counter() - start
                scores = score(mesh_from_field(answer, **MESHING), truth, points=points).as_dict()
                row.scores = {"field_iou": iou(sample_field(answer, 32), filled), **scores}
            except ValueError as error:
                row.fault = str(error)
                row.scores = {"field_iou": 0.0, **NOTHING.as_dict()}
            rows.append(row)
        if progress:
            progress(case)
    return rows


def sample_field(answer: Field, resolution):
    """(N, N, N) bool: where the field is inside at the cell centres of its own bounds, interpolated trilinearly.

    The cube is the field's bounds as they stand, so this scores the network before meshing and normalising.
    """
    values = answer.values
    for axis in range(3):
        at = (np.arange(resolution) + 0.5) / resolution * values.shape[axis] - 0.5
        low = np.clip(np.floor(at).astype(int), 0, values.shape[axis] - 1)
        high = np.minimum(low + 1, values.shape[axis] - 1)
        part = np.clip(at - low, 0, 1).reshape([-1 if a == axis else 1 for a in range(3)])
        values = values.take(low, axis) * (1 - part) + values.take(high, axis) * part
    return values > answer.level


def of_objects(rows, column):
    """Mean over objects of the mean over their pictures, and its standard error: pictures of one object are kin."""
    by_object = {}
    for row in rows:
        by_object.setdefault(row.object, []).append(row.scores[column])
    return mean_and_error([np.nanmean(v) if not np.isnan(v).all() else np.nan for v in by_object.values()])


def mean_and_error(values) -> tuple[float, float]:
    """Mean and its standard error, of the values that are numbers."""
    values = np.asarray(values, float)
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    return float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else float("nan")


def summary(rows):
    """{predictor: {column: (mean, standard error)}}"""
    predictors = dict.fromkeys(row.predictor for row in rows)
    return {name: {c: of_objects([r for r in rows if r.predictor == name], c) for c in COLUMNS} for name in predictors}


def table(rows):
    """Markdown: every predictor's means with standard errors, then IoU by type."""
    means = summary(rows)
    predictors = list(means)
    lines = ["| predictor | " + " | ".join(TITLES) + " |", "| --- |" + " --- |" * len(TITLES)]
    for predictor in predictors:
        cells = (np.multiply(means[predictor][column], SHOWN.get(column, 1)) for column in COLUMNS)
        lines.append(f"| {predictor} | " + " | ".join(number(*cell) for cell in cells) + " |")
    types = sorted({row.type for row in rows})
    lines += ["", "IoU@32 of the meshes by type:", ""]
    lines += ["| type | pictures | " + " | ".join(predictors) + " |", "| --- | --- |" + " --- |" * len(predictors)]
    for kind in types:
        own = [[row for row in rows if row.type == kind and row.predictor == name] for name in predictors]
        means = " | ".join(number(of_objects(each, "iou")[0]) for each in own)
        lines.append(f"| {kind} | {len(own[0])} | {means} |")
    return "\n".join(lines)


def number(mean, error=float("nan")):
    """.512 +- .031, as the tables print it."""
    text = f"{mean:.3f}".replace("0.", ".", 1) if abs(mean) < 1 else f"{mean:.3f}"
    return text if np.isnan(error) else f"{text} ± {error:.3f}".replace("± 0.", "± .")


def write_report(path, rows, about):
    """JSON with `about`, the means by predictor and every row."""
    write(path, {**about, "means": summary(rows), "rows": [asdict(row) for row in rows]})
