"""Networks to measure: the bundled one, a .safetensors beside its card, or a run's last.pt."""

from __future__ import annotations

import hashlib
import importlib
import json
import pickle
from pathlib import Path

import torch
from safetensors.torch import load as read_tensors

from ...nets import catalog, checkpoint


def read_network(name: str, path, where) -> tuple[torch.nn.Module, dict]:
    """The bundled network `name` and its card, or those of a .safetensors file with the card beside it."""
    if not path:
        return checkpoint.load(name, where), catalog.card(name)
    path = Path(path)
    try:
        card, stored = json.loads(path.with_suffix(".json").read_text("utf-8")), path.read_bytes()
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from None
    network = checkpoint.build(name, card["config"])
    network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in read_tensors(stored).items()})
    return network.eval().requires_grad_(False).to(where), card | {"sha256": hashlib.sha256(stored).hexdigest()}


def read_any(name: str, path: str, where) -> tuple[torch.nn.Module, dict]:
    """The network `name`, ready to run, and its card's `config`, `sha256` and more.

    path: "" or "bundled", FILE.safetensors, or RUN/last.pt, of which the averaged weights count. Raises ValueError."""
    path = "" if path == "bundled" else path
    if not path.endswith(".pt"):
        return read_network(name, path, where)
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        recipe = importlib.import_module(f"..recipes.{name}", __package__)
        config = recipe.config(stored["recipe"])
        network = checkpoint.build(name, config)
        network.load_state_dict(getattr(recipe, "used", dict)(stored["averaged"]))
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path} is no checkpoint of {name} ({first})") from None
    about = {"config": config, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(), "state": stored["state"]}
    return network.eval().requires_grad_(False).to(where), about
