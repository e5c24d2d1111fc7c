"""One training loop for every recipe, on Lightning Fabric: read it top to bottom.

With several processes (--devices, torchrun, SLURM) each draws its own batches and their gradients are averaged (DDP);
the first alone validates, saves and writes logs. On CPUs two processes of one thread train a quarter faster than one of
two. A run ends when its minutes or its steps are spent; the same command goes on from its last checkpoint, with the
random numbers and the data where they stood.

A recipe may have players: `players` names the parts of its network that take turns in a step, `loss` is told whose turn
it is, and nothing else learns from that. It may bring its own `optimisers`, whose groups' `pace` multiplies the rate.
"""

from __future__ import annotations

import copy
import math
import os
import time
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.utils.tensorboard import SummaryWriter
from tqdm import tqdm

from ..nets.device import narrow_convolutions
from .optimiser import optimisers
from .state import LAST, load, process, restore_process, save


class Step(torch.nn.Module):
    """A network and its loss as one module: one call is one step, whose gradients DDP averages over processes."""

    def __init__(self, network: torch.nn.Module, recipe_module, recipe):
        super().__init__()
        self.network, self.recipe_module, self.recipe = network, recipe_module, recipe

    def forward(self, batch: dict, progress: float, *player: str) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        return self.recipe_module.loss(self.network, batch, self.recipe, progress, *player)


def train(recipe_module, recipe) -> Path:
    """Train until the budget ends; -> the last checkpoint. Resumes the run's own checkpoint when there is one.

    Raises RuntimeError where loss or gradients are no numbers, before they reach the weights; ValueError where the
    checkpoint is another network's or the data cannot be read.
    """
    run = Path(recipe.run or f"runs/{recipe_module.NAME}")
    run.mkdir(parents=True, exist_ok=True)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    fabric = engine(recipe)
    fabric.launch()
    fabric.seed_everything(recipe.seed, verbose=False)
    network = recipe_module.make(recipe)
    first = fabric.is_global_zero
    if first:
        print(
            f"{recipe_module.NAME}: {sum(p.numel() for p in network.parameters()) / 1e6:.2f} M parameters, "
            f"{fabric.world_size} x {fabric.device}, {precision(recipe)}, {torch.get_num_threads()} threads"
        )
    last = run / LAST
    if recipe.start and not last.exists():
        begin_with(recipe.start, network, first, getattr(recipe_module, "begun", dict))
    if fabric.device.type == "cpu":
        last_channels(network)
    averaged = copy.deepcopy(network).requires_grad_(False).to(fabric.device)
    rules = getattr(recipe_module, "optimisers", optimisers)(network, recipe)
    players = getattr(recipe_module, "players", lambda recipe, progress: ())
    state = {"step": 0, "seconds": 0.0, "samples": 0}
    if first:
        for part in run.glob("*.part"):  # what a kill in the midst of writing left
            part.unlink()
    processes = []
    if last.exists():
        processes = load(last, network, averaged, rules, state, recipe)
        minutes, samples = state["seconds"] / 60, state["samples"]
        if first:
            print(f"resumed {last} at step {state['step']}, {minutes:.1f} minutes, {samples} samples")
    step, *rules = fabric.setup(Step(network, recipe_module, recipe), *rules)
    rng = np.random.default_rng([recipe.seed, state["step"], fabric.global_rank])
    batches = recipe_module.batches(recipe, rng, fabric.device)
    if len(processes) == fabric.world_size:
        restore_process(processes[fabric.global_rank], batches, fabric.device)
    else:
        torch.manual_seed(recipe.seed + 7919 * fabric.global_rank + state["step"])
    budget = Budget(recipe, state)
    writer = SummaryWriter(run / "log", purge_step=state["step"] or None) if first else None
    bar = budget.bar(disable=not first)

    def keep() -> None:
        """What all processes know, gathered and written by the first."""
        everyone = gathered(process(batches, fabric.device), fabric)
        if first:
            save(last, network, averaged, rules, everyone, state, recipe)

    saved = validated = budget.before
    while True:
        # The first process's clock, so that all end and save at the same step
        now, progress = fabric.broadcast((budget.seconds(), budget.progress()))
        if progress >= 1:
            break
        if now - saved > recipe.save_minutes * 60 and state["step"]:
            saved = now
            keep()
        for group in (group for rule in rules for group in rule.param_groups):
            group["lr"] = recipe.rate * group.get("pace", 1.0) * rate_factor(state["step"], progress)
        batch = {name: value.to(fabric.device) for name, value in next(batches).items()}
        batch, parts = recipe_module.prepare(batch, augment=True), {}
        for turn in [(player,) for player in players(recipe, progress)] or [()]:
            let_learn(network, *turn)
            total, more = step(batch, progress, *turn)
            parts |= more
            for rule in rules:
                rule.zero_grad(set_to_none=True)
            fabric.backward(total)
            # Of all weights together: Fabric's own clips those of one optimiser.
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            if not sound(total.detach(), norm, fabric):
                raise RuntimeError(
                    f"The loss became {total.item():g}, its gradient {float(norm):g}, at step {state['step']}; "
                    + (f"the last good checkpoint is {last}" if last.exists() else "no checkpoint was written yet")
                )
            for rule in rules:  # passes over weights without a gradient, which those of other players are
                rule.step()
        state.update(
            step=state["step"] + 1,
            seconds=now,
            samples=state["samples"] + recipe.batch * fabric.world_size,
        )
        if not first:
            continue
        average(averaged, network, min(recipe.ema, state["step"] / (9 + state["step"])))
        if state["step"] % 20 == 0:
            tell(parts, norm, rules, state, writer, budget, bar)
        if now - validated > recipe.validate_minutes * 60:
            validated = now
            report(recipe_module, averaged, recipe, fabric.device, state, writer, run)
    state["seconds"] = budget.seconds()
    keep()
    if first:
        report(recipe_module, averaged, recipe, fabric.device, state, writer, run)
        writer.close()
    fabric.barrier()
    bar.close()
    return last


