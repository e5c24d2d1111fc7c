"""ModelNet10's test part (Wu 2015, arXiv:1406.5670), as 32^3 voxels: what a sampler keeps of shapes that it never saw.

Protocol: the official split, voxels as they are stored, grids with under 50 voxels left out; IoU of what is inside at
the voxels' own cells, mean over test shapes. Networks that learnt on the other part only; nothing is chosen by the test
part.
"""

from __future__ import annotations

import numpy as np
import torch

from ..readers import grids
from ..readers.modelnet import TEN
from . import reconstructed
from .reconstructed import Shapes


def evaluate(network, options) -> dict:
    """The network's reconstructions beside the baselines, printed."""
    of_modelnet(network.config.families)
    test, train = (shapes(options.modelnet, part, network.config.resolution) for part in ("test", "train"))
    components = min(network.config.latent, len(train))
    answers = {
        "mean of the class": reconstructed.family_means(train, test),
        f"nearest of {len(train)} training shapes, an oracle": reconstructed.nearest(train, test),
        f"{components} principal components": reconstructed.principal(train, test, components),
        "**shape_vae**": reconstructed.decoded_means(network, test),
    }
    rows = reconstructed.measure(answers, test, resolution=32)
    print(f"Reconstruction of {len(test)} test shapes of ModelNet10\n\n{reconstructed.table(rows, TEN, 'IoU@32')}")
    return {
        name: {"iou": reconstructed.mean_and_error([r["iou"] for r in rows if r["predictor"] == name])}
        for name in answers
    }


def shapes(path, part: str, resolution: int) -> Shapes:
    """Distances, at 64^3 between those of the voxels."""
    found = grids.read_distances(path, part)
    field = found["field"]
    if resolution != field.shape[-1]:
        field = np.concatenate([grids.doubled(torch.from_numpy(f).float()[None]).to(torch.int8) for f in field])
    return Shapes(field, found["family"])


def of_modelnet(classes: tuple[str, ...]) -> None:
    """Raises ValueError where a network knows other classes."""
    if classes != TEN:
        raise ValueError(
            "These weights are not of ModelNet10's classes: train with --modelnet FOLDER and give --weights"
        )
