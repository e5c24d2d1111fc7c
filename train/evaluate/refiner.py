"""What refining to 128^3 is worth: shapes from one picture as 64^3 gives them, drawn out, and refined.

    python -m maquette.train evaluate refiner --procedural 64

Scored in the cube of the picture's own camera, as it was judged or told, and nothing is brought to size: IoU at 128^3
cells, Chamfer, F-scores at .5 % and 1 % of the cube, and how like the picture's outline the shape's is, at 256 pixels.
"""

import argparse
import sys
from itertools import islice

import numpy as np
import torch
from tqdm import tqdm

from ...geometry.bridge import bridged
from ...geometry.field import Field
from ...geometry.frames import UNIT_CUBE
from ...geometry.isosurface import mesh_from_field
from ...geometry.mesh import Mesh
from ...geometry.occupancy_level import promising_level
from ...nets import device
from ...nets.estimate import Detail, detailed, sized
from ...nets.look import Looker
from ...nets.outline import outline_iou
from ...nets.refiner import PICTURE, REFINED, sight
from ..recipes.field_samples import cameras
from ..recipes.refiner import answer, matted
from ..shapes import closer, world
from .measure import MESHING, mean_and_error, number
from .metrics import sample, surface_scores
from .reading import read_any, read_network
from .writing import add_to_card

NAME = "refiner"
TITLES = {
    "iou": "IoU@128",
    "outline": "outline IoU",
    "chamfer": "Chamfer ×100",
    "f05": "F .5 %",
    "f1": "F 1 %",
    "normals": "Normals",
}


def main(argv=None):
    evaluate(parse(argv))


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate refiner", description=__doc__.split("\n")[0])
    parser.add_argument("--procedural", type=int, default=64, metavar="N", help="held-out procedural shapes (64)")
    parser.add_argument("--split", default="test", choices=("test", "validation"))
    parser.add_argument("--weights", default="", help="its .safetensors beside a card, or RUN/last.pt, not what ships")
    parser.add_argument("--points", type=int, default=30_000, help="drawn on each surface")
    parser.add_argument("--mask", type=int, default=0, metavar="N", help="masks as coarse as N pixels a side")
    parser.add_argument("--told", action="store_true", help="the camera is told, not judged from the picture")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--card", default="", metavar="M.json", help="the means, to add to for export --metrics")
    return parser.parse_args(argv)


def evaluate(options):
    """Measure, print the table, write the means."""
    where = device.pick(options.device)
    field, about = read_network("image_to_field", "", where)
    network, card = read_any(NAME, options.weights, where)
    rows = []
    cases = islice(closer.traced(0, options.procedural, options.split), options.procedural)
    for picture, camera, family, table in tqdm(cases, total=options.procedural, desc="Shapes", file=sys.stderr):
        rgba = torch.from_numpy(picture).permute(2, 0, 1)[None].float().to(where) / 255
        if options.mask:
            rgba[:, 3:] = matted(rgba[:, 3:], options.mask)
        known = cameras(torch.from_numpy(camera)[None]).to(where)
        made = answer(field, rgba, known if options.told else None)
        if made is None:
            print(f"nothing was found in a picture of a {list(world.FAMILIES)[family]}")
            continue
        truth = closer.distances(table)
        for name, (values, level) in answers(network, made, rgba).items():
            scores = measured(values, level, truth, made, options.points)
            rows.append({"answer": name, "family": list(world.FAMILIES)[family], **scores})
    weights = {"image_to_field": about["sha256"][:8], NAME: card["sha256"][:8]}
    masks = f", masks of {options.mask} pixels" if options.mask else ""
    masks += ", camera told" if options.told else ""
    print(f"{options.procedural} procedural shapes, {options.split}{masks}; {weights}; mean ± standard error\n")
    print(table_of(rows))
    if options.card:
        last = [row for row in rows if row["answer"] == rows[-1]["answer"]]
        means = {name: round(float(np.nanmean([row[name] for row in last])), 4) for name in TITLES}
        add_to_card(options.card, {f"{options.procedural} procedural, {options.split}": means})


def answers(network, made, rgba):
    """Name -> occupancy (N, N, N) as Reconstruct has it, and its level; rgba (1, 4, 256, 256), straight alpha."""
    occupancy = made["logits"].float()[0, 0].sigmoid().cpu().numpy()
    level, _ = promising_level(occupancy)
    occupancy = bridged(occupancy, level)
    wide = sized(torch.from_numpy(occupancy)[None].logit(1e-4), REFINED)[0].sigmoid().numpy()
    fine = detailed(Detail(network), occupancy, level, made["distance"], [Looker(rgba, made["camera"])])
    return {
        "64³": (occupancy, level),
        "64³ drawn out to 128³": (wide, promising_level(wide)[0]),
        "**refined to 128³**": fine,
    }


def measured(values, level, truth, made, points):
    """Scores of one answer; truth (128, 128, 128), inside < 0."""
    logits = torch.from_numpy(values).to(made["camera"].device).logit(1e-4)[None, None]
    inside = (values > level).repeat(REFINED // len(values), 0).repeat(REFINED // len(values), 1)
    inside = inside.repeat(REFINED // len(values), 2)
    above = logits - float(np.log(level / (1 - level)))
    shown = sight(above, made["camera"], PICTURE)[:, :1, :, :] > 0
    scores = {
        "iou": float((inside & (truth < 0)).sum() / max((inside | (truth < 0)).sum(), 1)),
        "outline": float(outline_iou(shown[:, 0], made["picture"][:, 3] > 0.5)[0]),
    }
    mesh, true = surface(values, level, **MESHING), surface(-truth, 0.0)
    found = surface_scores(*sample(mesh, points, 0), *sample(true, points, 1), (0.005, 0.01))
    return scores | dict(zip(("chamfer", "f05", "f1", "normals"), found))


def surface(values, level, **meshing) -> Mesh:
    return mesh_from_field(Field(values, level, UNIT_CUBE), **{"islands": True, **meshing})


def table_of(rows):
    """Markdown: each answer's means with standard errors, then IoU by family."""
    names = list(dict.fromkeys(row["answer"] for row in rows))
    lines = ["| | " + " | ".join(TITLES.values()) + " |", "| --- |" + " --- |" * len(TITLES)]
    for name in names:
        own = [row for row in rows if row["answer"] == name]
        scale = {"chamfer": 100}
        cells = (mean_and_error([row[c] * scale.get(c, 1) for row in own]) for c in TITLES)
        lines.append(f"| {name} | " + " | ".join(number(*cell) for cell in cells) + " |")
    lines += ["", "| family | shapes | " + " | ".join(names) + " |", "| --- | --- |" + " --- |" * len(names)]
    for family in sorted({row["family"] for row in rows}):
        own = [[row["iou"] for row in rows if (row["family"], row["answer"]) == (family, name)] for name in names]
        means = " | ".join(number(float(np.mean(scores))) for scores in own)
        lines.append(f"| {family} | {len(own[0])} | {means} |")
    return "\n".join(lines)
