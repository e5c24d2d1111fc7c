"""Networks to measure: the bundled one, a .safetensors beside its card, or a run's last.pt."""

from __future__ import annotations

import hashlib
import importlib
import pickle
from pathlib import Path

import torch

from ...nets import checkpoint
from .image_to_field import read_network


def read_any(name: str, path: str, where) -> tuple[torch.nn.Module, dict]:
    """The network `name`, ready to run, and its card's `config`, `sha256` and more.

    path: "" or "bundled", FILE.safetensors, or RUN/last.pt, of which the averaged weights count. Raises ValueError."""
    path = "" if path == "bundled" else path
    if not path.endswith(".pt"):
        return read_network(path, where, name)
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
        config = importlib.import_module(f"..recipes.{name}", __package__).config(stored["recipe"])
        network = checkpoint.build(name, config)
        network.load_state_dict(stored["averaged"])
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, pickle.UnpicklingError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"{path} is no checkpoint of {name} ({first})") from None
    about = {"config": config, "sha256": hashlib.sha256(Path(path).read_bytes()).hexdigest(), "state": stored["state"]}
    return network.eval().requires_grad_(False).to(where), about
