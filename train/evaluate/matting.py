"""How well the object is told from its background: IoU of masks, beside what needs no training.

    python -m maquette.train evaluate matting --panoramas MAPS.npz               held-out procedural objects
    python -m maquette.train evaluate matting --pictures FOLDER --panoramas ...  your cut-out pictures (with alpha)
    python -m maquette.train evaluate matting --look FOLDER --sheet S.png        photos without truth, to look at

Objects are composited over backgrounds of every kind (train/shapes/composites.py), none of which training sees.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from ...geometry import background
from ...geometry.crop import crop_to_object, resized
from ...geometry.picture import Picture, read_picture, write_picture
from ...nets import device, matting
from ..shapes import backgrounds, composites, world
from .grabcut import grabcut
from .reading import read_network
from .writing import add_to_card

NAME = "matting"
PICTURE_SIZE = 256
TOLD = "GrabCut, told the true box"
ENDINGS = {".png", ".webp", ".tif", ".tiff"}


def main(argv=None):
    evaluate(parse(argv))


def parse(argv):
    parser = argparse.ArgumentParser(prog="maquette.train evaluate matting", description=__doc__.split("\n")[0])
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--pictures", metavar="FOLDER", help="pictures whose alpha is the truth, searched for in depth")
    source.add_argument("--procedural", type=int, default=200, metavar="N", help="held-out procedural objects (200)")
    source.add_argument("--look", metavar="FOLDER", help="photos to draw on --sheet, each beside what is found in it")
    parser.add_argument("--split", default="test", choices=("test", "validation"), help="of objects and backgrounds")
    parser.add_argument("--panoramas", default="", help=".npz of linear (H, W, 3) maps for photographed backgrounds")
    parser.add_argument("--weights", default="", help="a .safetensors beside its card to measure, not the bundled one")
    parser.add_argument("--levels", type=float, nargs="*", default=[], help="levels to try besides the card's own")
    parser.add_argument("--no-network", action="store_true", help="the baselines alone")
    parser.add_argument("--no-baselines", action="store_true", help="the network alone")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--sheet", default="", metavar="S.png", help="pictures to look at: what was found, dimmed elsewhere"
    )
    parser.add_argument("--card", default="", metavar="M.json", help="the means, to add to for export --metrics")
    return parser.parse_args(argv)


def evaluate(options):
    """Measure, print the table, draw the sheet, write the means."""
    finders = {} if options.no_baselines else dict(untrained())
    if not options.no_network:
        network, card = read_network(NAME, options.weights, device.pick(options.device))
        finders |= trained(network, float(card.get("level", 0.5)), options.levels)
    if not finders:
        raise ValueError("nothing is left to measure: leave out --no-network or --no-baselines")
    if options.look:
        return look(options, finders)
    rows, tiles = [], []
    for picture, true, kind in tqdm(cases(options), desc="Pictures measured", file=sys.stderr):
        tiles.append([picture, shown(picture, true)])
        for name, find in finders.items():
            start = time.perf_counter()
            found, how = find(picture, true)
            rows.append((name, kind, overlap(found, true), time.perf_counter() - start, how))
            tiles[-1].append(shown(picture, found))
    about = options.pictures or f"{options.procedural} procedural objects, {options.split}"
    print(f"{len(tiles)} composites of {about}; mean IoU ± its standard error\n")
    print(table(rows))
    if options.sheet:
        write_picture(sheet(tiles), options.sheet)
    if options.card:
        add_to_card(options.card, {Path(about).name: means_of(rows)})


def look(options, finders):
    """Photos, squeezed into squares, with what is found in them; says by what."""
    if not options.sheet:
        raise ValueError("--look draws a sheet: name it with --sheet")
    tiles = []
    for path in sorted(path for path in Path(options.look).rglob("*") if path.suffix.lower() in {*ENDINGS, ".jpg"}):
        rgb = resized(over_white(read_picture(path).rgba), PICTURE_SIZE, PICTURE_SIZE)
        found = {name: find(rgb, None) for name, find in finders.items() if name != TOLD}
        tiles.append([rgb, *(shown(rgb, mask) for mask, _ in found.values())])
        print(path, ", ".join(f"{name}: {how}" for name, (_, how) in found.items() if how))
    if not tiles:
        raise ValueError(f"{options.look} holds no pictures")
    write_picture(sheet(tiles), options.sheet)


def over_white(rgba):
    """(H, W, 3): a photo as it is, a cut-out on white paper."""
    return rgba[..., :3] * rgba[..., 3:] + 1 - rgba[..., 3:]


def cases(options):
    """picture (S, S, 3) float32 in [0, 1], mask (S, S) bool, kind of background: the same for the same options."""
    rng = np.random.default_rng(2)
    panoramas = backgrounds.read_panoramas(options.panoramas, options.split)
    cutouts = stored(options.pictures) if options.pictures else drawn(options.procedural, options.split)
    kinds = [kind for kind in composites.KINDS if panoramas or kind != "place"]
    for which in range(len(cutouts)):
        made = composites.World(cutouts, panoramas)
        pixels, mask, kind = composites.compose(rng, made, which, kinds[which % len(kinds)], PICTURE_SIZE)
        yield np.float32(pixels) / 255, mask > 127, kind


def drawn(count, split):
    return world.sample(0, count, split, background=False).picture


def stored(folder, each=5):
    """Cut-outs (N, 256, 256, 4) of a folder's pictures with alpha, each as often as there are kinds of background."""
    found = []
    for path in sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in ENDINGS):
        picture = read_picture(path)
        if picture.has_alpha:
            found += [np.uint8(np.round(crop_to_object(picture.rgba, 256)[0] * 255))] * each
    if not found:
        raise ValueError(f"{folder} holds no pictures with alpha ({', '.join(sorted(ENDINGS))})")
    return np.stack(found)


