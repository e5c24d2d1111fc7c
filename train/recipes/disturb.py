"""What is done to pictures in training: mirrored, and disturbed as cameras and background removal disturb them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def varied(picture: Tensor, camera: Tensor, flip: Tensor) -> tuple[Tensor, Tensor]:
    """Mirrored where flip (B,) says so, then disturbed."""
    picture = torch.where(flip[:, None, None, None], picture.flip(3), picture)
    across = torch.where(flip, -camera[:, 3], camera[:, 3])
    return disturb(picture), torch.cat([camera[:, :3], across[:, None], camera[:, 4:]], 1)


def disturb(picture: Tensor) -> Tensor:
    """White balance, contrast, grey, noise, blur, and the ragged edges that background removal leaves.

    Each is done only to the pictures that it is drawn for: doing all and dropping most cost a CPU as much as the
    encoder.
    """
    batch, device = len(picture), picture.device
    rgb, alpha = picture[:, :3].clone(), picture[:, 3:].clone()

    def some(values: Tensor, share: float, change) -> None:
        index = (torch.rand(batch, device=device) < share).nonzero()[:, 0]
        values[index] = change(values[index])

    contrast = 1 + 0.2 * torch.randn(batch, 1, 1, 1, device=device)
    balance = 1 + 0.12 * torch.randn(batch, 3, 1, 1, device=device)
    rgb.mul_(balance * contrast).add_(0.5 * (1 - contrast) + 0.05 * torch.randn(batch, 1, 1, 1, device=device))
    some(rgb, 0.1, lambda x: x.mean(1, keepdim=True).expand(-1, 3, -1, -1))
    sheets = torch.randn(min(8, batch), 3, *picture.shape[2:], device=device)  # a few sheets of noise, dealt out
    some(
        rgb,
        0.6,
        lambda x: (
            x
            + 0.06
            * torch.rand(len(x), 1, 1, 1, device=device)
            * sheets[torch.randint(len(sheets), (len(x),), device=device)]
        ),
    )
    some(rgb, 0.3, lambda x: F.avg_pool2d(x, 3, 1, 1))
    some(alpha, 0.12, lambda x: F.max_pool2d(x, 3, 1, 1))
    some(alpha, 0.12, lambda x: -F.max_pool2d(-x, 3, 1, 1))
    some(alpha, 0.5, lambda x: F.avg_pool2d(x, 3, 1, 1))
    return torch.cat([rgb.clamp_(0, 1), alpha], 1)
