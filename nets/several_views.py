"""How pictures of one object from several sides meet in the first one's cube."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

TURNS = 24
"""Bins of the turn between two views, evenly over the circle; the first is no turn."""


@dataclass
class OtherView:
    """A view beside the first: what the encoder saw in it, its camera (B, 5) and how its cube lies (B, 5).

    fit: turn (radians, the object's, counter-clockwise seen from above), scale, shift x, y, z. A place p of the first
    view's cube lies at scale R_z(turn) p + shift in this one's.
    """

    seen: dict[str, Tensor]
    camera: Tensor
    fit: Tensor


def fitted(points: Tensor, fit: Tensor) -> Tensor:
    """Places (N, 3) of the first cube -> places (B, N, 3) of another view's, by its fit (B, 5)."""
    c, s = fit[:, None, 0].cos(), fit[:, None, 0].sin()
    x, y, z = points.unbind(-1)
    turned = torch.stack([c * x - s * y, s * x + c * y, z.expand(len(fit), -1)], -1)
    return turned * fit[:, None, 1:2] + fit[:, None, 2:]


class Meeting(nn.Module):
    """What other views see of places, order-free: the mean and the maximum over views of a small network's answer.

    The last layer starts at nothing, so that a network which was trained on one picture answers as before.
    """

    def __init__(self, inputs: int, hidden: int, outputs: int):
        super().__init__()
        self.each = nn.Sequential(nn.Conv1d(inputs, hidden, 1), nn.SiLU(), nn.Conv1d(hidden, hidden, 1), nn.SiLU())
        self.out = nn.Conv1d(2 * hidden, outputs, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, looked: list[Tensor]) -> Tensor:
        """Each view's features (B, inputs, N) -> (B, outputs, N)."""
        each = torch.stack([self.each(one) for one in looked])
        return self.out(torch.cat([each.mean(0), each.amax(0)], 1))


class TurnHead(nn.Module):
    """Logits (B, TURNS) of the turn from one picture's object to another's, of their global vectors (B, V)."""

    def __init__(self, vector: int):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2 * vector, 256), nn.ReLU(inplace=True), nn.Linear(256, TURNS))

    def forward(self, first: Tensor, other: Tensor) -> Tensor:
        return self.net(torch.cat([first, other], 1))


def turn_bins(turn: Tensor) -> Tensor:
    """Soft target (B, TURNS): each turn (radians) shared between its two nearest bins round the circle."""
    at = (turn / (2 * math.pi) * TURNS) % TURNS
    low = at.floor().long() % TURNS
    part = (at - at.floor())[:, None]
    return F.one_hot(low, TURNS) * (1 - part) + F.one_hot((low + 1) % TURNS, TURNS) * part
