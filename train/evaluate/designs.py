"""Designs of image_to_field beside each other on the same validation shapes, from runs of equal length.

    python -m maquette.train image_to_field --run runs/global --design global-latent ...
    python -m maquette.train image_to_field --run runs/plain --library 0 ...
    python -m maquette.train image_to_field --run runs/prior ...
    python -m maquette.train evaluate designs runs/global runs/plain runs/prior --shards runs/shards

A .safetensors file beside its card may stand for a run: nets/weights/image_to_field.safetensors is what ships. Each
answers with its likeliest camera, with the mean over its three likeliest, and with the true one.
"""

from __future__ import annotations

import argparse
from dataclasses import fields, replace
from pathlib import Path

import torch

from ..recipes import image_to_field as recipes
from ..recipes.field_validation import validate
from ..state import LAST
from .peers.global_latent import parameters
from .reading import read_network


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate designs", description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders with a last.pt, or .safetensors files")
    parser.add_argument("--shards", default="runs/shards", help="folder whose validation/ shards are answered to")
    parser.add_argument("--count", type=int, default=256, help="validation shapes (256)")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(argv)
    rows = [row(Path(run), options) for run in options.runs]
    print(f"At most {options.count} validation shapes, IoU at 32^3 of the field at level .5, averaged weights\n")
    names = "run", "design", "parameters", "minutes", "samples", "likeliest camera", "mean of three", "true camera"
    print("| " + " | ".join((*names, "elevation")) + " |\n|" + " --- |" * (len(names) + 1))
    print("\n".join(rows))


def row(path: Path, options) -> str:
    """A line of the table. Raises ValueError where there are neither weights nor a checkpoint of image_to_field."""
    network, recipe, minutes, samples = weights(path) if path.suffix == ".safetensors" else checkpoint(path)
    network, where = network.to(options.device), options.device
    scores = validate(network, replace(recipe, shards=options.shards, validation=options.count, several=0), where)
    design = recipe.design + (f", prior of {recipe.library}" if network.prior is not None else "")
    figures = [scores[name] for name in ("iou_one", "iou_three", "iou_true_camera")]
    return (
        f"| {path.stem} | {design} | {parameters(network):.2f} M | {minutes:.1f} | {samples} | "
        + " | ".join(f"{value:.3f}" for value in figures)
        + f" | {scores['elevation_degrees']:.1f}° |"
    )


def checkpoint(run: Path) -> tuple[torch.nn.Module, recipes.Recipe, float, int]:
    """The averaged weights of a run's last checkpoint, its recipe, minutes and samples."""
    if not (run / LAST).exists():
        raise ValueError(f"{run / LAST} does not exist; train it first")
    stored = torch.load(run / LAST, map_location="cpu", weights_only=True)
    if "true_camera" not in stored.get("recipe", {}):
        raise ValueError(f"{run / LAST} is no run of image_to_field")
    recipe = known(stored["recipe"])
    network = recipes.designed(recipe)
    network.load_state_dict(stored["averaged"])
    return network, recipe, stored["state"]["seconds"] / 60, stored["state"]["samples"]


def weights(path: Path) -> tuple[torch.nn.Module, recipes.Recipe, float, int]:
    """What was exported, by its card: minutes and samples are those of its last run."""
    network, card = read_network(recipes.NAME, path, "cpu")
    training = card.get("training", {})
    recipe = known(training.get("recipe", {}) | card["config"])
    return network, recipe, training.get("minutes", 0.0), training.get("samples", 0)


def known(settings: dict) -> recipes.Recipe:
    names = {field.name for field in fields(recipes.Recipe)}
    return recipes.Recipe(**{name: value for name, value in settings.items() if name in names})
