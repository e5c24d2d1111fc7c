"""The bases of a family that go into the weights, and what leads from weights of offsets to their coefficients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ...nets import head_vae
from .family import Drawn, Family

SAMPLE = 6000
EVEN = 0.6
"""How far expressions count alike, whatever they move: 0 not at all, 1 wholly"""


@dataclass(frozen=True, eq=False)
class Basis:
    """Coefficients of a drawn shape: what it should decode to, and what encoding its vertices finds."""

    mean: np.ndarray
    """(V, 3) int16, in nets.head_vae.MEAN_STEP"""
    coarse: np.ndarray
    """(C, V * 3) int16"""
    fine: np.ndarray
    """(K - C, V * 3) int8"""
    place: np.ndarray
    """(K,): which of coarse and fine is row k, identities first"""
    step: np.ndarray
    """(K,) int32, in nets.head_vae.OFFSET_STEP"""
    centre: np.ndarray
    """(I,): the mean of the identities' weights"""
    true_identity: np.ndarray
    """(I, K identities): coefficients = (weights - centre) @ this"""
    true_expression: np.ndarray
    """(E, K expressions)"""
    found: np.ndarray
    """(I + E, K): what is found = (weights - centre, weights) @ this"""
    square: np.ndarray
    """(K,): mean square offset of a vertex in mm² where a coefficient is wrong by 1"""
    weight: np.ndarray
    """(K,): how much that counts in training"""
    move: np.ndarray
    """(U,): root mean square of the numbers that expressions are drawn by"""

    def coefficients(self, drawn: Drawn) -> tuple[Tensor, Tensor]:
        """-> what is found of a shape's vertices and what is true, (n, K) each."""
        identity = drawn.identity - self.centre
        found = np.concatenate([identity, drawn.expression], 1) @ self.found
        true = np.concatenate([identity @ self.true_identity, drawn.expression @ self.true_expression], 1)
        return torch.from_numpy(found.astype(np.float32)), torch.from_numpy(true.astype(np.float32))


def fit(family: Family, identities: int, expressions: int, coarse: int) -> Basis:
    """Principal components of what the family draws; expressions keep the neutral one at 0."""
    drawn = family.draw(np.random.default_rng(11), SAMPLE)
    centre = drawn.identity.mean(0)
    flat = [offsets.reshape(len(offsets), -1) for offsets in (family.identity, family.expression)]
    # By millimetres alone a jaw would be worth a hundred lids, which are what one looks at
    even = (flat[1] / np.linalg.norm(flat[1], axis=1, keepdims=True) ** EVEN).astype(np.float32)
    moments = drawn.expression.T @ drawn.expression / SAMPLE
    rows = [components(flat[0], np.cov(drawn.identity.T), identities)]
    rows.append(scaled(components(even, moments, expressions), flat[1], moments))
    exact = np.concatenate(rows)
    rows, place, step, kept = rounded(exact, coarse)
    mean = family.vertices + (centre @ flat[0]).reshape(-1, 3)
    square = 1e6 * (kept**2).sum(1) / len(mean)
    weight = square.copy()
    weight[identities:] = square[identities:].max() ** EVEN * square[identities:] ** (1 - EVEN)
    return Basis(
        np.rint(mean / head_vae.MEAN_STEP).astype(np.int16), *rows, place, step, centre,
        projected(flat[0], kept[:identities]), projected(flat[1], kept[identities:]),
        np.concatenate(flat) @ head_vae.solver(torch.from_numpy(kept)).numpy(),
        square, weight, np.sqrt((drawn.expression_numbers**2).mean(0)),
    )  # fmt: skip


def rounded(exact: np.ndarray, coarse: int) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Rows as 16-bit numbers, those with the largest peaks, and 8-bit ones; their places and steps; what is kept."""
    peak = np.abs(exact).max(1)
    order = np.argsort(-peak)
    place = np.argsort(order)
    largest = np.where(place < coarse, 32767, 127)
    step = np.ceil(peak / largest / head_vae.OFFSET_STEP).clip(1)
    whole = np.rint(exact / (step * head_vae.OFFSET_STEP)[:, None])
    kept = (whole * (step * head_vae.OFFSET_STEP)[:, None]).astype(np.float32)
    whole = whole[order]
    rows = whole[:coarse].astype(np.int16), whole[coarse:].astype(np.int8)
    return rows, place.astype(np.int16), step.astype(np.int32), kept


def scaled(rows: np.ndarray, offsets: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """The rows in such sizes that the coefficients of what is drawn have a mean square of 1."""
    coefficients = projected(offsets, rows)
    return rows * np.sqrt(np.einsum("ek,ef,fk->k", coefficients, moments, coefficients))[:, None]


def components(offsets: np.ndarray, spread: np.ndarray, count: int) -> np.ndarray:
    """offsets (N, D), weights' second moments (N, N) -> (count, D): a standard deviation along each component.

    The eigenvectors of a matrix of N x N lead to those of D x D, which would not fit into memory."""
    values, vectors = np.linalg.eigh(spread)
    root = vectors * np.sqrt(values.clip(0))
    drawn = root.T @ offsets
    values, vectors = np.linalg.eigh((drawn @ drawn.T).astype(np.float64))
    if count > len(values):
        raise ValueError(f"{count} components were asked of {len(values)} offsets; ask for fewer")
    return vectors[:, ::-1][:, :count].T @ drawn


def projected(offsets: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """(N, K): each offset's coefficients, least squares."""
    gram = (kept @ kept.T).astype(np.float64)
    gram += 1e-9 * gram.trace() * np.eye(len(gram))  # some offsets are all but sums of others
    return np.linalg.solve(gram, (kept @ offsets.T).astype(np.float64)).T
