"""One training loop for every recipe, on Lightning Fabric: read it top to bottom.

With --devices 2 or more each process draws its own batches and their gradients are averaged (DDP); the first process
alone validates, saves and writes logs. On CPUs two processes of one thread train a quarter faster than one of two.
"""

from __future__ import annotations

import copy
import math
import os
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from .optimiser import optimisers


class Step(torch.nn.Module):
    """A network and its loss as one module: one call is one step, whose gradients DDP averages over processes."""

    def __init__(self, network: torch.nn.Module, recipe_module, recipe):
        super().__init__()
        self.network, self.recipe_module, self.recipe = network, recipe_module, recipe

    def forward(self, batch: dict, progress: float) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        return self.recipe_module.loss(self.network, batch, self.recipe, progress)


def train(recipe_module, recipe) -> Path:
    """Train until the budget ends; -> the last checkpoint. Resumes the run's own checkpoint when there is one."""
    run = Path(recipe.run or f"runs/{recipe_module.NAME}")
    run.mkdir(parents=True, exist_ok=True)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    fabric = Fabric(
        accelerator=accelerator(recipe.device),
        devices=recipe.devices,
        strategy=strategy(recipe),
        precision=precision(recipe),
    )
    fabric.launch()
    fabric.seed_everything(recipe.seed, verbose=False)
    network = recipe_module.make(recipe)
    first = fabric.is_global_zero
    if first:
        print(
            f"{recipe_module.NAME}: {sum(p.numel() for p in network.parameters()) / 1e6:.2f} M parameters, "
            f"{fabric.world_size} x {fabric.device}, {precision(recipe)}, {torch.get_num_threads()} threads"
        )
    if fabric.device.type == "cpu":
        last_channels(network)
    averaged = copy.deepcopy(network).requires_grad_(False).to(fabric.device)
    rules = optimisers(network, recipe)
    state = {"step": 0, "seconds": 0.0, "samples": 0}
    last = run / "last.pt"
    if last.exists():
        resume(last, network, averaged, rules, state)
    if not first:
        torch.manual_seed(recipe.seed + 7919 * fabric.global_rank + state["step"])
    step, *rules = fabric.setup(Step(network, recipe_module, recipe), *rules)
    writer = SummaryWriter(run / "log") if first else None
    rng = np.random.default_rng([recipe.seed, state["step"], fabric.global_rank])
    batches = recipe_module.batches(recipe, rng, fabric.device)
    bar = tqdm(
        total=round(recipe.minutes, 1),
        unit="min",
        bar_format="{l_bar}{bar}| {n:.1f}/{total} min {postfix}",
        mininterval=5,
        disable=not first,
    )
    saved = validated = began = time.monotonic()
    before = state["seconds"]
    while (seconds := fabric.broadcast(before + time.monotonic() - began)) < recipe.minutes * 60:
        progress = seconds / (recipe.minutes * 60)
        for group in (group for rule in rules for group in rule.param_groups):
            group["lr"] = recipe.rate * rate_factor(state["step"], progress)
        batch = {name: value.to(fabric.device) for name, value in next(batches).items()}
        total, parts = step(recipe_module.prepare(batch, augment=True), progress)
        if not torch.isfinite(total):
            raise RuntimeError(
                f"The loss became {total.item()} at step {state['step']}; the last good checkpoint is {last}"
            )
        for rule in rules:
            rule.zero_grad(set_to_none=True)
        fabric.backward(total)
        fabric.clip_gradients(step, rules[0], max_norm=recipe.clip, error_if_nonfinite=False)
        for rule in rules:
            rule.step()
        state.update(
            step=state["step"] + 1, seconds=seconds, samples=state["samples"] + recipe.batch * fabric.world_size
        )
        if not first:
            continue
        average(averaged, network, min(recipe.ema, state["step"] / (9 + state["step"])))
        if state["step"] % 20 == 0:
            for name, value in parts.items():
                writer.add_scalar(f"loss/{name}", float(value), state["step"])
            speed = (state["samples"]) / max(seconds, 1)
            bar.n = seconds / 60
            bar.set_postfix_str(
                f"step {state['step']} {speed:.1f} samples/s "
                + " ".join(f"{k} {float(v):.3f}" for k, v in parts.items())
            )
        now = time.monotonic()
        if now - validated > recipe.validate_minutes * 60:
            validated = now
            report(recipe_module.validate(averaged, recipe, fabric.device), state, writer, run)
        if now - saved > recipe.save_minutes * 60:
            saved = now
            save(last, network, averaged, rules, state, recipe)
    state["seconds"] = before + time.monotonic() - began
    if first:
        save(last, network, averaged, rules, state, recipe)
        report(recipe_module.validate(averaged, recipe, fabric.device), state, writer, run)
    fabric.barrier()
    bar.close()
    return last