def let_learn(network: torch.nn.Module, *player: str) -> None:
    """Only this part of the network has gradients until the next turn; without players, what has them has them."""
    for name, part in network.named_children() if player else ():
        part.requires_grad_(name in player)


def begin_with(path: str, network: torch.nn.Module, say: bool, begun=dict) -> None:
    """Take over the weights of a .safetensors file, as `begun` names them. Raises ValueError where they are not this
    network's."""
    try:
        tensors = begun(load_file(path))
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{path} cannot be read as weights ({error})") from None
    ours = network.state_dict()
    strange = [n for n, v in tensors.items() if n not in ours or ours[n].shape != v.shape]
    if strange:
        raise ValueError(f"{path} holds weights of another network: {strange[0]} differs from this one's")
    network.load_state_dict({n: v.to(ours[n].dtype) for n, v in tensors.items()}, strict=False)
    if say:
        fresh = sum(v.numel() for n, v in ours.items() if n not in tensors)
        print(f"began with {path}" + (f"; {fresh} numbers start at random" if fresh else ""))


class Budget:
    """Minutes or steps, those of earlier sittings counted in."""

    def __init__(self, recipe, state: dict):
        self.recipe, self.state = recipe, state
        self.before, self.began = state["seconds"], time.monotonic()

    def seconds(self) -> float:
        return self.before + time.monotonic() - self.began

    def progress(self) -> float:
        """How much is spent; 1 and more is all."""
        if self.recipe.steps:
            return self.state["step"] / self.recipe.steps
        return self.seconds() / max(self.recipe.minutes * 60, 1e-9)

    def bar(self, disable: bool) -> tqdm:
        total, unit = (self.recipe.steps, "steps") if self.recipe.steps else (round(self.recipe.minutes, 1), "min")
        form = "{l_bar}{bar}| {n:.1f}/{total} " + unit + " {postfix}"
        return tqdm(total=total, bar_format=form, mininterval=5, disable=disable)

    def spent(self) -> float:
        """In the bar's unit."""
        return self.state["step"] if self.recipe.steps else self.seconds() / 60


