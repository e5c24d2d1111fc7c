"""Muon for the kernels of convolutions, AdamW for all other weights."""

from __future__ import annotations

import torch
from torch import Tensor

STEPS = 5
CONSTANTS = (3.4445, -4.7750, 2.0315)
KERNELS = {"muon": (4,), "muon3d": (4, 5)}
"""Dimensions of the weights that Muon takes"""


def optimisers(network: torch.nn.Module, recipe) -> list[torch.optim.Optimizer]:
    """One AdamW; or a Muon for the kernels of 2D convolutions (`--optimiser muon`), or of 2D and 3D ones (`muon3d`),
    and an AdamW for what is left."""

    def adamw(parameters):
        return torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=recipe.weight_decay, betas=(0.9, 0.98))

    if recipe.optimiser == "adamw":
        return [adamw(network.parameters())]
    if recipe.optimiser not in KERNELS:
        raise ValueError(f"--optimiser is adamw, {' or '.join(KERNELS)}, not {recipe.optimiser!r}")
    sides = KERNELS[recipe.optimiser]
    kernels = [p for p in network.parameters() if p.ndim in sides and min(p.shape[0], p[0].numel()) >= 8]
    chosen = {id(p) for p in kernels}
    others = [p for p in network.parameters() if id(p) not in chosen]
    return [Muon(kernels, lr=recipe.rate, weight_decay=recipe.weight_decay), adamw(others)]


class Muon(torch.optim.Optimizer):
    """Momentum whose update of a kernel, as a matrix (outputs, inputs * cells), is made orthogonal first.

    After Jordan (2024, kellerjordan.github.io/posts/muon), scaled as in arXiv:2502.16982 so that AdamW's rate and
    weight decay suit it. torch.optim.Muon takes matrices alone, and works in bfloat16, which most CPUs compute slowly.
    """

    def __init__(self, parameters, lr: float, weight_decay: float = 0.0, momentum: float = 0.95):
        super().__init__(parameters, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                past = state["momentum"]
                past.lerp_(weight.grad, 1 - group["momentum"])
                ahead = weight.grad.lerp(past, group["momentum"]).flatten(1)
                update = orthogonal(ahead) * (0.2 * max(ahead.shape) ** 0.5)
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update.reshape(weight.shape), alpha=-group["lr"])


def orthogonal(matrix: Tensor) -> Tensor:
    """The orthogonal matrix nearest to this one, roughly: Newton-Schulz steps bring singular values into .7 to 1.2.

    The steps are taken on the small square of rows by rows and applied to the matrix at last: the same in exact
    arithmetic, and a third of the time where rows are few.
    """
    a, b, c = CONSTANTS
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x = wide / (wide.norm() + 1e-7)
    square = x @ x.T
    whole = unit = torch.eye(len(square), device=x.device, dtype=x.dtype)
    for _ in range(STEPS):
        factor = a * unit + b * square + c * square @ square
        whole = factor @ whole
        square = factor @ square @ factor
    x = whole @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T
