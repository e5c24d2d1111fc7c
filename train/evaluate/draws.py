"""What a sampler draws: beside real shapes as sets, closed and in one piece or not, and how long it takes.

A prior is a function (count, family, seed, truncation) -> latents (count, L); truncation draws them towards its middle.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ...geometry.bridge import bridged_distance
from ...geometry.mesh import Mesh, largest_piece
from ...nets.device import narrow_convolutions
from ...nets.latents import Slider
from ...nets.sampler import drafted
from ...nets.shape_class import SIZE, ShapeClass, placed
from ...nets.shape_vae import TRUNCATION, ShapeVAE, narrowed
from . import sets
from .reconstructed import BATCH, Shapes, meshed

Prior = Callable[..., Tensor]


def standard(latent: int) -> Prior:
    """A normal of variance 1, which training pulls the latents towards."""

    def draw(count: int, family: int, seed: int, truncation: float = 1.0) -> Tensor:
        return truncation * torch.randn(count, latent, generator=torch.Generator().manual_seed(seed))

    return draw


def fitted(network: ShapeVAE, known: Callable[[int], Shapes]) -> Prior:
    """A Gaussian fitted to what a family's training shapes are encoded as; `known` gives them."""
    seen: dict[int, tuple[Tensor, Tensor]] = {}

    def draw(count: int, family: int, seed: int, truncation: float = 1.0) -> Tensor:
        if family not in seen:
            seen[family] = gaussian(*encoded(network, known(family)))
        mean, root = seen[family]
        return mean + truncation * torch.randn(count, len(mean), generator=torch.Generator().manual_seed(seed)) @ root

    return draw


def shipped(network: ShapeVAE, card: dict) -> Prior:
    """As Sample draws: named numbers evenly over their ranges, the others as the fitted covariance has them."""
    rows = [[Slider(**slider) for slider in row["sliders"]] for row in card["families"]]

    def draw(count: int, family: int, seed: int, truncation: float = 1.0) -> Tensor:
        latents, generator = network.latents.cpu(), np.random.default_rng([seed, family])
        return torch.stack([latents.draw(family, rows[family], generator, truncation) for _ in range(count)])

    return draw


def gaussian(mean: Tensor, variance: Tensor) -> tuple[Tensor, Tensor]:
    """Posteriors (N, L) -> the mean (L,) and a root (L, L) of the covariance of all of them together."""
    covariance = torch.atleast_2d(mean.T.cov()) + variance.mean(0).diag()
    return mean.mean(0), torch.linalg.cholesky(covariance).T


@torch.no_grad()
def encoded(network: ShapeVAE, shapes: Shapes) -> tuple[Tensor, Tensor]:
    """Means and variances (N, L) of the shapes' latents."""
    device = next(network.parameters()).device
    found = []
    for start in range(0, len(shapes), BATCH):
        mean, log_variance = network.encode(*(t.to(device) for t in shapes.tensors(slice(start, start + BATCH))))
        found.append((mean.cpu(), log_variance.exp().cpu()))
    return tuple(torch.cat(column) for column in zip(*found))


@torch.no_grad()
def decoded(network: ShapeVAE, latents: Tensor, family: int) -> np.ndarray:
    """Latents (N, L) -> fields (N, R, R, R) int8, as Shapes has them."""
    device = next(network.parameters()).device
    fields = []
    for part in latents.split(BATCH):
        field = network.decode(part.to(device), torch.full((len(part),), family, device=device))
        fields.append((field.clamp(-1, 1) * 127).round().to(torch.int8).cpu().numpy())
    return np.concatenate(fields)


@torch.no_grad()
def features(judge: ShapeClass, fields: np.ndarray) -> np.ndarray:
    """(N, F) of shapes brought to one size, in the classifier's last layer but one."""
    found = []
    for part in torch.from_numpy(fields).split(BATCH):
        zero = torch.zeros(len(part))
        found.append(judge.features(placed(part.float(), zero, zero + SIZE)).numpy())
    return np.concatenate(found)


class Reference:
    """Real shapes that sets are held against; what belongs to them alone is computed once."""

    def __init__(self, fields: np.ndarray, points: int, judge: ShapeClass | None = None):
        self.points, self.judge = points, judge
        self.clouds = sets.clouds(meshes(fields)[0], points)
        self.within = sets.chamfer_within(self.clouds)
        self.features = features(judge, fields) if judge is not None else None

    def score(self, fields: np.ndarray) -> sets.SetScores:
        """Of as many other shapes (N, R, R, R); empty ones are left out, and lower COV."""
        kept, _ = meshes(fields)
        if len(kept) < 2:
            return sets.SetScores(1.0, 0.0, float("nan"))
        clouds = sets.clouds(kept, self.points, seed=1)
        found = sets.set_scores(sets.chamfer_within(clouds), sets.chamfer_between(clouds, self.clouds), self.within)
        if self.judge is None:
            return found
        distance = sets.frechet(features(self.judge, fields), self.features)
        return sets.SetScores(found.nna, found.coverage, found.mmd, distance)


def meshes(fields: np.ndarray) -> tuple[list[Mesh], int]:
    """Marching cubes of each that is not empty, and how many are."""
    found = [meshed(field.astype(np.float32) / 127) for field in fields]
    kept = [mesh for mesh in found if mesh is not None]
    return kept, len(found) - len(kept)


def joined(fields: np.ndarray) -> np.ndarray:
    """Fields (N, R, R, R) int8 with the pieces of each joined, as Sample joins them."""
    cell = 127 / (TRUNCATION * fields.shape[-1])
    whole = (bridged_distance(field.astype(np.float32), cell) for field in fields)
    return np.stack([np.clip(np.round(field), -127, 127) for field in whole])


def closed_share(fields: np.ndarray, largest: bool = False) -> float:
    """The share whose marching cubes mesh is closed and one piece; hidden bubbles are pieces. largest: of those, the
    largest alone is looked at, as it is kept alone; else there is no clean-up."""
    kept, _ = meshes(fields)
    kept = [largest_piece(mesh) for mesh in kept] if largest else kept
    return sum(mesh.is_watertight and mesh.components == 1 for mesh in kept) / len(fields)


def draws_of_all(network: ShapeVAE, prior: Prior, count: int, truncation: float) -> np.ndarray:
    """Fields of `count` draws, as many of each family as can be."""
    total = len(network.config.families)
    shares = np.bincount(np.arange(count) % total, minlength=total)
    return np.concatenate([decoded(network, prior(int(n), i, 7 + i, truncation), i) for i, n in enumerate(shares) if n])


@torch.no_grad()
def milliseconds(network: ShapeVAE, prior: Prior, runs: int = 20) -> dict[str, dict[str, float]]:
    """Median time of one shape from latent to mesh: decode, then marching cubes, at full resolution and as a draft."""
    found = {}
    side = network.config.resolution
    device = next(network.parameters()).device
    for coarse in (False, True):
        asked = narrowed(network) if coarse and device.type == "cpu" and narrow_convolutions() else network
        times = []
        for i in range(runs + 2):
            chosen = i % len(network.config.families)
            latent, family = prior(1, chosen, i).to(device), torch.tensor([chosen], device=device)
            start = time.perf_counter()
            field = asked.decode(latent, family)[0]
            field = (drafted(field) if coarse else field).float().cpu().numpy()
            between = time.perf_counter()
            meshed(field)
            times.append((between - start, time.perf_counter() - between))
        decode, mesh = 1000 * np.median(times[2:], axis=0)  # the first two load kernels
        found[f"{side // 2 if coarse else side}"] = {"decode": float(decode), "mesh": float(mesh)}
    return found
