"""How well a sampler keeps shapes that it never saw, beside three answers that need no network.

The mean of the family, cut where it overlaps the family's training shapes best; the training shape that overlaps most,
chosen knowing the truth; and as many principal components of the distances at 32^3 as the latent has numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE
from ...geometry.isosurface import smooth_surface
from ...geometry.mesh import Mesh
from ...nets.inverse import improved
from ...nets.shape_vae import ShapeVAE
from .measure import mean_and_error, number
from .metrics import normalise, sample, surface_scores

LEVELS = np.linspace(0.1, 0.7, 13)
BATCH = 16


@dataclass(frozen=True)
class Shapes:
    """field (N, R, R, R) int8, inside > 0, 127 is the truncation; family (N,); numbers (N, P), NaN where none."""

    field: np.ndarray
    family: np.ndarray
    numbers: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.field)

    def tensors(self, rows) -> tuple[Tensor, Tensor]:
        """field in [-1, 1] and family, as the network takes them."""
        return torch.from_numpy(self.field[rows]).float() / 127, torch.from_numpy(np.asarray(self.family[rows]))


Answer = Callable[[int], np.ndarray]
"""Number of a test shape -> field (R, R, R), inside > 0"""


def decoded_means(network: ShapeVAE, shapes: Shapes) -> Answer:
    """What comes back from the mean of each shape's latent."""
    return _decoded(network, shapes, _encoded(network, shapes))


def decoded_refined(network: ShapeVAE, shapes: Shapes, known: Shapes, steps: int) -> dict[str, Answer]:
    """The same, named, after gradient steps on each latent, as Encode takes them (`nets.inverse`).

    Latents are whitened by the means and deviations of those of known shapes.
    """
    known_latents = _encoded(network, known)
    middle, spread = known_latents.mean(0), known_latents.std(0).clamp_min(1e-4)
    white = (_encoded(network, shapes) - middle) / spread
    found = []
    for rows in torch.arange(len(shapes)).split(BATCH):
        field, family = (t.to(white.device) for t in shapes.tensors(rows.numpy()))

        def decode(some: Tensor, family: Tensor = family) -> Tensor:
            return network.decode(some * spread + middle, family)

        found.append(improved(decode, white[rows], field, steps))
    answer = _decoded(network, shapes, torch.cat(found) * spread + middle)
    return {f"shape_vae, latents after {steps} gradient steps": answer}


@torch.no_grad()
def _encoded(network: ShapeVAE, shapes: Shapes) -> Tensor:
    """Means (N, L) of the shapes' latents, where the network is."""
    device = next(network.parameters()).device
    batches = (shapes.tensors(slice(i, i + BATCH)) for i in range(0, len(shapes), BATCH))
    return torch.cat([network.encode(field.to(device), family.to(device))[0].float() for field, family in batches])


