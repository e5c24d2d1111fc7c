"""Scores of shape_vae beside what needs no network.

    python -m maquette.train evaluate shape_vae [--weights FILE]                held-out designs
    python -m maquette.train evaluate shape_vae --modelnet FOLDER --weights F   ModelNet10's test part, as published

Designs: what comes back of shapes it never saw; what it draws, as sets beside real ones, and how much of it is closed
and in one piece; what its sliders do; how long it takes. Parts that need a classifier's weights are left out without
them.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ...nets import catalog, device
from ..shapes import designs
from ..shapes.drawn_designs import draw
from . import draw_sheet, draws, reconstructed, sets, sliders, voxels
from .measure import mean_and_error, number
from .reading import read_any
from .reconstructed import Shapes
from .writing import add_to_card, write

NAME = "shape_vae"
PARTS = ("reconstruction", "sets", "closed", "sliders", "time")
TEST, KNOWN, FLOOR = 2, 5, 6
"""Seeds: of the test shapes, of the training shapes that baselines and priors know, of those that are held against the
test shapes as if they had been drawn by a sampler. Training draws from [0, ...], validation from [1, 0]."""


def main(argv=None):
    evaluate(parse(argv))


def parse(argv, name=NAME, parts=PARTS):
    parser = argparse.ArgumentParser(prog=f"maquette.train evaluate {name}", description=__doc__.split("\n")[0])
    parser.add_argument("--weights", default="bundled", help="bundled (default), a .safetensors, or a run's last.pt")
    parser.add_argument("--modelnet", default="", metavar="FOLDER", help="score on ModelNet10's voxels instead")
    parser.add_argument("--parts", default=",".join(parts), help="what to measure, by commas: %(default)s")
    parser.add_argument("--shapes", type=int, default=300, metavar="N", help="held-out designs (300)")
    parser.add_argument("--known", type=int, default=2000, metavar="N", help="training shapes baselines know (2000)")
    parser.add_argument(
        "--refine", type=int, default=0, metavar="N", help="also after N gradient steps on the latents; Encode takes 20"
    )
    parser.add_argument("--surface", type=int, default=8000, metavar="N", help="points of a reconstruction (8000)")
    parser.add_argument("--family", default="chair", help="family of the sets")
    parser.add_argument("--set-size", type=int, default=200, metavar="N", help="shapes in each set (200)")
    parser.add_argument("--points", type=int, default=1024, help="of a shape in a set (1024; published: 2048)")
    parser.add_argument("--draws", type=int, default=1000, metavar="N", help="draws of all families (1000)")
    parser.add_argument("--truncation", type=float, default=0.7, help="of those draws (.7)")
    parser.add_argument("--slider-draws", type=int, default=32, metavar="N", help="latents a slider is tried on (32)")
    parser.add_argument("--features", default="", metavar="F", help="shape_class trained on ModelNet10, for Frechet")
    parser.add_argument("--judge", default="bundled", metavar="F", help="shape_class that reads numbers (bundled)")
    parser.add_argument("--sheet", default="", metavar="P.png", help="draw 64 draws and three ways between shapes")
    parser.add_argument("--say", action="store_true", help="write the sliders' R^2 into the bundled card")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--report", default="", metavar="R.json", help="everything that was measured")
    parser.add_argument("--card", default="", metavar="M.json", help="the means, to add to for export --metrics")
    options = parser.parse_args(argv)
    strange = set(filter(None, options.parts.split(","))) - set(parts)
    if strange:
        raise ValueError(f"--parts {min(strange)} is none of {', '.join(parts)}")
    return options


def evaluate(options, name=NAME):
    """Measure each part, print its table, write the report."""
    network, about = read_any(name, options.weights, device.pick(options.device))
    print(f"{name} {about['sha256'][:8]}\n", flush=True)
    if options.modelnet:
        found = {"modelnet10": voxels.evaluate(network, options)}
    else:
        found = {}
        priors = offered_priors(network, about, options)
        measures = (reconstruction, drawn_sets, closed, slid, timed)
        for part, measure in zip(PARTS, measures):
            if part in options.parts.split(","):
                found[part] = measure(network, priors, options)
                print(flush=True)
        if options.sheet:
            draw_sheet.write(network, list(priors.values())[-1], Path(options.sheet))
    if options.report:
        write(options.report, {"weights": about["sha256"], "options": vars(options), **found})
    if options.card:
        add_to_card(options.card, summary(found))
    return found


def offered_priors(network, about: dict, options) -> dict[str, draws.Prior]:
    """Ways to draw latents, the best last: it is the one that draws are taken from where only one is measured."""
    kept: dict[int, Shapes] = {}

    def known(family: int) -> Shapes:
        if family not in kept:
            kept[family] = of_family(network.config.families, family, KNOWN, max(2, options.known // 8))
        return kept[family]

    priors = {"normal": draws.standard(network.config.latent)}
    if hasattr(network, "encode"):
        priors["Gaussian of the encoded"] = draws.fitted(network, known)
    if about.get("families") and network.latents.even:
        priors["named numbers even, the others Gaussian"] = draws.shipped(network, about)
    return priors


def of_family(families, family: int, seed: int, count: int) -> Shapes:
    """Designs of one family, numbered as the network numbers it."""
    drawn = draw((families[family],), np.random.default_rng([seed, family]), count)
    return Shapes(drawn["field"], np.full(count, family), drawn["numbers"])


def of_all(families, seed: int, count: int) -> Shapes:
    return Shapes(**draw(families, np.random.default_rng([seed, 0]), count))


def reconstruction(network, priors, options) -> dict:
    families = network.config.families
    test, known = of_all(families, TEST, options.shapes), of_all(families, KNOWN, options.known)
    components = min(network.config.latent, len(known))
    answers = {
        "mean of the family": reconstructed.family_means(known, test),
        f"nearest of {len(known)} training shapes, an oracle": reconstructed.nearest(known, test),
        f"{components} principal components": reconstructed.principal(known, test, components),
        "**shape_vae**": reconstructed.decoded_means(network, test),
    }
    if options.refine:
        answers |= reconstructed.decoded_refined(network, test, known, options.refine)
    rows = reconstructed.measure(answers, test, options.surface)
    print(f"Reconstruction of {len(test)} held-out designs\n\n{reconstructed.table(rows, families)}")
    return means(rows)


def means(rows: list[dict]) -> dict:
    """{predictor: {column: (mean, standard error)}}"""
    columns = [c for c in ("iou", "chamfer") if c in rows[0]]
    return {
        name: {c: mean_and_error([r[c] for r in rows if r["predictor"] == name]) for c in columns}
        for name in dict.fromkeys(row["predictor"] for row in rows)
    }


def drawn_sets(network, priors, options) -> dict:
    families, count = network.config.families, options.set_size
    if options.family not in families:
        raise ValueError(f"--family {options.family} is none of {', '.join(families)}")
    family = families.index(options.family)
    judge = read_any("shape_class", options.features, "cpu")[0] if options.features else None
    reference = draws.Reference(of_family(families, family, TEST, count).field, options.points, judge)
    candidates = {"training designs, the floor": lambda: of_family(families, family, FLOOR, count).field}
    tried = [(name, 1.0) for name in priors] + [(list(priors)[-1], options.truncation)]
    for name, truncation in tried:
        latents = priors[name](count, family, 3, truncation)
        candidates[f"{name}, truncation {truncation:g}"] = partial(draws.decoded, network, latents, family)
    scores = {name: reference.score(make()) for name, make in tqdm(candidates.items(), "Sets", file=sys.stderr)}
    print(f"{count} of {options.family} beside {count} test designs, {options.points} points\n")
    print("| | 1-NNA (50 % is best) | COV | MMD ×1000 | Fréchet |\n| --- | --- | --- | --- | --- |")
    for name, found in scores.items():
        print(set_line(name, found))
    return {name: found.as_dict() for name, found in scores.items()}


def set_line(name: str, found: sets.SetScores) -> str:
    far = "" if np.isnan(found.frechet) else f"{found.frechet:.2f}"
    return f"| {name} | {found.nna:.1%} | {found.coverage:.1%} | {1000 * found.mmd:.2f} | {far} |"


def closed(network, priors, options) -> dict:
    families = network.config.families
    found = {"designs themselves": draws.closed_share(of_all(families, TEST, min(options.draws, options.shapes)).field)}
    for name, prior in priors.items():
        fields = draws.draws_of_all(network, prior, options.draws, options.truncation)
        found[name] = draws.closed_share(fields)
    together = draws.joined(fields)
    found["the last, pieces joined"] = draws.closed_share(together)
    found["and what is still apart left out, as Sample gives them"] = draws.closed_share(together, largest=True)
    print(f"Closed and in one piece, of {options.draws} draws at truncation {options.truncation:g}\n")
    print("| | |\n| --- | --- |")
    for name, share in found.items():
        print(f"| {name} | {share:.1%} |")
    return found


def slid(network, priors, options) -> dict:
    families = network.config.families
    shipped = len(network.config.sliders) == len(families)
    if not shipped and not hasattr(network, "encode"):
        print("Sliders are not measured: they are fitted when the weights are exported")
        return {}
    if options.judge == "bundled" and not catalog.bundled("shape_class"):
        print("Sliders are not measured: no --judge, and shape_class is not bundled")
        return {}
    judge = read_any("shape_class", options.judge, "cpu")[0]
    if judge.config.classes != families:
        raise ValueError(f"The judge knows {', '.join(judge.config.classes)}; the sampler makes {', '.join(families)}")
    known = designs.designs()
    ranges = [designs.ranges(known[family]) for family in families]
    names = [list(own) for own in ranges]
    offered = (
        sliders.Shipped(network, [list(own.values()) for own in ranges])
        if shipped
        else sliders.Tied([len(n) for n in names])
    )
    prior = list(priors.values())[-1]
    true = of_all(families, TEST, 2 * options.shapes)
    rows = sliders.measure(network, offered, prior, judge, names, true, options.slider_draws)
    print(f"Sliders ({'as they ship' if shipped else 'the first latents themselves'})\n\n{sliders.table(rows)}")
    if options.say:
        say(rows, network)
    return {"means": sliders.means(rows), "rows": [vars(row) for row in rows]}


def say(rows: list[sliders.Slider], network) -> None:
    """Let the bundled card tell artists what was measured of each named slider."""
    name = type(network).__module__.rpartition(".")[2]
    card, path = catalog.card(name), catalog.weights_path(name).with_suffix(".json")
    measured = {(row.family, row.name): round(max(row.r2, 0.0), 3) for row in rows}
    for family, own in catalog.sliders(card).items():
        for slider in own:
            if slider["r2"] is not None:
                slider["r2"] = measured[family, slider["name"].lower()]
    write(path, card, indent=2)


def timed(network, priors, options) -> dict:
    found = draws.milliseconds(network, priors["normal"])
    print(f"| from a latent, {torch.get_num_threads()} threads | decode | marching cubes | both |")
    print("| --- |" + " --- |" * 3)
    for side, parts in found.items():
        print(f"| {side}³ | {parts['decode']:.1f} ms | {parts['mesh']:.1f} ms | {sum(parts.values()):.1f} ms |")
    return found


def summary(found: dict) -> dict:
    """What a card says: the means alone."""
    rows = found.get("modelnet10") or found.get("reconstruction") or {}
    where = "ModelNet10 test, IoU@32" if "modelnet10" in found else "held-out designs, IoU@64"
    card = {where: {name.strip("*"): number(*columns["iou"]) for name, columns in rows.items()}} if rows else {}
    card |= {part: found[part] for part in ("sets", "closed", "time") if part in found}
    return card | ({"sliders": found["sliders"]["means"]} if found.get("sliders") else {})
