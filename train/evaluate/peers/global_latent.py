"""A peer of image_to_field: the whole picture through one vector, as Pix2Vox-F has it (Xie 2019, arXiv:1901.11153)."""

from __future__ import annotations

from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ....nets.image_to_field import MIDDLE, TRUNCATION, Config, ImageToField, Prediction

WIDTHS = 192, 128, 64, 24
"""Channels at 4^3, 8^3, 16^3 and 32^3"""


def _up(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.ConvTranspose3d(inputs, outputs, 2, 2, bias=False),
        nn.BatchNorm3d(outputs),
        nn.ReLU(inplace=True),
        nn.Conv3d(outputs, outputs, 3, padding=1, bias=False),
        nn.BatchNorm3d(outputs),
        nn.ReLU(inplace=True),
    )


class GlobalLatent(ImageToField):
    """The encoder, the camera's distribution and the losses of image_to_field; its shape is decoded from the global
    vector alone, in the same upright frame, by transposed 3D convolutions. Neither camera nor prior enters it."""

    def __init__(self, config: Config):
        super().__init__(replace(config, library=0, several=0))
        for name in ("thin32", "thin16", "volume", "head", "enter", "detail", "fine", "paint"):
            delattr(self, name)
        self.spread = nn.Linear(config.vector, WIDTHS[0] * 64)
        self.grow = nn.Sequential(*(_up(a, b) for a, b in zip(WIDTHS, WIDTHS[1:])))
        self.answer = nn.Conv3d(WIDTHS[-1], 5, 1)

    def encode(self, picture: Tensor) -> dict[str, Tensor]:
        _, _, vector = self.encoder(picture)
        return {"picture": picture, "vector": vector, "context": vector, "bins": self.bins(vector)}

    def decode(self, seen, camera: Tensor, region=None, others=()) -> Prediction:
        volume = self.answer(self.grow(F.relu(self.spread(seen["vector"])).reshape(len(camera), WIDTHS[0], 4, 4, 4)))
        near = volume[(slice(None), slice(None), *(region or (slice(0, MIDDLE),) * 3))]
        fine = F.interpolate(near[:, :2], scale_factor=2, mode="trilinear", align_corners=False)
        return Prediction(
            volume[:, :1], volume[:, 1:2] * TRUNCATION, fine[:, :1], fine[:, 1:] * TRUNCATION, near[:, 2:]
        )


def parameters(network: torch.nn.Module) -> float:
    """Millions."""
    return sum(p.numel() for p in network.parameters()) / 1e6
