"""How many of ModelNet10's test shapes the classifier names, beside VoxNet's 92 % (Maturana & Scherer 2015).

    python -m maquette.train evaluate shape_class --modelnet FOLDER --weights RUN/last.pt

The official split, grids with under 50 voxels left out. Weights that learnt from the training part alone.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch

from ...nets.shape_class import TURNS, ShapeClass, probabilities
from ..readers import grids
from ..readers.modelnet import TEN
from .reading import read_any
from .voxels import of_modelnet

NAME = "shape_class"
BATCH = 32


def main(argv=None):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate shape_class", description=__doc__.split("\n")[0])
    parser.add_argument("--modelnet", required=True, metavar="FOLDER", help="ModelNet10's voxels")
    parser.add_argument(
        "--weights", required=True, help="shape_class trained on its training part: .safetensors or last.pt"
    )
    options = parser.parse_args(argv)
    network, about = read_any("shape_class", options.weights, "cpu")
    of_modelnet(network.config.classes)
    held = grids.read(options.modelnet, "test")
    once, voted = (accuracy(network, held, turns) for turns in (1, TURNS))
    print(f"shape_class {about['sha256'][:8]} on {len(held['family'])} test shapes of ModelNet10\n")
    print("| | all | " + " | ".join(TEN) + " |\n| --- |" + " --- |" * 11)
    for name, right in (("one pose", once), (f"vote of {TURNS} turns", voted)):
        by_class = " | ".join(f"{right[held['family'] == i].mean():.1%}" for i in range(10))
        print(f"| {name} | {right.mean():.1%} | {by_class} |")


def accuracy(network: ShapeClass, held: dict, turns: int) -> np.ndarray:
    """(N,) bool: which shapes get their own class."""
    found = []
    for part in torch.from_numpy(held["field"]).split(BATCH):
        found.append(probabilities(network, part.float(), turns).argmax(1).numpy())
    return np.concatenate(found) == held["family"]
