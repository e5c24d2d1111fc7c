"""What a shape is: a small residual 3D network on 32^3 cells.

After VoxNet (Maturana & Scherer 2015) and VRN (Brock 2016, arXiv:1608.04236). It names an object's class from what is
inside, of any size and turned in any way about z. A second head reads the numbers that a design was made with from its
truncated distance in the design's own cube: a judge of sliders that never saw the sampler that it judges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .shape_vae import Convolution

RESOLUTION = 32
SIZE = 0.75
"""Longest side of a placed shape, as a share of the grid: corners stay inside, however it is turned"""
TURNS = 12
"""Over which answers are averaged, as VoxNet's are"""


@dataclass(frozen=True)
class Config:
    classes: tuple[str, ...]
    named: int = 12
    """Numbers of a class that the second head reads, at most; 0 for none"""
    widths: tuple[int, ...] = (16, 32, 64, 96)
    """Features at 16^3, 8^3, 4^3 and 2^3 places"""
    blocks: tuple[int, ...] = (0, 1, 2, 1)
    features: int = 192
    dropout: float = 0.3


class Residual(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.BatchNorm3d(width)
        self.convolution = Convolution(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.convolution(F.silu(self.norm(x)))


class ShapeClass(nn.Module):
    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        levels, before = [], 1
        for width, count in zip(config.widths, config.blocks):
            down = Convolution(before, width, 4 if before == 1 else 3, 2, 1)
            levels.append(nn.Sequential(down, *(Residual(width) for _ in range(count))))
            before = width
        self.levels = nn.Sequential(*levels)
        self.norm = nn.BatchNorm3d(before)
        places = (RESOLUTION // 2 ** len(config.widths)) ** 3
        self.last = nn.Linear(before * places, config.features)
        self.dropout = nn.Dropout(config.dropout)
        self.kind = nn.Linear(config.features, len(config.classes))
        self.numbers = nn.Linear(config.features, len(config.classes) * config.named) if config.named else None

    def features(self, field: Tensor) -> Tensor:
        """field (B, 32, 32, 32) in [-1, 1], inside > 0 -> (B, F), the layer before the answer."""
        x = F.silu(self.norm(self.levels(field[:, None])))
        return F.silu(self.last(x.flatten(1)))

    def forward(self, field: Tensor) -> tuple[Tensor, Tensor | None]:
        """field (B, 32, 32, 32) -> logits of the classes (B, C), and numbers (B, C, P) scaled to variance 1."""
        found = self.dropout(self.features(field))
        numbers = self.numbers(found).unflatten(1, (-1, self.config.named)) if self.numbers is not None else None
        return self.kind(found), numbers


def placed(
    field: Tensor,
    turn: Tensor,
    size: Tensor,
    shift: Tensor | None = None,
    mirror: Tensor | None = None,
    stretch: Tensor | None = None,
) -> Tensor:
    """Shapes (B, N, N, N), inside > 0, -> (B, 32, 32, 32) in [-1, 1]: in the grid's middle whatever their place was.

    turn (B,) radians about z, counter-clockwise from above; size (B,) of the longest side, as a share of the grid;
    shift (B, 3) in shares of half the grid; mirror (B,) of 1 or -1, left for right; stretch (B, 3) along the shape's
    own axes. What is inside counts, not how deep. An empty shape stays empty.
    """
    inside = (field > 0).float()
    centre, longest = extents(inside)
    scale = longest / size
    cosine, sine, zero = turn.cos() * scale, turn.sin() * scale, torch.zeros_like(turn)
    flip = torch.ones_like(turn) if mirror is None else mirror
    # grid_sample counts axes from the last: z, y, x
    rows = [[scale, zero, zero], [zero, cosine, -sine * flip], [zero, sine, cosine * flip]]
    matrix = torch.stack([torch.stack(row, 1) for row in rows], 1)
    matrix = matrix if stretch is None else matrix / stretch.flip(1)[..., None]
    moved = centre.flip(1)[..., None] - (0 if shift is None else matrix @ shift.flip(1)[..., None])
    places = F.affine_grid(torch.cat([matrix, moved], 2), (len(field), 1, *(RESOLUTION,) * 3), align_corners=False)
    return F.grid_sample(inside[:, None], places, align_corners=False)[:, 0] * 2 - 1


def extents(inside: Tensor) -> tuple[Tensor, Tensor]:
    """(B, N, N, N) of 0 and 1 -> the bounds' middle (B, 3) in [-1, 1] and their longest side (B,), 1 for the grid's."""
    low, high = [], []
    count = inside.shape[-1]
    for axis in range(3):
        line = inside.amax(tuple(a + 1 for a in range(3) if a != axis))
        empty = line.amax(1) == 0
        low.append(torch.where(empty, 0, line.argmax(1)))
        high.append(torch.where(empty, count, count - line.flip(1).argmax(1)))
    low, high = torch.stack(low, 1) / count, torch.stack(high, 1) / count
    return low + high - 1, (high - low).amax(1)


@torch.no_grad()
def probabilities(network: ShapeClass, field: Tensor, turns: int = TURNS) -> Tensor:
    """Shapes (B, N, N, N), inside > 0 -> (B, C), averaged over turns about z."""
    total = 0.0
    for turn in range(turns):
        angle = torch.full((len(field),), 2 * np.pi * turn / turns, device=field.device)
        total = total + network(placed(field, angle, torch.full_like(angle, SIZE)))[0].softmax(1)
    return total / turns


def name_of(network: ShapeClass, field: np.ndarray) -> tuple[str, float]:
    """field (N, N, N), inside > 0, z up -> its class and how probable that is. Raises ValueError where it is empty."""
    if not (field > 0).any():
        raise ValueError("nothing is inside this field, so it has no class; lower its level")
    device = next(network.parameters()).device
    found = probabilities(network, torch.from_numpy(np.ascontiguousarray(field, np.float32)).to(device)[None])[0]
    return network.config.classes[int(found.argmax())], float(found.max())


def create(config: dict) -> ShapeClass:
    """From a card's config."""
    return ShapeClass(Config(**{key: tuple(v) if isinstance(v, list) else v for key, v in config.items()}))
