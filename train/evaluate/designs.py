"""Designs of image_to_field beside each other on the same validation shapes, from runs of equal length.

    python -m maquette.train image_to_field --run runs/global --design global-latent ...
    python -m maquette.train image_to_field --run runs/plain --library 0 ...
    python -m maquette.train image_to_field --run runs/prior ...
    python -m maquette.train evaluate designs runs/global runs/plain runs/prior --shards runs/shards

Each answers with its likeliest camera, with the mean over its three likeliest, and with the true one.
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


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate designs", description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="folders with a last.pt")
    parser.add_argument("--shards", default="runs/shards", help="folder whose validation/ shards are answered to")
    parser.add_argument("--count", type=int, default=256, help="validation shapes (256)")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(argv)
    rows = [row(Path(run), options) for run in options.runs]
    print(f"{options.count} validation shapes, IoU at 32^3 of the field at level .5, averaged weights\n")
    names = "run", "design", "parameters", "minutes", "samples", "likeliest camera", "mean of three", "true camera"
    print("| " + " | ".join((*names, "elevation")) + " |\n|" + " --- |" * (len(names) + 1))
    print("\n".join(rows))


def row(run: Path, options) -> str:
    """A run's line of the table. Raises ValueError where it has no checkpoint of image_to_field."""
    if not (run / LAST).exists():
        raise ValueError(f"{run / LAST} does not exist; train it first")
    stored = torch.load(run / LAST, map_location="cpu", weights_only=True)
    known = {field.name for field in fields(recipes.Recipe)}
    if "true_camera" not in stored.get("recipe", {}):
        raise ValueError(f"{run / LAST} is no run of image_to_field")
    recipe = recipes.Recipe(**{name: value for name, value in stored["recipe"].items() if name in known})
    network = recipes.designed(recipe)
    network.load_state_dict(stored["averaged"])
    network, where = network.to(options.device), options.device
    scores = validate(network, replace(recipe, shards=options.shards, validation=options.count, several=0), where)
    state = stored["state"]
    design = recipe.design + (f", prior of {recipe.library}" if network.prior is not None else "")
    figures = [scores[name] for name in ("iou_one", "iou_three", "iou_true_camera")]
    return (
        f"| {run.name} | {design} | {parameters(network):.2f} M | {state['seconds'] / 60:.1f} | {state['samples']} | "
        + " | ".join(f"{value:.3f}" for value in figures)
        + f" | {scores['elevation_degrees']:.1f}° |"
    )