@torch.no_grad()
def _decoded(network: ShapeVAE, shapes: Shapes, latents: Tensor) -> Answer:
    fields = []
    for rows in torch.arange(len(shapes)).split(BATCH):
        family = torch.from_numpy(np.asarray(shapes.family[rows.numpy()])).to(latents.device)
        fields.append(network.decode(latents[rows], family).clamp(-1, 1).half().cpu().numpy())
    return lambda i: fields[i // BATCH][i % BATCH].astype(np.float32)


def family_means(train: Shapes, test: Shapes) -> Answer:
    """The share of a family's training shapes that fill a cell, above the level that suits them best."""
    means = {}
    for family in np.unique(test.family):
        own = train.field[train.family == family] > 0
        share = own.mean(0, dtype=np.float32)
        best = max(LEVELS, key=lambda level: np.mean([overlap(share > level, one) for one in own[:100]]))
        means[family] = share - np.float32(best)
    return lambda i: means[test.family[i]]


def nearest(train: Shapes, test: Shapes, resolution: int = 32) -> Answer:
    """The training shape whose IoU with the truth is largest at 32^3: an oracle among copies."""
    known, asked = (coarse(s.field, resolution).gt(0).flatten(1).float() for s in (train, test))
    both = asked @ known.T
    iou = both / (asked.sum(1)[:, None] + known.sum(1) - both)
    chosen = iou.argmax(1).numpy()
    return lambda i: train.field[chosen[i]].astype(np.float32) / 127


def principal(train: Shapes, test: Shapes, components: int, resolution: int = 32) -> Answer:
    """Each family's mean distance and the directions that all families' training shapes vary in most."""
    known, asked = (coarse(s.field, resolution).flatten(1) for s in (train, test))
    count = int(max(train.family.max(), test.family.max())) + 1
    means = torch.zeros(count, known.shape[1])
    for family in range(count):
        own = known[torch.from_numpy(train.family == family)]
        means[family] = own.mean(0) if len(own) else known.mean(0)
    known -= means[torch.from_numpy(train.family)]
    values, vectors = torch.linalg.eigh(known @ known.T)  # of shapes by shapes, the smaller square
    kept = values[-components:].clamp_min(1e-6).rsqrt()
    directions = (vectors[:, -components:] * kept).T @ known
    middle = means[torch.from_numpy(test.family)]
    found = middle + (asked - middle) @ directions.T @ directions
    size = test.field.shape[1:]
    return lambda i: F.interpolate(found[i].view(1, 1, *(resolution,) * 3), size, mode="trilinear")[0, 0].numpy()


def coarse(field: np.ndarray, resolution: int) -> Tensor:
    """(N, R, R, R) int8 -> (N, r, r, r) in [-1, 1]; 64 shapes at a time become floats."""
    size = field.shape[-1] // resolution
    parts = torch.from_numpy(field).split(64)
    return torch.cat([F.avg_pool3d(part.float()[:, None] / 127, size)[:, 0] for part in parts])


def measure(answers: dict[str, Answer], test: Shapes, points: int = 0, resolution: int = 0) -> list[dict]:
    """One row an answer and shape: predictor, family, iou at the grid's cells (or at `resolution`), and where points
    are given chamfer (L1) of meshes brought to longest side 1."""
    rows = []
    for i in range(len(test)):
        truth = test.field[i].astype(np.float32) / 127
        true_points = surface(truth, points, i) if points else None
        for name, answer in answers.items():
            found = answer(i)
            row = {"predictor": name, "family": int(test.family[i])}
            row["iou"] = overlap(*(inside(f, resolution) for f in (found, truth)))
            if points:
                row["chamfer"] = chamfer(found, true_points, points, i)
            rows.append(row)
    return rows


def inside(field: np.ndarray, resolution: int = 0) -> np.ndarray:
    if resolution and resolution != field.shape[-1]:
        size = field.shape[-1] // resolution
        field = field.reshape(resolution, size, resolution, size, resolution, size).mean((1, 3, 5))
    return field > 0


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    either = np.count_nonzero(a | b)
    return np.count_nonzero(a & b) / either if either else 1.0


def meshed(field: np.ndarray) -> Mesh | None:
    """Marching cubes in the unit cube and nothing else; None where nothing is inside."""
    return smooth_surface(Field(field, 0.0, UNIT_CUBE), 0.0) if (field > 0).any() else None


def surface(field: np.ndarray, points: int, seed: int):
    return sample(normalise(meshed(field)), points, seed)


def chamfer(field: np.ndarray, truth, points: int, seed: int) -> float:
    if not (field > 0).any():
        return float("nan")
    return surface_scores(*surface(field, points, [seed, 1]), *truth)[0]


def table(rows: list[dict], names: tuple[str, ...], title: str = "IoU@64") -> str:
    """Markdown: means over shapes with standard errors, and IoU by family."""
    predictors = list(dict.fromkeys(row["predictor"] for row in rows))
    columns = [c for c in ("iou", "chamfer") if c in rows[0]]
    titles = {"iou": title, "chamfer": "Chamfer ×100"}
    lines = ["| | " + " | ".join(titles[c] for c in columns) + " |", "| --- |" + " --- |" * len(columns)]
    for name in predictors:
        cells = [
            mean_and_error([r[c] * (100 if c == "chamfer" else 1) for r in rows if r["predictor"] == name])
            for c in columns
        ]
        lines.append(f"| {name} | " + " | ".join(number(*cell) for cell in cells) + " |")
    lines += ["", "| family | shapes | " + " | ".join(predictors) + " |", "| --- | --- |" + " --- |" * len(predictors)]
    for family in sorted({row["family"] for row in rows}):
        own = [[r["iou"] for r in rows if r["family"] == family and r["predictor"] == name] for name in predictors]
        cells = " | ".join(number(float(np.mean(scores))) for scores in own)
        lines.append(f"| {names[family]} | {len(own[0])} | {cells} |")
    return "\n".join(lines)
