"""Bundled weights: safetensors beside a card, checked before they are used."""

from __future__ import annotations

import hashlib
import importlib

import torch
from safetensors import SafetensorError
from safetensors.torch import load as read_tensors

from . import catalog


def load(name: str, device: torch.device | str = "cpu") -> torch.nn.Module:
    """The bundled network `name`, ready to run. ValueError with one sentence: missing, truncated, another file."""
    card, path = catalog.card(name), catalog.weights_path(name)
    try:
        stored = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path.name} is missing from Maquette's folder; install the extension again") from None
    except OSError as error:
        raise ValueError(f"{path.name} cannot be read ({error.strerror}); install the extension again") from None
    if "bytes" in card and len(stored) < card["bytes"]:
        raise ValueError(
            f"{path.name} is cut short ({len(stored)} of {card['bytes']} bytes); install the extension again"
        )
    if hashlib.sha256(stored).hexdigest() != card["sha256"]:
        raise ValueError(f"{path.name} is not the file that its card describes; install the extension again")
    network = build(name, card["config"])
    try:
        tensors = read_tensors(stored)
        network.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in tensors.items()})
    except (SafetensorError, RuntimeError) as error:
        raise ValueError(f"{path.name} does not fit this version of Maquette ({str(error).splitlines()[0]})") from None
    return network.eval().requires_grad_(False).to(device)


def build(name: str, config: dict) -> torch.nn.Module:
    """An untrained network from its card's config."""
    module = importlib.import_module(f".{catalog.CATALOG[name].name}", __package__)
    return module.create(config)