# --- what finds objects ----------------------------------------------------------------------------------------------


def untrained():
    """name -> (picture, truth) -> (mask, method). Only what says so is told anything of the truth."""

    def ellipse(picture, true):
        y, x = np.mgrid[-1 : 1 : len(picture) * 1j, -1 : 1 : len(picture) * 1j]
        return x**2 + y**2 < 0.6**2, ""

    def boxed(picture, true):
        rows, columns = np.flatnonzero(true.any(1)), np.flatnonzero(true.any(0))
        size = len(true)
        box = (rows[0] - 2) / size, (rows[-1] + 3) / size, (columns[0] - 2) / size, (columns[-1] + 3) / size
        return grabcut(picture, np.clip(box, 0, 1)), ""

    yield "disc in the middle", ellipse
    yield "plain colour (the background's fit)", lambda picture, true: isolated(picture)
    yield "GrabCut, from the margins", lambda picture, true: (grabcut(picture), "")
    yield TOLD, boxed


def trained(network, level, others=()):
    def found(at):
        return lambda picture, true: (matting.foreground(network, picture) > at, "network")

    def in_order(picture, true):
        return isolated(picture, lambda small: matting.foreground(network, small) > level)

    answers = {f"{NAME}, before its edge is refined": found(level), f"**{NAME}, as in Reconstruct**": in_order}
    return answers | {f"{NAME} at {at:g}, unrefined": found(at) for at in others}


def isolated(picture, network=lambda small: None):
    """The mask and method as Reconstruct has them; nothing where it finds nothing."""
    opaque = np.concatenate([picture, np.ones_like(picture[..., :1])], -1)
    try:
        found = background.isolate(Picture(opaque, False, "picture", ""), network)
    except ValueError:
        return np.zeros(picture.shape[:2], bool), "nothing"
    return found.mask > background.SEEN, found.method


# --- scores ----------------------------------------------------------------------------------------------------------


def overlap(found, true):
    return np.count_nonzero(found & true) / max(np.count_nonzero(found | true), 1)


def table(rows):
    """Markdown: a row a finder, a column a kind of background; the share of pictures that the plain fit answered."""
    kinds = list(dict.fromkeys(row[1] for row in rows))
    lines = [f"| | all | {' | '.join(kinds)} | below .9 | by plain | ms |", "| --- " * (len(kinds) + 5) + "|"]
    for name in dict.fromkeys(row[0] for row in rows):
        own = [row for row in rows if row[0] == name]
        scores = np.array([row[2] for row in own])
        cells = [f"{short(scores.mean())} ± {short(scores.std() / np.sqrt(len(scores)))}"]
        cells += [short(np.mean([row[2] for row in own if row[1] == kind])) for kind in kinds]
        share = np.mean([row[4] == "plain" for row in own])
        cells += [
            f"{(scores < 0.9).mean():.0%}",
            f"{share:.0%}" if share else "",
            f"{1e3 * np.median([r[3] for r in own]):.0f}",
        ]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def short(value):
    return f"{value:.3f}".removeprefix("0")


def means_of(rows):
    names = dict.fromkeys(row[0] for row in rows)
    return {f"iou of {n.strip('*')}": round(float(np.mean([r[2] for r in rows if r[0] == n])), 4) for n in names}


def shown(picture, mask):
    """The picture, dimmed and tinted where the mask is not."""
    return np.where(mask[..., None], picture, 0.3 * picture + [0.25, 0, 0.25]).astype(np.float32)


def sheet(tiles, most=40):
    return np.concatenate([np.concatenate([tile[::2, ::2] for tile in row], 1) for row in tiles[:most]], 0)
