"""What a run keeps of itself: one file, written whole or not at all, that the same command goes on from.

    network, averaged    the weights and their running average
    optimisers           one state a rule
    processes            for each process: torch's random states and where its data stands
    state                step, seconds, samples
    recipe               the options it was started with
    random               torch's random state in the first process, all that files from before `processes` have

Tensors, plain numbers and text only, so that it loads with weights_only=True.
"""

from __future__ import annotations

import json
import os
import pickle
from dataclasses import asdict
from pathlib import Path

import torch

LAST = "last.pt"


def save(path: Path, network, averaged, rules, processes: list[dict], state: dict, recipe) -> None:
    """Written beside, then put in place: a process that dies meanwhile leaves the last file as it was."""
    part = path.with_suffix(f".{os.getpid()}.part")
    torch.save(
        {
            "network": dict(network.state_dict()),
            "averaged": dict(averaged.state_dict()),
            "optimisers": [rule.state_dict() for rule in rules],
            "processes": processes,
            "state": state,
            "recipe": asdict(recipe),
            "random": processes[0]["torch"],
        },
        part,
    )
    part.replace(path)


def process(batches, device: torch.device) -> dict:
    """The random state and the data's place of this process, as tensors and text."""
    kept = {"torch": torch.get_rng_state(), "data": json.dumps(batches.state())}
    if device.type == "cuda":
        kept["cuda"] = torch.cuda.get_rng_state(device)
    return kept


def restore_process(kept: dict, batches, device: torch.device) -> None:
    """Undo what the start drew: the next random number is the one that would have come."""
    batches.restore(json.loads(kept["data"]))
    torch.set_rng_state(kept["torch"])
    if device.type == "cuda" and "cuda" in kept:
        torch.cuda.set_rng_state(kept["cuda"], device)


def load(path: Path, network, averaged, rules, state: dict, recipe) -> list[dict]:
    """Fill weights, optimisers and state from a checkpoint; -> its processes, none where it is from before them.

    Raises ValueError with one sentence where the file is broken, or the network or the optimisers are others.
    """
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        was = stored["recipe"]
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path} is not a whole checkpoint ({first}); move it away to begin anew") from None
    try:
        network.load_state_dict(stored["network"])
        averaged.load_state_dict(stored["averaged"])
    except RuntimeError:
        others = differing(was, recipe)
        raise ValueError(f"{path} holds another network{others}; give its own options or another --run") from None
    kept = stored["optimisers"] if "optimisers" in stored else [stored["optimiser"]]
    if len(kept) != len(rules) or not all(map(fits, rules, kept)):
        theirs = was.get("optimiser", "adamw")
        other = f"{theirs}, not {recipe.optimiser}" if theirs != recipe.optimiser else f"{theirs} of an earlier version"
        raise ValueError(
            f"{path} was trained with other optimisers ({other}): go on with its own, or give another --run; "
            "its weights can still be exported"
        )
    for rule, one in zip(rules, kept):
        rule.load_state_dict(one)
    state.update(stored["state"])
    return stored.get("processes", [])


def fits(rule: torch.optim.Optimizer, kept: dict) -> bool:
    """As many weights in each group, of the same sizes, with the same kinds of memory."""
    ours, theirs = rule.param_groups, kept["param_groups"]
    if [len(group["params"]) for group in ours] != [len(group["params"]) for group in theirs]:
        return False
    if not all(set(group) >= {"betas", "momentum"} & set(rule.defaults) for group in theirs):
        return False
    weights = dict(enumerate(weight for group in ours for weight in group["params"]))
    memory = kept["state"]
    return all(
        value.shape == weights[index].shape
        for index in memory
        for value in memory[index].values()
        if torch.is_tensor(value) and value.ndim
    )


def differing(was: dict, recipe) -> str:
    """The options in which two recipes differ and that can make another network, as text."""
    now = asdict(recipe)
    names = [n for n in ("width", "encoder", "library") if n in was and n in now and was[n] != now[n]]
    return "".join(f", --{name} {was[name]}, not {now[name]}" for name in names)
