"""Background removal: a small U-Net (Ronneberger 2015, arXiv:1505.04597) that tells the one object's pixels."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..geometry.crop import resized

PICTURE = 192
"""Side of the square that a picture is squeezed into; proportions up to 2 : 1 are among what it learns from."""


@dataclass(frozen=True)
class Config:
    width: int = 16
    """Channels of the finest level, at half the picture's resolution; the deeper ones have up to eight times that."""


def convolution(inside: int, outside: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    layers = nn.Conv2d(inside, outside, size, stride, size // 2, bias=False), nn.BatchNorm2d(outside)
    return nn.Sequential(*layers, nn.ReLU(inplace=True))


class Block(nn.Module):
    """Two convolutions round a shortcut (He 2016, arXiv:1512.03385)."""

    def __init__(self, width: int):
        super().__init__()
        self.one = convolution(width, width)
        self.two = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.two(self.one(x)))


class Surroundings(nn.Module):
    """Tells every pixel what the whole picture and its rim look like: a background is what is on the rim."""

    def __init__(self, width: int):
        super().__init__()
        self.tell = nn.Sequential(nn.Linear(2 * width, width), nn.ReLU(inplace=True), nn.Linear(width, width))

    def forward(self, x: Tensor) -> Tensor:
        sides = [x[:, :, 0], x[:, :, -1], x[:, :, :, 0], x[:, :, :, -1]]
        rim = torch.cat(sides, 2).mean(2)
        return x + self.tell(torch.cat([x.mean((2, 3)), rim], 1))[:, :, None, None]


class Matting(nn.Module):
    """Five levels, each half as fine as the one above; the last step is depth-to-space (Shi 2016, arXiv:1609.05158)."""

    def __init__(self, config: Config):
        super().__init__()
        self.config = config
        w = config.width
        widths = (w, 2 * w, 4 * w, 6 * w, 8 * w)
        self.enter = convolution(3, w, 2, 5)
        self.down = nn.ModuleList(
            nn.Sequential(convolution(a, b, 2), Block(b)) for a, b in zip(widths, widths[1:], strict=False)
        )
        self.deepest = nn.Sequential(Surroundings(widths[-1]), Block(widths[-1]))
        pairs = list(zip(widths, widths[1:], strict=False))[::-1]
        self.narrow = nn.ModuleList(convolution(b, a, size=1) for a, b in pairs)
        self.join = nn.ModuleList(convolution(a, a) for a, _ in pairs)
        self.leave = nn.Conv2d(w, 4, 3, 1, 1)

    def forward(self, picture: Tensor) -> Tensor:
        """picture (B, 3, H, W) sRGB in [0, 1], H and W multiples of 32 -> logits (B, 1, H, W) of being the object's."""
        x = self.enter(picture * 4 - 2)
        kept = []
        for down in self.down:
            kept.append(x)
            x = down(x)
        x = self.deepest(x)
        for narrow, join in zip(self.narrow, self.join, strict=True):
            x = F.interpolate(narrow(x), scale_factor=2, mode="bilinear", align_corners=False)
            x = join(x + kept.pop())
        return F.pixel_shuffle(self.leave(x), 2)

    def settings(self) -> dict:
        return asdict(self.config)


@torch.inference_mode()
def foreground(network: Matting, rgb: np.ndarray) -> np.ndarray:
    """How likely each pixel of rgb (H, W, 3) sRGB in [0, 1] is the object's: (H, W) float32 in [0, 1].

    The mean of what is seen in the picture and in its mirror image.
    """
    parameter = next(network.parameters())
    small = np.ascontiguousarray(resized(np.asarray(rgb, np.float32), PICTURE, PICTURE).transpose(2, 0, 1))
    picture = torch.from_numpy(small).to(parameter.device)[None]
    logits = network(torch.cat([picture, picture.flip(3)])).float()
    mean = (logits[0] + logits[1].flip(2))[0] / 2
    return resized(mean.sigmoid().cpu().numpy(), *rgb.shape[:2])


def create(config: dict) -> Matting:
    """From a card's config; unknown keys raise TypeError."""
    return Matting(Config(**config))
