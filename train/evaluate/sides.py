"""How well the sides are found from which an object's pictures were taken: by the judge, by outlines, and by chance.

    python -m maquette.train evaluate sides --procedural 64

*Overlap* is how much of the true shape overlaps itself (IoU) where it is turned as wrongly as was found; from .85 on a
turn looks right. A picture is used where its search is sure enough.
"""

import argparse
import math
import sys

import numpy as np
import torch
from tqdm import tqdm

from ...nets import checkpoint, device, sides, turns
from ..recipes.sides import alike, alone, overlap_of
from ..recipes.sides import sights as sights_of
from ..shapes.views import sample_views
from .reading import read_any

COUNTS = (2, 3, 5)
"""Pictures of each object"""
RIGHT = 0.85
CLOSE = 22.5
"""Degrees"""


def main(argv=None):
    options = parse(argv)
    where = device.pick(options.device)
    judge, about = read_any("sides", options.weights, where)
    network = checkpoint.load("image_to_field", where)
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for picture, turn, like in tqdm(objects(options.procedural, options.split), file=sys.stderr):
        answers = searches(network, judge, picture.to(where), options.enough)
        for name, (angles, used) in answers.items():
            wrong = angles - (turn[1:] - turn[0])[: len(angles)]
            overlaps = overlap_of(like[None], wrong[None])[0].tolist()
            off = np.abs((np.degrees(wrong.numpy()) + 180) % 360 - 180).tolist()
            found.setdefault(name, []).extend(zip(overlaps, off, used.tolist()))
    print(f"{options.procedural} objects, {options.split}, five pictures each; weights {about['sha256'][:8]}\n")
    print(table(found))


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate sides", description=__doc__.split("\n")[0])
    parser.add_argument("--procedural", type=int, default=64, metavar="N", help="held-out procedural shapes (64)")
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--weights", default="", help="a .safetensors beside its card, or RUN/last.pt, of the judge")
    parser.add_argument("--enough", type=float, default=sides.ENOUGH, help="overlap from which a turn is believed")
    parser.add_argument("--device", default="auto")
    return parser.parse_args(argv)


def objects(count: int, split: str):
    """Pictures (5, 4, 128, 128), straight alpha; how far the object is turned in each (5,); how it is like itself."""
    for seed in range(math.ceil(count / 16)):
        made = sample_views(10_000 + seed, min(16, count - seed * 16), COUNTS[-1], split)
        for i in range(len(made)):
            picture = torch.from_numpy(made.picture[i]).permute(0, 3, 1, 2).float() / 255
            yield picture, torch.from_numpy(made.fit[i, :, 0]).float(), alike(made.distance[i])


@torch.inference_mode()
def searches(network, judge, picture: torch.Tensor, enough: float) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Of each way to search: turns (V - 1,) of the other pictures, and which of them are believed."""
    seen, camera, shape = alone(network, picture)
    one_by_one = [{name: value[[k]].float() for name, value in seen.items()} for k in range(len(picture))]
    angles, sure = turns.find(network, one_by_one, list(shape), camera, picture[:, 3:])
    by_chance = torch.from_numpy(np.random.default_rng(0).uniform(0, 2 * np.pi, len(picture) - 1)).float()
    made = {"any turn": (by_chance, torch.zeros(len(by_chance), dtype=torch.bool))}
    made["outlines and the head"] = (angles.cpu(), (sure >= turns.ENOUGH).cpu())
    sights = list(sights_of(picture, camera, shape).to(picture.device))
    for count in COUNTS:
        angles, sure = sides.find(judge, sights[:count])
        made[f"**sides**, {count} pictures"] = (angles, sure >= enough)
    return made


def table(found: dict[str, list[tuple[float, float, bool]]]) -> str:
    """Markdown: a row a search."""
    lines = ["| | overlap | looks right | within 22.5° | used | overlap of those | right |", "| --- " * 7 + "|"]
    for name, rows in found.items():
        overlap, off, used = (np.array(column) for column in zip(*rows))
        error = overlap.std() / math.sqrt(len(overlap))
        cells = [f"{short(overlap.mean())} ± {short(error)}", f"{(overlap >= RIGHT).mean():.0%}"]
        cells += [f"{(off <= CLOSE).mean():.0%}", f"{used.mean():.0%}"]
        cells += [short(overlap[used].mean()), f"{(overlap[used] >= RIGHT).mean():.0%}"] if used.any() else ["", ""]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def short(value: float) -> str:
    return f"{value:.3f}".removeprefix("0")
