"""Where a picture's rays enter and leave the object, read from the picture, and what that says of places in the cube.

A silhouette and a camera leave it open whether a round outline is a disc, a ball or a bowl; shading and inner edges do
not. Taught by volumes alone, the encoder makes little of them: of pictures without colours its answers were nearly as
good. Depth maps teach pixel by pixel (MarrNet, arXiv:1711.03129, has such sketches between picture and volume).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .camera import project

SIDE = 32
"""Pixels of the maps, along each side of the crop"""
WIDTHS = 24, 48, 64, 72
REACHES = 0.03, 0.1, 0.3
"""Distances to the surfaces, in units of the cube, over which places are told apart"""


def conv(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Relief(nn.Module):
    """A U-Net from 128 pixels down to 4 and up to 32: RGBA crop (B, 4, 128, 128) -> maps (B, 5 + features, 32, 32).

    The first two are the depths at which a pixel's ray enters and last leaves the object, from the cube's centre, in
    half crops at that depth, so that they do not hang on how large the cube is; then the surface's normal in the
    camera's axes (right, up, towards the camera), its length free; then features without a name.
    """

    def __init__(self, features: int):
        super().__init__()
        a, b, c, d = WIDTHS
        self.down = nn.ModuleList([
            nn.Sequential(conv(4, a, 2), conv(a, b, 2), conv(b, b)),
            nn.Sequential(conv(b, c, 2), conv(c, c)),
            nn.Sequential(conv(c, d, 2), conv(d, d)),
            nn.Sequential(conv(d, d, 2), conv(d, d), conv(d, d)),
        ])  # fmt: skip
        self.up = nn.ModuleList([conv(2 * d, d), conv(d + c, c), conv(c + b, b)])
        self.maps = nn.Conv2d(b, 5 + features, 1)

    def forward(self, picture: Tensor) -> Tensor:
        x, seen = picture - 0.5, []
        for stage in self.down:
            x = stage(x)
            seen.append(x)
        for stage, finer in zip(self.up, seen[-2::-1]):
            x = stage(torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), finer], 1))
        return self.maps(x)


class Placed(nn.Module):
    """What the maps say of places: one hidden layer, whose answer starts at nothing, added to a volume's features."""

    def __init__(self, features: int, outputs: int):
        super().__init__()
        inputs = 2 * len(REACHES) + 3 + features
        self.net = nn.Sequential(nn.Conv1d(inputs, 32, 1), nn.SiLU(), nn.Conv1d(32, outputs, 1))
        nn.init.zeros_(self.net[2].weight)
        nn.init.zeros_(self.net[2].bias)

    def forward(self, maps: Tensor, points: Tensor, camera: Tensor) -> Tensor:
        """maps (B, 5 + features, 32, 32), points (N, 3) or (B, N, 3) of the cube, camera (B, 5) -> (B, outputs, N)."""
        uv, depth = project(points, camera)
        at = uv[:, :, None].to(maps.dtype)
        looked = F.grid_sample(maps, at, mode="bilinear", align_corners=False, padding_mode="border")[..., 0]
        surfaces = looked[:, :2].float() * (-camera[:, 1].float()).exp()[:, None, None]
        behind, before = depth[:, None] - surfaces[:, :1], surfaces[:, 1:] - depth[:, None]
        near = [(gap / reach).tanh() for reach in REACHES for gap in (behind, before)]
        return self.net(torch.cat([torch.cat(near, 1).to(looked.dtype), looked[:, 2:]], 1))


class Summed(nn.Module):
    """What the maps say of the whole: their means over sixteen parts of the crop; its answer starts at nothing.

    How far a ray leaves behind where it enters tells how long the object is along the view, and normals how far the
    camera looks down.
    """

    PARTS = 4

    def __init__(self, features: int, outputs: int):
        super().__init__()
        inputs = (5 + features + 1) * self.PARTS**2
        self.net = nn.Sequential(nn.Linear(inputs, 48), nn.ReLU(), nn.Linear(48, outputs))
        nn.init.zeros_(self.net[2].weight)
        nn.init.zeros_(self.net[2].bias)

    def forward(self, maps: Tensor, alpha: Tensor) -> Tensor:
        """maps (B, 5 + features, 32, 32), alpha (B, 1, 128, 128) -> (B, outputs)."""
        mask = F.adaptive_avg_pool2d(alpha, SIDE).to(maps.dtype)
        share = F.adaptive_avg_pool2d(mask, self.PARTS)
        means = F.adaptive_avg_pool2d(maps * mask, self.PARTS) / (share + 0.02)
        return self.net(torch.cat([means, share], 1).flatten(1))
