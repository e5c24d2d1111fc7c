"""What shapes a silhouette reminds of: the nearest of a library of procedural renders, which ships with the weights."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 16
"""Cells of the volumes, along each side"""


class SilhouettePrior(nn.Module):
    """The shapes whose silhouettes are nearest to the picture's, from a library of procedural renders.

    masks (L, 98) and volumes (L, 512) are packed bits of 28 x 28 silhouettes and 16^3 occupancy; cameras (L, 5).
    """

    NEAREST = 8

    def __init__(self, size: int):
        super().__init__()
        self.register_buffer("masks", torch.zeros(size, 98, dtype=torch.uint8))
        self.register_buffer("volumes", torch.zeros(size, 512, dtype=torch.uint8))
        self.register_buffer("cameras", torch.zeros(size, 5))
        self._silhouettes: Tensor | None = None
        self.register_load_state_dict_post_hook(lambda prior, _: setattr(prior, "_silhouettes", None))

    def forward(self, alpha: Tensor) -> tuple[Tensor, Tensor]:
        """alpha (B, 1, 128, 128) -> volumes (B, 4, 16, 16, 16) and cameras (B, 10).

        The volumes are the mean of the 8 nearest and the first three; the cameras their mean and the first.
        """
        mask = F.adaptive_avg_pool2d(alpha, 28).flatten(1)
        library = self.unpacked()
        apart = library.sum(1)[None] + mask.sum(1, keepdim=True) - 2 * (mask @ library.T)
        near, index = apart.topk(self.NEAREST, largest=False)
        weight = torch.softmax(-(near - near[:, :1]) / 12, 1)
        volumes = unpack(self.volumes[index.flatten()], SIDE**3).reshape(len(alpha), self.NEAREST, SIDE, SIDE, SIDE)
        mean = torch.einsum("bk,bkxyz->bxyz", weight, volumes)[:, None]
        cameras = self.cameras[index]
        average = torch.einsum("bk,bkc->bc", weight, cameras)
        return torch.cat([mean, volumes[:, :3]], 1), torch.cat([average, cameras[:, 0]], 1)

    def likeness(self, alpha: Tensor) -> Tensor:
        """How like alpha (B, 1, 128, 128) the nearest silhouette is: intersection over union (B,)."""
        mask = F.adaptive_avg_pool2d(alpha, 28).flatten(1)
        library = self.unpacked()
        both = mask @ library.T
        union = library.sum(1)[None] + mask.sum(1, keepdim=True) - both
        return (both / union.clamp_min(1e-6)).amax(1)

    def unpacked(self) -> Tensor:
        """The silhouettes as float (L, 784), unpacked once: they do not change while the network runs."""
        if self._silhouettes is None or self._silhouettes.device != self.masks.device:
            self._silhouettes = unpack(self.masks, 784)
        return self._silhouettes


def unpack(packed: Tensor, bits: int) -> Tensor:
    """uint8 (..., bytes) -> float (..., bits), most significant bit first (numpy.packbits)."""
    shifts = torch.arange(7, -1, -1, device=packed.device, dtype=torch.uint8)
    return ((packed[..., None] >> shifts) & 1).flatten(-2)[..., :bits].float()
