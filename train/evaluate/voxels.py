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
from .measure import mean_and_error
from .reconstructed import Shapes


def evaluate(network, options) -> dict:
    """The network's reconstructions beside the baselines, printed."""
    of_modelnet(network.config.families)
    parts = ("test", "train", "validation")
    test, train, held = (shapes(options.modelnet, part, network.config.resolution) for part in parts)
    answers = baselines(test, joined(train, held), network.config.latent)
    answers["**shape_vae**"] = reconstructed.decoded_means(network, test)
    if options.refine:
        answers |= reconstructed.decoded_refined(network, test, train, options.refine)
    rows = reconstructed.measure(answers, test, resolution=32)
    print(f"Reconstruction of {len(test)} test shapes of ModelNet10\n\n{reconstructed.table(rows, TEN, 'IoU@32')}")
    return {name: {"iou": mean_and_error([r["iou"] for r in rows if r["predictor"] == name])} for name in answers}


def baselines(test: Shapes, known: Shapes, latent: int) -> dict[str, reconstructed.Answer]:
    """They know the whole official training part, of which the network was trained on nine tenths."""
    components = min(latent, len(known))
    return {
        "mean of the class": reconstructed.family_means(known, test),
        f"nearest of {len(known)} training shapes, an oracle": reconstructed.nearest(known, test),
        f"{components} principal components": reconstructed.principal(known, test, components),
    }


def joined(one: Shapes, other: Shapes) -> Shapes:
    return Shapes(np.concatenate([one.field, other.field]), np.concatenate([one.family, other.family]))


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
