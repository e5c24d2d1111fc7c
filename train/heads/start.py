"""Where the training of an expression begins: the linear maps that are best, named numbers first.

From nothing, the networks take most of their time to find which linear combination of coefficients a slider is."""

from __future__ import annotations

import numpy as np
import torch

from ...nets.head_vae import Family as Part
from .basis import Basis
from .family import Family

SAMPLE = 4000


@torch.no_grad()
def begin_named(part: Part, family: Family, basis: Basis) -> None:
    """The first numbers of the expression are its sliders' own; the others the main components of what these leave."""
    drawn = family.draw(np.random.default_rng(31), SAMPLE)
    found, true = (coefficients.numpy().astype(np.float64) for coefficients in basis.coefficients(drawn))
    true = true[:, part.identities :]
    room = part.expression.skip.in_features - part.split
    moves = (drawn.expression_numbers / basis.move)[:, :room]
    encoded = np.linalg.lstsq(found, moves, rcond=1e-6)[0]
    named = found @ encoded
    rest = true - named @ np.linalg.lstsq(named, true, rcond=1e-6)[0]
    _, spread, axes = np.linalg.svd(rest * np.sqrt(basis.weight[part.identities :]), full_matrices=False)
    free = room - moves.shape[1]
    axes = axes[:free] * np.sqrt(basis.weight[part.identities :]) / (spread[:free, None] + 1e-9) * SAMPLE**0.5
    encoded = np.concatenate([encoded, np.linalg.lstsq(found, rest @ axes.T, rcond=1e-6)[0]], 1)
    decoded = np.linalg.lstsq(found @ encoded, true, rcond=1e-6)[0]
    rows = slice(part.split, part.split + encoded.shape[1])
    part.encoder.skip.weight[rows] = torch.from_numpy(encoded.T.astype(np.float32))
    part.expression.skip.weight[:, rows] = torch.from_numpy(decoded.T.astype(np.float32))