def strategy(recipe):
    """One process needs none. Parameters that a step does not use (the volume, while cameras are learned) may be."""
    if recipe.devices == 1:
        return "auto"
    return DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)


def rate_factor(step: int, progress: float) -> float:
    """Linear warm-up over 200 steps, then a cosine to nothing over the budget."""
    return min(1.0, (step + 1) / 200) * max(0.5 * (1 + math.cos(math.pi * min(progress, 1.0))), 0.002)


def accelerator(device: str) -> str:
    return "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"


def precision(recipe) -> str:
    if recipe.precision != "auto":
        return recipe.precision
    if accelerator(recipe.device) == "cuda":
        return "bf16-mixed"
    # Without hardware bf16 oneDNN falls back to a reference kernel a hundred times slower than float32
    return (
        "bf16-mixed"
        if torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()
        else "32-true"
    )


def last_channels(network: torch.nn.Module) -> None:
    """CPU convolutions run fastest with channels last."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.to(memory_format=torch.channels_last)
        if isinstance(module, (torch.nn.Conv3d, torch.nn.ConvTranspose3d)):
            module.to(memory_format=torch.channels_last_3d)


@torch.no_grad()
def average(averaged, network, decay: float) -> None:
    ours, theirs = list(averaged.parameters()), [p.detach() for p in network.parameters()]
    torch._foreach_lerp_(ours, theirs, 1 - decay)
    for mine, its in zip(averaged.buffers(), network.buffers()):  # batch norm's statistics
        if mine.is_floating_point():
            mine.lerp_(its, 1 - decay)


def save(path: Path, network, averaged, rules, state: dict, recipe) -> None:
    """Tensors and plain numbers only, so that it loads with weights_only=True; written beside, then put in place."""
    part = path.with_suffix(f".{os.getpid()}.part")
    torch.save(
        {
            "network": dict(network.state_dict()),
            "averaged": dict(averaged.state_dict()),
            "optimisers": [rule.state_dict() for rule in rules],
            "state": state,
            "recipe": asdict(recipe),
            "random": torch.get_rng_state(),
        },
        part,
    )
    part.replace(path)


def resume(path: Path, network, averaged, rules, state: dict) -> None:
    stored = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict(stored["network"])
    averaged.load_state_dict(stored["averaged"])
    for rule, kept in zip(rules, stored["optimisers"], strict=True):
        rule.load_state_dict(kept)
    state.update(stored["state"])
    torch.set_rng_state(stored["random"])
    print(f"resumed {path} at step {state['step']}, {state['seconds'] / 60:.1f} minutes, {state['samples']} samples")


def report(scores: dict[str, float], state: dict, writer, run: Path) -> None:
    line = f"{state['seconds'] / 60:7.1f} min {state['samples']:8d} samples  " + "  ".join(
        f"{k} {v:.4f}" for k, v in scores.items()
    )
    print("\n" + line, flush=True)
    with open(run / "validation.txt", "a") as file:
        file.write(line + "\n")
    for name, value in scores.items():
        writer.add_scalar(f"validation/{name}", value, state["step"])