def engine(recipe) -> Fabric:
    """Fabric as the recipe says. Under torchrun its own counts hold; SLURM's srun Fabric finds by itself."""
    devices, nodes = recipe.devices, recipe.nodes
    if torch.distributed.is_available() and torch.distributed.is_torchelastic_launched():
        devices = int(os.environ["LOCAL_WORLD_SIZE"])
        nodes = int(os.environ["WORLD_SIZE"]) // devices
    return Fabric(
        accelerator=accelerator(recipe.device),
        devices=devices,
        num_nodes=nodes,
        strategy=strategy(devices * nodes),
        precision=precision(recipe),
    )


def strategy(processes: int):
    """One process needs none. Parameters that a step does not use (the volume, while cameras are learned) may be."""
    if processes == 1:
        return "auto"
    return DDPStrategy(find_unused_parameters=True, broadcast_buffers=False)


def sound(total: torch.Tensor, norm: torch.Tensor, fabric: Fabric) -> bool:
    """Loss and gradient are numbers in every process: all stop together, or DDP's next reduction would hang."""
    fine = (torch.isfinite(total) & torch.isfinite(norm)).float()
    if fabric.world_size > 1:
        fine = fabric.all_reduce(fine, reduce_op="min")
    return bool(fine > 0)


def gathered(one: dict, fabric: Fabric) -> list[dict]:
    """Every process's own, in the order of their ranks."""
    if fabric.world_size == 1:
        return [one]
    every = [None] * fabric.world_size
    torch.distributed.all_gather_object(every, one)
    return every


def rate_factor(step: int, progress: float) -> float:
    """Linear warm-up over 200 steps, then a cosine to nothing over the budget."""
    return min(1.0, (step + 1) / 200) * max(0.5 * (1 + math.cos(math.pi * min(progress, 1.0))), 0.002)


def accelerator(device: str) -> str:
    return "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"


def precision(recipe) -> str:
    if recipe.precision == "16-mixed":
        raise ValueError("--precision 16-mixed is not trained in: its scaled gradients overflow; use bf16-mixed")
    if recipe.precision != "auto":
        return recipe.precision
    if accelerator(recipe.device) == "cuda":
        return "bf16-mixed"
    return "bf16-mixed" if narrow_convolutions() else "32-true"


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


def tell(parts: dict, norm, rules, state: dict, writer, budget: Budget, bar) -> None:
    """Scalars for TensorBoard, and the bar's line."""
    for name, value in parts.items():
        writer.add_scalar(f"loss/{name}", float(value), state["step"])
    speed = state["samples"] / max(state["seconds"], 1)
    writer.add_scalar("training/gradient_norm", float(norm), state["step"])
    writer.add_scalar("training/rate", rules[0].param_groups[0]["lr"], state["step"])
    writer.add_scalar("training/samples_a_second", speed, state["step"])
    bar.n = budget.spent()
    losses = " ".join(f"{k} {float(v):.3f}" for k, v in parts.items())
    bar.set_postfix_str(f"step {state['step']} {speed:.1f} samples/s {losses}")


def report(recipe_module, averaged, recipe, device, state: dict, writer, run: Path) -> None:
    """Scores of the averaged weights to the terminal, validation.txt and TensorBoard, and there a grid of pictures.

    Whatever it draws at random, training's next random number stays the same.
    """
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        scores = recipe_module.validate(averaged, recipe, device)
        grid = recipe_module.pictures(averaged, recipe, device) if hasattr(recipe_module, "pictures") else None
    line = f"{state['seconds'] / 60:7.1f} min {state['samples']:8d} samples  " + "  ".join(
        f"{k} {v:.4f}" for k, v in scores.items()
    )
    print("\n" + line, flush=True)
    with open(run / "validation.txt", "a") as file:
        file.write(line + "\n")
    for name, value in scores.items():
        writer.add_scalar(f"validation/{name}", value, state["step"])
    if grid is not None:
        writer.add_image("validation/picture_answer_truth", grid, state["step"])
    writer.flush()
