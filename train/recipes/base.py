"""What every recipe has; a recipe's fields are the command line of `python -m maquette.train NAME`."""

from __future__ import annotations

import argparse
from dataclasses import MISSING, dataclass, fields


@dataclass(frozen=True)
class BaseRecipe:
    minutes: float = 60.0
    """Time budget, resumed time counted in; the rate is annealed over it and the last checkpoint lies in its end."""
    steps: int = 0
    """Budget in steps, which then stands for minutes: the rate is annealed over it, and a run that was killed and
    resumed ends with the same weights, bit for bit on a CPU. 0: minutes count."""
    batch: int = 32
    rate: float = 1.2e-3
    """Peak learning rate."""
    optimiser: str = "adamw"
    """adamw; muon: Muon for the kernels of 2D convolutions and AdamW for all other weights; muon3d: and of 3D ones."""
    weight_decay: float = 0.02
    clip: float = 1.0
    """Gradient norm above which gradients are scaled down."""
    ema: float = 0.998
    """Decay of the averaged weights, which are the ones that are validated and exported."""
    seed: int = 0
    threads: int = 0
    """CPU threads; 0 leaves torch's choice."""
    precision: str = "auto"
    """auto: bf16 where the device computes in it (CUDA; CPUs with AVX-512 bf16 or AMX), else 32-true."""
    device: str = "auto"
    devices: int = 1
    """Processes that share the work, one a GPU; on a CPU of n cores, n with --threads 1. Under torchrun its count."""
    nodes: int = 1
    """Machines, each with `devices`; srun or torchrun starts the processes on them. Under torchrun its count."""
    save_minutes: float = 5.0
    validate_minutes: float = 10.0
    start: str = ""
    """Weights (.safetensors) that a new run begins with; what the network has beyond them starts at random."""
    run: str = ""
    """Folder of checkpoints and logs; runs/NAME when empty. A checkpoint there is resumed."""


def parse(recipe: type, argv: list[str], program: str):
    """Read a recipe from the command line; each field is an option, its docstring line is in the source."""
    parser = argparse.ArgumentParser(prog=program, description=recipe.__doc__)
    for field in fields(recipe):
        kind = {"int": int, "float": float, "str": str}[field.type]
        default = None if field.default is MISSING else field.default
        parser.add_argument(
            "--" + field.name.replace("_", "-"), type=kind, default=default, help=f"default {default!r}"
        )
    return recipe(**vars(parser.parse_args(argv)))
